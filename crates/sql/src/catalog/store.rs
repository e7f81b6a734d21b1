//! Tables and views by path. A temporary one stands before a permanent one of the same path, whatever their kinds are.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::ast;
use weir_base::Span;

use super::names::{ObjectPath, parts_of, path_of, place_of};
use super::{CatalogInfo, Relation, Table, View};
use crate::SqlError;
use crate::error::{SqlResult, did_you_mean};

#[derive(Debug, Clone)]
enum Entry {
    Table(Box<Table>),
    View(Box<View>),
}

impl Entry {
    fn span(&self) -> Span {
        match self {
            Self::Table(table) => table.span,
            Self::View(view) => view.span,
        }
    }

    fn is_view(&self) -> bool {
        matches!(self, Self::View(_))
    }

    fn relation(&self) -> Relation<'_> {
        match self {
            Self::Table(table) => Relation::Table(table),
            Self::View(view) => Relation::View(view),
        }
    }
}

/// How an object is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Making {
    /// `TEMPORARY`
    pub temporary: bool,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// `OR REPLACE`
    pub replace: bool,
}

/// All catalogs with what is in them, and where the script stands.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub(super) catalogs: BTreeMap<String, CatalogInfo>,
    pub(super) current: (String, String),
    permanent: BTreeMap<ObjectPath, Entry>,
    temporary: BTreeMap<ObjectPath, Entry>,
}

impl Default for Catalog {
    fn default() -> Self {
        let (catalogs, current) = super::databases::initial();
        Self { catalogs, current, permanent: BTreeMap::new(), temporary: BTreeMap::new() }
    }
}

impl Catalog {
    /// Flink's default catalog with its default database, empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where `name` leads.
    ///
    /// # Errors
    /// It has more than three parts.
    pub fn path(&self, name: &ast::ObjectName) -> SqlResult<ObjectPath> {
        path_of(name, self.current())
    }

    /// Adds a table at `path`; whether it is there anew.
    ///
    /// # Errors
    /// Fails when the path is taken, unless `making` says what then; or when its database is not there.
    pub fn create_table(&mut self, path: ObjectPath, table: Table, making: Making) -> SqlResult<bool> {
        self.create(path, table.span, Entry::Table(Box::new(table)), making)
    }

    /// Adds a view at `path`; whether it is there anew.
    ///
    /// # Errors
    /// As [`Catalog::create_table`].
    pub fn create_view(&mut self, path: ObjectPath, view: View, making: Making) -> SqlResult<bool> {
        self.create(path, view.span, Entry::View(Box::new(view)), making)
    }

    /// Refuses to make what cannot be made at `path`; whether it is to be made (it may be there already).
    ///
    /// # Errors
    /// As [`Catalog::create_table`].
    pub fn check_new(&self, path: &ObjectPath, span: Span, making: Making) -> SqlResult<bool> {
        if !making.temporary {
            self.check_database(path, span)?;
        }
        let objects = if making.temporary { &self.temporary } else { &self.permanent };
        let Some(former) = objects.get(path).filter(|_| !making.replace) else { return Ok(true) };
        if making.if_not_exists {
            return Ok(false);
        }
        let message = if making.temporary {
            format!("Temporary table '{}' already exists", path.quoted())
        } else {
            format!("Table (or view) {} already exists in Catalog {}.", path.in_catalog(), path.catalog)
        };
        Err(SqlError::new(span, message).hint(format!(
            "it was made at {}: choose another name, DROP it before, or write IF NOT EXISTS",
            former.span()
        )))
    }

    fn create(&mut self, path: ObjectPath, span: Span, entry: Entry, making: Making) -> SqlResult<bool> {
        let is_new = self.check_new(&path, span, making)?;
        if is_new {
            if making.temporary { &mut self.temporary } else { &mut self.permanent }.insert(path, entry);
        }
        Ok(is_new)
    }

    /// Removes the table or view called `name`.
    ///
    /// # Errors
    /// Fails when there is none of that kind, unless `if_exists`; or when a temporary one stands before a permanent one.
    pub fn drop(&mut self, name: &ast::ObjectName, view: bool, temporary: bool, if_exists: bool) -> SqlResult<()> {
        let path = self.path(name)?;
        let is_of_kind = |entry: Option<&Entry>| entry.is_some_and(|entry| entry.is_view() == view);
        let span = place_of(name);
        if temporary {
            if is_of_kind(self.temporary.get(&path)) {
                self.temporary.remove(&path);
                return Ok(());
            }
            let message = format!("Temporary table or view with identifier '{path}' does not exist.");
            return if if_exists {
                Ok(())
            } else {
                Err(SqlError::new(span, message).hint_maybe(self.suggestion(name)))
            };
        }
        let kind = if view { "view" } else { "table" };
        if is_of_kind(self.temporary.get(&path)) {
            let message = format!(
                "Temporary {kind} with identifier '{}' exists. Drop it first before removing the permanent {kind}.",
                path.quoted()
            );
            return Err(SqlError::new(span, message).hint(format!("DROP TEMPORARY {} drops it", kind.to_uppercase())));
        }
        if is_of_kind(self.permanent.get(&path)) {
            self.permanent.remove(&path);
        } else if !if_exists {
            let kind = if view { "View" } else { "Table" };
            let message = format!("{kind} with identifier '{path}' does not exist.");
            let other = self.find(&path).map(|(entry, _)| {
                format!(
                    "'{path}' is a {0}: DROP {1} drops it",
                    if view { "table" } else { "view" },
                    if entry.is_view() { "VIEW" } else { "TABLE" }
                )
            });
            return Err(SqlError::new(span, message).hint_maybe(other.or_else(|| self.suggestion(name))));
        }
        Ok(())
    }

    /// The permanent table called `name`, to be altered; None: there is none, and `if_exists` says that this is right.
    ///
    /// # Errors
    /// There is none, or it is a view.
    pub fn altered_table(&self, name: &ast::ObjectName, if_exists: bool) -> SqlResult<Option<(ObjectPath, &Table)>> {
        let path = self.path(name)?;
        match self.altered(&path) {
            Some(Entry::Table(table)) => Ok(Some((path, table))),
            Some(Entry::View(_)) => Err(SqlError::new(place_of(name), "ALTER TABLE for a view is not allowed")
                .hint("write ALTER VIEW, or alter the table that it reads")),
            None if if_exists => Ok(None),
            None => {
                let message = format!("Table {} doesn't exist or is a temporary table.", path.quoted());
                Err(SqlError::new(place_of(name), message).hint_maybe(self.suggestion(name)))
            }
        }
    }

    /// The permanent view called `name`, to be altered; None: there is none, and `if_exists` says that this is right.
    ///
    /// # Errors
    /// There is none, or it is a table.
    pub fn altered_view(&self, name: &ast::ObjectName, if_exists: bool) -> SqlResult<Option<(ObjectPath, &View)>> {
        let path = self.path(name)?;
        match self.altered(&path) {
            Some(Entry::View(view)) => Ok(Some((path, view))),
            Some(Entry::Table(_)) => {
                Err(SqlError::new(place_of(name), "ALTER VIEW for a table is not allowed").hint("write ALTER TABLE"))
            }
            None if if_exists => Ok(None),
            None => {
                let message = format!("View {} doesn't exist or is a temporary view.", path.quoted());
                Err(SqlError::new(place_of(name), message).hint_maybe(self.suggestion(name)))
            }
        }
    }

    fn altered(&self, path: &ObjectPath) -> Option<&Entry> {
        if self.temporary.contains_key(path) { None } else { self.permanent.get(path) }
    }

    /// Gives the permanent object at `path` the last name of `to`, in the same database.
    ///
    /// # Errors
    /// The new path is taken.
    pub fn rename(&mut self, path: &ObjectPath, to: &ast::ObjectName) -> SqlResult<()> {
        let object = parts_of(to).pop().unwrap_or_default();
        let renamed = ObjectPath { object, ..path.clone() };
        self.check_new(&renamed, place_of(to), Making::default())?;
        let Some(mut entry) = self.permanent.remove(path) else { return Ok(()) };
        match &mut entry {
            Entry::Table(table) => (table.full_name, table.name) = (renamed.to_string(), renamed.object.clone()),
            Entry::View(view) => (view.full_name, view.name) = (renamed.to_string(), renamed.object.clone()),
        }
        self.permanent.insert(renamed, entry);
        Ok(())
    }

    /// What `name` stands for in a query.
    ///
    /// # Errors
    /// Fails when there is no such table or view, naming the nearest.
    pub fn resolve(&self, name: &ast::ObjectName) -> SqlResult<Relation<'_>> {
        let path = self.path(name)?;
        if let Some((entry, _)) = self.find(&path) {
            return Ok(entry.relation());
        }
        let missing = match parts_of(name).as_slice() {
            [catalog, _, _] if self.catalog(catalog).is_none() => format!("'{catalog}' not found"),
            [.., database, _] if self.check_database(&path, Span::default()).is_err() => {
                format!("'{database}' not found")
            }
            [_] => format!("'{}' not found", path.object),
            _ => format!("'{}' not found within '{}.{}'", path.object, path.catalog, path.database),
        };
        let message = format!("Object {missing}");
        Err(SqlError::new(place_of(name), message).hint_maybe(self.suggestion(name)))
    }

    /// What an INSERT INTO `name` writes.
    ///
    /// # Errors
    /// There is no such table.
    pub fn resolve_sink(&self, name: &ast::ObjectName) -> SqlResult<Relation<'_>> {
        let path = self.path(name)?;
        self.find(&path).map(|(entry, _)| entry.relation()).ok_or_else(|| {
            let message = format!(
                "Cannot find table '{}' in any of the catalogs [{}], nor as a temporary table.",
                path.quoted(),
                self.catalog_names().join(", ")
            );
            SqlError::new(place_of(name), message).hint_maybe(self.suggestion(name))
        })
    }

    /// What `name` stands for in DESCRIBE and SHOW, with its path and whether it is temporary.
    ///
    /// # Errors
    /// There is no such table or view.
    pub fn shown(&self, name: &ast::ObjectName) -> SqlResult<(ObjectPath, Relation<'_>, bool)> {
        let path = self.path(name)?;
        match self.find(&path) {
            Some((entry, temporary)) => Ok((path, entry.relation(), temporary)),
            None => {
                let message = format!("Tables or views with the identifier '{path}' doesn't exist.");
                Err(SqlError::new(place_of(name), message).hint_maybe(self.suggestion(name)))
            }
        }
    }

    fn find(&self, path: &ObjectPath) -> Option<(&Entry, bool)> {
        let temporary = self.temporary.get(path).map(|entry| (entry, true));
        temporary.or_else(|| self.permanent.get(path).map(|entry| (entry, false)))
    }

    /// Names of all tables and views of a database, or of its views only, in order.
    pub fn names(&self, catalog: &str, database: &str, views_only: bool) -> BTreeSet<&str> {
        let all = self.permanent.iter().filter(|(path, _)| !self.temporary.contains_key(path)).chain(&self.temporary);
        let inside = all.filter(|(path, entry)| {
            path.catalog == catalog && path.database == database && (!views_only || entry.is_view())
        });
        inside.map(|(path, _)| path.object.as_str()).collect()
    }

    /// Whether any permanent object is at such a path.
    pub(super) fn has_objects(&self, is_meant: impl Fn(&ObjectPath) -> bool) -> bool {
        self.permanent.keys().any(is_meant)
    }

    /// Removes the permanent objects at such paths.
    pub(super) fn remove_objects(&mut self, is_meant: impl Fn(&ObjectPath) -> bool) {
        self.permanent.retain(|path, _| !is_meant(path));
    }

    fn suggestion(&self, name: &ast::ObjectName) -> Option<String> {
        const SHOWN_MAX: usize = 10;
        let word = name.0.last().and_then(ast::ObjectNamePart::as_ident).map(|ident| ident.value.as_str())?;
        let known = || self.permanent.keys().chain(self.temporary.keys()).map(|path| path.object.as_str());
        did_you_mean(word, known().filter(|known| *known != word)).or_else(|| {
            let elsewhere = self.permanent.keys().chain(self.temporary.keys()).find(|path| path.object == word);
            if let Some(path) = elsewhere {
                return Some(format!("did you mean '{path}'?"));
            }
            let names = known().take(SHOWN_MAX).collect::<Vec<_>>().join(", ");
            Some(if names.is_empty() {
                "no table is declared before this statement".to_owned()
            } else {
                format!("declared are: {names}")
            })
        })
    }
}
