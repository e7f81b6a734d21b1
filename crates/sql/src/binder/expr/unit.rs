//! Units of time: in EXTRACT, FLOOR ... TO, TIMESTAMPDIFF, TIMESTAMPADD and intervals.

use sqlparser::ast::DateTimeField;
use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, LogicalType, Value};

use crate::binder::refusal::refuse;
use crate::error::{SqlError, did_you_mean};

/// Units that EXTRACT knows.
pub(super) const EXTRACT: &[&str] = &[
    "MILLENNIUM",
    "CENTURY",
    "DECADE",
    "YEAR",
    "QUARTER",
    "MONTH",
    "WEEK",
    "DAY",
    "DOY",
    "DOW",
    "HOUR",
    "MINUTE",
    "SECOND",
    "MILLISECOND",
    "MICROSECOND",
    "NANOSECOND",
    "EPOCH",
    "ISODOW",
    "ISOYEAR",
];

/// Units that FLOOR and CEIL know.
pub(super) const FLOOR: &[&str] =
    &["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND"];

/// Units that TIMESTAMPDIFF knows.
pub(super) const DIFFERENCE: &[&str] = &[
    "CENTURY",
    "DECADE",
    "YEAR",
    "QUARTER",
    "MONTH",
    "WEEK",
    "DAY",
    "HOUR",
    "MINUTE",
    "SECOND",
    "MILLISECOND",
    "MICROSECOND",
];

/// Units that TIMESTAMPADD knows, with their months or milliseconds.
const ADDITION: [(&str, Value); 10] = [
    ("DECADE", Value::Months(120)),
    ("YEAR", Value::Months(12)),
    ("QUARTER", Value::Months(3)),
    ("MONTH", Value::Months(1)),
    ("WEEK", Value::Milliseconds(7 * 86_400_000)),
    ("DAY", Value::Milliseconds(86_400_000)),
    ("HOUR", Value::Milliseconds(3_600_000)),
    ("MINUTE", Value::Milliseconds(60_000)),
    ("SECOND", Value::Milliseconds(1000)),
    ("MILLISECOND", Value::Milliseconds(1)),
];

/// The unit as an interval.
pub(super) fn interval(unit: &str, what: &str, span: Span) -> Result<Expr, SqlError> {
    let known = ADDITION.map(|(name, _)| name);
    let upper = known_name(unit, &known, what, span)?;
    let value = ADDITION.into_iter().find(|(name, _)| *name == upper).map(|(_, value)| value);
    let value = value.expect("its name was found just above");
    let months = matches!(value, Value::Months(_));
    let logical = if months { LogicalType::IntervalYearMonth } else { LogicalType::IntervalDayTime };
    Ok(Expr::new(ExprKind::Literal(value), DataType::not_null(logical)).at(span))
}

/// The unit of `EXTRACT` that a function of one time stands for, by the function's name in upper case.
pub(super) fn of_short_form(function: &str) -> Option<&'static str> {
    Some(match function {
        "YEAR" => "YEAR",
        "QUARTER" => "QUARTER",
        "MONTH" => "MONTH",
        "WEEK" => "WEEK",
        "DAYOFYEAR" => "DOY",
        "DAYOFMONTH" => "DAY",
        "DAYOFWEEK" => "DOW",
        "HOUR" => "HOUR",
        "MINUTE" => "MINUTE",
        "SECOND" => "SECOND",
        _ => return None,
    })
}

/// The unit's name in upper case and singular.
pub(super) fn name(field: &DateTimeField) -> String {
    let name = field.to_string().to_ascii_uppercase();
    match name.as_str() {
        "DAYOFWEEK" => "DOW".to_owned(),
        "DAYOFYEAR" => "DOY".to_owned(),
        "MILLENIUM" => "MILLENNIUM".to_owned(),
        _ => name.strip_suffix('S').map(str::to_owned).unwrap_or(name),
    }
}

/// The unit as the constant that the plan wants, if it is one of `known`.
pub(super) fn constant(unit: &str, known: &[&str], what: &str, span: Span) -> Result<Expr, SqlError> {
    let upper = known_name(unit, known, what, span)?;
    let length = u32::try_from(upper.len()).expect("units are short words");
    Ok(Expr::new(ExprKind::Literal(Value::String(upper)), DataType::not_null(LogicalType::Char(length))).at(span))
}

/// The unit's name in upper case, if it is one of `known`.
fn known_name(unit: &str, known: &[&str], what: &str, span: Span) -> Result<String, SqlError> {
    let upper = unit.to_ascii_uppercase();
    let upper = upper.strip_prefix("SQL_TSI_").unwrap_or(&upper).to_owned();
    if !known.contains(&upper.as_str()) {
        let hint =
            did_you_mean(&upper, known.iter().copied()).unwrap_or_else(|| format!("units are {}", known.join(", ")));
        return Err(refuse(span, format!("'{unit}' is not a valid time frame of {what}")).hint(hint));
    }
    Ok(upper)
}
