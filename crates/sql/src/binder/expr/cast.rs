//! Casts: written ones, and those that Flink makes by itself, which become explicit here.

use sqlparser::ast;
use weir_base::Span;
use weir_plan::{CastMode, DataType, Expr, ExprKind, LogicalType, Value};

use super::ExprBinder;
use crate::binder::refusal::{not_supported, refuse};
use crate::binder::types::cast_refusal;
use crate::error::SqlError;

impl ExprBinder<'_> {
    /// `CAST(x AS t)` and `TRY_CAST(x AS t)`.
    pub(super) fn cast(
        &self,
        kind: &ast::CastKind,
        inner: &ast::Expr,
        target: &ast::DataType,
        span: Span,
    ) -> Result<Expr, SqlError> {
        let mode = match kind {
            ast::CastKind::Cast => CastMode::Cast,
            ast::CastKind::TryCast => CastMode::TryCast,
            ast::CastKind::DoubleColon => {
                return Err(refuse(span, "SQL parse failed. Encountered ':'").hint("write CAST(x AS t)"));
            }
            other => {
                return Err(not_supported(span, format!("{other:?}")).hint("write CAST(x AS t) or TRY_CAST(x AS t)"));
            }
        };
        let target = crate::cast_type(target).map_err(|error| error.at(span))?;
        let inner = self.bind(inner)?;
        if let Some(why) = cast_refusal(&inner.data_type.logical, &target.logical) {
            return Err(refuse(span, why));
        }
        let nullable = mode == CastMode::TryCast || inner.data_type.nullable;
        let data_type = DataType { logical: target.logical, nullable };
        if let ExprKind::Literal(Value::Null) = inner.kind {
            return Ok(Expr::new(inner.kind, data_type).at(span));
        }
        Ok(Expr::new(ExprKind::Cast(Box::new(inner), mode), data_type).at(span))
    }
}

/// `expr` as a value of `target`, by a cast that Flink makes without being asked. Constants are cast here where that is exact.
pub(in crate::binder) fn implicit_cast(mut expr: Expr, target: &LogicalType) -> Expr {
    if expr.data_type.logical == *target {
        return expr;
    }
    let data_type = DataType { logical: target.clone(), nullable: expr.data_type.nullable };
    if let ExprKind::Literal(value) = &expr.kind
        && let Some(value) = exact_constant(value, &expr.data_type.logical, target)
    {
        expr.kind = ExprKind::Literal(value);
        expr.data_type = data_type;
        return expr;
    }
    let span = expr.span;
    Expr::new(ExprKind::Cast(Box::new(expr), CastMode::Cast), data_type).at(span)
}

/// The constant in another type, where the cast can neither fail nor lose anything that the runtime would keep.
fn exact_constant(value: &Value, from: &LogicalType, target: &LogicalType) -> Option<Value> {
    use LogicalType as T;
    match (value, target) {
        (Value::Null, _) => Some(Value::Null),
        (Value::Integer(number), T::BigInt) => Some(Value::Integer(*number)),
        (Value::Integer(number), T::SmallInt | T::Int) if from.is_integer() => {
            let fits = match target {
                T::SmallInt => i16::try_from(*number).is_ok(),
                _ => i32::try_from(*number).is_ok(),
            };
            fits.then_some(Value::Integer(*number))
        }
        (Value::Integer(number), T::Double) => number.to_string().parse().ok().map(Value::Double),
        (Value::Integer(number), T::Decimal(precision, scale)) => scaled(i128::from(*number), 0, *precision, *scale),
        (Value::Decimal(unscaled), T::Decimal(precision, scale)) => {
            let T::Decimal(_, scale_from) = from else { return None };
            scaled(*unscaled, *scale_from, *precision, *scale)
        }
        (Value::Decimal(unscaled), T::Double) => {
            let T::Decimal(_, scale_from) = from else { return None };
            format!("{unscaled}e-{scale_from}").parse().ok().map(Value::Double)
        }
        (Value::String(text), T::Varchar(length)) => (text.chars().count()
            <= usize::try_from(*length).unwrap_or(usize::MAX))
        .then(|| Value::String(text.clone())),
        (Value::String(text), T::Timestamp(precision)) => {
            let (nanos, digits) = super::temporal::timestamp(text)?;
            (digits <= usize::from(*precision)).then_some(Value::Timestamp(nanos))
        }
        (Value::String(text), T::Date) => super::temporal::date(text).map(Value::Date),
        (Value::String(text), T::Time(precision)) => {
            let (nanos, digits) = super::temporal::time(text)?;
            let millis = i32::try_from(nanos / 1_000_000).ok()?;
            (digits <= usize::from((*precision).min(3))).then_some(Value::Time(millis))
        }
        (Value::Timestamp(nanos), T::Timestamp(_)) if target_is_finer(from, target) => Some(Value::Timestamp(*nanos)),
        _ => None,
    }
}

fn target_is_finer(from: &LogicalType, target: &LogicalType) -> bool {
    matches!((from, target), (LogicalType::Timestamp(a), LogicalType::Timestamp(b)) if a <= b)
}

/// `unscaled` of `scale_from` as a DECIMAL(precision, scale), where no digit is lost.
fn scaled(unscaled: i128, scale_from: u8, precision: u8, scale: u8) -> Option<Value> {
    let factor = 10_i128.checked_pow(u32::from(scale.checked_sub(scale_from)?))?;
    let value = unscaled.checked_mul(factor)?;
    let bound = 10_i128.checked_pow(u32::from(precision))?;
    (value.abs() < bound).then_some(Value::Decimal(value))
}
