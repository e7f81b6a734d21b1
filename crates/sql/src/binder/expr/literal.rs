//! Constants: their values and Flink's types for them.

use sqlparser::ast::{self, Value as Ast};
use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, LogicalType, Value};

use super::temporal;
use crate::binder::refusal::{not_supported, refuse};
use crate::error::{SqlError, span_of};

/// A constant as sqlparser read it.
pub(super) fn value(value: &ast::ValueWithSpan) -> Result<Expr, SqlError> {
    let span = span_of(value.span);
    let (constant, data_type) = match &value.value {
        Ast::Null => (Value::Null, DataType::nullable(LogicalType::Null)),
        Ast::Boolean(value) => (Value::Boolean(*value), DataType::not_null(LogicalType::Boolean)),
        Ast::Number(text, false) => number(text, span)?,
        Ast::SingleQuotedString(text) => {
            let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
            (Value::String(text.clone()), DataType::not_null(LogicalType::Char(length)))
        }
        Ast::HexStringLiteral(text) => bytes(text, span)?,
        Ast::DoubleQuotedString(text) => {
            return Err(refuse(span, format!("\"{text}\" is neither a name nor a text"))
                .hint("a name stands in backticks: `name`; a text in single quotes: 'text'"));
        }
        other => return Err(not_supported(span, format!("the constant {other}"))),
    };
    Ok(Expr::new(ExprKind::Literal(constant), data_type).at(span))
}

/// `-9223372036854775808` and `-2147483648`: the numbers whose digits alone are too large for their type.
pub(super) fn smallest_integer(tree: &ast::Expr, span: Span) -> Option<Expr> {
    let ast::Expr::Value(ast::ValueWithSpan { value: Ast::Number(text, false), .. }) = tree else { return None };
    let smallest = [(i64::MIN, LogicalType::BigInt), (i64::from(i32::MIN), LogicalType::Int)];
    let (value, logical) = smallest.into_iter().find(|(value, _)| *text == value.unsigned_abs().to_string())?;
    Some(Expr::new(ExprKind::Literal(Value::Integer(value)), DataType::not_null(logical)).at(span))
}

/// `1`, `1.5`, `1.5e0`
fn number(text: &str, span: Span) -> Result<(Value, DataType), SqlError> {
    if text.contains(['e', 'E']) {
        let value: f64 = text.parse().map_err(|_| refuse(span, format!("'{text}' is not a number")))?;
        if value.is_infinite() {
            return Err(refuse(span, format!("Numeric literal '{text}' out of range")));
        }
        return Ok((Value::Double(value), DataType::not_null(LogicalType::Double)));
    }
    let text = text.strip_suffix('.').unwrap_or(text);
    let Some((whole, fraction)) = text.split_once('.') else {
        let small = text.parse::<i64>().ok();
        let logical = match small.map(i32::try_from) {
            Some(Ok(_)) => LogicalType::Int,
            Some(Err(_)) => LogicalType::BigInt,
            None => return decimal(text, "", span),
        };
        return Ok((Value::Integer(small.unwrap_or_default()), DataType::not_null(logical)));
    };
    decimal(whole, fraction, span)
}

/// A DECIMAL as long as it is written.
fn decimal(whole: &str, fraction: &str, span: Span) -> Result<(Value, DataType), SqlError> {
    let too_long = || {
        let point = if fraction.is_empty() { "" } else { "." };
        refuse(span, format!("Numeric literal '{whole}{point}{fraction}' out of range"))
            .hint("a longer DECIMAL is CAST('...' AS DECIMAL(38, 0)); with an exponent (1e0) it is a DOUBLE")
    };
    let digits = format!("{whole}{fraction}");
    // Zeros in front count as digits, as long as there is room for them.
    let precision = u8::try_from(digits.len().min(38)).map_err(|_| too_long())?;
    let scale = u8::try_from(fraction.len()).ok().filter(|scale| *scale <= precision).ok_or_else(too_long)?;
    // Calcite keeps the digits of a constant in 64 bits.
    let unscaled: i64 = digits.parse().map_err(|_| too_long())?;
    Ok((Value::Decimal(unscaled.into()), DataType::not_null(LogicalType::Decimal(precision.max(1), scale))))
}

/// `X'0aff'`
fn bytes(text: &str, span: Span) -> Result<(Value, DataType), SqlError> {
    let wrong =
        || refuse(span, "SQL parse failed. Binary literal string must contain only characters '0' - '9', 'A' - 'F'");
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    if !text.len().is_multiple_of(2) {
        return Err(refuse(span, "Binary literal string must contain an even number of hexits"));
    }
    let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16));
    let bytes = pairs.collect::<Result<Vec<_>, _>>().map_err(|_| wrong())?;
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    Ok((Value::Bytes(bytes), DataType::not_null(LogicalType::Binary(length))))
}

/// `DATE '...'`, `TIME '...'`, `TIMESTAMP '...'`
pub(super) fn typed_string(typed: &ast::TypedString, span: Span) -> Result<Expr, SqlError> {
    let Ast::SingleQuotedString(text) = &typed.value.value else {
        return Err(not_supported(span, format!("the constant {typed}")));
    };
    let short = |digits: usize, most: u8| u8::try_from(digits).unwrap_or(most).min(most);
    let (wanted, read) = match &typed.data_type {
        ast::DataType::Date => ("yyyy-MM-dd", temporal::date(text).map(|days| (Value::Date(days), LogicalType::Date))),
        ast::DataType::Time(None, _) => (
            "HH:mm:ss",
            temporal::time(text).map(|(nanos, digits)| {
                let milliseconds = i32::try_from(nanos / 1_000_000).expect("a day has less than 2^31 milliseconds");
                (Value::Time(milliseconds), LogicalType::Time(short(digits, 3)))
            }),
        ),
        ast::DataType::Timestamp(None, _) => (
            "yyyy-MM-dd HH:mm:ss",
            temporal::timestamp(text)
                .map(|(nanos, digits)| (Value::Timestamp(nanos), LogicalType::Timestamp(short(digits, 9)))),
        ),
        // Flink takes the text as UTC, whatever `table.local-time-zone` says.
        ast::DataType::Custom(..) => (
            "yyyy-MM-dd HH:mm:ss",
            temporal::timestamp(text)
                .map(|(nanos, digits)| (Value::Timestamp(nanos), LogicalType::TimestampLtz(short(digits, 9)))),
        ),
        other => {
            return Err(
                not_supported(span, format!("a constant of type {other}")).hint("write CAST('...' AS the type)")
            );
        }
    };
    match read {
        Some((value, logical)) => Ok(Expr::new(ExprKind::Literal(value), DataType::not_null(logical)).at(span)),
        None => {
            let kind = typed.data_type.to_string().replace('`', "").to_ascii_uppercase();
            Err(refuse(span, format!("Illegal {kind} literal '{text}': not in format '{wanted}'")))
        }
    }
}

/// The value of a whole number written as a constant.
pub(in crate::binder) fn integer_constant(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Literal(Value::Integer(value)) => Some(*value),
        ExprKind::Cast(inner, _) => integer_constant(inner),
        _ => None,
    }
}
