//! JSON_VALUE, JSON_QUERY, JSON_EXISTS: what stands at a path, and what is given where nothing fitting does.
//!
//! A path that is strict (or says nothing) and leads nowhere is an error, a lax one is empty; each has its own behaviour.

use arrow_array::builder::{ListBuilder, StringViewBuilder};
use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{Array as _, ArrayRef};
use arrow_schema::Field;
use std::sync::Arc;
use weir_base::{Error, Result, Span};
use weir_plan::{DataType, LogicalType};

use super::super::node::{Apply, Column, EvalError, Node, Scope};
use super::super::rows::{Failure, Texts, Values, booleans, each_row, primitives, texts};
use super::dom::Json;
use super::find::{Found, find};
use super::path::{Mode, Path};
use super::{Last, Paths, scan};

/// What is given in place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Otherwise {
    Null,
    Error,
    /// DEFAULT: the argument at this index.
    Default(usize),
    EmptyArray,
    EmptyObject,
}

impl Otherwise {
    /// What a constant argument says.
    fn of(node: &Node, default: usize) -> Result<Self> {
        Ok(match node.constant_text("what JSON functions give on empty and on error")?.as_deref() {
            Some("ERROR") => Self::Error,
            Some("DEFAULT") => Self::Default(default),
            Some("EMPTY ARRAY") => Self::EmptyArray,
            Some("EMPTY OBJECT") => Self::EmptyObject,
            _ => Self::Null,
        })
    }
}

/// What a path leads to in a text.
enum Outcome {
    Value(Json),
    Empty,
    Failed(String),
}

/// What `path` leads to in `text`; a scalar is asked for, or an array or object.
fn look(text: &str, path: Option<&Path>) -> (Mode, Outcome) {
    let Some(path) = path else { return (Mode::Strict, Outcome::Failed("the JSON path is malformed".to_owned())) };
    let Some(root) = Json::parse(text) else {
        return match path.mode {
            Mode::Lax => (Mode::Lax, Outcome::Empty),
            Mode::Strict => (Mode::Strict, Outcome::Failed(format!("'{text}' is no JSON"))),
        };
    };
    if root == Json::Null {
        return (Mode::Strict, Outcome::Failed("json object can not be null".to_owned()));
    }
    let outcome = match find(&root, &path.steps, &root) {
        // A null is no value to Jayway: empty, or an error where all must be there.
        Ok(Found::One(Json::Null)) if path.mode == Mode::Lax => Outcome::Empty,
        Ok(Found::One(Json::Null)) => Outcome::Failed("the value at the JSON path is null".to_owned()),
        Ok(Found::One(value)) => Outcome::Value(value.clone()),
        Ok(Found::Made(value)) => Outcome::Value(value),
        Ok(Found::Many(values)) => Outcome::Value(Json::Array(values.into_iter().cloned().collect())),
        Err(_) if path.mode == Mode::Lax && path.is_definite() => Outcome::Empty,
        Err(_) if path.mode == Mode::Lax => Outcome::Value(Json::Array(Vec::new())),
        Err(missing) => Outcome::Failed(missing),
    };
    (path.mode, outcome)
}

/// Texts and paths of the rows.
struct Looks<'a> {
    texts: Texts<'a>,
    path: &'a Column,
    paths: &'a Paths,
    last: Last,
}

impl<'a> Looks<'a> {
    fn of(columns: &'a [Column], paths: &'a Paths) -> Self {
        Self { texts: Texts::of(&columns[0]), path: &columns[1], paths, last: None }
    }

    fn at(&mut self, row: usize) -> std::result::Result<(Mode, Outcome), String> {
        let path = self.paths.get(self.path, row, &mut self.last)?;
        Ok(look(self.texts.get(row), path))
    }
}

/// `JSON_VALUE(text, path, on empty, default, on error, default)`, or the first two.
///
/// # Errors
/// A constant path asks for what is not supported, or the plan is broken.
pub(super) fn json_value(nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let [_, path, behaviours @ ..] = nodes.as_slice() else {
        return Err(Error::internal("compile JSON_VALUE: its path is missing"));
    };
    let paths = Paths::of(path, span)?;
    let (on_empty, on_error) = match behaviours {
        [empty, _, error, _] => (Otherwise::of(empty, 3)?, Otherwise::of(error, 5)?),
        _ => (Otherwise::Null, Otherwise::Null),
    };
    let is_null_otherwise = (on_empty, on_error) == (Otherwise::Null, Otherwise::Null);
    if is_null_otherwise
        && data_type.logical.is_string()
        && matches!(&paths, Paths::Constant(path) if path.as_ref().is_none_or(Path::is_plain))
    {
        let Paths::Constant(path) = paths else { unreachable!("just seen") };
        return Ok(plain_value(nodes, path, data_type, span));
    }
    let is_fallible = on_empty == Otherwise::Error || on_error == Otherwise::Error || !data_type.logical.is_string();
    let is_fallible = is_fallible || matches!(paths, Paths::Rows);
    let logical = data_type.logical.clone();
    let apply: Apply = Box::new(move |columns, scope| {
        let mut looks = Looks::of(columns, &paths);
        let mut value = |row: usize| -> std::result::Result<Given, String> {
            let (mode, outcome) = looks.at(row)?;
            let (otherwise, why) = match outcome {
                Outcome::Value(value) if value.is_scalar() => return Ok(Given::Value(value)),
                Outcome::Value(value) if mode == Mode::Strict => {
                    let mut text = String::new();
                    value.write(&mut text);
                    let why =
                        format!("Strict jsonpath mode requires scalar value, and the actual value is: ''{text}''");
                    (on_error, why)
                }
                Outcome::Value(_) | Outcome::Empty => {
                    (on_empty, "Empty result of JSON_VALUE function is not allowed".to_owned())
                }
                Outcome::Failed(why) => (on_error, why),
            };
            match otherwise {
                Otherwise::Error => Err(why),
                Otherwise::Default(index) if !columns[index].is_null(row) => Ok(Given::Default(index)),
                _ => Ok(Given::Null),
            }
        };
        returned(&logical, columns, scope, &mut value)
    });
    Ok(Node::call(nodes, data_type, span, is_fallible, apply))
}

/// What JSON_VALUE gives for a row.
enum Given {
    Value(Json),
    /// The default at this index of the arguments.
    Default(usize),
    Null,
}

/// JSON_VALUE's result in the type that RETURNING names. As in Flink the JSON value must be of just that type.
fn returned(
    logical: &LogicalType,
    columns: &[Column],
    scope: &Scope<'_>,
    value: &mut dyn FnMut(usize) -> std::result::Result<Given, String>,
) -> std::result::Result<ArrayRef, EvalError> {
    let read = &columns[..2];
    let misfit = |value: &Json| {
        let mut text = String::new();
        value.write(&mut text);
        format!("the JSON value {text} cannot be cast to {logical}, which RETURNING asks for")
    };
    match logical {
        LogicalType::Boolean => booleans(read, scope, Failure::Raise, |row| match value(row)? {
            Given::Value(Json::Boolean(value)) => Ok(Some(value)),
            Given::Value(other) => Err(misfit(&other)),
            Given::Default(index) => {
                let column = &columns[index];
                Ok(Some(arrow_array::cast::AsArray::as_boolean(&column.array).value(column.index(row))))
            }
            Given::Null => Ok(None),
        }),
        LogicalType::Int => primitives::<Int32Type>(read, scope, Failure::Raise, |row| match value(row)? {
            Given::Value(Json::Number(digits)) => {
                digits.parse().map(Some).map_err(|_| misfit(&Json::Number(digits.clone())))
            }
            Given::Value(other) => Err(misfit(&other)),
            Given::Default(index) => Ok(Some(Values::<Int32Type>::of(&columns[index]).get(row))),
            Given::Null => Ok(None),
        }),
        LogicalType::Double => primitives::<Float64Type>(read, scope, Failure::Raise, |row| match value(row)? {
            // Flink takes numbers with a point or an exponent only: an integer is of another of Java's types.
            Given::Value(Json::Number(digits)) if digits.contains(['.', 'e', 'E']) => {
                digits.parse().map(Some).map_err(|_| misfit(&Json::Number(digits.clone())))
            }
            Given::Value(other) => Err(misfit(&other)),
            Given::Default(index) => Ok(Some(Values::<Float64Type>::of(&columns[index]).get(row))),
            Given::Null => Ok(None),
        }),
        _ => texts(read, scope, Failure::Raise, |row, out| match value(row)? {
            Given::Value(value) => {
                value.write_plain(out);
                Ok(true)
            }
            Given::Default(index) => {
                out.push_str(Texts::of(&columns[index]).get(row));
                Ok(true)
            }
            Given::Null => Ok(false),
        }),
    }
}

/// JSON_VALUE of a STRING along keys and indices, NULL where it finds none.
fn plain_value(nodes: Vec<Node>, path: Option<Path>, data_type: DataType, span: Span) -> Node {
    let mut nodes = nodes;
    nodes.truncate(2);
    let apply = move |columns: &[Column], scope: &Scope<'_>| {
        let values = Texts::of(&columns[0]);
        texts(columns, scope, Failure::Raise, |row, out| {
            Ok(path.as_ref().is_some_and(|path| scan::value_at(values.get(row), path, out)))
        })
    };
    Node::call(nodes, data_type, span, false, Box::new(apply))
}

/// `JSON_EXISTS(text, path, on error)`
///
/// # Errors
/// As [`json_value`].
pub(super) fn json_exists(nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let [_, path, on_error] = nodes.as_slice() else {
        return Err(Error::internal("compile JSON_EXISTS: an argument is missing"));
    };
    let paths = Paths::of(path, span)?;
    let on_error = on_error.constant_text("what JSON_EXISTS gives on error")?.unwrap_or_default();
    let is_fallible = on_error == "ERROR" || matches!(paths, Paths::Rows);
    let apply: Apply = Box::new(move |columns, scope| {
        let mut looks = Looks::of(columns, &paths);
        booleans(&columns[..2], scope, Failure::Raise, |row| match looks.at(row)?.1 {
            Outcome::Value(_) => Ok(Some(true)),
            Outcome::Empty => Ok(Some(false)),
            Outcome::Failed(why) => match on_error.as_str() {
                "ERROR" => Err(why),
                "TRUE" => Ok(Some(true)),
                "UNKNOWN" => Ok(None),
                _ => Ok(Some(false)),
            },
        })
    });
    Ok(Node::call(nodes, data_type, span, is_fallible, apply))
}

/// `JSON_QUERY(text, path, wrapper, on empty, on error)`: an array or an object, as STRING or as ARRAY<STRING>.
///
/// # Errors
/// As [`json_value`].
pub(super) fn json_query(nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let [_, path, wrapper, on_empty, on_error] = nodes.as_slice() else {
        return Err(Error::internal("compile JSON_QUERY: an argument is missing"));
    };
    let paths = Paths::of(path, span)?;
    let wrapper = wrapper.constant_text("the wrapper of JSON_QUERY")?.unwrap_or_default();
    let (on_empty, on_error) = (Otherwise::of(on_empty, 0)?, Otherwise::of(on_error, 0)?);
    let is_fallible = [on_empty, on_error].contains(&Otherwise::Error) || matches!(paths, Paths::Rows);
    let gives_array = matches!(data_type.logical, LogicalType::Array(_));
    let apply: Apply = Box::new(move |columns, scope| {
        let mut looks = Looks::of(columns, &paths);
        let mut value = |row: usize| -> std::result::Result<Option<Json>, String> {
            let (mode, outcome) = looks.at(row)?;
            let (otherwise, why) = match outcome {
                Outcome::Value(value) => match fitting(wrapped(value, &wrapper), gives_array, mode) {
                    Ok(Some(value)) => return Ok(Some(value)),
                    Ok(None) => (on_empty, "Empty result of JSON_QUERY function is not allowed".to_owned()),
                    Err(why) => (on_error, why),
                },
                Outcome::Empty => (on_empty, "Empty result of JSON_QUERY function is not allowed".to_owned()),
                Outcome::Failed(why) => (on_error, why),
            };
            match otherwise {
                Otherwise::Error => Err(why),
                Otherwise::EmptyArray => Ok(Some(Json::Array(Vec::new()))),
                Otherwise::EmptyObject => Ok(Some(Json::Object(Vec::new()))),
                _ => Ok(None),
            }
        };
        if gives_array {
            return arrays(columns, scope, &mut value);
        }
        texts(&columns[..2], scope, Failure::Raise, |row, out| {
            let found = value(row)?;
            if let Some(found) = &found {
                found.write(out);
            }
            Ok(found.is_some())
        })
    });
    Ok(Node::call(nodes, data_type, span, is_fallible, apply))
}

/// The value in an array, where the wrapper says so.
fn wrapped(value: Json, wrapper: &str) -> Json {
    match (wrapper, &value) {
        ("UNCONDITIONAL", _) => Json::Array(vec![value]),
        ("CONDITIONAL", Json::Array(_)) => value,
        ("CONDITIONAL", _) => Json::Array(vec![value]),
        _ => value,
    }
}

/// The value if it is what JSON_QUERY gives; None: that is empty; Err: why it is an error.
fn fitting(value: Json, gives_array: bool, mode: Mode) -> std::result::Result<Option<Json>, String> {
    if value.is_scalar() {
        if mode == Mode::Lax {
            return Ok(None);
        }
        let mut text = String::new();
        value.write_plain(&mut text);
        return Err(format!(
            "Strict jsonpath mode requires array or object value, and the actual value is: ''{text}''"
        ));
    }
    if gives_array && !matches!(value, Json::Array(_)) {
        return Err("a JSON object is no array, which RETURNING asks for".to_owned());
    }
    Ok(Some(value))
}

/// JSON arrays as ARRAY<STRING>: scalars by their text, what is nested as JSON, null as NULL.
fn arrays(
    columns: &[Column],
    scope: &Scope<'_>,
    value: &mut dyn FnMut(usize) -> std::result::Result<Option<Json>, String>,
) -> std::result::Result<ArrayRef, EvalError> {
    let field = Arc::new(Field::new("item", arrow_schema::DataType::Utf8View, true));
    let mut builder = ListBuilder::new(StringViewBuilder::new()).with_field(field);
    let mut filled = 0;
    let mut text = String::new();
    each_row(&columns[..2], scope, Failure::Raise, |row| {
        let Some(Json::Array(elements)) = value(row)? else { return Ok(false) };
        (filled..row).for_each(|_| builder.append_null());
        for element in &elements {
            text.clear();
            element.write_plain(&mut text);
            builder.values().append_option((*element != Json::Null).then_some(&text));
        }
        builder.append(true);
        filled = row + 1;
        Ok(true)
    })?;
    (filled..scope.rows).for_each(|_| builder.append_null());
    let array = builder.finish();
    debug_assert_eq!(array.len(), scope.rows, "one array for each row");
    Ok(Arc::new(array))
}
