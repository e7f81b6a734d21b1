//! Numbers to numbers.

use weir_plan::Function as F;

use super::super::results as r;
use super::super::signature::Argument::{Double, Int, Number};
use super::super::signature::Signature;
use super::fixed;

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
    fixed("SIGN", F::Sign, &[Number], r::first),
];
