//! JSON functions: values at paths (`at`), tests (`test`), and texts made of values (`make`).
//!
//! JSON_VALUE along plain keys and indices walks the text without building it (`scan`); all else reads the text into values (`dom`) and follows the path
//! (`find`). Numbers come out as Java's BigDecimal writes them (`1E+400`), keys sorted.

mod at;
mod dom;
mod filter;
mod find;
mod make;
mod number;
mod path;
mod quote;
mod scan;

pub(crate) use dom::write_text as write_json_text;

use arrow_array::Array as _;
use weir_base::{Error, Result, Span};
use weir_plan::{DataType, Function};

use super::compile::Family;
use super::node::{Apply, Column, Node};
use super::rows::{Failure, Texts, booleans};
use dom::Json;
use path::Path;

pub(super) use make::{Part, object_or_array};

/// The family. JSON_OBJECT and JSON_ARRAY look at their arguments before these are compiled.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::JsonValue,
        Function::JsonQuery,
        Function::JsonExists,
        Function::IsJson,
        Function::Json,
        Function::JsonString,
        Function::JsonQuote,
        Function::JsonUnquote,
    ],
    compile: |call| compile(call.function, call.nodes, call.data_type, call.span),
};

/// One of the functions over a JSON text, or JSON_STRING.
///
/// # Errors
/// A constant path asks for what is not supported, or the plan is broken.
fn compile(function: Function, nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    match function {
        Function::JsonValue => at::json_value(nodes, data_type, span),
        Function::JsonQuery => at::json_query(nodes, data_type, span),
        Function::JsonExists => at::json_exists(nodes, data_type, span),
        Function::IsJson => is_json(nodes, data_type, span),
        Function::JsonString => make::json_string(nodes, data_type, span),
        Function::JsonQuote | Function::JsonUnquote => quote::compile(function, nodes, data_type, span),
        other => Err(Error::internal(format!("compile {other:?}: it stands inside JSON_OBJECT and JSON_ARRAY only"))),
    }
}

/// `a IS JSON [VALUE | SCALAR | ARRAY | OBJECT]`: FALSE for NULL.
fn is_json(mut nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let kind = nodes.pop().ok_or_else(|| Error::internal("compile IS JSON: its kind is missing"))?;
    let kind = kind.constant_text("the kind of IS JSON")?.unwrap_or_default();
    let apply: Apply = Box::new(move |columns, scope| {
        let values = Texts::of(&columns[0]);
        booleans(&[], scope, Failure::Raise, |row| {
            if columns[0].is_null(row) {
                return Ok(Some(false));
            }
            let value = Json::parse(values.get(row));
            Ok(Some(value.is_some_and(|value| match kind.as_str() {
                "SCALAR" => value.is_scalar(),
                "ARRAY" => matches!(value, Json::Array(_)),
                "OBJECT" => matches!(value, Json::Object(_)),
                _ => true,
            })))
        })
    });
    Ok(Node::call(nodes, data_type, span, false, apply))
}

/// A path that is the same for all rows, or changes with them. None: malformed.
enum Paths {
    Constant(Option<Path>),
    Rows,
}

/// The path last read, with its text.
type Last = Option<(String, Option<Path>)>;

impl Paths {
    /// The paths of a node.
    ///
    /// # Errors
    /// A constant path asks for what is not supported.
    fn of(node: &Node, span: Span) -> Result<Self> {
        match &node.constant {
            Some(value) if value.is_valid(0) => {
                let text = node.constant_text("a JSON path")?.unwrap_or_default();
                let path = Path::parse(&text).map_err(|why| {
                    Error::invalid(format!("use the JSON path '{text}' at {span}: {why}"))
                        .hint("keys, indices, slices, wildcards, '..' and filters that compare are supported")
                })?;
                Ok(Self::Constant(path))
            }
            _ => Ok(Self::Rows),
        }
    }

    /// The path for a row; None: malformed.
    fn get<'a>(
        &'a self,
        column: &Column,
        row: usize,
        last: &'a mut Last,
    ) -> std::result::Result<Option<&'a Path>, String> {
        match self {
            Self::Constant(path) => Ok(path.as_ref()),
            Self::Rows => {
                let text = Texts::of(column).get(row);
                if last.as_ref().is_none_or(|(known, _)| known != text) {
                    let path = Path::parse(text).map_err(|why| format!("use the JSON path '{text}': {why}"))?;
                    *last = Some((text.to_owned(), path));
                }
                Ok(last.as_ref().and_then(|(_, path)| path.as_ref()))
            }
        }
    }
}

#[cfg(test)]
mod tests;
