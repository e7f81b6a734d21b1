//! Queries and INSERTs: sqlparser reads them, their hints come along, and an error inside a subquery is found again.

use sqlparser::ast;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};
use weir_base::Span;

use crate::ddl::{at_query, parse_name};
use crate::dialect::FlinkDialect;
use crate::error::SqlResult;
use crate::script::Hint;
use crate::syntax::{RECURSION_MAX, Tokens, from_parser, plain_word, settle};
use crate::{Insert, Query, SqlError, TableHints, hints};

pub(super) fn parse_insert(tokens: &mut Tokens<'_, '_>, hints: &[Hint], span: Span) -> SqlResult<Insert> {
    let start = tokens.span();
    refuse_on_conflict(tokens)?;
    tokens.expect_word("INSERT")?;
    if tokens.is_word(0, "OVERWRITE") {
        return Err(SqlError::new(tokens.span(), "INSERT OVERWRITE is not supported")
            .hint("a stream never ends to be replaced: write INSERT INTO"));
    }
    tokens.expect_word("INTO")?;
    let table = parse_name(tokens)?;
    if tokens.is_word(0, "PARTITION") {
        return Err(SqlError::new(tokens.span(), "INSERT ... PARTITION is not supported")
            .hint("give the value as a column of the query"));
    }
    let mut columns = Vec::new();
    if (is_column_list(tokens) || !at_query(tokens.parser)) && tokens.take(&Token::LParen) {
        loop {
            columns.push(tokens.identifier("the name of a column")?);
            if !tokens.take(&Token::Comma) {
                break;
            }
        }
        tokens.expect(&Token::RParen, "',' or ')' behind a column's name")?;
    }
    if !at_query(tokens.parser) {
        return Err(tokens.expected("SELECT, WITH or VALUES"));
    }
    let mut read = hints::read(hints)?;
    let place = table
        .0
        .last()
        .and_then(ast::ObjectNamePart::as_ident)
        .map(|ident| (ident.span.start.line, ident.span.start.column));
    let options = place.and_then(|place| read.by_place.remove(&place));
    let query = parse_query_with(tokens, hints, read, span)?;
    Ok(Insert { table, columns, query, options, span: Span { line: start.line, column: start.column, ..span } })
}

/// sqlparser takes ON for an alias where a query ends so.
fn refuse_on_conflict(tokens: &Tokens<'_, '_>) -> SqlResult<()> {
    let mut ahead = 0;
    while tokens.parser.peek_nth_token_ref(ahead).token != Token::EOF {
        if ["ON", "CONFLICT", "DO"].iter().enumerate().all(|(index, word)| tokens.is_word(ahead + index, word)) {
            let place = crate::error::span_of(tokens.parser.peek_nth_token_ref(ahead).span);
            return Err(SqlError::new(place, "ON CONFLICT is not supported")
                .hint("leave it out: a table with a primary key keeps the newest row of each key"));
        }
        ahead += 1;
    }
    Ok(())
}

/// Whether the bracket here opens a list of columns rather than a query.
fn is_column_list(tokens: &Tokens<'_, '_>) -> bool {
    tokens.parser.peek_token_ref().token == Token::LParen
        && match &tokens.parser.peek_nth_token_ref(1).token {
            Token::LParen => false,
            token => !matches!(plain_word(token).as_deref(), Some("SELECT" | "WITH" | "VALUES")),
        }
}

pub(super) fn parse_query(tokens: &mut Tokens<'_, '_>, hints: &[Hint], span: Span) -> SqlResult<Query> {
    let read = hints::read(hints)?;
    parse_query_with(tokens, hints, read, span)
}

fn parse_query_with(tokens: &mut Tokens<'_, '_>, written: &[Hint], read: TableHints, span: Span) -> SqlResult<Query> {
    let start = tokens.span();
    let ast = tokens.parser.parse_query().map_err(from_parser)?;
    tokens.expect_end()?;
    hints::check_used(written, &read, &ast)?;
    Ok(Query { ast, hints: read, span: Span { line: start.line, column: start.column, ..span } })
}

/// The error of the innermost subquery that does not parse: sqlparser forgets it when it tries another reading of the brackets around.
pub(super) fn blame(tokens: &[TokenWithSpan], error: SqlError) -> SqlError {
    /// Subqueries that are tried at most.
    const TRIED_MAX: usize = 200;
    let mut open: Vec<usize> = Vec::new();
    let mut tried = 0;
    for (index, token) in tokens.iter().enumerate() {
        match token.token {
            Token::LParen => open.push(index),
            Token::RParen => {
                let Some(start) = open.pop() else { continue };
                let inner = &tokens[start + 1..index];
                let is_query = inner
                    .first()
                    .is_some_and(|first| matches!(plain_word(&first.token).as_deref(), Some("SELECT" | "WITH")));
                if is_query && tried < TRIED_MAX {
                    tried += 1;
                    if let Err(found) = parse_subquery(inner) {
                        return settle(found, inner, Some(token));
                    }
                }
            }
            _ => {}
        }
    }
    settle(error, tokens, None)
}

fn parse_subquery(tokens: &[TokenWithSpan]) -> SqlResult<()> {
    let dialect = FlinkDialect::for_tokens(tokens.len());
    let mut parser =
        Parser::new(&dialect).with_recursion_limit(RECURSION_MAX).with_tokens_with_locations(tokens.to_vec());
    let tokens = Tokens::new(&mut parser);
    tokens.parser.parse_query().map_err(from_parser)?;
    tokens.expect_end()
}
