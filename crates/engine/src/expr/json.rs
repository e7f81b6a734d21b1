//! JSON_VALUE: the scalar at a path of a JSON text, as STRING; NULL where it is absent, no scalar, or the text is no JSON.
//!
//! The text is scanned, not built: `scan` walks the path. Numbers come out as Java's BigDecimal writes them (`1E+400`), texts without their escapes.

mod number;
mod path;
mod scan;

use weir_base::{Error, Result, Span};
use weir_plan::{DataType, Function};

use super::compile::Family;
use super::node::{Column, Node, Scope};
use super::rows::{Failure, Texts, texts};
use path::Path;

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[Function::JsonValue],
    compile: |call| compile(call.nodes, call.data_type, call.span),
};

/// `JSON_VALUE(text, path)`
///
/// # Errors
/// The path is no constant, or asks for what is not supported (wildcards, filters, `..`).
pub(super) fn compile(mut nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let path = nodes.pop().ok_or_else(|| Error::internal("compile JSON_VALUE: its path is missing"))?;
    let path = match path.constant_text("the path of JSON_VALUE")? {
        Some(text) => Path::parse(&text).map_err(|why| {
            Error::invalid(format!("use the JSON path '{text}' at {span}: {why}")).hint("name keys and indices only")
        })?,
        None => None,
    };
    let apply = move |columns: &[Column], scope: &Scope<'_>| {
        let values = Texts::of(&columns[0]);
        texts(columns, scope, Failure::Raise, |row, out| {
            Ok(path.as_ref().is_some_and(|path| scan::value_at(values.get(row), path, out)))
        })
    };
    Ok(Node::call(nodes, data_type, span, false, Box::new(apply)))
}

#[cfg(test)]
mod tests;
