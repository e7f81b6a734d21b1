//! Queries: sqlparser reads them, their hints come along, and an error inside a subquery is found again.

use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};
use weir_base::Span;

use crate::dialect::FlinkDialect;
use crate::error::SqlResult;
use crate::script::Hint;
use crate::syntax::{RECURSION_MAX, Tokens, from_parser, plain_word, settle};
use crate::{Query, SqlError, TableHints, hints};

/// Whether `parser` stands at a query.
pub(super) fn at_query(parser: &Parser<'_>) -> bool {
    match &parser.peek_token_ref().token {
        Token::LParen => true,
        token => matches!(plain_word(token).as_deref(), Some("SELECT" | "WITH" | "VALUES")),
    }
}

pub(super) fn parse_query(tokens: &mut Tokens<'_, '_>, hints: &[Hint], span: Span) -> SqlResult<Query> {
    let read = hints::read(hints)?;
    parse_query_with(tokens, hints, read, span)
}

/// Reads a query up to the end of the statement, with hints that are read already.
pub(super) fn parse_query_with(
    tokens: &mut Tokens<'_, '_>,
    written: &[Hint],
    read: TableHints,
    span: Span,
) -> SqlResult<Query> {
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
