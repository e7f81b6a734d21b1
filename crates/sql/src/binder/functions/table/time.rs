//! Dates and times.

use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function as F, LogicalType, Value};

use super::super::results as r;
use super::super::signature::Argument::{
    Any, BigInt, BigIntOrDouble, DateOrTimestamp, Datetime, Int, Text, TimestampOrText,
};
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
    fixed("TO_TIMESTAMP_LTZ", F::ToTimestampLtz, &[BigIntOrDouble, Int], r::timestamp_ltz_of_precision).optional(1).finish(epoch_unit),
    fixed("TO_TIMESTAMP", F::ToTimestamp, &[Text, Text], r::timestamp_nullable).optional(1),
    fixed("TO_DATE", F::ToDate, &[Text, Text], r::date_nullable).optional(1),
    fixed("DATE_FORMAT", F::DateFormat, &[TimestampOrText, Text], r::string_nullable),
    fixed("FROM_UNIXTIME", F::FromUnixtime, &[BigInt, Text], r::string_nullable).optional(1),
    fixed("UNIX_TIMESTAMP", F::UnixTimestamp, &[Text, Text], r::bigint).optional(2),
    fixed("EXTRACT", F::Extract, &[Any, Datetime], r::bigint),
    fixed("TIMESTAMPDIFF", F::TimestampDiff, &[Any, DateOrTimestamp, DateOrTimestamp], r::int),
];

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
