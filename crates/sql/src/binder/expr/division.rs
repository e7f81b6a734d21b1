//! Divisions of a constant by the constant zero: Flink does not start such a job, whether a row comes or not.

use weir_plan::{Expr, ExprKind, Function, Value};

use crate::binder::refusal::refuse;
use crate::error::SqlError;

/// Checks that `expr` divides no constant by zero where it may be evaluated.
///
/// # Errors
/// It does, at the place of the division.
pub(in crate::binder) fn check_divisions(expr: &Expr) -> Result<(), SqlError> {
    match &expr.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) => Ok(()),
        ExprKind::Cast(inner, _) | ExprKind::Field(inner, _) => check_divisions(inner),
        ExprKind::Call(Function::Divide, sides) if sides.iter().all(is_constant) && is_zero(&sides[1]) => {
            Err(refuse(expr.span, "Division by zero"))
        }
        ExprKind::Call(Function::Coalesce, arguments) => {
            // What stands behind a constant is never evaluated.
            let last = arguments.iter().position(is_constant).map_or(arguments.len(), |index| index + 1);
            arguments[..last].iter().try_for_each(check_divisions)
        }
        ExprKind::Call(_, arguments) => arguments.iter().try_for_each(check_divisions),
        ExprKind::Case { branches, otherwise } => {
            for (condition, result) in branches {
                match &condition.kind {
                    ExprKind::Literal(Value::Boolean(false)) => {}
                    ExprKind::Literal(Value::Boolean(true)) => return check_divisions(result),
                    _ => {
                        check_divisions(condition)?;
                        check_divisions(result)?;
                    }
                }
            }
            check_divisions(otherwise)
        }
    }
}

/// Whether it is a constant, not NULL, as it stands or cast.
fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(value) => *value != Value::Null,
        ExprKind::Cast(inner, _) => is_constant(inner),
        _ => false,
    }
}

fn is_zero(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(Value::Integer(0) | Value::Decimal(0)) => true,
        ExprKind::Literal(Value::Double(value)) => *value == 0.0,
        ExprKind::Cast(inner, _) => is_zero(inner),
        _ => false,
    }
}
