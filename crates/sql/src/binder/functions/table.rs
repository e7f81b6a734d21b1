//! The table of scalar functions: one line each, in the order of `weir_plan::Function`.

use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function as F, LogicalType, Value};

use super::results as r;
use super::signature::Argument::{
    Any, BigInt, BigIntOrDouble, Boolean, Collection, Common, DateOrTimestamp, Double, Int, Number, Text,
    TimestampOrText,
};
use super::signature::{Argument, Finish, Signature};
use crate::binder::refusal::refuse;
use crate::error::SqlError;

type ResultRule = fn(&[Expr]) -> DataType;

/// A function with a fixed number of arguments.
const fn fixed(name: &'static str, function: F, arguments: &'static [Argument], result: ResultRule) -> Signature {
    Signature { name, function, arguments, optional: 0, variadic: false, result, finish: None }
}

impl Signature {
    /// The last `count` arguments may be missing.
    const fn optional(mut self, count: usize) -> Self {
        self.optional = count;
        self
    }

    /// The last argument may be repeated.
    const fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }

    const fn finish(mut self, finish: Finish) -> Self {
        self.finish = Some(finish);
        self
    }
}

/// Every function that is called by its name.
#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Signature] = &[
    fixed("ABS", F::Abs, &[Number], r::first),
    fixed("FLOOR", F::Floor, &[Number], r::whole),
    fixed("CEIL", F::Ceil, &[Number], r::whole),
    fixed("CEILING", F::Ceil, &[Number], r::whole),
    fixed("ROUND", F::Round, &[Number, Int], r::rounded).optional(1),
    fixed("TRUNCATE", F::Truncate, &[Number, Int], r::rounded).optional(1),
    fixed("POWER", F::Power, &[Double, Double], r::double),
    fixed("SQRT", F::Sqrt, &[Double], r::double),
    fixed("EXP", F::Exp, &[Double], r::double),
    fixed("LN", F::Ln, &[Double], r::double),
    fixed("LOG10", F::Log10, &[Double], r::double),
    fixed("SIGN", F::Sign, &[Number], r::first),
    fixed("GREATEST", F::Greatest, &[Common], r::first).variadic(),
    fixed("LEAST", F::Least, &[Common], r::first).variadic(),
    fixed("COALESCE", F::Coalesce, &[Common], r::coalesced).variadic(),
    fixed("IFNULL", F::Coalesce, &[Common, Common], r::coalesced),
    fixed("IF", F::If, &[Boolean, Common, Common], r::chosen),
    fixed("CONCAT", F::Concat, &[Text], r::string).variadic(),
    fixed("CONCAT_WS", F::ConcatWs, &[Text, Text], r::string).optional(1).variadic(),
    fixed("UPPER", F::Upper, &[Text], r::first),
    fixed("LOWER", F::Lower, &[Text], r::first),
    fixed("BTRIM", F::TrimBoth, &[Text, Text], r::first_varying).optional(1).finish(trim_blanks),
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
    fixed("REGEXP_EXTRACT", F::RegexpExtract, &[Text, Text, Int], r::string_nullable).optional(1),
    fixed("REGEXP_REPLACE", F::RegexpReplace, &[Text, Text, Text], r::string),
    fixed("REGEXP", F::Regexp, &[Text, Text], r::boolean),
    fixed("SPLIT_INDEX", F::SplitIndex, &[Text, Text, Int], r::string_nullable),
    fixed("LPAD", F::Lpad, &[Text, Int, Text], r::string),
    fixed("RPAD", F::Rpad, &[Text, Int, Text], r::string),
    fixed("REVERSE", F::Reverse, &[Text], r::string_nullable),
    fixed("MD5", F::Md5, &[Text], r::hex_32),
    fixed("SHA256", F::Sha256, &[Text], r::hex_64),
    fixed("PROCTIME", F::CurrentTimestamp, &[], r::timestamp_ltz_not_null),
    fixed("CURRENT_TIMESTAMP", F::CurrentTimestamp, &[], r::timestamp_ltz_not_null),
    fixed("CURRENT_ROW_TIMESTAMP", F::CurrentTimestamp, &[], r::timestamp_ltz_not_null),
    fixed("NOW", F::CurrentTimestamp, &[], r::timestamp_ltz_not_null),
    fixed("LOCALTIMESTAMP", F::LocalTimestamp, &[], r::timestamp_not_null),
    fixed("CURRENT_DATE", F::CurrentDate, &[], r::date_not_null),
    fixed("TO_TIMESTAMP_LTZ", F::ToTimestampLtz, &[BigIntOrDouble, Int], r::timestamp_ltz_of_precision).optional(1).finish(epoch_unit),
    fixed("TO_TIMESTAMP", F::ToTimestamp, &[Text, Text], r::timestamp_nullable).optional(1),
    fixed("TO_DATE", F::ToDate, &[Text, Text], r::date_nullable).optional(1),
    fixed("DATE_FORMAT", F::DateFormat, &[TimestampOrText, Text], r::string_nullable),
    fixed("FROM_UNIXTIME", F::FromUnixtime, &[BigInt, Text], r::string_nullable).optional(1),
    fixed("UNIX_TIMESTAMP", F::UnixTimestamp, &[Text, Text], r::bigint).optional(2),
    fixed("EXTRACT", F::Extract, &[Any, Argument::Datetime], r::bigint),
    fixed("TIMESTAMPDIFF", F::TimestampDiff, &[Any, DateOrTimestamp, DateOrTimestamp], r::int),
    fixed("CARDINALITY", F::Cardinality, &[Collection], r::int),
    fixed("JSON_VALUE", F::JsonValue, &[Text, Text], r::string_nullable),
];

/// Operators whose arguments are checked as those of functions; nobody calls them by these names.
#[rustfmt::skip]
pub(in crate::binder) static OPERATORS: &[Signature] = &[
    fixed("NOT", F::Not, &[Boolean], r::boolean),
    fixed("LIKE", F::Like, &[Text, Text, Text], r::boolean).optional(1),
    fixed("SIMILAR TO", F::SimilarTo, &[Text, Text, Text], r::boolean).optional(1),
    fixed("||", F::Concat, &[Text, Text], r::concatenated),
    fixed("TRIM", F::TrimBoth, &[Text, Text], r::first_varying).optional(1).finish(trim_blanks),
    fixed("FLOOR", F::FloorTo, &[DateOrTimestamp, Any], r::first),
    fixed("CEIL", F::CeilTo, &[DateOrTimestamp, Any], r::first),
    fixed("IS TRUE", F::IsTrue, &[Boolean], r::boolean_not_null),
    fixed("IS FALSE", F::IsFalse, &[Boolean], r::boolean_not_null),
    fixed("IS NOT TRUE", F::IsNotTrue, &[Boolean], r::boolean_not_null),
    fixed("IS NOT FALSE", F::IsNotFalse, &[Boolean], r::boolean_not_null),
    fixed("IS NULL", F::IsNull, &[Any], r::boolean_not_null),
    fixed("IS NOT NULL", F::IsNotNull, &[Any], r::boolean_not_null),
    fixed("-", F::Negate, &[Number], r::first),
];

/// TRIM without characters trims blanks.
fn trim_blanks(arguments: &mut Vec<Expr>, span: Span) -> Result<(), SqlError> {
    if arguments.len() == 1 {
        let blank = ExprKind::Literal(Value::String(" ".to_owned()));
        arguments.push(Expr::new(blank, DataType::not_null(LogicalType::Char(1))).at(span));
    }
    Ok(())
}

/// TO_TIMESTAMP_LTZ counts milliseconds unless it is told the digits of its unit.
fn epoch_unit(arguments: &mut Vec<Expr>, span: Span) -> Result<(), SqlError> {
    let Some(precision) = arguments.get(1) else {
        let milliseconds = ExprKind::Literal(Value::Integer(3));
        arguments.push(Expr::new(milliseconds, DataType::not_null(LogicalType::Int)).at(span));
        return Ok(());
    };
    match r::constant_int(precision) {
        Some(digits) if !(0..=9).contains(&digits) => Err(refuse(
            precision.span,
            format!("Precision for TO_TIMESTAMP_LTZ must be between 0 and 9 but was {digits}."),
        )),
        _ => Ok(()),
    }
}
