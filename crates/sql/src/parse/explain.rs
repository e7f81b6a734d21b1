//! EXPLAIN: what it shows besides the plan, and what it takes.

use sqlparser::tokenizer::Token;

use super::word_at;
use crate::error::{SqlResult, did_you_mean, span_of};
use crate::script::Chunk;
use crate::statement::ExplainDetails;
use crate::{SqlError, Statement, StatementKind};

/// What EXPLAIN can show.
const DETAILS: &[&str] = &["CHANGELOG_MODE", "ESTIMATED_COST", "JSON_EXECUTION_PLAN", "PLAN_ADVICE"];

/// The statement behind EXPLAIN with what is to be shown of it; None: `chunk` is no EXPLAIN.
pub(super) fn explained(chunk: &Chunk) -> SqlResult<Option<(ExplainDetails, Chunk)>> {
    if word_at(chunk, 0) != "EXPLAIN" {
        return Ok(None);
    }
    let (details, at) = if word_at(chunk, 1) == "PLAN" && word_at(chunk, 2) == "FOR" {
        (ExplainDetails::default(), 3)
    } else {
        read_details(chunk)?
    };
    if at >= chunk.tokens.len() {
        return Err(SqlError::new(
            chunk.span(),
            "SQL parse failed. Encountered the end of the statement, expected a query, an INSERT or a statement set",
        ));
    }
    let inner = Chunk { tokens: chunk.tokens[at..].to_vec(), hints: chunk.hints.clone() };
    Ok(Some((details, inner)))
}

/// `CHANGELOG_MODE, JSON_EXECUTION_PLAN, ...`, and the index of what stands behind it.
fn read_details(chunk: &Chunk) -> SqlResult<(ExplainDetails, usize)> {
    const STARTS: &[&str] = &["SELECT", "WITH", "VALUES", "INSERT", "CREATE", "EXECUTE", "STATEMENT", "BEGIN", ""];
    let mut details = ExplainDetails::default();
    let mut at = 1;
    let mut seen: Vec<String> = Vec::new();
    loop {
        let word = word_at(chunk, at);
        let place = chunk.tokens.get(at).map(|token| span_of(token.span)).unwrap_or_default();
        if !DETAILS.contains(&word.as_str()) {
            if at > 1 || STARTS.contains(&word.as_str()) || is_statement(&word) {
                return Ok((details, at));
            }
            return Err(SqlError::new(
                place,
                format!("SQL parse failed. Encountered '{word}', expected a statement or what to show of it"),
            )
            .hint(did_you_mean(&word, DETAILS.iter().copied()).unwrap_or_else(|| {
                "write EXPLAIN, EXPLAIN CHANGELOG_MODE or EXPLAIN JSON_EXECUTION_PLAN before the statement".to_owned()
            })));
        }
        if seen.contains(&word) {
            return Err(SqlError::new(place, "SQL parse failed. Duplicate EXPLAIN DETAIL is not allowed.")
                .hint(format!("write {word} once")));
        }
        match word.as_str() {
            "CHANGELOG_MODE" => details.changelog_mode = true,
            "JSON_EXECUTION_PLAN" => details.json = true,
            "PLAN_ADVICE" => {
                return Err(SqlError::new(place, "EXPLAIN PLAN_ADVICE is not supported")
                    .hint("nothing gives advice on plans: leave PLAN_ADVICE out"));
            }
            _ => {
                return Err(SqlError::new(place, "EXPLAIN ESTIMATED_COST is not supported")
                    .hint("plans are made without costs: leave ESTIMATED_COST out"));
            }
        }
        seen.push(word);
        at += 1;
        if chunk.tokens.get(at).is_some_and(|token| token.token == Token::Comma) {
            at += 1;
        } else {
            return Ok((details, at));
        }
    }
}

/// Whether the word begins a statement that EXPLAIN does not take.
fn is_statement(word: &str) -> bool {
    super::STARTS.contains(&word) || super::REFUSED.iter().any(|(refused, _)| *refused == word)
}

/// Refuses what has no plan.
pub(super) fn check(inner: &Statement) -> SqlResult<()> {
    match &inner.kind {
        StatementKind::Select(_) | StatementKind::Insert(_) | StatementKind::StatementSet(_) => Ok(()),
        StatementKind::CreateTable(create) if create.query.is_some() => Ok(()),
        StatementKind::CreateTable(_) => Err(SqlError::new(
            inner.span,
            "Unsupported CREATE OR REPLACE statement for EXPLAIN. The statement must define a query using the AS clause (i.e. CTAS/RTAS \
             statements).",
        )
        .hint("EXPLAIN takes a query, an INSERT, a CREATE TABLE ... AS or a statement set")),
        _ => Err(SqlError::new(inner.span, "SQL parse failed. EXPLAIN takes no such statement")
            .hint("it takes a query, an INSERT, a CREATE TABLE ... AS or a statement set")),
    }
}
