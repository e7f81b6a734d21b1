//! Hashes.

use weir_plan::Function as F;

use super::super::results as r;
use super::super::signature::Argument::Text;
use super::super::signature::Signature;
use super::fixed;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("MD5", F::Md5, &[Text], r::hex_32),
    fixed("SHA256", F::Sha256, &[Text], r::hex_64),
];
