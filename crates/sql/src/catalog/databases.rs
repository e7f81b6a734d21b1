//! Catalogs and databases: made, dropped, used, listed. All are in memory.

use std::collections::BTreeMap;

use sqlparser::ast;
use weir_base::Span;

use super::names::{parts_of, place_of};
use super::store::Catalog;
use crate::SqlError;
use crate::error::{SqlResult, did_you_mean};

/// The catalog that is there from the start.
const CATALOG: &str = "default_catalog";

/// The database that is there from the start.
const DATABASE: &str = "default_database";

/// The one type of catalog there is.
const IN_MEMORY: &str = "generic_in_memory";

/// A catalog.
#[derive(Debug, Clone, Default)]
pub struct CatalogInfo {
    /// `COMMENT '...'`
    pub comment: Option<String>,
    /// `WITH (...)`; none for the one that is there from the start.
    pub options: BTreeMap<String, String>,
    /// The database that `USE CATALOG` enters.
    default_database: String,
    /// Its databases.
    databases: BTreeMap<String, DatabaseInfo>,
}

/// A database.
#[derive(Debug, Clone, Default)]
pub struct DatabaseInfo {
    /// `COMMENT '...'`
    pub comment: Option<String>,
    /// `WITH (...)`
    pub options: BTreeMap<String, String>,
}

/// The catalogs of a new script, and where it stands.
pub(super) fn initial() -> (BTreeMap<String, CatalogInfo>, (String, String)) {
    let catalog = CatalogInfo {
        default_database: DATABASE.to_owned(),
        databases: BTreeMap::from([(DATABASE.to_owned(), DatabaseInfo::default())]),
        ..CatalogInfo::default()
    };
    (BTreeMap::from([(CATALOG.to_owned(), catalog)]), (CATALOG.to_owned(), DATABASE.to_owned()))
}

impl Catalog {
    /// The catalog and the database that names without them are in.
    pub fn current(&self) -> (&str, &str) {
        (&self.current.0, &self.current.1)
    }

    /// Names of all catalogs, in order.
    pub fn catalog_names(&self) -> Vec<&str> {
        self.catalogs.keys().map(String::as_str).collect()
    }

    /// The catalog called `name`.
    pub fn catalog(&self, name: &str) -> Option<&CatalogInfo> {
        self.catalogs.get(name)
    }

    /// Names of the databases of `catalog`, in order.
    ///
    /// # Errors
    /// There is no such catalog.
    pub fn database_names(&self, catalog: &str, span: Span) -> SqlResult<Vec<&str>> {
        let found = self.catalogs.get(catalog).ok_or_else(|| self.no_catalog(catalog, span))?;
        Ok(found.databases.keys().map(String::as_str).collect())
    }

    /// `CREATE CATALOG`
    ///
    /// # Errors
    /// The name is taken, the type is not `generic_in_memory`, or an option is not known.
    pub fn create_catalog(
        &mut self,
        name: &ast::Ident,
        comment: Option<String>,
        options: &weir_plan::TableOptions,
        if_not_exists: bool,
    ) -> SqlResult<()> {
        let span = crate::span_of(name.span);
        if self.catalogs.contains_key(&name.value) {
            if if_not_exists {
                return Ok(());
            }
            return Err(SqlError::new(span, format!("Catalog {} already exists.", name.value))
                .hint("choose another name, or write IF NOT EXISTS"));
        }
        let Some(kind) = options.get("type") else {
            return Err(SqlError::new(
                span,
                "Catalog options do not contain an option key 'type' for discovering a catalog.",
            )
            .hint(format!("add WITH ('type' = '{IN_MEMORY}')")));
        };
        if kind != IN_MEMORY {
            return Err(SqlError::new(
                options.span("type"),
                format!("Could not find any factory for identifier '{kind}' that implements a catalog"),
            )
            .hint(format!("Available factory identifiers are: {IN_MEMORY}")));
        }
        if let Some(unknown) = options.values.keys().find(|key| !matches!(key.as_str(), "type" | "default-database")) {
            return Err(SqlError::new(
                options.span(unknown),
                format!("Unsupported options found for '{IN_MEMORY}'. Unsupported options: {unknown}"),
            )
            .hint(
                did_you_mean(unknown, ["default-database"])
                    .unwrap_or_else(|| "Supported options: default-database, type".to_owned()),
            ));
        }
        let database = options.get("default-database").unwrap_or("default").to_owned();
        let catalog = CatalogInfo {
            comment,
            options: options.values.clone(),
            databases: BTreeMap::from([(database.clone(), DatabaseInfo::default())]),
            default_database: database,
        };
        self.catalogs.insert(name.value.clone(), catalog);
        Ok(())
    }

    /// `DROP CATALOG`: with all that is in it.
    ///
    /// # Errors
    /// It is in use, or there is none, unless `if_exists`.
    pub fn drop_catalog(&mut self, name: &ast::Ident, if_exists: bool) -> SqlResult<()> {
        let span = crate::span_of(name.span);
        if !self.catalogs.contains_key(&name.value) {
            if if_exists {
                return Ok(());
            }
            let hint = did_you_mean(&name.value, self.catalog_names());
            return Err(SqlError::new(span, format!("Catalog {} does not exist.", name.value)).hint_maybe(hint));
        }
        if self.current.0 == name.value {
            return Err(SqlError::new(span, "Cannot drop a catalog which is currently in use.")
                .hint("USE CATALOG another one before"));
        }
        self.catalogs.remove(&name.value);
        self.remove_objects(|path| path.catalog == name.value);
        Ok(())
    }

    /// `USE CATALOG`
    ///
    /// # Errors
    /// There is no such catalog.
    pub fn use_catalog(&mut self, name: &ast::Ident) -> SqlResult<()> {
        let Some(catalog) = self.catalogs.get(&name.value) else {
            return Err(self.no_catalog_named(&name.value, crate::span_of(name.span)));
        };
        self.current = (name.value.clone(), catalog.default_database.clone());
        Ok(())
    }

    /// `USE [catalog.]database`
    ///
    /// # Errors
    /// There is no such catalog or database.
    pub fn use_database(&mut self, name: &ast::ObjectName) -> SqlResult<()> {
        let (catalog, database) = self.database_path(name)?;
        let Some(found) = self.catalogs.get(&catalog) else {
            return Err(self.no_catalog_named(&catalog, place_of(name)));
        };
        if !found.databases.contains_key(&database) {
            let hint = did_you_mean(&database, found.databases.keys().map(String::as_str));
            let message = format!("A database with name [{database}] does not exist in the catalog: [{catalog}].");
            return Err(SqlError::new(place_of(name), message).hint_maybe(hint));
        }
        self.current = (catalog, database);
        Ok(())
    }

    /// `CREATE DATABASE`
    ///
    /// # Errors
    /// The name is taken, unless `if_not_exists`; there is no such catalog.
    pub fn create_database(
        &mut self,
        name: &ast::ObjectName,
        info: DatabaseInfo,
        if_not_exists: bool,
    ) -> SqlResult<()> {
        let (catalog, database) = self.database_path(name)?;
        let missing = self.no_catalog(&catalog, place_of(name));
        let Some(found) = self.catalogs.get_mut(&catalog) else { return Err(missing) };
        if found.databases.contains_key(&database) {
            if if_not_exists {
                return Ok(());
            }
            let message = format!("Database {database} already exists in Catalog {catalog}.");
            return Err(SqlError::new(place_of(name), message).hint("choose another name, or write IF NOT EXISTS"));
        }
        found.databases.insert(database, info);
        Ok(())
    }

    /// `ALTER DATABASE ... SET (...)`
    ///
    /// # Errors
    /// There is no such database.
    pub fn alter_database(&mut self, name: &ast::ObjectName, options: BTreeMap<String, String>) -> SqlResult<()> {
        let (catalog, database) = self.database_path(name)?;
        let missing = self.no_database(&catalog, &database, place_of(name));
        let found = self.catalogs.get_mut(&catalog).and_then(|found| found.databases.get_mut(&database));
        found.ok_or(missing)?.options.extend(options);
        Ok(())
    }

    /// `DROP DATABASE [RESTRICT|CASCADE]`
    ///
    /// # Errors
    /// It is in use, or not empty without CASCADE, or there is none, unless `if_exists`.
    pub fn drop_database(&mut self, name: &ast::ObjectName, if_exists: bool, cascade: bool) -> SqlResult<()> {
        let (catalog, database) = self.database_path(name)?;
        let span = place_of(name);
        if self.current == (catalog.clone(), database.clone()) {
            return Err(
                SqlError::new(span, "Cannot drop a database which is currently in use.").hint("USE another one before")
            );
        }
        let is_there = self.catalogs.get(&catalog).is_some_and(|found| found.databases.contains_key(&database));
        if !is_there {
            return if if_exists { Ok(()) } else { Err(self.no_database(&catalog, &database, span)) };
        }
        let is_inside = |path: &super::ObjectPath| path.catalog == catalog && path.database == database;
        if !cascade && self.has_objects(is_inside) {
            let message = format!("Database {database} in catalog {catalog} is not empty.");
            return Err(SqlError::new(span, message).hint("DROP what is in it before, or write CASCADE"));
        }
        self.remove_objects(is_inside);
        if let Some(found) = self.catalogs.get_mut(&catalog) {
            found.databases.remove(&database);
        }
        Ok(())
    }

    /// The catalog and the database that `name` means.
    ///
    /// # Errors
    /// It has more than two parts.
    pub fn database_path(&self, name: &ast::ObjectName) -> SqlResult<(String, String)> {
        match parts_of(name).as_slice() {
            [database] => Ok((self.current.0.clone(), database.clone())),
            [catalog, database] => Ok((catalog.clone(), database.clone())),
            _ => Err(SqlError::new(place_of(name), "use database identifier format error")
                .hint("write database or catalog.database")),
        }
    }

    /// Refuses a place for a new permanent object that is not there.
    pub(super) fn check_database(&self, path: &super::ObjectPath, span: Span) -> SqlResult<()> {
        let Some(catalog) = self.catalogs.get(&path.catalog) else { return Err(self.no_catalog(&path.catalog, span)) };
        if catalog.databases.contains_key(&path.database) {
            return Ok(());
        }
        Err(self.no_database(&path.catalog, &path.database, span))
    }

    /// Refuses to look into a database that is not there.
    ///
    /// # Errors
    /// As it says.
    pub fn check_listed(&self, catalog: &str, database: &str, span: Span) -> SqlResult<()> {
        let Some(found) = self.catalogs.get(catalog) else { return Err(self.no_catalog(catalog, span)) };
        if found.databases.contains_key(database) {
            return Ok(());
        }
        let hint = did_you_mean(database, found.databases.keys().map(String::as_str));
        Err(SqlError::new(span, format!("Database '{catalog}'.'{database}' doesn't exist.")).hint_maybe(hint))
    }

    fn no_catalog(&self, name: &str, span: Span) -> SqlError {
        let hint = did_you_mean(name, self.catalog_names());
        let all = || format!("there are: {}", self.catalog_names().join(", "));
        SqlError::new(span, format!("Catalog {name} does not exist")).hint(hint.unwrap_or_else(all))
    }

    fn no_catalog_named(&self, name: &str, span: Span) -> SqlError {
        SqlError { message: format!("A catalog with name [{name}] does not exist."), ..self.no_catalog(name, span) }
    }

    fn no_database(&self, catalog: &str, database: &str, span: Span) -> SqlError {
        let Some(found) = self.catalogs.get(catalog) else { return self.no_catalog(catalog, span) };
        let hint = did_you_mean(database, found.databases.keys().map(String::as_str));
        let all = || format!("there are: {}", found.databases.keys().cloned().collect::<Vec<_>>().join(", "));
        SqlError::new(span, format!("Database {database} does not exist in Catalog {catalog}."))
            .hint(hint.unwrap_or_else(all))
    }
}
