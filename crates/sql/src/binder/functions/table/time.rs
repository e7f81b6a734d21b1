//! Dates and times.

use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function as F, LogicalType, Value};

use super::super::results as r;
use super::super::signature::Argument::{Any, BigInt, BigIntOrDouble, Datetime, Int, Text, TimePoint, TimestampOrText};
use super::super::signature::Signature;
use super::fixed;
use crate::binder::refusal::refuse;
use crate::error::SqlError;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("PROCTIME", F::CurrentTimestamp, &[], r::timestamp_ltz_not_null),
    fixed("CURRENT_TIMESTAMP", F::CurrentTimestamp, &[], r::timestamp_ltz_not_null),
    fixed("CURRENT_ROW_TIMESTAMP", F::CurrentTimestamp, &[], r::timestamp_ltz_not_null),
    fixed("NOW", F::CurrentTimestamp, &[], r::timestamp_ltz_not_null),
    fixed("LOCALTIMESTAMP", F::LocalTimestamp, &[], r::timestamp_not_null),
    fixed("CURRENT_DATE", F::CurrentDate, &[], r::date_not_null),
    fixed("CURRENT_TIME", F::CurrentTime, &[], time_not_null),
    fixed("LOCALTIME", F::CurrentTime, &[], time_not_null),
    fixed("CONVERT_TZ", F::ConvertTz, &[Text, Text, Text], r::string_nullable),
    fixed("TO_TIMESTAMP_LTZ", F::ReadTimestampLtz, &[Text, Text, Text], read_timestamp_ltz).optional(2).finish(known_zone).inferred(READ_TIMESTAMP_LTZ),
    fixed("TO_TIMESTAMP_LTZ", F::ToTimestampLtz, &[BigIntOrDouble, Int], r::timestamp_ltz_of_precision).optional(1).finish(epoch_unit),
    fixed("TO_TIMESTAMP", F::ToTimestamp, &[Text, Text], r::timestamp_nullable).optional(1),
    fixed("TO_DATE", F::ToDate, &[Text, Text], r::date_nullable).optional(1),
    fixed("DATE_FORMAT", F::DateFormat, &[TimestampOrText, Text], r::string_nullable),
    fixed("FROM_UNIXTIME", F::FromUnixtime, &[BigInt, Text], r::string_nullable).optional(1),
    fixed("UNIX_TIMESTAMP", F::UnixTimestamp, &[Text, Text], r::bigint).optional(2),
    fixed("EXTRACT", F::Extract, &[Any, Datetime], r::bigint),
    fixed("TIMESTAMPDIFF", F::TimestampDiff, &[Any, TimePoint, TimePoint], r::int),
];

/// How Flink shows the forms of TO_TIMESTAMP_LTZ that read a text.
const READ_TIMESTAMP_LTZ: &str = "TO_TIMESTAMP_LTZ(<CHARACTER_STRING>)\nTO_TIMESTAMP_LTZ(<CHARACTER_STRING>, \
        pattern <CHARACTER_STRING>)\nTO_TIMESTAMP_LTZ(<CHARACTER_STRING>, pattern <CHARACTER_STRING>, timezone <CHARACTER_STRING>)";

/// TIME(0), never NULL.
fn time_not_null(_: &[Expr]) -> DataType {
    DataType::not_null(LogicalType::Time(0))
}

/// The text of a constant.
fn constant_text(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Literal(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// TIMESTAMP_LTZ of as many digits as the pattern has letters `S` together, at least 3; NULL possible.
fn read_timestamp_ltz(arguments: &[Expr]) -> DataType {
    let pattern = arguments.get(1).and_then(constant_text).unwrap_or_default();
    let digits = pattern.split(|letter| letter != 'S').map(str::len).max().unwrap_or(0).clamp(3, 9);
    DataType::nullable(LogicalType::TimestampLtz(u8::try_from(digits).unwrap_or(3)))
}

/// A zone that stands in the script must be one.
#[expect(clippy::ptr_arg, reason = "a last step of binding: others of its type add arguments")]
fn known_zone(arguments: &mut Vec<Expr>, _: Span) -> Result<(), SqlError> {
    let Some(zone) = arguments.get(2) else { return Ok(()) };
    let is_wrong = |name: &str| name.trim().is_empty() || name.chars().any(char::is_whitespace);
    match constant_text(zone) {
        Some(name) if is_wrong(name) => {
            Err(refuse(zone.span, format!("Invalid timezone for parsing TIMESTAMP_LTZ: Unknown time-zone ID: {name}")))
        }
        _ => Ok(()),
    }
}

/// TO_TIMESTAMP_LTZ counts milliseconds unless it is told the digits of its unit.
fn epoch_unit(arguments: &mut Vec<Expr>, span: Span) -> Result<(), SqlError> {
    let Some(precision) = arguments.get(1) else {
        let milliseconds = ExprKind::Literal(Value::Integer(3));
        arguments.push(Expr::new(milliseconds, DataType::not_null(LogicalType::Int)).at(span));
        return Ok(());
    };
    match r::constant_int(precision) {
        Some(digits) if !(0..=9).contains(&digits) => Err(refuse(
            precision.span,
            format!("Precision for TO_TIMESTAMP_LTZ must be between 0 and 9 but was {digits}."),
        )),
        _ => Ok(()),
    }
}
