//! Choices among values.

use weir_plan::Function as F;

use super::super::results as r;
use super::super::signature::Argument::{Boolean, Common};
use super::super::signature::Signature;
use super::fixed;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("GREATEST", F::Greatest, &[Common], r::first).variadic().inferred("GREATEST(args <COMPARABLE>...)"),
    fixed("LEAST", F::Least, &[Common], r::first).variadic().inferred("LEAST(args <COMPARABLE>...)"),
    fixed("COALESCE", F::Coalesce, &[Common], r::coalesced).variadic().inferred("COALESCE(<COMMON>...)"),
    fixed("IFNULL", F::Coalesce, &[Common, Common], r::coalesced)
        .inferred("IFNULL(input <COMMON>, null_replacement <COMMON>)"),
    fixed("IF", F::If, &[Boolean, Common, Common], r::chosen),
];
