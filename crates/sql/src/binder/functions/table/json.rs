//! JSON.

use weir_plan::Function as F;

use super::super::results as r;
use super::super::signature::Argument::Text;
use super::super::signature::Signature;
use super::fixed;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("JSON_VALUE", F::JsonValue, &[Text, Text], r::string_nullable),
];
