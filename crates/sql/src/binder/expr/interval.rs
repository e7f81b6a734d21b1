//! `INTERVAL '...' UNIT [TO UNIT]`: milliseconds or months.

use sqlparser::ast::{self, Spanned as _};
use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, LogicalType, Value};

use super::unit;
use crate::binder::refusal::{not_supported, refuse};
use crate::error::{SqlError, span_of};

/// Units of an interval of days and seconds with their milliseconds, from large to small.
const UNITS: [(&str, i64); 4] = [("DAY", 86_400_000), ("HOUR", 3_600_000), ("MINUTE", 60_000), ("SECOND", 1000)];

/// Digits of the first field of an interval of days to seconds at most.
const DAY_PRECISION_MAX: u64 = 3;

/// The interval as a constant.
pub(super) fn bind(interval: &ast::Interval, span: Span) -> Result<Expr, SqlError> {
    let (value, negative) = match interval.value.as_ref() {
        ast::Expr::Value(value) => (&value.value, false),
        ast::Expr::UnaryOp { op: op @ (ast::UnaryOperator::Minus | ast::UnaryOperator::Plus), expr } => {
            match expr.as_ref() {
                ast::Expr::Value(value) => (&value.value, *op == ast::UnaryOperator::Minus),
                _ => return Err(not_supported(span, "an interval of an expression")),
            }
        }
        _ => return Err(not_supported(span, "an interval of an expression").hint("write INTERVAL '10' SECOND")),
    };
    let (ast::Value::SingleQuotedString(text) | ast::Value::Number(text, false)) = value else {
        return Err(not_supported(span, "an interval of this constant").hint("write INTERVAL '10' SECOND"));
    };
    let Some(first) = &interval.leading_field else {
        return Err(refuse(span, "An interval needs a unit").hint("write INTERVAL '10' SECOND"));
    };
    let first = unit::name(first);
    let last = interval.last_field.as_ref().map_or_else(|| first.clone(), unit::name);
    let wrong = || {
        let fields = if first == last { first.clone() } else { format!("{first} TO {last}") };
        refuse(span, format!("Illegal interval literal format '{text}' for INTERVAL {fields}"))
    };
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (!negative, rest),
        None => (negative, text.strip_prefix('+').unwrap_or(text)),
    };
    check_leading(text, &first, interval.leading_precision, span)?;
    let sign = if negative { -1 } else { 1 };
    let (value, logical) = match (first.as_str(), last.as_str()) {
        ("YEAR" | "MONTH" | "QUARTER", _) => {
            let months = months(text, &first, &last).and_then(|months| months.checked_mul(sign)).ok_or_else(wrong)?;
            let months = i32::try_from(months).map_err(|_| wrong())?;
            (Value::Months(months), LogicalType::IntervalYearMonth)
        }
        _ => {
            let milliseconds = milliseconds(text, &first, &last).and_then(|value| value.checked_mul(sign));
            (Value::Milliseconds(milliseconds.ok_or_else(wrong)?), LogicalType::IntervalDayTime)
        }
    };
    Ok(Expr::new(ExprKind::Literal(value), DataType::not_null(logical)).at(span))
}

/// Checks that the first field has no more digits than its precision, which is 2 unless it is written: `DAY(3)`.
fn check_leading(text: &str, unit: &str, precision: Option<u64>, span: Span) -> Result<(), SqlError> {
    let precision = precision.unwrap_or(2);
    if precision > DAY_PRECISION_MAX && UNITS.iter().any(|(known, _)| *known == unit) {
        return Err(refuse(span, format!("DAY_INTERVAL_TYPES precision is not supported: {precision}"))
            .hint(format!("{DAY_PRECISION_MAX} digits are the most; write a larger unit")));
    }
    let digits = text.trim().split(|char: char| !char.is_ascii_digit()).next().unwrap_or_default();
    let digits = digits.trim_start_matches('0');
    if digits.len() as u64 <= precision {
        return Ok(());
    }
    let more = digits.len();
    Err(refuse(span, format!("Interval field value {digits} exceeds precision of {unit}({precision}) field"))
        .hint(format!("write a larger unit, or {unit}({more})")))
}

/// The milliseconds of an interval that must be a constant: of a window or a delay.
pub(in crate::binder) fn interval_literal(tree: &ast::Expr, what: &str) -> Result<i64, SqlError> {
    let span = span_of(tree.span());
    let (negative, tree) = match tree {
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => (true, expr.as_ref()),
        other => (false, other),
    };
    let wrong =
        || refuse(span, format!("{what} must be an interval of days to seconds")).hint("write INTERVAL '10' SECOND");
    let ast::Expr::Interval(interval) = tree else { return Err(wrong()) };
    match bind(interval, span)?.kind {
        ExprKind::Literal(Value::Milliseconds(value)) => Ok(if negative { -value } else { value }),
        _ => Err(wrong()),
    }
}

fn months(text: &str, first: &str, last: &str) -> Option<i64> {
    match (first, last) {
        ("YEAR", "MONTH") => {
            let (years, months) = text.split_once('-')?;
            let months = whole(months).filter(|months| *months < 12)?;
            whole(years)?.checked_mul(12)?.checked_add(months)
        }
        ("YEAR", "YEAR") => whole(text)?.checked_mul(12),
        ("QUARTER", "QUARTER") => whole(text)?.checked_mul(3),
        ("MONTH", "MONTH") => whole(text),
        _ => None,
    }
}

/// `1 02:03:04.5` from `first` down to `last`; only the first part may be as large as it likes.
fn milliseconds(text: &str, first: &str, last: &str) -> Option<i64> {
    if (first, last) == ("WEEK", "WEEK") {
        return whole(text)?.checked_mul(7 * UNITS[0].1);
    }
    let from = UNITS.iter().position(|(unit, _)| *unit == first)?;
    let to = UNITS.iter().position(|(unit, _)| *unit == last)?;
    let parts: Vec<&str> = text.trim().split([' ', ':']).collect();
    if to < from || parts.len() != to - from + 1 {
        return None;
    }
    let mut sum = 0_i64;
    for (index, (part, (name, unit))) in parts.iter().zip(&UNITS[from..=to]).enumerate() {
        let value = if *name == "SECOND" { seconds(part)? } else { whole(part)?.checked_mul(*unit)? };
        let bound = match *name {
            "HOUR" => 24 * unit,
            "MINUTE" | "SECOND" => 60 * unit,
            _ => i64::MAX,
        };
        if index > 0 && value >= bound {
            return None;
        }
        sum = sum.checked_add(value)?;
    }
    Some(sum)
}

/// `12.345` seconds as milliseconds; digits past the third are cut, and there may be six.
fn seconds(text: &str) -> Option<i64> {
    let (whole_part, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    whole(whole_part)?.checked_mul(1000)?.checked_add(fraction)
}

fn whole(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_by_their_units() {
        let cases = [
            ("10", "SECOND", "SECOND", Some(10_000)),
            ("1.5", "SECOND", "SECOND", Some(1500)),
            ("0.0015", "SECOND", "SECOND", Some(1)),
            ("90", "MINUTE", "MINUTE", Some(5_400_000)),
            ("1:30", "MINUTE", "SECOND", Some(90_000)),
            ("1 02:03:04.5", "DAY", "SECOND", Some(93_784_500)),
            ("2", "WEEK", "WEEK", Some(1_209_600_000)),
            ("1:60", "MINUTE", "SECOND", None),
            ("x", "SECOND", "SECOND", None),
            ("", "DAY", "DAY", None),
            ("1:2", "SECOND", "MINUTE", None),
        ];
        for (text, first, last, expected) in cases {
            assert_eq!(milliseconds(text, first, last), expected, "{text} {first} TO {last}");
        }
        assert_eq!(months("1-2", "YEAR", "MONTH"), Some(14));
        assert_eq!(months("1-12", "YEAR", "MONTH"), None);
        assert_eq!(months("3", "YEAR", "YEAR"), Some(36));
    }
}
