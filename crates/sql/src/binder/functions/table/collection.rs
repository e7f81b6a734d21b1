//! Arrays and maps.

use weir_plan::Function as F;

use super::super::results as r;
use super::super::signature::Argument::Collection;
use super::super::signature::Signature;
use super::fixed;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("CARDINALITY", F::Cardinality, &[Collection], r::int),
];
