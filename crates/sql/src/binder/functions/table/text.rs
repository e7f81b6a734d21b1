//! Texts: joined, measured, taken apart.

use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function as F, LogicalType, Value};

use super::super::results as r;
use super::super::signature::Argument::{Int, Text};
use super::super::signature::Signature;
use super::fixed;
use crate::error::SqlError;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("CONCAT", F::Concat, &[Text], r::string).variadic(),
    fixed("CONCAT_WS", F::ConcatWs, &[Text, Text], r::string).optional(1).variadic(),
    fixed("UPPER", F::Upper, &[Text], r::first),
    fixed("LOWER", F::Lower, &[Text], r::first),
    fixed("BTRIM", F::TrimBoth, &[Text, Text], r::string).optional(1).finish(trim_blanks)
        .inferred("BTRIM(<CHARACTER_STRING>)\nBTRIM(<CHARACTER_STRING>, <CHARACTER_STRING>)"),
    fixed("LTRIM", F::TrimLeading, &[Text, Text], r::first_varying).optional(1).finish(trim_blanks),
    fixed("RTRIM", F::TrimTrailing, &[Text, Text], r::first_varying).optional(1).finish(trim_blanks),
    fixed("CHAR_LENGTH", F::CharLength, &[Text], r::int),
    fixed("CHARACTER_LENGTH", F::CharLength, &[Text], r::int),
    fixed("SUBSTRING", F::Substring, &[Text, Int, Int], r::first_varying_nullable).optional(1),
    fixed("SUBSTR", F::Substring, &[Text, Int, Int], r::first_varying_nullable).optional(1),
    fixed("LEFT", F::Left, &[Text, Int], r::first_varying_nullable),
    fixed("RIGHT", F::Right, &[Text, Int], r::first_varying_nullable),
    fixed("POSITION", F::Position, &[Text, Text], r::int),
    fixed("REPLACE", F::Replace, &[Text, Text, Text], r::string),
    fixed("SPLIT_INDEX", F::SplitIndex, &[Text, Text, Int], r::string_nullable),
    fixed("LPAD", F::Lpad, &[Text, Int, Text], r::string),
    fixed("RPAD", F::Rpad, &[Text, Int, Text], r::string),
    fixed("REVERSE", F::Reverse, &[Text], r::string_nullable),
];

/// TRIM without characters trims blanks.
pub(super) fn trim_blanks(arguments: &mut Vec<Expr>, span: Span) -> Result<(), SqlError> {
    if arguments.len() == 1 {
        let blank = ExprKind::Literal(Value::String(" ".to_owned()));
        arguments.push(Expr::new(blank, DataType::not_null(LogicalType::Char(1))).at(span));
    }
    Ok(())
}
