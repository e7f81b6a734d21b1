//! What a name of one to three parts means: `table`, `database.table`, `catalog.database.table`.

use std::fmt;

use sqlparser::ast;
use weir_base::Span;

use crate::SqlError;
use crate::error::{SqlResult, span_of};

/// Where a table or a view is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectPath {
    /// The catalog.
    pub catalog: String,
    /// The database in it.
    pub database: String,
    /// The table or view in that.
    pub object: String,
}

impl ObjectPath {
    /// `` `catalog`.`database`.`object` ``
    pub fn quoted(&self) -> String {
        format!("{}.{}.{}", quoted(&self.catalog), quoted(&self.database), quoted(&self.object))
    }

    /// `database.object`, as Flink's catalogs name what they hold.
    pub(super) fn in_catalog(&self) -> String {
        format!("{}.{}", self.database, self.object)
    }

    /// The path as a name with three parts, the last one at the place of `name`.
    pub(crate) fn to_name(&self, name: &ast::ObjectName) -> ast::ObjectName {
        let part = |text: &String| ast::Ident::with_quote('`', text.clone());
        let last = name.0.last().and_then(ast::ObjectNamePart::as_ident);
        let object = ast::Ident {
            span: last.map_or_else(sqlparser::tokenizer::Span::empty, |ident| ident.span),
            ..part(&self.object)
        };
        ast::ObjectName::from(vec![part(&self.catalog), part(&self.database), object])
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.catalog, self.database, self.object)
    }
}

/// A name in backticks.
pub fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
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

/// The parts of a name.
pub(super) fn parts_of(name: &ast::ObjectName) -> Vec<String> {
    name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.clone()).collect()
}

/// The path of `name` for someone who stands in `current`, a catalog and a database.
///
/// # Errors
/// It has more than three parts.
pub(super) fn path_of(name: &ast::ObjectName, current: (&str, &str)) -> SqlResult<ObjectPath> {
    let path = |catalog: &str, database: &str, object: &str| ObjectPath {
        catalog: catalog.to_owned(),
        database: database.to_owned(),
        object: object.to_owned(),
    };
    match parts_of(name).as_slice() {
        [object] => Ok(path(current.0, current.1, object)),
        [database, object] => Ok(path(current.0, database, object)),
        [catalog, database, object] => Ok(path(catalog, database, object)),
        _ => Err(SqlError::new(place_of(name), "Object identifier must consist of 1 to 3 parts.")
            .hint("write table, database.table or catalog.database.table")),
    }
}
