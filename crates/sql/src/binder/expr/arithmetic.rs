//! Arithmetic: numbers by Flink's result types, times with intervals.

use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function, LogicalType, Value};

use super::cast::implicit_cast;
use super::compare::typed;
use super::literal::integer_constant;
use crate::binder::refusal::refuse;
use crate::binder::types::{
    calcite_name, decimal_add, decimal_divide, decimal_modulo, decimal_multiply, decimal_of, least_restrictive_type,
};
use crate::error::SqlError;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// `a + b`, `a - b`, `a * b`, `a / b`, `a % b`.
pub(super) fn arithmetic(function: Function, left: Expr, right: Expr, span: Span) -> Result<Expr, SqlError> {
    let (left, right) = (typed(left)?, typed(right)?);
    let (from, to) = (&left.data_type.logical, &right.data_type.logical);
    let approximate = [from, to].iter().any(|logical| matches!(logical, LogicalType::Float | LogicalType::Double));
    if function == Function::Modulo && approximate {
        return Err(refused(function, &left, &right, span));
    }
    if from.is_numeric() && to.is_numeric() {
        return Ok(numbers(function, left, right, span));
    }
    let interval =
        |logical: &LogicalType| matches!(logical, LogicalType::IntervalDayTime | LogicalType::IntervalYearMonth);
    match (interval(from), interval(to), function) {
        (true, true, Function::Add | Function::Subtract) if from == to => Ok(call_of(function, left, right, span)),
        (false, true, Function::Add | Function::Subtract) if is_time(from) => Ok(call_of(function, left, right, span)),
        (true, false, Function::Add) if is_time(to) => Ok(call_of(function, right, left, span)),
        (true, false, Function::Multiply) if to.is_integer() => Ok(call_of(function, left, right, span)),
        (false, true, Function::Multiply) if from.is_integer() => Ok(call_of(function, right, left, span)),
        _ => Err(refused(function, &left, &right, span)),
    }
}

/// `-a`; a constant is negated here, so that `-1` is one constant.
pub(super) fn negate(inner: Expr, span: Span) -> Result<Expr, SqlError> {
    let negated = match &inner.kind {
        ExprKind::Literal(Value::Integer(value)) => value.checked_neg().map(Value::Integer),
        ExprKind::Literal(Value::Decimal(value)) => value.checked_neg().map(Value::Decimal),
        // A constant has no negative zero: Calcite keeps it as a decimal number.
        ExprKind::Literal(Value::Double(value)) => Some(Value::Double(0.0 - value)),
        ExprKind::Literal(Value::Milliseconds(value)) => value.checked_neg().map(Value::Milliseconds),
        ExprKind::Literal(Value::Months(value)) => value.checked_neg().map(Value::Months),
        _ => None,
    };
    match negated {
        Some(value) => Ok(Expr::new(ExprKind::Literal(value), inner.data_type).at(span)),
        None => {
            let inner = signed(inner, '-', span)?;
            let data_type = inner.data_type.clone();
            Ok(Expr::new(ExprKind::Call(Function::Negate, vec![inner]), data_type).at(span))
        }
    }
}

/// What may stand behind a sign: a number or an interval.
pub(super) fn signed(inner: Expr, sign: char, span: Span) -> Result<Expr, SqlError> {
    let inner = typed(inner)?;
    let logical = &inner.data_type.logical;
    if logical.is_numeric() || matches!(logical, LogicalType::IntervalDayTime | LogicalType::IntervalYearMonth) {
        return Ok(inner);
    }
    let given = calcite_name(logical);
    Err(refuse(
        span,
        format!(
            "Cannot apply '{sign}' to arguments of type '{sign}<{given}>'. \
             Supported form(s): '{sign}<NUMERIC>', '{sign}<DATETIME_INTERVAL>'"
        ),
    ))
}

/// `count` times `unit` behind `point`; parts of a day behind a DATE make a TIMESTAMP(6) of it.
///
/// # Errors
/// When there is no such sum.
pub(super) fn later(unit: Expr, count: Expr, point: Expr, span: Span) -> Result<Expr, SqlError> {
    let days = matches!(unit.kind, ExprKind::Literal(Value::Milliseconds(value)) if value % DAY_MS == 0);
    let daytime = unit.data_type.logical == LogicalType::IntervalDayTime;
    let product = match (&unit.kind, integer_constant(&count)) {
        (ExprKind::Literal(Value::Milliseconds(value)), Some(count)) => {
            value.checked_mul(count).map(Value::Milliseconds)
        }
        (ExprKind::Literal(Value::Months(value)), Some(count)) => {
            i64::from(*value).checked_mul(count).and_then(|months| i32::try_from(months).ok()).map(Value::Months)
        }
        _ => None,
    };
    let interval = match product {
        Some(value) => Expr::new(ExprKind::Literal(value), unit.data_type).at(span),
        None => call_of(Function::Multiply, unit, count, span),
    };
    match point.data_type.logical {
        LogicalType::Date if daytime && !days => {
            let point = implicit_cast(point, &LogicalType::Timestamp(6));
            Ok(call_of(Function::Add, point, interval, span))
        }
        LogicalType::Date => Ok(call_of(Function::Add, point, interval, span)),
        _ => Ok(call_of(Function::Add, point, interval, span)),
    }
}

pub(super) fn is_time(logical: &LogicalType) -> bool {
    use LogicalType::{Date, Time, Timestamp, TimestampLtz};
    matches!(logical, Date | Time(_) | Timestamp(_) | TimestampLtz(_))
}

/// The type of the first argument, nullable where one of them is.
fn call_of(function: Function, left: Expr, right: Expr, span: Span) -> Expr {
    let nullable = left.data_type.nullable || right.data_type.nullable;
    let data_type = DataType { logical: left.data_type.logical.clone(), nullable };
    Expr::new(ExprKind::Call(function, vec![left, right]), data_type).at(span)
}

fn numbers(function: Function, left: Expr, right: Expr, span: Span) -> Expr {
    use LogicalType as T;
    let (from, to) = (left.data_type.logical.clone(), right.data_type.logical.clone());
    let nullable = left.data_type.nullable || right.data_type.nullable;
    let decimal = matches!(from, T::Decimal(..)) || matches!(to, T::Decimal(..));
    let (left, right, result) = match (decimal_of(&from), decimal_of(&to)) {
        (Some(p), Some(q)) if decimal => {
            let result = match function {
                Function::Add | Function::Subtract => decimal_add(p, q),
                Function::Multiply => decimal_multiply(p, q),
                Function::Divide => decimal_divide(p, q),
                _ => decimal_modulo(p, q),
            };
            (implicit_cast(left, &T::Decimal(p.0, p.1)), implicit_cast(right, &T::Decimal(q.0, q.1)), result)
        }
        _ => {
            // Of FLOAT and DOUBLE the first one stays.
            let common = least_restrictive_type(&[left.data_type.clone(), right.data_type.clone()]);
            let common = common.map_or(T::Double, |common| common.logical);
            (implicit_cast(left, &common), implicit_cast(right, &common), common)
        }
    };
    let call = Expr::new(ExprKind::Call(function, vec![left, right]), DataType { logical: result, nullable }).at(span);
    // Flink gives a remainder of integers the divisor's type: it is smaller than the divisor.
    let remainder = function == Function::Modulo && !decimal;
    if remainder { implicit_cast(call, &to) } else { call }
}

fn refused(function: Function, left: &Expr, right: &Expr, span: Span) -> SqlError {
    let sign = match function {
        Function::Add => "+",
        Function::Subtract => "-",
        Function::Multiply => "*",
        Function::Divide => "/",
        _ => "%",
    };
    let (from, to) = (&left.data_type.logical, &right.data_type.logical);
    let forms = match function {
        Function::Add => {
            "'<NUMERIC> + <NUMERIC>', '<DATETIME_INTERVAL> + <DATETIME_INTERVAL>', '<DATETIME> + <DATETIME_INTERVAL>'"
        }
        Function::Subtract => {
            "'<NUMERIC> - <NUMERIC>', '<DATETIME_INTERVAL> - <DATETIME_INTERVAL>', '<DATETIME> - <DATETIME_INTERVAL>'"
        }
        Function::Multiply => {
            "'<NUMERIC> * <NUMERIC>', '<DATETIME_INTERVAL> * <NUMERIC>', '<NUMERIC> * <DATETIME_INTERVAL>'"
        }
        Function::Divide => "'<NUMERIC> / <NUMERIC>'",
        _ => "'<EXACT_NUMERIC> % <EXACT_NUMERIC>'",
    };
    let (left, right) = (calcite_name(from), calcite_name(to));
    let error = refuse(
        span,
        format!("Cannot apply '{sign}' to arguments of type '<{left}> {sign} <{right}>'. Supported form(s): {forms}"),
    );
    match function {
        Function::Subtract if is_time(from) && is_time(to) => {
            error.hint("the distance of two times is TIMESTAMPDIFF(SECOND, a, b)")
        }
        Function::Add if from.is_string() || to.is_string() => error.hint("texts are joined by a || b"),
        _ => error,
    }
}
