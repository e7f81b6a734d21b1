//! Other writings of a value: digits of another base, base 64, URLs, addresses.

use super::super::signature::Signature;

/// The family.
pub(super) const FUNCTIONS: &[Signature] = &[];
