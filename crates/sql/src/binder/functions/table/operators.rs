//! Operators whose arguments are checked as those of functions; nobody calls them by these names.

use weir_plan::Function as F;

use super::super::results as r;
use super::super::signature::Argument::{Any, Boolean, Int, Number, Text, TimePoint};
use super::super::signature::Signature;
use super::fixed;
use super::text::trim_blanks;

/// The operators.
#[rustfmt::skip]
pub(in super::super) static OPERATORS: &[Signature] = &[
    fixed("NOT", F::Not, &[Boolean], r::boolean),
    fixed("LIKE", F::Like, &[Text, Text, Text], r::boolean).optional(1),
    fixed("SIMILAR TO", F::SimilarTo, &[Text, Text, Text], r::boolean).optional(1),
    fixed("||", F::Concat, &[Text, Text], r::concatenated),
    fixed("TRIM", F::TrimBoth, &[Text, Text], r::first_varying).optional(1).finish(trim_blanks),
    fixed("OVERLAY", F::Overlay, &[Text, Text, Int, Int], r::overlaid).optional(1),
    fixed("FLOOR", F::FloorTo, &[TimePoint, Any], r::first),
    fixed("CEIL", F::CeilTo, &[TimePoint, Any], r::first),
    fixed("IS TRUE", F::IsTrue, &[Boolean], r::boolean_not_null),
    fixed("IS FALSE", F::IsFalse, &[Boolean], r::boolean_not_null),
    fixed("IS NOT TRUE", F::IsNotTrue, &[Boolean], r::boolean_not_null),
    fixed("IS NOT FALSE", F::IsNotFalse, &[Boolean], r::boolean_not_null),
    fixed("IS NULL", F::IsNull, &[Any], r::boolean_not_null),
    fixed("IS NOT NULL", F::IsNotNull, &[Any], r::boolean_not_null),
    fixed("-", F::Negate, &[Number], r::first),
];
