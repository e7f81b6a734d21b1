//! Flink's types as text: `ROW<a INT NOT NULL, b ARRAY<STRING>>` and all the others, with Flink's defaults and bounds.
//!
//! DDL reads them straight ([`parse_type`]); in a CAST the text goes through sqlparser's AST as one quoted name ([`parse_for_cast`]) and
//! is read again by the binder ([`cast_type`]). `>>` arrives as two tokens: `script` splits it, Flink has no shift operators.

use std::fmt::Write as _;

use sqlparser::ast::{self, Ident, ObjectName};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;
use weir_base::Span;
use weir_base::limits::{COLUMNS_MAX, NESTING_MAX};
use weir_plan::{DataType, Field, LogicalType};

use crate::SqlError;
use crate::error::{SqlResult, did_you_mean, span_of};
use crate::syntax::{Tokens, to_parser_error};

/// `STRING`'s and `BYTES`' length.
const LENGTH_MAX: u32 = 2_147_483_647;

/// The names of types, for suggestions.
const NAMES: &[&str] = &[
    "ARRAY",
    "BIGINT",
    "BINARY",
    "BOOLEAN",
    "BYTES",
    "CHAR",
    "DATE",
    "DECIMAL",
    "DOUBLE",
    "FLOAT",
    "INT",
    "INTEGER",
    "INTERVAL",
    "MAP",
    "NUMERIC",
    "ROW",
    "SMALLINT",
    "STRING",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "TINYINT",
    "VARBINARY",
    "VARCHAR",
];

/// Types that Flink has and Weir does not, each with the way out.
const REFUSED: &[(&str, &str)] = &[
    ("MULTISET", "use ARRAY<...> or MAP<..., INT>"),
    ("RAW", "a RAW type holds serialised Java objects; use BYTES"),
    ("VARIANT", "declare the fields with ROW<...>, or keep the text as STRING"),
    ("DESCRIPTOR", "DESCRIPTOR is no type of a column"),
];

/// Reads the type of a column, with its nullability, at the parser's place.
pub(crate) fn parse_type(tokens: &mut Tokens<'_, '_>) -> SqlResult<DataType> {
    let start = tokens.span();
    let data_type = parse_any(tokens)?;
    if has_interval(&data_type) {
        return Err(SqlError::new(start, "SQL parse failed. Incorrect syntax near the keyword 'INTERVAL'").hint(
            "no column holds an interval; keep the number, and multiply it where it is used: n * INTERVAL '1' SECOND",
        ));
    }
    Ok(data_type)
}

/// Reads any type with its nullability.
fn parse_any(tokens: &mut Tokens<'_, '_>) -> SqlResult<DataType> {
    parse_nested(tokens, 0)
}

/// Whether the type is an interval or has one inside.
fn has_interval(data_type: &DataType) -> bool {
    match &data_type.logical {
        LogicalType::IntervalYearMonth | LogicalType::IntervalDayTime => true,
        LogicalType::Array(element) => has_interval(element),
        LogicalType::Map(key, value) => has_interval(key) || has_interval(value),
        LogicalType::Row(fields) => fields.iter().any(|field| has_interval(&field.data_type)),
        _ => false,
    }
}

/// Reads a type inside a CAST and puts its text where sqlparser's AST has room.
pub(crate) fn parse_for_cast(parser: &mut Parser<'_>) -> Result<ast::DataType, ParserError> {
    let start = parser.peek_token_ref().span;
    let data_type = parse_any(&mut Tokens::new(parser)).map_err(to_parser_error)?;
    if !data_type.nullable {
        let error = SqlError::new(span_of(start), "SQL parse failed. Encountered 'NOT', expected ')'")
            .hint("a cast keeps the nullability of what is cast; NOT NULL stands inside ARRAY, MAP and ROW only");
        return Err(to_parser_error(error));
    }
    let span = start.union(&parser.get_current_token().span);
    let ident = Ident::with_quote_and_span('`', span, text_of(&data_type));
    Ok(ast::DataType::Custom(ObjectName::from(vec![ident]), Vec::new()))
}

/// The type that a CAST names.
///
/// # Errors
/// Fails on a type that did not come through the dialect of this crate.
pub fn cast_type(data_type: &ast::DataType) -> SqlResult<DataType> {
    if let ast::DataType::Custom(name, modifiers) = data_type
        && let ([part], []) = (name.0.as_slice(), modifiers.as_slice())
        && let Some(ident) = part.as_ident()
    {
        let parsed = crate::syntax::with_parser(&ident.value, parse_any);
        return parsed.map_err(|error| SqlError { span: span_of(ident.span), ..error });
    }
    Err(SqlError::new(Span::default(), format!("Unknown data type '{data_type}'")))
}

/// The type's text, field names quoted so that it reads back.
fn text_of(data_type: &DataType) -> String {
    let mut text = match &data_type.logical {
        LogicalType::Array(element) => format!("ARRAY<{}>", text_of(element)),
        LogicalType::Map(key, value) => format!("MAP<{}, {}>", text_of(key), text_of(value)),
        LogicalType::Row(fields) => {
            let mut text = "ROW<".to_owned();
            for (index, field) in fields.iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                let _ = write!(text, "{comma}`{}` {}", field.name.replace('`', "``"), text_of(&field.data_type));
            }
            text + ">"
        }
        scalar => scalar.to_string(),
    };
    if !data_type.nullable {
        text.push_str(" NOT NULL");
    }
    text
}

fn parse_nested(tokens: &mut Tokens<'_, '_>, depth: usize) -> SqlResult<DataType> {
    let start = tokens.span();
    if depth > NESTING_MAX {
        return Err(SqlError::new(start, format!("types are nested deeper than {NESTING_MAX}"))
            .hint("flatten the type, or keep the inner part as STRING"));
    }
    let mut logical = parse_logical(tokens, depth)?;
    let mut postfix = 0;
    loop {
        let nullable = parse_nullability(tokens)?;
        if !tokens.word("ARRAY") {
            return Ok(DataType { logical, nullable });
        }
        postfix += 1;
        if depth + postfix > NESTING_MAX {
            return Err(SqlError::new(start, format!("types are nested deeper than {NESTING_MAX}")));
        }
        logical = LogicalType::Array(Box::new(DataType { logical, nullable }));
    }
}

/// `NOT NULL`, `NULL` or nothing.
fn parse_nullability(tokens: &mut Tokens<'_, '_>) -> SqlResult<bool> {
    if tokens.parser.parse_keyword(Keyword::NOT) {
        tokens.expect_word("NULL")?;
        return Ok(false);
    }
    tokens.word("NULL");
    Ok(true)
}

fn parse_logical(tokens: &mut Tokens<'_, '_>, depth: usize) -> SqlResult<LogicalType> {
    let span = tokens.span();
    let Some(name) = tokens.plain_word() else {
        return Err(tokens.expected("the name of a type"));
    };
    tokens.parser.next_token();
    let logical = match name.as_str() {
        "BOOLEAN" => LogicalType::Boolean,
        "TINYINT" => LogicalType::TinyInt,
        "SMALLINT" => LogicalType::SmallInt,
        "INT" | "INTEGER" => LogicalType::Int,
        "BIGINT" => LogicalType::BigInt,
        "FLOAT" => LogicalType::Float,
        "DOUBLE" => {
            tokens.word("PRECISION");
            LogicalType::Double
        }
        "DECIMAL" | "DEC" | "NUMERIC" => parse_decimal(tokens)?,
        "CHAR" | "CHARACTER" => {
            let varying = tokens.word("VARYING");
            let length = parse_length(tokens, "Character string")?;
            if varying { LogicalType::Varchar(length) } else { LogicalType::Char(length) }
        }
        "VARCHAR" => LogicalType::Varchar(parse_length(tokens, "Variable character string")?),
        "STRING" => LogicalType::Varchar(LENGTH_MAX),
        "BINARY" => {
            let varying = tokens.word("VARYING");
            let length = parse_length(tokens, "Binary string")?;
            if varying { LogicalType::Varbinary(length) } else { LogicalType::Binary(length) }
        }
        "VARBINARY" => LogicalType::Varbinary(parse_length(tokens, "Variable binary string")?),
        "BYTES" => LogicalType::Varbinary(LENGTH_MAX),
        "DATE" => LogicalType::Date,
        "TIME" => {
            let precision = parse_precision(tokens, "Time", 0)?;
            parse_time_zone(tokens)?;
            LogicalType::Time(precision)
        }
        "TIMESTAMP" => {
            let precision = parse_precision(tokens, "Timestamp", 6)?;
            if parse_time_zone(tokens)? {
                LogicalType::TimestampLtz(precision)
            } else {
                LogicalType::Timestamp(precision)
            }
        }
        "TIMESTAMP_LTZ" => LogicalType::TimestampLtz(parse_precision(tokens, "Timestamp with local time zone", 6)?),
        "INTERVAL" => parse_interval(tokens)?,
        "ARRAY" => {
            tokens.expect(&Token::Lt, "'<' behind ARRAY")?;
            let element = parse_nested(tokens, depth + 1)?;
            tokens.expect(&Token::Gt, "'>' behind the type of the array's elements")?;
            LogicalType::Array(Box::new(element))
        }
        "MAP" => {
            tokens.expect(&Token::Lt, "'<' behind MAP")?;
            let key = parse_nested(tokens, depth + 1)?;
            tokens.expect(&Token::Comma, "',' between the types of the map's keys and values")?;
            let value = parse_nested(tokens, depth + 1)?;
            tokens.expect(&Token::Gt, "'>' behind the type of the map's values")?;
            LogicalType::Map(Box::new(key), Box::new(value))
        }
        "ROW" => parse_row(tokens, depth)?,
        other => return Err(unknown(other, span)),
    };
    Ok(logical)
}

fn unknown(name: &str, span: Span) -> SqlError {
    if let Some((_, way_out)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
        return SqlError::new(span, format!("the type {name} is not supported")).hint(*way_out);
    }
    if name == "REAL" {
        return SqlError::new(span, "Type is not supported: REAL").hint("use FLOAT");
    }
    SqlError::new(span, format!("Unknown identifier '{name}': there is no type of this name"))
        .hint_maybe(did_you_mean(name, NAMES.iter().copied()))
}

fn parse_row(tokens: &mut Tokens<'_, '_>, depth: usize) -> SqlResult<LogicalType> {
    let span = tokens.span();
    if tokens.take(&Token::Neq) {
        return Err(SqlError::new(span, "a ROW without fields is not supported").hint("declare at least one field"));
    }
    let end = if tokens.take(&Token::LParen) {
        Token::RParen
    } else {
        tokens.expect(&Token::Lt, "'<' or '(' behind ROW")?;
        Token::Gt
    };
    let mut fields: Vec<Field> = Vec::new();
    loop {
        let name = tokens.identifier("the name of a field")?;
        let data_type = parse_nested(tokens, depth + 1)?;
        if fields.iter().any(|field| field.name == name.value) {
            let message = format!("Field names must be unique. Found duplicates: [{}]", name.value);
            return Err(SqlError::new(span_of(name.span), message).hint("rename one of them"));
        }
        fields.push(Field::new(name.value, data_type));
        if fields.len() > COLUMNS_MAX {
            return Err(SqlError::new(span_of(name.span), format!("a ROW has more than {COLUMNS_MAX} fields")));
        }
        if matches!(tokens.parser.peek_token_ref().token, Token::SingleQuotedString(_)) {
            tokens.parser.next_token();
        }
        if !tokens.take(&Token::Comma) {
            break;
        }
    }
    tokens.expect(&end, &format!("',' or '{end}' behind a field of a ROW"))?;
    Ok(LogicalType::Row(fields))
}

fn parse_length(tokens: &mut Tokens<'_, '_>, what: &str) -> SqlResult<u32> {
    let Some((length, span)) = parse_parameter(tokens)? else { return Ok(1) };
    match u32::try_from(length) {
        Ok(length @ 1..=LENGTH_MAX) => Ok(length),
        _ => Err(SqlError::new(span, format!("{what} length must be between 1 and {LENGTH_MAX} (both inclusive)."))),
    }
}

fn parse_precision(tokens: &mut Tokens<'_, '_>, what: &str, default: u8) -> SqlResult<u8> {
    let Some((precision, span)) = parse_parameter(tokens)? else { return Ok(default) };
    match u8::try_from(precision) {
        Ok(precision @ 0..=9) => Ok(precision),
        _ => Err(SqlError::new(span, format!("{what} precision must be between 0 and 9 (both inclusive)."))),
    }
}

fn parse_decimal(tokens: &mut Tokens<'_, '_>) -> SqlResult<LogicalType> {
    if !tokens.take(&Token::LParen) {
        return Ok(LogicalType::Decimal(10, 0));
    }
    let (precision, precision_span) = tokens.number("the precision")?;
    let scale = if tokens.take(&Token::Comma) { tokens.number("the scale")? } else { (0, precision_span) };
    tokens.expect(&Token::RParen, "')' behind the parameters of DECIMAL")?;
    let precision = match u8::try_from(precision) {
        Ok(precision @ 1..=38) => precision,
        _ => return Err(SqlError::new(precision_span, "Decimal precision must be between 1 and 38 (both inclusive).")),
    };
    match u8::try_from(scale.0) {
        Ok(digits) if digits <= precision => Ok(LogicalType::Decimal(precision, digits)),
        _ => Err(SqlError::new(
            scale.1,
            format!("Decimal scale must be between 0 and the precision {precision} (both inclusive)."),
        )),
    }
}

/// `(n)` or nothing.
fn parse_parameter(tokens: &mut Tokens<'_, '_>) -> SqlResult<Option<(u64, Span)>> {
    if !tokens.take(&Token::LParen) {
        return Ok(None);
    }
    let number = tokens.number("a length or precision")?;
    tokens.expect(&Token::RParen, "')' behind the type's parameter")?;
    Ok(Some(number))
}

/// `WITHOUT TIME ZONE`, `WITH LOCAL TIME ZONE` or nothing; true for the second.
fn parse_time_zone(tokens: &mut Tokens<'_, '_>) -> SqlResult<bool> {
    let span = tokens.span();
    if tokens.word("WITHOUT") {
        tokens.expect_words(&["TIME", "ZONE"])?;
        return Ok(false);
    }
    if !tokens.word("WITH") {
        return Ok(false);
    }
    if !tokens.word("LOCAL") {
        return Err(SqlError::new(span, "the type TIMESTAMP WITH TIME ZONE is not supported")
            .hint("use TIMESTAMP_LTZ, which is TIMESTAMP WITH LOCAL TIME ZONE"));
    }
    tokens.expect_words(&["TIME", "ZONE"])?;
    Ok(true)
}

fn parse_interval(tokens: &mut Tokens<'_, '_>) -> SqlResult<LogicalType> {
    const UNITS: &[&str] = &["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];
    let unit = |tokens: &mut Tokens<'_, '_>| -> SqlResult<usize> {
        let Some(index) = UNITS.iter().position(|unit| tokens.word(unit)) else {
            return Err(tokens.expected("YEAR, MONTH, DAY, HOUR, MINUTE or SECOND"));
        };
        parse_parameter(tokens)?;
        Ok(index)
    };
    let span = tokens.span();
    let first = unit(tokens)?;
    let last = if tokens.word("TO") { unit(tokens)? } else { first };
    match (first, last) {
        (0, 0 | 1) | (1, 1) => Ok(LogicalType::IntervalYearMonth),
        (2..=5, 2..=5) if first <= last => Ok(LogicalType::IntervalDayTime),
        _ => Err(SqlError::new(span, format!("there is no INTERVAL {} TO {}", UNITS[first], UNITS[last]))
            .hint("an interval is of years and months, or of days to seconds")),
    }
}
