//! Statements from tokens: what a script may say, and what it may not yet, by name.
//!
//! `create`, `alter`, `drop`, `show`, `settings`, `explain` and `query` read what begins with their word; `table` reads a table's columns and clauses,
//! which CREATE and ALTER share.

mod alter;
mod create;
mod drop;
mod explain;
mod insert;
mod like;
mod query;
mod settings;
mod show;
mod statement_set;
mod table;

use sqlparser::parser::Parser;
use weir_base::Span;

use crate::dialect::FlinkDialect;
use crate::error::{SqlResult, did_you_mean};
use crate::script::{Chunk, Hint};
use crate::syntax::{RECURSION_MAX, Tokens, plain_word};
use crate::{SqlError, Statement, StatementKind};
use insert::parse_insert;
use query::{at_query, blame, parse_query};

pub(crate) use table::parse_options;

/// Words that begin a statement, for suggestions.
const STARTS: &[&str] = &[
    "ALTER", "BEGIN", "CREATE", "DESCRIBE", "DROP", "EXECUTE", "EXPLAIN", "INSERT", "RESET", "SELECT", "SET", "SHOW",
    "USE", "VALUES", "WITH",
];

/// Statements of Flink that Weir does not have, each with what comes nearest.
const REFUSED: &[(&str, &str)] = &[
    ("ADD", "Weir runs no JARs: connectors and formats are built in"),
    ("ANALYZE", "leave it out: plans do not depend on statistics"),
    ("CALL", "there are no procedures"),
    ("COMPILE", "write the INSERT itself; 'weir explain' shows its plan"),
    ("DELETE", "write the changes with an INSERT into a table with a primary key"),
    ("LOAD", "there are no modules but 'core': all functions are built in"),
    ("MERGE", "write an INSERT into a table with a primary key"),
    ("REMOVE", "Weir runs no JARs: connectors and formats are built in"),
    ("REPLACE", "DROP the table, then CREATE TABLE ... AS"),
    ("STOP", "end the process with SIGINT or SIGTERM: it takes a final checkpoint"),
    ("TRUNCATE", "DROP the table and CREATE it anew"),
    ("UNLOAD", "there are no modules but 'core': all functions are built in"),
    ("UPDATE", "write the changes with an INSERT into a table with a primary key"),
];

/// Reads all statements of a script; statement sets become one statement.
pub(crate) fn parse_script(chunks: Vec<Chunk>) -> SqlResult<Vec<Statement>> {
    let mut statements = Vec::new();
    let mut chunks = chunks.into_iter();
    while let Some(chunk) = chunks.next() {
        let span = chunk.span();
        let Some((details, inner)) = explain::explained(&chunk)? else {
            statements.push(parse_next(chunk, &mut chunks)?);
            continue;
        };
        let inner = parse_next(inner, &mut chunks)?;
        explain::check(&inner)?;
        let span = Span { line_end: inner.span.line_end, column_end: inner.span.column_end, ..span };
        statements.push(Statement { kind: StatementKind::Explain(details, Box::new(inner)), span });
    }
    Ok(statements)
}

/// Reads the statement that begins in `chunk`: a statement set goes on in those behind it.
fn parse_next(chunk: Chunk, chunks: &mut impl Iterator<Item = Chunk>) -> SqlResult<Statement> {
    match statement_set::opening(&chunk) {
        0 => parse_chunk(&chunk),
        opening => statement_set::parse(chunk, opening, chunks),
    }
}

fn word_at(chunk: &Chunk, index: usize) -> String {
    chunk.tokens.get(index).and_then(|token| plain_word(&token.token)).unwrap_or_default()
}

/// Reads one statement.
fn parse_chunk(chunk: &Chunk) -> SqlResult<Statement> {
    let is_insert = word_at(chunk, 0) == "INSERT" || (word_at(chunk, 0) == "EXECUTE" && word_at(chunk, 1) == "INSERT");
    let (written, on_conflict) =
        if is_insert { insert::split_on_conflict(&chunk.tokens)? } else { (chunk.tokens.as_slice(), None) };
    let dialect = FlinkDialect::for_tokens(written.len());
    let mut parser =
        Parser::new(&dialect).with_recursion_limit(RECURSION_MAX).with_tokens_with_locations(written.to_vec());
    let mut tokens = Tokens::new(&mut parser);
    let span = chunk.span();
    let mut kind = parse_statement(&mut tokens, &chunk.hints, span).map_err(|error| blame(written, error))?;
    if let StatementKind::Insert(insert) = &mut kind {
        insert.on_conflict = on_conflict;
    }
    if !takes_hints(&kind)
        && let Some(hint) = chunk.hints.first()
    {
        let message = "a hint stands where none is supported";
        return Err(SqlError::new(crate::error::span_of(hint.span), message)
            .hint("only INSERT, SELECT, CREATE VIEW and CREATE TABLE ... AS take hints"));
    }
    Ok(Statement { kind, span })
}

fn takes_hints(kind: &StatementKind) -> bool {
    match kind {
        StatementKind::Insert(_) | StatementKind::Select(_) | StatementKind::CreateView(_) => true,
        StatementKind::CreateTable(create) => create.query.is_some(),
        _ => false,
    }
}

fn parse_statement(tokens: &mut Tokens<'_, '_>, hints: &[Hint], span: Span) -> SqlResult<StatementKind> {
    if at_query(tokens.parser) {
        return parse_query(tokens, hints, span).map(|query| StatementKind::Select(Box::new(query)));
    }
    let place = tokens.span();
    let Some(word) = tokens.plain_word() else { return Err(tokens.expected("a statement")) };
    match word.as_str() {
        "CREATE" => create::parse_create(tokens, hints, span),
        "ALTER" => alter::parse_alter(tokens, hints, span),
        "DROP" => drop::parse_drop(tokens),
        "USE" => show::parse_use(tokens),
        "SET" => settings::parse_set(tokens),
        "RESET" => settings::parse_reset(tokens),
        "INSERT" => parse_insert(tokens, hints, span).map(|insert| StatementKind::Insert(Box::new(insert))),
        "EXECUTE" if tokens.is_word(1, "INSERT") => {
            tokens.parser.next_token();
            parse_insert(tokens, hints, span).map(|insert| StatementKind::Insert(Box::new(insert)))
        }
        "EXECUTE" if tokens.is_word(1, "PLAN") => {
            Err(SqlError::new(place, "the statement EXECUTE PLAN is not supported")
                .hint("write the INSERT itself: plans are made anew for each run"))
        }
        "EXECUTE" => {
            tokens.parser.next_token();
            Err(tokens.expected("STATEMENT SET BEGIN or INSERT behind EXECUTE"))
        }
        "BEGIN" => {
            tokens.parser.next_token();
            Err(tokens.expected("STATEMENT SET behind BEGIN"))
        }
        "END" => {
            Err(SqlError::new(place, "END closes no statement set").hint("open one with EXECUTE STATEMENT SET BEGIN"))
        }
        "SHOW" => show::parse_show(tokens),
        "DESCRIBE" | "DESC" => show::parse_describe(tokens),
        other => Err(unknown_statement(tokens, other, place)),
    }
}

fn unknown_statement(tokens: &Tokens<'_, '_>, word: &str, place: Span) -> SqlError {
    match REFUSED.iter().find(|(refused, _)| *refused == word) {
        Some((_, way_out)) => SqlError::new(place, format!("the statement {word} is not supported")).hint(*way_out),
        None => tokens.expected("a statement").hint_maybe(did_you_mean(word, STARTS.iter().copied())),
    }
}
