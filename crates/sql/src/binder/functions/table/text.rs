//! Texts: joined, measured, searched, taken apart.

use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function as F, LogicalType, Value};

use super::super::results as r;
use super::super::signature::Argument::{Any, BigInt, Bytes, Int, Number, Text};
use super::super::signature::Signature;
use super::fixed;
use crate::binder::refusal::{not_supported, refuse};
use crate::error::SqlError;

const TRANSLATE: &str = "TRANSLATE3(expr <CHARACTER_STRING>, fromStr <CHARACTER_STRING>, toStr <CHARACTER_STRING>)";

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("CONCAT", F::Concat, &[Text], r::string).variadic(),
    fixed("CONCAT_WS", F::ConcatWs, &[Text, Text], r::string).optional(1).variadic(),
    fixed("UPPER", F::Upper, &[Text], r::first),
    fixed("LOWER", F::Lower, &[Text], r::first),
    fixed("BTRIM", F::TrimBoth, &[Text, Text], r::string).optional(1).finish(trim_blanks)
        .inferred("BTRIM(str <CHARACTER_STRING>)\nBTRIM(str <CHARACTER_STRING>, trimStr <CHARACTER_STRING>)"),
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
    fixed("SPLIT_INDEX", F::SplitIndex, &[Text, Int, Int], r::string_nullable),
    fixed("SPLIT_INDEX", F::SplitIndex, &[Text, Text, Int], r::string_nullable),
    fixed("LPAD", F::Lpad, &[Text, Int, Text], r::string),
    fixed("RPAD", F::Rpad, &[Text, Int, Text], r::string),
    fixed("REVERSE", F::Reverse, &[Text], r::string_nullable),
    fixed("ASCII", F::Ascii, &[Text], r::int),
    fixed("CHR", F::Chr, &[BigInt], r::string_nullable),
    fixed("ELT", F::Elt, &[BigInt, Text], r::elements).variadic().finish(index_from_one)
        .inferred("ELT(index <INTEGER_NUMERIC>, expr <CHARACTER_STRING>, exprs <CHARACTER_STRING>...)"),
    fixed("ELT", F::Elt, &[BigInt, Bytes], r::elements).variadic().finish(index_from_one)
        .inferred("ELT(index <INTEGER_NUMERIC>, expr <BINARY_STRING>, exprs <BINARY_STRING>...)"),
    fixed("INITCAP", F::InitCap, &[Text], r::first),
    fixed("INSTR", F::Instr, &[Text, Text, Int, Int], r::int).optional(2),
    fixed("LOCATE", F::Locate, &[Text, Text, Int], r::int).optional(1),
    fixed("REPEAT", F::Repeat, &[Text, Int], r::string),
    fixed("TRANSLATE", F::Translate, &[Text, Text, Text], r::string_of_first).inferred(TRANSLATE),
    fixed("TRANSLATE3", F::Translate, &[Text, Text, Text], r::string_of_first).inferred(TRANSLATE),
    fixed("STARTSWITH", F::StartsWith, &[Text, Text], r::boolean)
        .inferred("STARTSWITH(expr <CHARACTER_STRING>, startExpr <CHARACTER_STRING>)"),
    fixed("STARTSWITH", F::StartsWith, &[Bytes, Bytes], r::boolean)
        .inferred("STARTSWITH(expr <BINARY_STRING>, startExpr <BINARY_STRING>)"),
    fixed("ENDSWITH", F::EndsWith, &[Text, Text], r::boolean)
        .inferred("ENDSWITH(expr <CHARACTER_STRING>, endExpr <CHARACTER_STRING>)"),
    fixed("ENDSWITH", F::EndsWith, &[Bytes, Bytes], r::boolean)
        .inferred("ENDSWITH(expr <BINARY_STRING>, endExpr <BINARY_STRING>)"),
    fixed("SPLIT", F::Split, &[Text, Text], r::strings)
        .inferred("SPLIT(<CHARACTER_STRING>, <CHARACTER_STRING>)"),
    fixed("STR_TO_MAP", F::StrToMap, &[Text], r::string_map),
    fixed("STR_TO_MAP", F::StrToMap, &[Text, Text, Text], r::string_map),
    fixed("PRINTF", F::Printf, &[Text, Any], r::string_nullable).optional(1).variadic().finish(printable)
        .inferred("PRINTF(format <CHARACTER_STRING>, obj <ANY>...)"),
    fixed("IS_ALPHA", F::IsAlpha, &[Text], r::boolean_not_null),
    fixed("IS_ALPHA", F::IsAlpha, &[Number], r::boolean_not_null),
    fixed("IS_DIGIT", F::IsDigit, &[Text], r::boolean_not_null),
    fixed("IS_DIGIT", F::IsDigit, &[Number], r::boolean_not_null),
    fixed("IS_DECIMAL", F::IsDecimal, &[Text], r::boolean_not_null),
    fixed("IS_DECIMAL", F::IsDecimal, &[Number], r::boolean_not_null),
];

/// TRIM without characters trims blanks.
pub(super) fn trim_blanks(arguments: &mut Vec<Expr>, span: Span) -> Result<(), SqlError> {
    if arguments.len() == 1 {
        let blank = ExprKind::Literal(Value::String(" ".to_owned()));
        arguments.push(Expr::new(blank, DataType::not_null(LogicalType::Char(1))).at(span));
    }
    Ok(())
}

/// A constant index of ELT is not below 0.
#[expect(clippy::ptr_arg, reason = "a last step of binding: others of its type add arguments")]
fn index_from_one(arguments: &mut Vec<Expr>, _: Span) -> Result<(), SqlError> {
    match r::constant_int(&arguments[0]) {
        Some(index) if index < 0 => {
            Err(refuse(arguments[0].span, format!("Index must be an integer starting from '0', but was '{index}'.")))
        }
        _ => Ok(()),
    }
}

/// Of arrays, maps, rows and bytes Flink's PRINTF shows an address, not a value.
#[expect(clippy::ptr_arg, reason = "a last step of binding: others of its type add arguments")]
fn printable(arguments: &mut Vec<Expr>, _: Span) -> Result<(), SqlError> {
    use LogicalType as T;
    let has_none = |argument: &&Expr| {
        matches!(argument.data_type.logical, T::Array(_) | T::Map(..) | T::Row(_) | T::Binary(_) | T::Varbinary(_))
    };
    match arguments[1..].iter().find(has_none) {
        Some(argument) => {
            Err(not_supported(argument.span, format!("PRINTF of {}", argument.data_type.logical))
                .hint("CAST it to STRING"))
        }
        None => Ok(()),
    }
}
