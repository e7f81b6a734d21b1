//! The syntax of SQL's JSON functions, whose arguments have words between them: `JSON_VALUE(a, '$.b' RETURNING INT NULL ON EMPTY)`, `a IS JSON ARRAY`.
//!
//! sqlparser does not know it. Each becomes a call by a name that nobody can write (it ends with a blank), all that the words say being arguments in a
//! fixed order; NULL stands for what was left out.

use sqlparser::ast::{self, Expr, Value, ValueWithSpan};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use crate::dialect::call;

/// `JSON_VALUE`: text, path, RETURNING (as a cast of NULL), on empty, its default, on error, its default.
pub(crate) const JSON_VALUE: &str = "JSON_VALUE ";
/// `JSON_QUERY`: text, path, RETURNING, wrapper, on empty, on error.
pub(crate) const JSON_QUERY: &str = "JSON_QUERY ";
/// `JSON_EXISTS`: text, path, on error.
pub(crate) const JSON_EXISTS: &str = "JSON_EXISTS ";
/// `JSON_OBJECT`: on null, keys and values in turn.
pub(crate) const JSON_OBJECT: &str = "JSON_OBJECT ";
/// `JSON_ARRAY`: on null, values.
pub(crate) const JSON_ARRAY: &str = "JSON_ARRAY ";
/// `JSON_OBJECTAGG`: on null, key, value. Its own name: it is an aggregate, which all that looks for aggregates must find.
const JSON_OBJECTAGG: &str = "JSON_OBJECTAGG";
/// `JSON_ARRAYAGG`: on null, value.
const JSON_ARRAYAGG: &str = "JSON_ARRAYAGG";
/// `a IS [NOT] JSON kind`: a, the kind, `NOT` or nothing.
pub(crate) const IS_JSON: &str = "IS JSON ";

/// Reads a JSON function, if one stands here.
pub(crate) fn parse_prefix(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    let Token::Word(word) = &parser.peek_token_ref().token else { return None };
    if word.quote_style.is_some() || parser.peek_nth_token_ref(1).token != Token::LParen {
        return None;
    }
    let parse = match word.value.to_ascii_uppercase().as_str() {
        "JSON_VALUE" => json_value,
        "JSON_QUERY" => json_query,
        "JSON_EXISTS" => json_exists,
        "JSON_OBJECT" => json_object,
        "JSON_ARRAY" => json_array,
        JSON_OBJECTAGG => json_object_agg,
        JSON_ARRAYAGG => json_array_agg,
        _ => return None,
    };
    Some(parse(parser))
}

/// Reads `IS [NOT] JSON [VALUE | SCALAR | ARRAY | OBJECT]` behind `expr`, if it stands here.
pub(crate) fn parse_infix(parser: &mut Parser, expr: &Expr) -> Option<Result<Expr, ParserError>> {
    if !matches!(&parser.peek_token_ref().token, Token::Word(word) if word.keyword == Keyword::IS) {
        return None;
    }
    let is_negated = is_word(parser, 1, "NOT");
    let at = if is_negated { 2 } else { 1 };
    if !is_word(parser, at, "JSON") {
        return None;
    }
    let span = parser.peek_token_ref().span;
    (0..=at).for_each(|_| {
        parser.next_token();
    });
    let kinds = ["VALUE", "SCALAR", "ARRAY", "OBJECT"];
    let kind = kinds.into_iter().find(|kind| take(parser, kind)).unwrap_or("VALUE");
    let negated = if is_negated { "NOT" } else { "" };
    Some(Ok(call(IS_JSON, span, vec![expr.clone(), text(kind), text(negated)])))
}

fn text(word: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(word.to_owned()))
}

fn null() -> Expr {
    Expr::value(Value::Null)
}

fn is_word(parser: &Parser, ahead: usize, wanted: &str) -> bool {
    matches!(&parser.peek_nth_token_ref(ahead).token, Token::Word(word)
        if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
}

/// Passes `word`, if it stands here.
fn take(parser: &mut Parser, word: &str) -> bool {
    let found = is_word(parser, 0, word);
    if found {
        parser.next_token();
    }
    found
}

/// Passes `word`, which must stand here.
fn expect(parser: &mut Parser, word: &str) -> Result<(), ParserError> {
    if take(parser, word) { Ok(()) } else { parser.expected_ref(word, parser.peek_token_ref()) }
}

/// The name and the opening parenthesis.
fn open(parser: &mut Parser) -> Result<sqlparser::tokenizer::Span, ParserError> {
    let span = parser.next_token().span;
    parser.expect_token(&Token::LParen)?;
    Ok(span)
}

/// `text, path`
fn input(parser: &mut Parser) -> Result<Vec<Expr>, ParserError> {
    let json = parser.parse_expr()?;
    parser.expect_token(&Token::Comma)?;
    Ok(vec![json, parser.parse_expr()?])
}

/// `[RETURNING type]`
fn returning(parser: &mut Parser) -> Result<Expr, ParserError> {
    if !take(parser, "RETURNING") {
        return Ok(null());
    }
    let data_type = crate::types::parse_for_cast(parser)?;
    let expr = Box::new(Expr::Value(ValueWithSpan { value: Value::Null, span: parser.peek_token_ref().span }));
    Ok(Expr::Cast { kind: ast::CastKind::Cast, expr, data_type, array: false, format: None })
}

/// What is given on empty and on error: words with what DEFAULT names.
struct Behaviours {
    on_empty: (&'static str, Expr),
    on_error: (&'static str, Expr),
}

/// `{word | DEFAULT a} ON {EMPTY | ERROR}`, any number of times; the last of each counts.
fn behaviours(parser: &mut Parser, words: &[&'static str], defaults: bool) -> Result<Behaviours, ParserError> {
    let mut found = Behaviours { on_empty: ("NULL", null()), on_error: ("NULL", null()) };
    loop {
        let behaviour = if defaults && take(parser, "DEFAULT") {
            ("DEFAULT", parser.parse_expr()?)
        } else if let Some(word) = words.iter().find(|words| words_here(parser, words)) {
            word.split(' ').for_each(|_| {
                parser.next_token();
            });
            (*word, null())
        } else {
            return Ok(found);
        };
        expect(parser, "ON")?;
        if take(parser, "EMPTY") {
            found.on_empty = behaviour;
        } else {
            expect(parser, "ERROR")?;
            found.on_error = behaviour;
        }
    }
}

/// Whether these words stand here.
fn words_here(parser: &Parser, words: &str) -> bool {
    words.split(' ').enumerate().all(|(ahead, word)| is_word(parser, ahead, word))
}

fn json_value(parser: &mut Parser) -> Result<Expr, ParserError> {
    let span = open(parser)?;
    let mut arguments = input(parser)?;
    arguments.push(returning(parser)?);
    let found = behaviours(parser, &["NULL", "ERROR"], true)?;
    for (word, default) in [found.on_empty, found.on_error] {
        arguments.extend([text(word), default]);
    }
    parser.expect_token(&Token::RParen)?;
    Ok(call(JSON_VALUE, span, arguments))
}

fn json_query(parser: &mut Parser) -> Result<Expr, ParserError> {
    let span = open(parser)?;
    let mut arguments = input(parser)?;
    arguments.push(returning(parser)?);
    let mut wrapper = "WITHOUT";
    if take(parser, "WITH") {
        wrapper = if take(parser, "CONDITIONAL") {
            "CONDITIONAL"
        } else {
            take(parser, "UNCONDITIONAL");
            "UNCONDITIONAL"
        };
        take(parser, "ARRAY");
        expect(parser, "WRAPPER")?;
    } else if take(parser, "WITHOUT") {
        take(parser, "ARRAY");
        expect(parser, "WRAPPER")?;
    }
    arguments.push(text(wrapper));
    let found = behaviours(parser, &["NULL", "ERROR", "EMPTY ARRAY", "EMPTY OBJECT"], false)?;
    arguments.extend([text(found.on_empty.0), text(found.on_error.0)]);
    parser.expect_token(&Token::RParen)?;
    Ok(call(JSON_QUERY, span, arguments))
}

fn json_exists(parser: &mut Parser) -> Result<Expr, ParserError> {
    let span = open(parser)?;
    let mut arguments = input(parser)?;
    let mut on_error = "FALSE";
    if let Some(word) = ["UNKNOWN", "TRUE", "FALSE", "ERROR"].into_iter().find(|word| take(parser, word)) {
        expect(parser, "ON")?;
        expect(parser, "ERROR")?;
        on_error = word;
    }
    arguments.push(text(on_error));
    parser.expect_token(&Token::RParen)?;
    Ok(call(JSON_EXISTS, span, arguments))
}

/// `[{NULL | ABSENT} ON NULL]`
fn on_null(parser: &mut Parser, default: &'static str) -> &'static str {
    for word in ["NULL", "ABSENT"] {
        if is_word(parser, 0, word) && is_word(parser, 1, "ON") && is_word(parser, 2, "NULL") {
            (0..3).for_each(|_| {
                parser.next_token();
            });
            return word;
        }
    }
    default
}

fn json_object(parser: &mut Parser) -> Result<Expr, ParserError> {
    let span = open(parser)?;
    let mut arguments = vec![null()];
    while !ends(parser) {
        if arguments.len() > 1 {
            parser.expect_token(&Token::Comma)?;
        }
        if is_key_word(parser) {
            parser.next_token();
        }
        arguments.push(key(parser)?);
        if !parser.consume_token(&Token::Colon) {
            expect(parser, "VALUE")?;
        }
        arguments.push(parser.parse_expr()?);
    }
    arguments[0] = text(on_null(parser, "NULL"));
    parser.expect_token(&Token::RParen)?;
    Ok(call(JSON_OBJECT, span, arguments))
}

/// A key; `'a' : value` would be read as an access to a field.
fn key(parser: &mut Parser) -> Result<Expr, ParserError> {
    if parser.peek_nth_token_ref(1).token != Token::Colon {
        return parser.parse_expr();
    }
    match &parser.peek_token_ref().token {
        Token::Word(_) => Ok(Expr::Identifier(parser.parse_identifier()?)),
        _ => Ok(Expr::Value(parser.parse_value()?)),
    }
}

fn json_array(parser: &mut Parser) -> Result<Expr, ParserError> {
    let span = open(parser)?;
    let mut arguments = vec![null()];
    while !ends(parser) {
        if arguments.len() > 1 {
            parser.expect_token(&Token::Comma)?;
        }
        arguments.push(parser.parse_expr()?);
    }
    arguments[0] = text(on_null(parser, "ABSENT"));
    parser.expect_token(&Token::RParen)?;
    Ok(call(JSON_ARRAY, span, arguments))
}

fn json_object_agg(parser: &mut Parser) -> Result<Expr, ParserError> {
    let span = open(parser)?;
    if is_key_word(parser) {
        parser.next_token();
    }
    let key = key(parser)?;
    if !parser.consume_token(&Token::Colon) {
        expect(parser, "VALUE")?;
    }
    let value = parser.parse_expr()?;
    let on_null = text(on_null(parser, "NULL"));
    parser.expect_token(&Token::RParen)?;
    Ok(call(JSON_OBJECTAGG, span, vec![on_null, key, value]))
}

fn json_array_agg(parser: &mut Parser) -> Result<Expr, ParserError> {
    let span = open(parser)?;
    let value = parser.parse_expr()?;
    let on_null = text(on_null(parser, "ABSENT"));
    parser.expect_token(&Token::RParen)?;
    Ok(call(JSON_ARRAYAGG, span, vec![on_null, value]))
}

/// Whether the arguments of a JSON aggregate say ABSENT ON NULL.
pub(crate) fn is_absent_on_null(arguments: &[ast::FunctionArg]) -> bool {
    matches!(arguments.first(), Some(ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(Expr::Value(on_null))))
        if on_null.value == Value::SingleQuotedString("ABSENT".to_owned()))
}

/// Whether the word KEY stands here, and is no name.
fn is_key_word(parser: &Parser) -> bool {
    is_word(parser, 0, "KEY")
        && !is_word(parser, 1, "VALUE")
        && !matches!(parser.peek_nth_token_ref(1).token, Token::Colon | Token::Period | Token::LBracket)
}

/// Whether the list of values ends here: at a parenthesis, or before `NULL ON NULL`.
fn ends(parser: &Parser) -> bool {
    let is_clause = ["NULL", "ABSENT"].iter().any(|word| is_word(parser, 0, word));
    parser.peek_token_ref().token == Token::RParen
        || parser.peek_token_ref().token == Token::EOF
        || (is_clause && is_word(parser, 1, "ON") && is_word(parser, 2, "NULL"))
}
