//! Text into a column of any scalar type, as Flink's text formats read it.

use weir_plan::LogicalType;

use crate::column::{Column, Values, put};
use crate::parse::{self, TimestampFormat};
use crate::view::{SIDE, view_of};

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextRead {
    /// A value.
    Value,
    /// NULL, rightly so.
    Null,
    /// It does not fit the column.
    Misfit,
}

/// Puts the value that `text` says into `column` at `position`; strings and bytes go to `side`.
pub(crate) fn set_text(
    column: &mut Column,
    position: usize,
    text: &str,
    format: TimestampFormat,
    side: &mut Vec<u8>,
) -> TextRead {
    let zoned = matches!(column.data_type, LogicalType::TimestampLtz(_));
    let integer = || parse::integer(text);
    let done = match &mut column.values {
        Values::Boolean(values) => {
            put(values, position, parse::boolean(text));
            Some(())
        }
        Values::Int8(values) => {
            integer().and_then(|value| i8::try_from(value).ok()).map(|value| put(values, position, value))
        }
        Values::Int16(values) => {
            integer().and_then(|value| i16::try_from(value).ok()).map(|value| put(values, position, value))
        }
        Values::Int32(values) => {
            integer().and_then(|value| i32::try_from(value).ok()).map(|value| put(values, position, value))
        }
        Values::Int64(values) => integer().map(|value| put(values, position, value)),
        Values::Float32(values) => parse::float(text).map(|value| put(values, position, value)),
        Values::Float64(values) => parse::double(text).map(|value| put(values, position, value)),
        Values::Decimal(values, precision, scale) => match parse::decimal(text, *precision, *scale) {
            Some(None) => return TextRead::Null,
            value => value.flatten().map(|value| put(values, position, value)),
        },
        Values::Date(values) => parse::date(text).map(|value| put(values, position, value)),
        Values::Time(values) => parse::time(text).map(|value| put(values, position, value)),
        Values::Timestamp(values, precision) => parse::timestamp(text, format, zoned)
            .and_then(|(seconds, nanos)| parse::in_unit(seconds, nanos, *precision))
            .map(|value| put(values, position, value)),
        Values::String(views) => {
            let start = side.len();
            side.extend_from_slice(text.as_bytes());
            put(views, position, view_of(side, start, side.len(), SIDE));
            Some(())
        }
        Values::Binary(views) => parse::base64(text).map(|bytes| {
            let start = side.len();
            side.extend_from_slice(&bytes);
            put(views, position, view_of(side, start, side.len(), SIDE));
        }),
        Values::Null => return TextRead::Null,
        Values::List(..) | Values::Map(..) | Values::Row(..) => None,
    };
    if done.is_some() { TextRead::Value } else { TextRead::Misfit }
}
