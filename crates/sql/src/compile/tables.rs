//! CREATE, ALTER and DROP carried out on the catalog; CREATE TABLE AS as a table and an INSERT.

use sqlparser::ast;
use weir_base::Span;

use super::Session;
use crate::binder;
use crate::catalog::{DatabaseInfo, Making, ObjectPath, place_of};
use crate::declare;
use crate::error::SqlResult;
use crate::statement::{CreateTable, CreateView, Dropped, TableChange, ViewChange};
use crate::{Insert, Query, SqlError, Statement, StatementKind, Table, View, options, views};

impl Session<'_, '_> {
    /// Carries out a CREATE TABLE; gives the INSERT that fills a table made AS a query.
    pub(super) fn create_table(&mut self, create: &CreateTable, span: Span) -> SqlResult<Option<Insert>> {
        let path = self.catalog.path(&create.name)?;
        // As in Flink OR REPLACE replaces with a query only.
        let making = Making { replace: create.making.replace && create.query.is_some(), ..create.making };
        if !self.catalog.check_new(&path, place_of(&create.name), making)? {
            // As in Flink the rows of AS go into the table that is there.
            let insert = |query: &Query| filling(create, &path, query, Vec::new(), span);
            return Ok(create.query.as_ref().map(insert));
        }
        let (table, insert) = self.declared(create, &path, span)?;
        options::check_declared(&table.options, self.environment)?;
        binder::columns_of_table(&table)?;
        self.catalog.create_table(path, table, making)?;
        Ok(insert)
    }

    /// The table that `create` makes at `path`, and the INSERT that fills it.
    fn declared(&self, create: &CreateTable, path: &ObjectPath, span: Span) -> SqlResult<(Table, Option<Insert>)> {
        let Some(query) = &create.query else {
            let base = create.like.as_ref().map(|like| declare::base_table(&self.catalog, like)).transpose()?;
            return Ok((declare::declare(create, path, base)?, None));
        };
        let given = self.query_columns(query)?;
        let given: Vec<_> = given.into_iter().map(|column| (column.name, column.data_type)).collect();
        let from_query = declare::with_query(create, &given, query.span)?;
        let mut full = create.clone();
        full.body.columns = from_query.columns;
        full.query = None;
        let own: Vec<&str> = create.body.columns.iter().map(|column| column.name.as_str()).collect();
        let table = declare::declare_with(&full, path, None, |name| own.contains(&name))?;
        let insert = filling(create, path, query, from_query.targets, span);
        Ok((table, Some(insert)))
    }

    /// The plan and the syntax tree of a CREATE TABLE AS that nobody runs.
    pub(super) fn explained_create(
        &self,
        create: &CreateTable,
        span: Span,
    ) -> SqlResult<(weir_plan::JobGraph, String)> {
        let mut apart = Session {
            environment: self.environment,
            catalog: self.catalog.clone(),
            settings: self.settings.clone(),
            steps: Vec::new(),
        };
        match apart.create_table(create, span)? {
            Some(insert) => apart.explained(std::slice::from_ref(&insert)),
            None => Err(SqlError::new(span, "the table is there already: nothing is to be done")
                .hint("leave IF NOT EXISTS out to see what a new one would be")),
        }
    }

    /// Carries out a CREATE VIEW.
    pub(super) fn create_view(&mut self, create: &CreateView) -> SqlResult<()> {
        let path = self.catalog.path(&create.name)?;
        let span = place_of(&create.name);
        // In Flink 2.3 OR REPLACE replaces no view.
        let making = Making { replace: false, ..create.making };
        let is_new = self.catalog.check_new(&path, span, making).map_err(|error| match create.making.replace {
            true => error.hint(
                "OR REPLACE replaces no view in Flink 2.3: DROP VIEW IF EXISTS it before, or write ALTER VIEW ... AS",
            ),
            false => error,
        })?;
        if !is_new {
            return Ok(());
        }
        let view = self.view(&path, create.columns.clone(), create.comment.clone(), &create.query, span)?;
        self.catalog.create_view(path, view, making).map(|_| ())
    }

    /// A view at `path`, its query checked.
    fn view(
        &self,
        path: &ObjectPath,
        columns: Vec<ast::Ident>,
        comment: Option<String>,
        query: &Query,
        span: Span,
    ) -> SqlResult<View> {
        views::check_view(&self.catalog, path, query, span)?;
        let given = self.query_columns(query)?;
        if !columns.is_empty() && columns.len() != given.len() {
            let message = format!(
                "VIEW definition and input fields not match:\n\tDef fields: {}.\n\tInput fields: {}.",
                columns.iter().map(|ident| ident.value.as_str()).collect::<Vec<_>>().join(", "),
                given.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
            );
            return Err(SqlError::new(span, message).hint("give each column of the query one name"));
        }
        let mut query = query.clone();
        views::qualify(&self.catalog, &mut query)?;
        Ok(View { full_name: path.to_string(), name: path.object.clone(), columns, query, comment, span })
    }

    /// Carries out a DROP.
    pub(super) fn drop(&mut self, dropped: &Dropped) -> SqlResult<()> {
        match dropped {
            Dropped::Object { view, temporary, name, if_exists } => {
                self.catalog.drop(name, *view, *temporary, *if_exists)
            }
            Dropped::Catalog { name, if_exists } => self.catalog.drop_catalog(name, *if_exists),
            Dropped::Database { name, if_exists, cascade } => self.catalog.drop_database(name, *if_exists, *cascade),
        }
    }

    /// Carries out an ALTER TABLE.
    pub(super) fn alter_table(
        &mut self,
        name: &ast::ObjectName,
        if_exists: bool,
        change: &TableChange,
    ) -> SqlResult<()> {
        let Some((path, table)) = self.catalog.altered_table(name, if_exists)? else { return Ok(()) };
        if let TableChange::Rename(to) = change {
            return self.catalog.rename(&path, to);
        }
        let altered = declare::alter(table, &path, change)?;
        if matches!(change, TableChange::Add(_) | TableChange::Modify(_)) {
            binder::columns_of_table(&altered)?;
        }
        if matches!(change, TableChange::Set(_)) {
            options::check_declared(&altered.options, self.environment)?;
        }
        self.catalog.create_table(path, altered, Making { replace: true, ..Making::default() }).map(|_| ())
    }

    /// Carries out an ALTER VIEW.
    pub(super) fn alter_view(&mut self, name: &ast::ObjectName, if_exists: bool, change: &ViewChange) -> SqlResult<()> {
        let Some((path, view)) = self.catalog.altered_view(name, if_exists)? else { return Ok(()) };
        match change {
            ViewChange::Rename(to) => self.catalog.rename(&path, to),
            ViewChange::As(query) => {
                let comment = view.comment.clone();
                let view = self.view(&path, Vec::new(), comment, query, place_of(name))?;
                self.catalog.create_view(path, view, Making { replace: true, ..Making::default() }).map(|_| ())
            }
        }
    }

    /// Carries out what CREATE, ALTER and DROP do with catalogs and databases.
    pub(super) fn change_catalogs(&mut self, statement: &Statement) -> SqlResult<()> {
        match &statement.kind {
            StatementKind::CreateCatalog { name, if_not_exists, comment, options } => {
                self.catalog.create_catalog(name, comment.clone(), options, *if_not_exists)
            }
            StatementKind::CreateDatabase { name, if_not_exists, comment, options } => {
                let info = DatabaseInfo { comment: comment.clone(), options: options.values.clone() };
                self.catalog.create_database(name, info, *if_not_exists)
            }
            StatementKind::AlterDatabase(name, options) => self.catalog.alter_database(name, options.values.clone()),
            StatementKind::UseCatalog(name) => self.catalog.use_catalog(name),
            StatementKind::UseDatabase(name) => self.catalog.use_database(name),
            _ => Ok(()),
        }
    }
}

/// The INSERT that fills the table of a CREATE TABLE AS.
fn filling(create: &CreateTable, path: &ObjectPath, query: &Query, columns: Vec<ast::Ident>, span: Span) -> Insert {
    Insert {
        table: path.to_name(&create.name),
        overwrite: None,
        partition: Vec::new(),
        columns,
        query: query.clone(),
        on_conflict: None,
        options: None,
        span,
    }
}
