//! Regular expressions.

use weir_plan::Function as F;

use super::super::results as r;
use super::super::signature::Argument::{Int, Text};
use super::super::signature::Signature;
use super::fixed;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("REGEXP_EXTRACT", F::RegexpExtract, &[Text, Text, Int], r::string_nullable).optional(1),
    fixed("REGEXP_REPLACE", F::RegexpReplace, &[Text, Text, Text], r::string),
    fixed("REGEXP", F::Regexp, &[Text, Text], r::boolean),
];
