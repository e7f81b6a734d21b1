//! SHOW and DESCRIBE: what is asked, as rows of text.

use sqlparser::ast::{self, Ident};
use weir_base::Span;

use super::{Session, listing};
use crate::binder::{self, TypedColumn};
use crate::catalog::place_of;
use crate::error::{SqlResult, did_you_mean, span_of};
use crate::statement::{Described, NamePattern, Show};
use crate::{ColumnKind, Relation, SqlError, Table, View, unparse};

impl Session<'_, '_> {
    /// The text that `show` asks for.
    pub(super) fn shown(&self, show: &Show) -> SqlResult<String> {
        let current = self.catalog.current();
        Ok(match show {
            Show::Catalogs(pattern) => {
                listing::names("catalog name", matching(self.catalog.catalog_names(), pattern.as_ref()))
            }
            Show::Databases(catalog, pattern) => {
                let (catalog, span) = match catalog {
                    Some(ident) => (ident.value.as_str(), span_of(ident.span)),
                    None => (current.0, Span::default()),
                };
                let names = self.catalog.database_names(catalog, span)?;
                listing::names("database name", matching(names, pattern.as_ref()))
            }
            Show::CurrentCatalog => listing::names("current catalog name", [current.0]),
            Show::CurrentDatabase => listing::names("current database name", [current.1]),
            Show::Objects { views, database, pattern } => self.objects(*views, database.as_ref(), pattern.as_ref())?,
            Show::Columns(name, pattern) => self.columns(name, pattern.as_ref())?,
            Show::Create { view, name } => self.created(*view, name)?,
            Show::CreateCatalog(name) => {
                let info = self.catalog_info(name)?;
                listing::names("result", [unparse::catalog(&name.value, info).as_str()])
            }
            Show::Functions { user, pattern } => {
                let names = if *user { Vec::new() } else { binder::function_names() };
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                listing::names("function name", matching(names, pattern.as_ref()))
            }
            Show::Modules { full: true } => {
                listing::table(&["module name", "used"], &[vec!["core".to_owned(), "TRUE".to_owned()]])
            }
            Show::Modules { full: false } => listing::names("module name", ["core"]),
            Show::Jars => listing::names("jars", []),
            Show::Partitions(name) => self.partitions(name)?,
        })
    }

    /// The text that `described` asks for.
    pub(super) fn described(&self, described: &Described) -> SqlResult<String> {
        match described {
            Described::Relation(name) => self.columns(name, None),
            Described::Catalog { name, extended } => {
                let info = self.catalog_info(name)?;
                let row = |name: &str, value: &str| vec![name.to_owned(), value.to_owned()];
                let mut rows = vec![
                    row("name", &name.value),
                    row("type", info.options.get("type").map_or("", String::as_str)),
                    row("comment", info.comment.as_deref().unwrap_or_default()),
                ];
                if *extended {
                    let options = info.options.iter().filter(|(key, _)| *key != "type");
                    rows.extend(options.map(|(key, value)| row(&format!("option:{key}"), value)));
                }
                Ok(listing::table(&["info name", "info value"], &rows))
            }
            Described::Function { name, extended } => describe_function(name, *extended),
        }
    }

    /// A catalog that was made by a statement.
    fn catalog_info(&self, name: &Ident) -> SqlResult<&crate::catalog::CatalogInfo> {
        let found = self.catalog.catalog(&name.value).filter(|info| !info.options.is_empty());
        found.ok_or_else(|| {
            let message = format!("Cannot obtain metadata information from Catalog {}.", name.value);
            let made = self.catalog.catalog_names();
            SqlError::new(span_of(name.span), message).hint_maybe(
                did_you_mean(&name.value, made.into_iter().filter(|made| *made != name.value))
                    .or_else(|| Some("only catalogs that CREATE CATALOG made can be described".to_owned())),
            )
        })
    }

    fn objects(
        &self,
        views: bool,
        database: Option<&ast::ObjectName>,
        pattern: Option<&NamePattern>,
    ) -> SqlResult<String> {
        let current = self.catalog.current();
        let (catalog, database) = match database {
            Some(name) => {
                let (catalog, database) = self.catalog.database_path(name)?;
                self.catalog.check_listed(&catalog, &database, place_of(name))?;
                (catalog, database)
            }
            None => (current.0.to_owned(), current.1.to_owned()),
        };
        let names = self.catalog.names(&catalog, &database, views).into_iter().collect();
        Ok(listing::names(if views { "view name" } else { "table name" }, matching(names, pattern)))
    }

    /// The columns of a table or a view.
    fn columns(&self, name: &ast::ObjectName, pattern: Option<&NamePattern>) -> SqlResult<String> {
        let mut rows = match self.catalog.shown(name)?.1 {
            Relation::Table(table) => rows_of_table(table, &binder::columns_of_table(table)?),
            Relation::View(view) => self.view_columns(view)?.iter().map(|column| row(column, "", "", "", "")).collect(),
        };
        rows.retain(|row| pattern.is_none_or(|pattern| matches(pattern, &row[0])));
        let mut headings = vec!["name", "type", "null", "key", "extras", "watermark", "comment"];
        let has_comments = match self.catalog.shown(name)?.1 {
            Relation::Table(table) => table.columns.iter().any(|column| column.comment.is_some()),
            Relation::View(_) => false,
        };
        if !has_comments {
            headings.pop();
            rows.iter_mut().for_each(|row| row.truncate(headings.len()));
        }
        Ok(listing::table(&headings, &rows))
    }

    /// The columns that a view gives, under its names.
    pub(super) fn view_columns(&self, view: &View) -> SqlResult<Vec<TypedColumn>> {
        let mut columns = self.query_columns(&view.query)?;
        for (column, name) in columns.iter_mut().zip(&view.columns) {
            column.name.clone_from(&name.value);
        }
        Ok(columns)
    }

    fn created(&self, view: bool, name: &ast::ObjectName) -> SqlResult<String> {
        let word = if view { "VIEW" } else { "TABLE" };
        let (path, relation, temporary) = self.catalog.shown(name).map_err(|error| {
            let kind = if view { "View" } else { "Table" };
            let path = self.catalog.path(name).map(|path| path.quoted()).unwrap_or_default();
            let message =
                format!("Could not execute SHOW CREATE {word}. {kind} with identifier {path} does not exist.");
            SqlError { message, ..error }
        })?;
        let wrong = |kind: &str, other: &str| {
            let message = format!(
                "SHOW CREATE {word} is only supported for {}, but {} is a {kind}. Please use SHOW CREATE {other} instead.",
                if view { "views" } else { "tables" },
                path.quoted()
            );
            SqlError::new(place_of(name), message)
        };
        let text = match (relation, view) {
            (Relation::Table(table), false) => unparse::table(table, &path, temporary),
            (Relation::View(found), true) => {
                let columns: Vec<String> = self.view_columns(found)?.into_iter().map(|column| column.name).collect();
                unparse::view(found, &path, temporary, &columns)
            }
            (Relation::Table(_), true) => return Err(wrong("table", "TABLE")),
            (Relation::View(_), false) => return Err(wrong("view", "VIEW")),
        };
        Ok(listing::names("result", [text.as_str()]))
    }

    fn partitions(&self, name: &ast::ObjectName) -> SqlResult<String> {
        let (path, relation, _) = self.catalog.shown(name)?;
        match relation {
            Relation::Table(table) if !table.partition_keys.is_empty() => {
                Ok(listing::names("partition name", table.partitions.iter().map(String::as_str)))
            }
            _ => {
                let message =
                    format!("Table {}.{} in catalog {} is not partitioned.", path.database, path.object, path.catalog);
                Err(SqlError::new(place_of(name), message).hint("declare it with PARTITIONED BY (...)"))
            }
        }
    }
}

fn describe_function(name: &ast::ObjectName, extended: bool) -> SqlResult<String> {
    let shown = crate::catalog::display_name(name);
    let known = binder::function_names();
    if !known.iter().any(|known| known.eq_ignore_ascii_case(&shown)) {
        let message = format!("Function with identifier '{shown}' does not exist.");
        let hint = did_you_mean(&shown, known.iter().map(String::as_str));
        return Err(SqlError::new(place_of(name), message).hint_maybe(hint));
    }
    if extended {
        return Err(SqlError::new(place_of(name), "DESCRIBE FUNCTION EXTENDED is not supported")
            .hint("DESCRIBE FUNCTION tells whether it is there"));
    }
    let rows = [("is system function", "true"), ("is temporary", "false")];
    let rows: Vec<Vec<String>> =
        rows.iter().map(|(name, value)| vec![(*name).to_owned(), (*value).to_owned()]).collect();
    Ok(listing::table(&["info name", "info value"], &rows))
}

fn rows_of_table(table: &Table, columns: &[TypedColumn]) -> Vec<Vec<String>> {
    let mut rows = Vec::with_capacity(columns.len());
    for (declared, typed) in table.columns.iter().zip(columns) {
        let extras = match &declared.kind {
            ColumnKind::Physical(_) => String::new(),
            ColumnKind::Computed(tree) => format!("AS {}", unparse::expression(tree)),
            kind @ ColumnKind::Metadata { .. } => unparse::metadata(kind, &declared.name),
        };
        let key = if table.primary_key.contains(&declared.name) {
            format!("PRI({})", table.primary_key.join(", "))
        } else {
            String::new()
        };
        let watermark = table.watermark.as_ref().filter(|watermark| watermark.column == declared.name);
        let watermark = watermark.map(|watermark| unparse::expression(&watermark.expression)).unwrap_or_default();
        rows.push(row(typed, &key, &extras, &watermark, declared.comment.as_deref().unwrap_or_default()));
    }
    rows
}

fn row(column: &TypedColumn, key: &str, extras: &str, watermark: &str, comment: &str) -> Vec<String> {
    let nullable = if column.data_type.nullable { "TRUE" } else { "FALSE" };
    vec![
        column.name.clone(),
        format!("{}{}", column.data_type.logical, column.time),
        nullable.to_owned(),
        key.to_owned(),
        extras.to_owned(),
        watermark.to_owned(),
        comment.to_owned(),
    ]
}

/// The names that `pattern` takes; all, if there is none.
fn matching<'n>(names: Vec<&'n str>, pattern: Option<&NamePattern>) -> Vec<&'n str> {
    names.into_iter().filter(|name| pattern.is_none_or(|pattern| matches(pattern, name))).collect()
}

fn matches(pattern: &NamePattern, name: &str) -> bool {
    let found = if pattern.any_case {
        is_like(&pattern.pattern.to_lowercase(), &name.to_lowercase())
    } else {
        is_like(&pattern.pattern, name)
    };
    found != pattern.negated
}

/// SQL's LIKE: `%` stands for anything, `_` for one character, a backslash takes its sense from the next.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut from) = (0, 0);
    // Where to go on when a `%` has to take one character more.
    let mut retry: Option<(usize, usize)> = None;
    while from < text.len() {
        let escaped = pattern.get(at) == Some(&'\\') && at + 1 < pattern.len();
        let step = if escaped { 2 } else { 1 };
        match pattern.get(at) {
            Some('%') => {
                retry = Some((at + 1, from));
                at += 1;
                continue;
            }
            Some('_') => {
                (at, from) = (at + 1, from + 1);
                continue;
            }
            Some(ch) if (if escaped { pattern[at + 1] } else { *ch }) == text[from] => {
                (at, from) = (at + step, from + 1);
                continue;
            }
            _ => {}
        }
        let Some((behind, taken)) = retry else { return false };
        retry = Some((behind, taken + 1));
        (at, from) = (behind, taken + 1);
    }
    pattern[at..].iter().all(|ch| *ch == '%')
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn patterns_take_names_as_sql_does() {
        let cases = [
            ("a%", "abc", true),
            ("a%", "bac", false),
            ("%b%", "abc", true),
            ("a_c", "abc", true),
            ("a_c", "ac", false),
            ("%", "", true),
            ("", "", true),
            ("", "a", false),
            ("a\\_c", "abc", false),
            ("a\\_c", "a_c", true),
            ("%a%b", "xaxbxb", true),
            ("%ü", "grü", true),
        ];
        for (pattern, name, taken) in cases {
            assert_eq!(is_like(pattern, name), taken, "{pattern} {name}");
        }
    }
}
