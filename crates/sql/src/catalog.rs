//! The catalog: tables and views of a script, in memory, by name.
//!
//! Names are case-sensitive, as in Flink. There is one catalog and one database, Flink's defaults.

use std::collections::BTreeMap;

use sqlparser::ast;
use weir_base::Span;
use weir_plan::{DataType, Field, Schema, TableOptions};

use crate::error::{SqlResult, did_you_mean, span_of};
use crate::{Query, SqlError};

/// The name of the one catalog.
pub const CATALOG: &str = "default_catalog";

/// The name of the one database.
pub const DATABASE: &str = "default_database";

/// A table as declared.
#[derive(Debug, Clone)]
pub struct Table {
    /// `default_catalog.default_database.name`
    pub full_name: String,
    /// The last part of its name.
    pub name: String,
    /// All columns in DDL order.
    pub columns: Vec<Column>,
    /// `WATERMARK FOR ...`
    pub watermark: Option<Watermark>,
    /// Names of the primary key's columns (which are NOT NULL by that); empty if there is none.
    pub primary_key: Vec<String>,
    /// `WITH (...)`
    pub options: TableOptions,
    /// `COMMENT '...'`
    pub comment: Option<String>,
    /// The place of its name in the script.
    pub span: Span,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name, as written.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// The place of its name.
    pub span: Span,
}

/// What a column holds.
#[derive(Debug, Clone)]
pub enum ColumnKind {
    /// Stored by the connector.
    Physical(DataType),
    /// `name AS expression`
    Computed(Box<ast::Expr>),
    /// `name type METADATA [FROM 'key'] [VIRTUAL]`
    Metadata {
        /// The key; the column's name where no FROM is given. Checked against the connector.
        key: String,
        /// The type as declared: the connector's value is cast to it.
        data_type: DataType,
        /// `VIRTUAL`: read only.
        is_virtual: bool,
    },
}

/// `WATERMARK FOR column AS expression`.
#[derive(Debug, Clone)]
pub struct Watermark {
    /// The rowtime column; it exists.
    pub column: String,
    /// The candidate of a row, over all columns of the table.
    pub expression: Box<ast::Expr>,
    /// The place of the column's name in the clause.
    pub span: Span,
}

/// A view as declared.
#[derive(Debug, Clone)]
pub struct View {
    /// `default_catalog.default_database.name`
    pub full_name: String,
    /// The last part of its name.
    pub name: String,
    /// Names for the query's columns; empty: the query's own.
    pub columns: Vec<ast::Ident>,
    /// What it stands for.
    pub query: Query,
    /// The place of its name in the script.
    pub span: Span,
}

/// What a name in FROM stands for.
#[derive(Debug, Clone, Copy)]
pub enum Relation<'a> {
    /// A table.
    Table(&'a Table),
    /// A view.
    View(&'a View),
}

impl Table {
    /// The physical columns in DDL order: what a connector reads and writes.
    pub fn physical(&self) -> Schema {
        let fields = self.columns.iter().filter_map(|column| match &column.kind {
            ColumnKind::Physical(data_type) => Some(Field::new(&column.name, data_type.clone())),
            ColumnKind::Computed(_) | ColumnKind::Metadata { .. } => None,
        });
        Schema::new(fields.collect())
    }

    /// The column called exactly `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

#[derive(Debug, Clone)]
enum Entry {
    Table(Box<Table>),
    View(Box<View>),
}

/// Tables and views by full name.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    entries: BTreeMap<String, Entry>,
}

impl Catalog {
    /// An empty catalog.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a table.
    ///
    /// # Errors
    /// Fails when its name is taken, unless `if_not_exists`.
    pub fn create_table(&mut self, table: Table, if_not_exists: bool) -> SqlResult<()> {
        self.create(table.full_name.clone(), table.span, Entry::Table(Box::new(table)), if_not_exists)
    }

    /// Adds a view.
    ///
    /// # Errors
    /// Fails when its name is taken, unless `if_not_exists`.
    pub fn create_view(&mut self, view: View, if_not_exists: bool) -> SqlResult<()> {
        self.create(view.full_name.clone(), view.span, Entry::View(Box::new(view)), if_not_exists)
    }

    fn create(&mut self, name: String, span: Span, entry: Entry, if_not_exists: bool) -> SqlResult<()> {
        if let Some(former) = self.entries.get(&name) {
            if if_not_exists {
                return Ok(());
            }
            let place = match former {
                Entry::Table(table) => table.span,
                Entry::View(view) => view.span,
            };
            return Err(SqlError::new(
                span,
                format!("Could not execute CREATE: '{name}' exists already, made at {place}"),
            )
            .hint("choose another name, DROP it before, or write IF NOT EXISTS"));
        }
        self.entries.insert(name, entry);
        Ok(())
    }

    /// Removes the table or view called `name`.
    ///
    /// # Errors
    /// Fails when there is none of that kind, unless `if_exists`.
    pub fn drop(&mut self, name: &ast::ObjectName, view: bool, if_exists: bool) -> SqlResult<()> {
        let full_name = full_name(name)?;
        let found = matches!(
            (self.entries.get(&full_name), view),
            (Some(Entry::Table(_)), false) | (Some(Entry::View(_)), true)
        );
        if found {
            self.entries.remove(&full_name);
        } else if !if_exists {
            let kind = if view { "View" } else { "Table" };
            let message = format!("{kind} with identifier '{full_name}' does not exist");
            return Err(SqlError::new(place_of(name), message).hint_maybe(self.suggestion(name)));
        }
        Ok(())
    }

    /// What `name` stands for.
    ///
    /// # Errors
    /// Fails when there is no such table or view, naming the nearest.
    pub fn resolve(&self, name: &ast::ObjectName) -> SqlResult<Relation<'_>> {
        match self.entries.get(&full_name(name)?) {
            Some(Entry::Table(table)) => Ok(Relation::Table(table)),
            Some(Entry::View(view)) => Ok(Relation::View(view)),
            None => Err(SqlError::new(place_of(name), format!("Object '{}' not found", display_name(name)))
                .hint_maybe(self.suggestion(name))),
        }
    }

    /// Names of all tables, or of all views, in order.
    pub fn names(&self, views: bool) -> Vec<&str> {
        let named = self.entries.values().filter_map(|entry| match entry {
            Entry::Table(table) => (!views).then_some(table.name.as_str()),
            Entry::View(view) => views.then_some(view.name.as_str()),
        });
        named.collect()
    }

    fn suggestion(&self, name: &ast::ObjectName) -> Option<String> {
        let word = name.0.last().and_then(ast::ObjectNamePart::as_ident).map(|ident| ident.value.as_str())?;
        let known = || self.entries.keys().filter_map(|full| full.rsplit('.').next());
        did_you_mean(word, known()).or_else(|| {
            let names = known().take(10).collect::<Vec<_>>().join(", ");
            Some(if names.is_empty() {
                "no table is declared before this statement".to_owned()
            } else {
                format!("declared are: {names}")
            })
        })
    }
}

/// The name as a user would write it, without quotes.
pub fn display_name(name: &ast::ObjectName) -> String {
    let parts = name.0.iter().map(|part| part.as_ident().map_or_else(|| part.to_string(), |ident| ident.value.clone()));
    parts.collect::<Vec<_>>().join(".")
}

/// The place of a name.
pub fn place_of(name: &ast::ObjectName) -> Span {
    use ast::Spanned as _;
    span_of(name.span())
}

/// `default_catalog.default_database.name` of a name with one to three parts.
///
/// # Errors
/// Fails on another catalog or database: there is one of each.
pub fn full_name(name: &ast::ObjectName) -> SqlResult<String> {
    let parts: Vec<String> =
        name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.clone()).collect();
    let (catalog, database, table) = match parts.as_slice() {
        [table] => (CATALOG, DATABASE, table.as_str()),
        [database, table] => (CATALOG, database.as_str(), table.as_str()),
        [catalog, database, table] => (catalog.as_str(), database.as_str(), table.as_str()),
        _ => return Err(SqlError::new(place_of(name), format!("'{}' is not the name of a table", display_name(name)))),
    };
    if catalog != CATALOG {
        return Err(SqlError::new(place_of(name), format!("A catalog with name [{catalog}] does not exist"))
            .hint(format!("there is one catalog, {CATALOG}; leave it out")));
    }
    if database != DATABASE {
        return Err(SqlError::new(
            place_of(name),
            format!("A database with name [{database}] does not exist in the catalog: [{CATALOG}]"),
        )
        .hint(format!("there is one database, {DATABASE}; leave it out")));
    }
    Ok(format!("{CATALOG}.{DATABASE}.{table}"))
}
