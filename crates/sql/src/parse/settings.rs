//! SET and RESET, in every spelling.

use sqlparser::tokenizer::{Token, TokenWithSpan};
use weir_base::Span;

use crate::StatementKind;
use crate::error::{SqlResult, span_of};
use crate::syntax::Tokens;

/// A key: in quotes, or words with dots and dashes as they stand.
fn parse_key(tokens: &mut Tokens<'_, '_>) -> SqlResult<(String, Span)> {
    if let Token::SingleQuotedString(_) = tokens.parser.peek_token_ref().token {
        return tokens.text("a key");
    }
    let mut span = tokens.span();
    let mut key = String::new();
    while !matches!(tokens.parser.peek_token_ref().token, Token::Eq | Token::EOF) {
        let token = tokens.parser.next_token();
        key.push_str(&token.token.to_string());
        let end = span_of(token.span);
        (span.line_end, span.column_end) = (end.line_end, end.column_end);
    }
    if key.is_empty() { Err(tokens.expected("a key such as 'parallelism.default'")) } else { Ok((key, span)) }
}

pub(super) fn parse_set(tokens: &mut Tokens<'_, '_>) -> SqlResult<StatementKind> {
    tokens.expect_word("SET")?;
    if tokens.at_end() {
        return Ok(StatementKind::ShowSettings);
    }
    let (key, key_span) = parse_key(tokens)?;
    tokens.expect(&Token::Eq, "'=' behind the key")?;
    let mut value_span = tokens.span();
    let value = if let Token::SingleQuotedString(_) = tokens.parser.peek_token_ref().token {
        tokens.text("a value")?.0
    } else {
        parse_bare_value(tokens, &mut value_span)?
    };
    tokens.expect_end()?;
    Ok(StatementKind::Set { key, key_span, value, value_span })
}

/// A value without quotes, up to the end; a space stays where one stood.
fn parse_bare_value(tokens: &mut Tokens<'_, '_>, span: &mut Span) -> SqlResult<String> {
    let mut value = String::new();
    let mut last: Option<TokenWithSpan> = None;
    while !tokens.at_end() {
        let token = tokens.parser.next_token();
        if last.is_some_and(|last| last.span.end != token.span.start) {
            value.push(' ');
        }
        value.push_str(&token.token.to_string());
        let end = span_of(token.span);
        (span.line_end, span.column_end) = (end.line_end, end.column_end);
        last = Some(token);
    }
    if value.is_empty() { Err(tokens.expected("a value")) } else { Ok(value) }
}

pub(super) fn parse_reset(tokens: &mut Tokens<'_, '_>) -> SqlResult<StatementKind> {
    tokens.expect_word("RESET")?;
    if tokens.at_end() {
        return Ok(StatementKind::Reset(None));
    }
    let key = parse_key(tokens)?;
    tokens.expect_end()?;
    Ok(StatementKind::Reset(Some(key)))
}
