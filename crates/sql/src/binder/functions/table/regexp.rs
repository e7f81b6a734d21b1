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
    fixed("REGEXP_COUNT", F::RegexpCount, &[Text, Text], r::int_nullable)
        .inferred("REGEXP_COUNT(str <CHARACTER_STRING>, regex <CHARACTER_STRING>)"),
    fixed("REGEXP_EXTRACT_ALL", F::RegexpExtractAll, &[Text, Text, Int], r::strings_nullable).optional(1)
        .inferred("REGEXP_EXTRACT_ALL(str <CHARACTER_STRING>, regex <CHARACTER_STRING>)\nREGEXP_EXTRACT_ALL(str <CHARACTER_STRING>, \
        regex <CHARACTER_STRING>, extractIndex <INTEGER_NUMERIC>)"),
    fixed("REGEXP_INSTR", F::RegexpInstr, &[Text, Text], r::int_nullable)
        .inferred("REGEXP_INSTR(str <CHARACTER_STRING>, regex <CHARACTER_STRING>)"),
    fixed("REGEXP_SUBSTR", F::RegexpSubstr, &[Text, Text], r::string_nullable)
        .inferred("REGEXP_SUBSTR(str <CHARACTER_STRING>, regex <CHARACTER_STRING>)"),
];
