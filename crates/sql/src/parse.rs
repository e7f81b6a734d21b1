//! Statements from tokens: what a script may say, and what it may not yet, by name.

mod query;

use sqlparser::ast;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};
use weir_base::Span;

use crate::catalog::{full_name, place_of};
use crate::ddl::{at_query, parse_create_table, parse_name};
use crate::dialect::FlinkDialect;
use crate::error::{SqlResult, did_you_mean};
use crate::script::{Chunk, Hint};
use crate::syntax::{RECURSION_MAX, Tokens, plain_word};
use crate::{SqlError, Statement, StatementKind, View};
use query::{blame, parse_insert, parse_query};

/// Words that begin a statement, for suggestions.
const STARTS: &[&str] = &[
    "BEGIN", "CREATE", "DESCRIBE", "DROP", "EXECUTE", "EXPLAIN", "INSERT", "RESET", "SELECT", "SET", "SHOW", "VALUES",
    "WITH",
];

/// Statements of Flink that Weir does not have, each with what comes nearest.
const REFUSED: &[(&str, &str)] = &[
    ("ADD", "Weir runs no JARs: connectors and formats are built in"),
    ("ALTER", "DROP the table or view and CREATE it anew"),
    ("ANALYZE", "leave it out: plans do not depend on statistics"),
    ("CALL", "there are no procedures"),
    ("COMPILE", "write the INSERT itself; 'weir explain' shows its plan"),
    ("DELETE", "write the changes with an INSERT into a table with a primary key"),
    ("LOAD", "there are no modules: all functions are built in"),
    ("MERGE", "write an INSERT into a table with a primary key"),
    ("REMOVE", "Weir runs no JARs: connectors and formats are built in"),
    ("STOP", "end the process with SIGINT or SIGTERM: it takes a final checkpoint"),
    ("TRUNCATE", "DROP the table and CREATE it anew"),
    ("UNLOAD", "there are no modules: all functions are built in"),
    ("UPDATE", "write the changes with an INSERT into a table with a primary key"),
    ("USE", "leave it out: there is one catalog and one database"),
];

/// Reads all statements of a script; statement sets become one statement.
pub(crate) fn parse_script(chunks: Vec<Chunk>) -> SqlResult<Vec<Statement>> {
    let mut statements = Vec::new();
    let mut chunks = chunks.into_iter().peekable();
    while let Some(chunk) = chunks.next() {
        let explained = usize::from(word_at(&chunk, 0) == "EXPLAIN");
        let opening = set_opening(&chunk, explained);
        if opening == 0 {
            statements.push(parse_chunk(&chunk)?);
            continue;
        }
        let set = parse_statement_set(chunk, explained, opening, &mut chunks)?;
        statements.push(if explained == 1 {
            let span = set.span;
            Statement { kind: StatementKind::Explain(Box::new(set)), span }
        } else {
            set
        });
    }
    Ok(statements)
}

fn word_at(chunk: &Chunk, index: usize) -> String {
    chunk.tokens.get(index).and_then(|token| plain_word(&token.token)).unwrap_or_default()
}

/// How many tokens from `from` open a statement set: none, `BEGIN STATEMENT SET` or `[EXECUTE] STATEMENT SET BEGIN`.
fn set_opening(chunk: &Chunk, from: usize) -> usize {
    const OPENINGS: &[&[&str]] =
        &[&["EXECUTE", "STATEMENT", "SET", "BEGIN"], &["STATEMENT", "SET", "BEGIN"], &["BEGIN", "STATEMENT", "SET"]];
    let opening = OPENINGS
        .iter()
        .find(|words| words.iter().enumerate().all(|(index, word)| word_at(chunk, from + index) == *word));
    opening.map_or(0, |words| words.len())
}

/// Collects the INSERTs up to `END`. The opening may share its chunk with the first INSERT, as no `;` stands between them.
fn parse_statement_set(
    first: Chunk,
    explained: usize,
    opening: usize,
    chunks: &mut impl Iterator<Item = Chunk>,
) -> SqlResult<Statement> {
    let mut span = first.span();
    let start = opening_span(&first, explained + opening);
    let mut inserts = Vec::new();
    let rest = Chunk { tokens: first.tokens[explained + opening..].to_vec(), hints: first.hints };
    let mut next = if rest.tokens.is_empty() { chunks.next() } else { Some(rest) };
    loop {
        let Some(chunk) = next else {
            return Err(SqlError::new(start, "a statement set is not closed: END is missing")
                .hint("write 'END;' behind the last INSERT"));
        };
        let end = chunk.span();
        (span.line_end, span.column_end) = (end.line_end, end.column_end);
        if word_at(&chunk, 0) == "END" {
            if chunk.tokens.len() > 1 {
                return Err(SqlError::new(end, "SQL parse failed. END is followed by more, expected ';'"));
            }
            break;
        }
        match parse_chunk(&chunk)? {
            Statement { kind: StatementKind::Insert(insert), .. } => inserts.push(*insert),
            other => {
                return Err(SqlError::new(other.span, "only INSERT statements are allowed in a statement set")
                    .hint("put it before the statement set, or close the set with 'END;'"));
            }
        }
        next = chunks.next();
    }
    if inserts.is_empty() {
        return Err(SqlError::new(start, "NO statements in statement set")
            .hint("write at least one INSERT between BEGIN and END"));
    }
    Ok(Statement { kind: StatementKind::StatementSet(inserts), span })
}

fn opening_span(chunk: &Chunk, tokens: usize) -> Span {
    Chunk { tokens: chunk.tokens[..tokens].to_vec(), hints: Vec::new() }.span()
}

/// Reads one statement.
pub(crate) fn parse_chunk(chunk: &Chunk) -> SqlResult<Statement> {
    let dialect = FlinkDialect::for_tokens(chunk.tokens.len());
    let mut parser =
        Parser::new(&dialect).with_recursion_limit(RECURSION_MAX).with_tokens_with_locations(chunk.tokens.clone());
    let mut tokens = Tokens::new(&mut parser);
    let span = chunk.span();
    let result = parse_statement(&mut tokens, &chunk.hints, span);
    let kind = match result {
        Ok(kind) => kind,
        Err(error) => return Err(blame(&chunk.tokens, error)),
    };
    if !takes_hints(&kind)
        && let Some(hint) = chunk.hints.first()
    {
        let message = "a hint stands where none is supported";
        return Err(SqlError::new(crate::error::span_of(hint.span), message)
            .hint("only INSERT, SELECT and CREATE VIEW take hints"));
    }
    Ok(Statement { kind, span })
}

fn takes_hints(kind: &StatementKind) -> bool {
    match kind {
        StatementKind::Insert(_) | StatementKind::Select(_) | StatementKind::CreateView { .. } => true,
        StatementKind::Explain(inner) => takes_hints(&inner.kind),
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
        "CREATE" => parse_create(tokens, hints, span),
        "DROP" => parse_drop(tokens),
        "SET" => parse_set(tokens),
        "RESET" => parse_reset(tokens),
        "INSERT" => parse_insert(tokens, hints, span).map(|insert| StatementKind::Insert(Box::new(insert))),
        "EXECUTE" if tokens.is_word(1, "INSERT") => {
            tokens.parser.next_token();
            parse_insert(tokens, hints, span).map(|insert| StatementKind::Insert(Box::new(insert)))
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
        "EXPLAIN" => parse_explain(tokens, hints, span),
        "SHOW" => parse_show(tokens),
        "DESCRIBE" | "DESC" => {
            tokens.parser.next_token();
            let name = parse_name(tokens)?;
            tokens.expect_end()?;
            Ok(StatementKind::Describe(name))
        }
        other => Err(unknown_statement(tokens, other, place)),
    }
}

fn unknown_statement(tokens: &Tokens<'_, '_>, word: &str, place: Span) -> SqlError {
    match REFUSED.iter().find(|(refused, _)| *refused == word) {
        Some((_, way_out)) => SqlError::new(place, format!("the statement {word} is not supported")).hint(*way_out),
        None => tokens.expected("a statement").hint_maybe(did_you_mean(word, STARTS.iter().copied())),
    }
}

fn parse_create(tokens: &mut Tokens<'_, '_>, hints: &[Hint], span: Span) -> SqlResult<StatementKind> {
    const REFUSED: &[(&str, &str)] = &[
        ("CATALOG", "there is one catalog, in memory"),
        ("DATABASE", "there is one database"),
        ("FUNCTION", "only built-in functions are there"),
        ("SYSTEM", "only built-in functions are there"),
        ("MATERIALIZED", "write a table and an INSERT INTO it"),
        ("MODEL", "there are no models"),
        ("CONNECTION", "give the connection's options in the table's WITH"),
        ("OR", "DROP it, then CREATE it"),
    ];
    tokens.expect_word("CREATE")?;
    let temporary = tokens.word("TEMPORARY");
    let place = tokens.span();
    if tokens.word("TABLE") {
        let if_not_exists = tokens.words(&["IF", "NOT", "EXISTS"]);
        let table = Box::new(parse_create_table(tokens)?);
        return Ok(StatementKind::CreateTable { table, if_not_exists });
    }
    if tokens.word("VIEW") {
        let if_not_exists = tokens.words(&["IF", "NOT", "EXISTS"]);
        let view = Box::new(parse_view(tokens, hints, span)?);
        return Ok(StatementKind::CreateView { view, if_not_exists });
    }
    let word = tokens.plain_word().unwrap_or_default();
    match REFUSED.iter().find(|(refused, _)| *refused == word) {
        Some((_, way_out)) => {
            let temporary = if temporary { "TEMPORARY " } else { "" };
            Err(SqlError::new(place, format!("CREATE {temporary}{word} is not supported")).hint(*way_out))
        }
        None => Err(tokens.expected("TABLE or VIEW").hint_maybe(did_you_mean(&word, ["TABLE", "VIEW", "TEMPORARY"]))),
    }
}

fn parse_view(tokens: &mut Tokens<'_, '_>, hints: &[Hint], span: Span) -> SqlResult<View> {
    let name = parse_name(tokens)?;
    let mut columns: Vec<ast::Ident> = Vec::new();
    if tokens.take(&Token::LParen) {
        loop {
            let column = tokens.identifier("the name of a column")?;
            if columns.iter().any(|former| former.value == column.value) {
                let place = crate::error::span_of(column.span);
                return Err(SqlError::new(place, format!("the view has two columns named '{}'", column.value))
                    .hint("rename one of them"));
            }
            columns.push(column);
            crate::ddl::parse_comment(tokens)?;
            if !tokens.take(&Token::Comma) {
                break;
            }
        }
        tokens.expect(&Token::RParen, "',' or ')' behind a column's name")?;
    }
    crate::ddl::parse_comment(tokens)?;
    tokens.expect_word("AS")?;
    let query = parse_query(tokens, hints, span)?;
    let last = name.0.last().and_then(ast::ObjectNamePart::as_ident).map(|ident| ident.value.clone());
    Ok(View { full_name: full_name(&name)?, name: last.unwrap_or_default(), columns, query, span: place_of(&name) })
}

fn parse_drop(tokens: &mut Tokens<'_, '_>) -> SqlResult<StatementKind> {
    tokens.expect_word("DROP")?;
    tokens.word("TEMPORARY");
    let view = tokens.is_word(0, "VIEW");
    if !view && !tokens.is_word(0, "TABLE") {
        let place = tokens.span();
        return Err(match tokens.plain_word().as_deref() {
            Some(word @ ("CATALOG" | "DATABASE" | "FUNCTION" | "SYSTEM" | "MODEL" | "MATERIALIZED")) => {
                SqlError::new(place, format!("DROP {word} is not supported")).hint("DROP TABLE and DROP VIEW are")
            }
            _ => tokens.expected("TABLE or VIEW"),
        });
    }
    tokens.parser.next_token();
    let if_exists = tokens.words(&["IF", "EXISTS"]);
    let name = parse_name(tokens)?;
    tokens.expect_end()?;
    Ok(StatementKind::Drop { view, name, if_exists })
}

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
        let end = crate::error::span_of(token.span);
        (span.line_end, span.column_end) = (end.line_end, end.column_end);
    }
    if key.is_empty() { Err(tokens.expected("a key such as 'parallelism.default'")) } else { Ok((key, span)) }
}

fn parse_set(tokens: &mut Tokens<'_, '_>) -> SqlResult<StatementKind> {
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
        let end = crate::error::span_of(token.span);
        (span.line_end, span.column_end) = (end.line_end, end.column_end);
        last = Some(token);
    }
    if value.is_empty() { Err(tokens.expected("a value")) } else { Ok(value) }
}

fn parse_reset(tokens: &mut Tokens<'_, '_>) -> SqlResult<StatementKind> {
    tokens.expect_word("RESET")?;
    if tokens.at_end() {
        return Ok(StatementKind::Reset(None));
    }
    let key = parse_key(tokens)?;
    tokens.expect_end()?;
    Ok(StatementKind::Reset(Some(key)))
}

fn parse_show(tokens: &mut Tokens<'_, '_>) -> SqlResult<StatementKind> {
    tokens.expect_word("SHOW")?;
    let kind = if tokens.word("TABLES") {
        StatementKind::ShowTables
    } else if tokens.word("VIEWS") {
        StatementKind::ShowViews
    } else {
        let word = tokens.plain_word().unwrap_or_default();
        return Err(SqlError::new(tokens.span(), format!("SHOW {word} is not supported"))
            .hint("SHOW TABLES, SHOW VIEWS and DESCRIBE are"));
    };
    tokens.expect_end()?;
    Ok(kind)
}

fn parse_explain(tokens: &mut Tokens<'_, '_>, hints: &[Hint], span: Span) -> SqlResult<StatementKind> {
    tokens.expect_word("EXPLAIN")?;
    if !tokens.words(&["PLAN", "FOR"]) && !tokens.words(&["CHANGELOG_MODE"]) {
        let word = tokens.plain_word().unwrap_or_default();
        if matches!(word.as_str(), "ESTIMATED_COST" | "JSON_EXECUTION_PLAN" | "PLAN_ADVICE") {
            return Err(SqlError::new(tokens.span(), format!("EXPLAIN {word} is not supported"))
                .hint("EXPLAIN PLAN FOR shows operators, exchanges, changelog modes and state"));
        }
    }
    let place = tokens.span();
    let kind = if at_query(tokens.parser) {
        StatementKind::Select(Box::new(parse_query(tokens, hints, span)?))
    } else if tokens.is_word(0, "INSERT") {
        StatementKind::Insert(Box::new(parse_insert(tokens, hints, span)?))
    } else {
        return Err(tokens.expected("a query or an INSERT behind EXPLAIN"));
    };
    let span = Span { line: place.line, column: place.column, ..span };
    Ok(StatementKind::Explain(Box::new(Statement { kind, span })))
}
