//! Hints, `/*+ ... */`: OPTIONS behind a table's name and STATE_TTL behind SELECT are kept for the binder, every other is refused by name. None is dropped.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr};
use sqlparser::tokenizer::{Location, Token};
use weir_base::Span;
use weir_plan::TableOptions;

use crate::dialect::{TABLE_MARKER, is_called, table_argument};
use crate::error::{SqlResult, span_of};
use crate::script::Hint;
use crate::statement::StateTtl;
use crate::syntax::{Tokens, with_parser};
use crate::{SqlError, TableHints};

/// Hints of Flink that steer joins only: without a join they do nothing.
const JOINS: &[&str] = &["BROADCAST", "LOOKUP", "MULTI_JOIN", "NEST_LOOP", "SHUFFLE_HASH", "SHUFFLE_MERGE"];

/// A hint as written: OPTIONS, or STATE_TTL.
enum Read {
    Options(TableOptions),
    StateTtls(Vec<StateTtl>),
}

/// Reads the hints of a statement, each by the place of what it belongs to.
pub(crate) fn read(hints: &[Hint]) -> SqlResult<TableHints> {
    let mut read = TableHints::default();
    for hint in hints {
        let start = hint.span.start;
        let parts = with_parser(&hint.text, read_parts).map_err(|error| shift(error, start))?;
        for part in parts {
            match (part, hint.behind, hint.select) {
                (Read::Options(options), Some(place), _) => {
                    let spans = options.spans.into_iter().map(|(key, span)| (key, shift_span(span, start)));
                    let options = TableOptions { values: options.values, spans: spans.collect() };
                    read.by_place.insert((place.line, place.column), options);
                }
                (Read::StateTtls(ttls), _, Some(place)) => {
                    let ttls = ttls.into_iter().map(|ttl| StateTtl { span: shift_span(ttl.span, start), ..ttl });
                    read.state_ttls.entry((place.line, place.column)).or_default().extend(ttls);
                }
                (Read::Options(_), None, _) => return Err(misplaced(span_of(hint.span))),
                (Read::StateTtls(_), _, None) => {
                    return Err(SqlError::new(
                        span_of(hint.span),
                        "the hint STATE_TTL stands where it is not supported",
                    )
                    .hint("it stands behind SELECT: SELECT /*+ STATE_TTL('alias' = '1 d') */ ..."));
                }
            }
        }
    }
    Ok(read)
}

/// Refuses hints that stand behind something that is no table of `query`.
pub(crate) fn check_used(hints: &[Hint], read: &TableHints, query: &ast::Query) -> SqlResult<()> {
    if read.by_place.is_empty() {
        return Ok(());
    }
    let mut names: Vec<(u64, u64)> = Vec::new();
    let mut note = |name: &ast::ObjectName| {
        if let Some(ident) = name.0.last().and_then(ast::ObjectNamePart::as_ident) {
            names.push((ident.span.start.line, ident.span.start.column));
        }
    };
    let _ = ast::visit_relations(query, |name| {
        note(name);
        ControlFlow::<()>::Continue(())
    });
    let _ = ast::visit_expressions(query, |expr| {
        if let Expr::Function(function) = expr
            && is_called(function, TABLE_MARKER)
            && let Some(table) = table_argument(expr)
        {
            note(&table.name);
        }
        ControlFlow::<()>::Continue(())
    });
    for hint in hints {
        let used = hint.behind.is_some_and(|place| names.contains(&(place.line, place.column)));
        if !used && hint.behind.is_some_and(|place| read.by_place.contains_key(&(place.line, place.column))) {
            return Err(misplaced(span_of(hint.span)));
        }
    }
    Ok(())
}

fn misplaced(span: Span) -> SqlError {
    SqlError::new(span, "a hint stands where none is supported").hint(
        "an OPTIONS hint stands right behind a table's name, before its alias: t /*+ OPTIONS('key'='value') */ AS a",
    )
}

fn read_parts(tokens: &mut Tokens<'_, '_>) -> SqlResult<Vec<Read>> {
    let mut parts = Vec::new();
    if tokens.at_end() {
        return Err(SqlError::new(Span::at(1, 1), "a hint is empty").hint("remove it"));
    }
    loop {
        let span = tokens.span();
        let Some(name) = tokens.plain_word() else { return Err(tokens.expected("the name of a hint")) };
        tokens.parser.next_token();
        match name.as_str() {
            "OPTIONS" => parts.push(Read::Options(read_options(tokens, span)?)),
            "STATE_TTL" => parts.push(Read::StateTtls(read_state_ttls(tokens, span)?)),
            join if JOINS.contains(&join) => {
                return Err(SqlError::new(span, format!("the hint {join} is not supported"))
                    .hint("remove it: it only steers joins, which are not supported yet"));
            }
            other => {
                return Err(SqlError::new(
                    span,
                    format!("Hint: {other} should be registered in the HintStrategyTable"),
                )
                .hint(
                    crate::did_you_mean(other, ["OPTIONS", "STATE_TTL"])
                        .unwrap_or_else(|| "there is no such hint: remove it".to_owned()),
                ));
            }
        }
        tokens.take(&Token::Comma);
        if tokens.at_end() {
            return Ok(parts);
        }
    }
}

fn read_options(tokens: &mut Tokens<'_, '_>, span: Span) -> SqlResult<TableOptions> {
    let mut options = TableOptions::default();
    tokens.expect(&Token::LParen, "'(' behind OPTIONS")?;
    if tokens.parser.peek_token_ref().token == Token::RParen {
        return Err(SqlError::new(span, "Hint [OPTIONS] only support non empty key value options")
            .hint("write OPTIONS('key' = 'value'), or remove it"));
    }
    crate::parse::parse_options(tokens, &mut options)?;
    tokens.expect(&Token::RParen, "',' or ')' behind an option")?;
    Ok(options)
}

/// `('alias' = '1 d', ...)`
fn read_state_ttls(tokens: &mut Tokens<'_, '_>, span: Span) -> SqlResult<Vec<StateTtl>> {
    let mut ttls = Vec::new();
    tokens.expect(&Token::LParen, "'(' behind STATE_TTL")?;
    if tokens.take(&Token::RParen) {
        return Err(SqlError::new(span, "Invalid STATE_TTL hint, expecting at least one key-value options specified.")
            .hint("write STATE_TTL('alias' = '1 d')"));
    }
    loop {
        let place = tokens.span();
        let alias = match &tokens.parser.peek_token_ref().token {
            Token::SingleQuotedString(_) => tokens.text("the name of a table")?.0,
            _ => tokens.identifier("the name or alias of a table")?.value,
        };
        if !tokens.take(&Token::Eq) {
            return Err(SqlError::new(
                place,
                "Invalid list options in STATE_TTL hint, only support key-value options.",
            )
            .hint("write STATE_TTL('alias' = '1 d')"));
        }
        let (text, value) = tokens.text("a duration in single quotes")?;
        let Some(ttl) = weir_base::parse_duration(&text) else {
            return Err(SqlError::new(value, format!("Invalid STATE_TTL hint value: '{text}' is not a duration"))
                .hint("write a duration such as '1 d', '2 h' or '500 ms'; '0 s' keeps state for ever"));
        };
        ttls.push(StateTtl { alias, ttl, span: place });
        if !tokens.take(&Token::Comma) {
            break;
        }
    }
    tokens.expect(&Token::RParen, "',' or ')' behind a duration")?;
    Ok(ttls)
}

/// From a place in a hint's text to the script's: the text begins behind `/*+`.
fn shift_span(span: Span, start: Location) -> Span {
    if !span.is_known() {
        return span;
    }
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let column = |line: u32, column: u32| if line == 1 { column + number(start.column) + 2 } else { column };
    let line = |line: u32| line + number(start.line) - 1;
    Span {
        line: line(span.line),
        column: column(span.line, span.column),
        line_end: line(span.line_end),
        column_end: column(span.line_end, span.column_end),
    }
}

fn shift(error: SqlError, start: Location) -> SqlError {
    SqlError { span: shift_span(if error.span.is_known() { error.span } else { Span::at(1, 1) }, start), ..error }
}
