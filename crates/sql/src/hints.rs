//! Hints, `/*+ ... */`: OPTIONS behind a table's name is kept for the binder, every other is refused by name. None is dropped.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr};
use sqlparser::tokenizer::{Location, Token};
use weir_base::Span;
use weir_plan::TableOptions;

use crate::dialect::{TABLE_MARKER, is_called, table_argument};
use crate::error::{SqlResult, span_of};
use crate::script::Hint;
use crate::syntax::{Tokens, with_parser};
use crate::{SqlError, TableHints};

/// Hints of Flink with what to do instead.
const KNOWN: &[(&str, &str)] = &[
    ("STATE_TTL", "SET 'table.exec.state.ttl' holds for the whole job"),
    ("LOOKUP", "lookup joins are not supported yet"),
    ("BROADCAST", "remove it: it only steers batch joins"),
    ("SHUFFLE_HASH", "remove it: it only steers batch joins"),
    ("SHUFFLE_MERGE", "remove it: it only steers batch joins"),
    ("NEST_LOOP", "remove it: it only steers batch joins"),
    ("MULTI_JOIN", "remove it: joins are not supported yet"),
];

/// Reads the hints of a statement: options by the place of the table's name before them.
pub(crate) fn read(hints: &[Hint]) -> SqlResult<TableHints> {
    let mut read = TableHints::default();
    for hint in hints {
        let options = with_parser(&hint.text, read_options).map_err(|error| shift(error, hint.span.start))?;
        let Some(place) = hint.behind else { return Err(misplaced(span_of(hint.span))) };
        let spans = options.spans.into_iter().map(|(key, span)| (key, shift_span(span, hint.span.start))).collect();
        read.by_place.insert((place.line, place.column), TableOptions { values: options.values, spans });
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

fn read_options(tokens: &mut Tokens<'_, '_>) -> SqlResult<TableOptions> {
    let mut options = TableOptions::default();
    if tokens.at_end() {
        return Err(SqlError::new(Span::at(1, 1), "a hint is empty").hint("remove it"));
    }
    loop {
        let span = tokens.span();
        let Some(name) = tokens.plain_word() else { return Err(tokens.expected("the name of a hint")) };
        if name != "OPTIONS" {
            let error = SqlError::new(span, format!("the hint {name} is not supported"));
            let way_out = KNOWN.iter().find(|(known, _)| *known == name).map(|(_, way_out)| *way_out);
            return Err(error.hint(way_out.unwrap_or("only OPTIONS behind a table's name is; remove this one")));
        }
        tokens.parser.next_token();
        tokens.expect(&Token::LParen, "'(' behind OPTIONS")?;
        crate::ddl::parse_options(tokens, &mut options)?;
        tokens.expect(&Token::RParen, "',' or ')' behind an option")?;
        tokens.take(&Token::Comma);
        if tokens.at_end() {
            return Ok(options);
        }
    }
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
