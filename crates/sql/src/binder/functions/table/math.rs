//! Numbers to numbers, and random ones.

use weir_base::Span;
use weir_plan::{Expr, Function as F, LogicalType};

use super::super::results as r;
use super::super::signature::Argument::{Double, Int, IntOnly, Number};
use super::super::signature::Signature;
use super::fixed;
use crate::binder::refusal::refuse;
use crate::error::SqlError;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("ABS", F::Abs, &[Number], r::first),
    fixed("FLOOR", F::Floor, &[Number], r::whole),
    fixed("CEIL", F::Ceil, &[Number], r::whole),
    fixed("CEILING", F::Ceil, &[Number], r::whole),
    fixed("ROUND", F::Round, &[Number, Int], r::rounded).optional(1),
    fixed("TRUNCATE", F::Truncate, &[Number, Int], r::rounded).optional(1),
    fixed("POWER", F::Power, &[Double, Double], r::double),
    fixed("SQRT", F::Sqrt, &[Double], r::double),
    fixed("EXP", F::Exp, &[Double], r::double),
    fixed("LN", F::Ln, &[Double], r::double),
    fixed("LOG10", F::Log10, &[Double], r::double),
    fixed("LOG2", F::Log2, &[Double], r::double),
    fixed("LOG", F::Log, &[Double, Double], r::double).optional(1),
    fixed("SIN", F::Sin, &[Double], r::double),
    fixed("COS", F::Cos, &[Double], r::double),
    fixed("TAN", F::Tan, &[Double], r::double),
    fixed("COT", F::Cot, &[Double], r::double),
    fixed("ASIN", F::Asin, &[Double], r::double),
    fixed("ACOS", F::Acos, &[Double], r::double),
    fixed("ATAN", F::Atan, &[Double], r::double),
    fixed("ATAN2", F::Atan2, &[Number, Number], r::double).finish(same_exactness),
    fixed("SINH", F::Sinh, &[Double], r::double),
    fixed("COSH", F::Cosh, &[Double], r::double),
    fixed("TANH", F::Tanh, &[Double], r::double),
    fixed("DEGREES", F::Degrees, &[Double], r::double),
    fixed("RADIANS", F::Radians, &[Double], r::double),
    fixed("PI", F::Pi, &[], r::double),
    fixed("E", F::E, &[], r::double),
    fixed("RAND", F::Rand, &[IntOnly], r::double).optional(1),
    fixed("RAND_INTEGER", F::RandInteger, &[IntOnly, IntOnly], r::int).optional(1),
    fixed("UUID", F::Uuid, &[], r::uuid),
    fixed("SIGN", F::Sign, &[Number], r::first),
];

/// Flink's ATAN2 takes two DECIMALs, or two numbers that are none.
#[expect(clippy::ptr_arg, reason = "a last step of binding: others of its type add arguments")]
fn same_exactness(arguments: &mut Vec<Expr>, span: Span) -> Result<(), SqlError> {
    let is_decimal = |expr: &Expr| matches!(expr.data_type.logical, LogicalType::Decimal(..));
    if is_decimal(&arguments[0]) == is_decimal(&arguments[1]) {
        return Ok(());
    }
    let types = format!("ATAN2({}, {})", arguments[0].data_type, arguments[1].data_type);
    Err(refuse(span, format!("Unsupported call: {types}")).hint("CAST the DECIMAL to DOUBLE"))
}
