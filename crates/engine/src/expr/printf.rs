//! PRINTF: Java's `Formatter` over columns. What fails in Java gives NULL, as in Flink.
//!
//! It owns the arguments: what Java object stands for a value of each SQL type. `format` reads formats, `write` writes one value by one specifier.
//! `%h` of texts and `%t` are refused.

mod format;
mod write;

use std::borrow::Cow;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalYearMonthType, Time32MillisecondType,
};
use weir_base::{Result, Span};
use weir_plan::{CastMode, DataType, Function, LENGTH_MAX, LogicalType};

use super::cast;
use super::compile::{Called, Family};
use super::node::{Column, EvalError, Node, Scope};
use super::rows::{Failure, Texts, texts};
use super::time::timestamp_at;
use super::zone::Zone;
use format::{Format, Index, Part};
use write::{Unwritten, write};

/// The family.
pub(super) const FAMILY: Family = Family { functions: &[Function::Printf], compile };

/// `PRINTF(format, a, ...)`
fn compile(call: Called<'_>) -> Result<Node> {
    let Called { nodes, data_type, zone, span, .. } = call;
    let types: Vec<LogicalType> = nodes[1..].iter().map(|node| node.data_type.logical.clone()).collect();
    let seen = |node: Node| if has_own_text(&node.data_type.logical) { as_text(node, zone, span) } else { Ok(node) };
    let nodes = nodes.into_iter().map(seen).collect::<Result<Vec<_>>>()?;
    let apply = move |columns: &[Column], scope: &Scope<'_>| printed(&types, columns, scope);
    Ok(Node::call(nodes, data_type, span, true, Box::new(apply)))
}

/// Whether Java sees such a value as an object of which only its text is known: DECIMAL.
fn has_own_text(logical: &LogicalType) -> bool {
    matches!(logical, LogicalType::Decimal(..))
}

fn as_text(node: Node, zone: &Zone, span: Span) -> Result<Node> {
    let target = DataType::nullable(LogicalType::Varchar(LENGTH_MAX));
    cast::compile(node, &target, CastMode::Cast, zone, span)
}

/// A value as Java's `Formatter` sees it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    /// `null`
    Null,
    /// `Byte`, `Short`, `Integer`, `Long`, by the number of bits.
    Whole(i64, u32),
    /// `Float`
    Float(f32),
    /// `Double`
    Double(f64),
    /// `Boolean`
    Truth(bool),
    /// An object that is neither: its text.
    Text(Cow<'a, str>),
}

fn printed(types: &[LogicalType], columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let formats = Texts::of(&columns[0]);
    let mut last: Option<(String, Option<Format>)> = None;
    let mut values: Vec<Value<'_>> = Vec::with_capacity(types.len());
    texts(&columns[..1], scope, Failure::Raise, |row, out| {
        let text = formats.get(row);
        if last.as_ref().is_none_or(|(known, _)| known != text) {
            last = Some((text.to_owned(), Format::parse(text)));
        }
        let Some(format) = last.as_ref().and_then(|(_, format)| format.as_ref()) else { return Ok(false) };
        values.clear();
        values.extend(types.iter().zip(&columns[1..]).map(|(logical, column)| value_at(logical, column, row)));
        match print(format, &values, out) {
            Ok(()) => Ok(true),
            Err(Unwritten::Wrong) => Ok(false),
            Err(Unwritten::Unsupported(what)) => {
                Err(format!("The format '{text}' uses {what}, which is not supported."))
            }
        }
    })
}

fn print(format: &Format, values: &[Value<'_>], out: &mut String) -> Result<(), Unwritten> {
    let (mut next, mut previous) = (0, None);
    for part in &format.parts {
        let specifier = match part {
            Part::Text(text) => {
                out.push_str(text);
                continue;
            }
            Part::Value(specifier) => specifier,
        };
        if !specifier.takes_value() {
            write(specifier, &Value::Null, out)?;
            continue;
        }
        let index = match specifier.index {
            Index::Next => {
                next += 1;
                next - 1
            }
            Index::Previous => previous.ok_or(Unwritten::Wrong)?,
            Index::At(index) => index,
        };
        previous = Some(index);
        write(specifier, values.get(index).ok_or(Unwritten::Wrong)?, out)?;
    }
    Ok(())
}

fn value_at<'a>(logical: &LogicalType, column: &'a Column, row: usize) -> Value<'a> {
    use LogicalType as T;
    if *logical == T::Null || column.is_null(row) {
        return Value::Null;
    }
    let (array, row) = (&column.array, column.index(row));
    match logical {
        T::Boolean => Value::Truth(array.as_boolean().value(row)),
        T::TinyInt => Value::Whole(i64::from(array.as_primitive::<Int8Type>().value(row)), 8),
        T::SmallInt => Value::Whole(i64::from(array.as_primitive::<Int16Type>().value(row)), 16),
        T::Int => Value::Whole(i64::from(array.as_primitive::<Int32Type>().value(row)), 32),
        T::BigInt => Value::Whole(array.as_primitive::<Int64Type>().value(row), 64),
        T::Date => Value::Whole(i64::from(array.as_primitive::<Date32Type>().value(row)), 32),
        T::Time(_) => Value::Whole(i64::from(array.as_primitive::<Time32MillisecondType>().value(row)), 32),
        T::IntervalYearMonth => Value::Whole(i64::from(array.as_primitive::<IntervalYearMonthType>().value(row)), 32),
        T::IntervalDayTime => Value::Whole(array.as_primitive::<DurationMillisecondType>().value(row), 64),
        T::Float => Value::Float(array.as_primitive::<Float32Type>().value(row)),
        T::Double => Value::Double(array.as_primitive::<Float64Type>().value(row)),
        T::Timestamp(_) | T::TimestampLtz(_) => Value::Text(local_date_time(array, row).into()),
        _ => Value::Text(array.as_string_view().value(row).into()),
    }
}

/// `LocalDateTime.toString`: no seconds where they are zero, fractions in groups of three digits.
fn local_date_time(array: &ArrayRef, row: usize) -> String {
    let moment = timestamp_at(array, row);
    let (days, in_day) = (moment.millis.div_euclid(86_400_000), moment.millis.rem_euclid(86_400_000));
    let (year, month, day) = weir_base::calendar::date_of(days);
    let (minutes, millis) = (in_day / 60_000, in_day % 60_000);
    let nanos = millis % 1000 * 1_000_000 + i64::from(moment.nanos);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}", minutes / 60, minutes % 60);
    if millis > 0 || nanos > 0 {
        text.push_str(&format!(":{:02}", millis / 1000));
    }
    match nanos {
        0 => {}
        nanos if nanos % 1_000_000 == 0 => text.push_str(&format!(".{:03}", nanos / 1_000_000)),
        nanos if nanos % 1000 == 0 => text.push_str(&format!(".{:06}", nanos / 1000)),
        nanos => text.push_str(&format!(".{nanos:09}")),
    }
    text
}

#[cfg(test)]
mod tests;
