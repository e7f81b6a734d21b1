//! JSON_OBJECT, JSON_ARRAY and JSON_STRING: values as JSON.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType as ArrowType, TimeUnit};
use weir_base::{Error, Result, Span};
use weir_format::text::{Fraction, write_base64, write_decimal, write_double, write_timestamp};
use weir_plan::DataType;

use super::super::node::{Apply, Column, Node};
use super::super::rows::{Failure, Texts, texts};
use super::dom::{Json, object};

/// What an argument of JSON_OBJECT or JSON_ARRAY stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Part {
    /// A key.
    Key,
    /// A value.
    Value,
    /// A text that is JSON already: of a JSON function right here.
    Json,
}

/// `JSON_OBJECT(...)` where keys stand before values, else `JSON_ARRAY(...)`. `keeps_nulls`: NULL ON NULL.
pub(in super::super) fn object_or_array(
    nodes: Vec<Node>,
    parts: Vec<Part>,
    is_object: bool,
    keeps_nulls: bool,
    data_type: DataType,
    span: Span,
) -> Node {
    let apply: Apply = Box::new(move |columns, scope| {
        texts(&[], scope, Failure::Raise, |row, out| {
            let mut entries = Vec::new();
            let mut key = String::new();
            for (column, part) in columns.iter().zip(&parts) {
                if *part == Part::Key {
                    if column.is_null(row) {
                        return Err("a key of JSON_OBJECT must not be NULL".to_owned());
                    }
                    key = Texts::of(column).get(row).to_owned();
                    continue;
                }
                let value = argument(column, row, *part)?;
                if keeps_nulls || value.is_some() {
                    entries.push((std::mem::take(&mut key), value.unwrap_or(Json::Null)));
                }
            }
            let made = if is_object {
                object(entries)
            } else {
                Json::Array(entries.into_iter().map(|(_, value)| value).collect())
            };
            made.write(out);
            Ok(true)
        })
    });
    Node::call(nodes, data_type, span, true, apply)
}

/// The value of an argument; None for NULL.
fn argument(column: &Column, row: usize, part: Part) -> std::result::Result<Option<Json>, String> {
    if column.is_null(row) {
        return Ok(None);
    }
    if part == Part::Value {
        return Ok(Some(value_of(&column.array, column.index(row))));
    }
    let text = Texts::of(column).get(row);
    if text.trim().is_empty() {
        return Ok(None);
    }
    let why = || format!("Invalid JSON string in JSON(value) function: \"{text}\"");
    Json::parse(text.trim()).map(Some).ok_or_else(why)
}

/// `JSON_STRING(value)`
///
/// # Errors
/// The plan is broken.
pub(super) fn json_string(nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    if nodes.len() != 1 {
        return Err(Error::internal("compile JSON_STRING: it has one argument"));
    }
    let apply: Apply = Box::new(|columns, scope| {
        texts(columns, scope, Failure::Raise, |row, out| {
            value_of(&columns[0].array, columns[0].index(row)).write(out);
            Ok(true)
        })
    });
    Ok(Node::call(nodes, data_type, span, false, apply))
}

/// A value as JSON: dates and times are refused by the binder.
fn value_of(array: &ArrayRef, row: usize) -> Json {
    if array.is_null(row) {
        return Json::Null;
    }
    match array.data_type() {
        ArrowType::Boolean => Json::Boolean(array.as_boolean().value(row)),
        ArrowType::Int8 => Json::Number(array.as_primitive::<Int8Type>().value(row).to_string()),
        ArrowType::Int16 => Json::Number(array.as_primitive::<Int16Type>().value(row).to_string()),
        ArrowType::Int32 => Json::Number(array.as_primitive::<Int32Type>().value(row).to_string()),
        ArrowType::Int64 => Json::Number(array.as_primitive::<Int64Type>().value(row).to_string()),
        ArrowType::Float32 => double(f64::from(array.as_primitive::<Float32Type>().value(row))),
        ArrowType::Float64 => double(array.as_primitive::<Float64Type>().value(row)),
        ArrowType::Decimal128(_, scale) => {
            let unscaled = array.as_primitive::<Decimal128Type>().value(row);
            Json::Number(written(|out| write_decimal(unscaled, u8::try_from(*scale).unwrap_or_default(), false, out)))
        }
        ArrowType::Utf8View => Json::Text(array.as_string_view().value(row).to_owned()),
        ArrowType::BinaryView => Json::Text(written(|out| write_base64(array.as_binary_view().value(row), out))),
        ArrowType::Timestamp(unit, zone) => {
            let value = match unit {
                TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
                TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row),
                _ => array.as_primitive::<TimestampMillisecondType>().value(row),
            };
            let mut text = written(|out| write_timestamp(value, *unit, b'T', Fraction::Needed, out));
            text.push_str(if zone.is_some() { "Z" } else { "" });
            Json::Text(text)
        }
        ArrowType::List(_) => {
            let elements = array.as_list::<i32>().value(row);
            Json::Array((0..elements.len()).map(|index| value_of(&elements, index)).collect())
        }
        ArrowType::Map(..) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0).as_string_view(), entries.column(1));
            let entry = |index: usize| (keys.value(index).to_owned(), value_of(values, index));
            object((0..entries.len()).map(entry).collect())
        }
        ArrowType::Struct(fields) => {
            let columns = array.as_struct().columns();
            object(
                fields
                    .iter()
                    .zip(columns)
                    .map(|(field, column)| (field.name().clone(), value_of(column, row)))
                    .collect(),
            )
        }
        _ => Json::Null,
    }
}

/// A double, by the digits of `Double.toString`; what is no number has its name.
fn double(value: f64) -> Json {
    let text = written(|out| write_double(value, out));
    if value.is_finite() { Json::Number(text) } else { Json::Text(text) }
}

/// What `write` appends, as text.
fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
