//! INSERT: its table, partition, columns, query, and what happens on a conflict.

use sqlparser::ast::{self, Expr, Ident};
use sqlparser::tokenizer::{Token, TokenWithSpan};
use weir_base::Span;

use super::at_query;
use super::query::parse_query_with;
use super::table::{parse_name, parse_names};
use crate::error::{SqlResult, did_you_mean, span_of};
use crate::script::Hint;
use crate::statement::OnConflict;
use crate::syntax::{Tokens, from_parser, plain_word};
use crate::{Insert, SqlError, hints};

/// Reads an INSERT.
pub(super) fn parse_insert(tokens: &mut Tokens<'_, '_>, hints: &[Hint], span: Span) -> SqlResult<Insert> {
    let start = tokens.span();
    tokens.expect_word("INSERT")?;
    let place = tokens.span();
    let overwrite = tokens.word("OVERWRITE").then_some(place);
    if overwrite.is_none() {
        tokens.expect_word("INTO")?;
    }
    let table = parse_name(tokens)?;
    let partition = if tokens.word("PARTITION") { parse_partition(tokens)? } else { Vec::new() };
    let columns = if is_column_list(tokens) { parse_columns(tokens)? } else { Vec::new() };
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
    let span = Span { line: start.line, column: start.column, ..span };
    Ok(Insert { table, overwrite, partition, columns, query, on_conflict: None, options, span })
}

/// `(column = literal, ...)`
fn parse_partition(tokens: &mut Tokens<'_, '_>) -> SqlResult<Vec<(Ident, Expr)>> {
    tokens.expect(&Token::LParen, "'(' behind PARTITION")?;
    let mut values: Vec<(Ident, Expr)> = Vec::new();
    loop {
        let column = tokens.identifier("the name of a column")?;
        if values.iter().any(|(former, _)| former.value == column.value) {
            let message = format!("Target column '{}' is assigned more than once", column.value);
            return Err(SqlError::new(span_of(column.span), message).hint("remove one of them"));
        }
        tokens.expect(&Token::Eq, "'=' behind a partition's column")?;
        values.push((column, tokens.parser.parse_expr().map_err(from_parser)?));
        if !tokens.take(&Token::Comma) {
            break;
        }
    }
    tokens.expect(&Token::RParen, "',' or ')' behind a partition's value")?;
    Ok(values)
}

/// Whether the bracket here opens a list of columns rather than a query.
fn is_column_list(tokens: &Tokens<'_, '_>) -> bool {
    tokens.parser.peek_token_ref().token == Token::LParen
        && match &tokens.parser.peek_nth_token_ref(1).token {
            Token::LParen => false,
            token => !matches!(plain_word(token).as_deref(), Some("SELECT" | "WITH" | "VALUES")),
        }
}

/// `(column, ...)`; a field of a ROW cannot stand alone.
fn parse_columns(tokens: &mut Tokens<'_, '_>) -> SqlResult<Vec<Ident>> {
    let mut ahead = 1;
    while matches!(tokens.parser.peek_nth_token_ref(ahead).token, Token::Word(_) | Token::Comma) {
        ahead += 1;
    }
    if tokens.parser.peek_nth_token_ref(ahead).token == Token::Period {
        let (row, field) = (tokens.parser.peek_nth_token_ref(ahead - 1), tokens.parser.peek_nth_token_ref(ahead + 1));
        let message = format!("Unknown target column '{}.{}'", row.token, field.token);
        return Err(SqlError::new(span_of(row.span), message)
            .hint(format!("write the whole column '{}' with ROW(...)", row.token)));
    }
    parse_names(tokens, "the table's name")
}

/// What `ON CONFLICT` says, with its place.
type Conflict = (OnConflict, Span);

/// Takes `ON CONFLICT DO ...` off the end of an INSERT: sqlparser takes ON for an alias where a query ends so.
pub(super) fn split_on_conflict(tokens: &[TokenWithSpan]) -> SqlResult<(&[TokenWithSpan], Option<Conflict>)> {
    const ACTIONS: [(&str, OnConflict); 3] =
        [("NOTHING", OnConflict::Nothing), ("ERROR", OnConflict::Error), ("DEDUPLICATE", OnConflict::Deduplicate)];
    let word = |token: &TokenWithSpan| plain_word(&token.token).unwrap_or_default();
    let is_clause = |pair: &[TokenWithSpan]| word(&pair[0]) == "ON" && word(&pair[1]) == "CONFLICT";
    let Some(at) = tokens.windows(2).rposition(is_clause) else { return Ok((tokens, None)) };
    let place = span_of(tokens[at].span);
    let (kept, clause) = tokens.split_at(at);
    let wrong = |token: Option<&TokenWithSpan>, expected: &str| match token {
        Some(token) => SqlError::new(
            span_of(token.span),
            format!("SQL parse failed. Encountered '{}', expected {expected}", token.token),
        ),
        None => {
            SqlError::new(place, format!("SQL parse failed. Encountered the end of the statement, expected {expected}"))
        }
    };
    if clause.get(2).is_none_or(|token| word(token) != "DO") {
        return Err(wrong(clause.get(2), "DO behind ON CONFLICT"));
    }
    let found = clause.get(3).map(word).unwrap_or_default();
    let Some((_, action)) = ACTIONS.iter().find(|(word, _)| *word == found) else {
        let hint = did_you_mean(&found, ACTIONS.iter().map(|(word, _)| *word));
        return Err(wrong(clause.get(3), "NOTHING, ERROR or DEDUPLICATE").hint_maybe(hint));
    };
    match clause.get(4) {
        Some(_) => Err(wrong(clause.get(4), "the end of the statement")),
        None => Ok((kept, Some((*action, place)))),
    }
}
