//! CREATE: tables, views, catalogs, databases.

use sqlparser::ast;
use sqlparser::tokenizer::Token;
use weir_base::Span;
use weir_plan::TableOptions;

use super::at_query;
use super::like::parse_like;
use super::query::parse_query;
use super::table::{parse_body, parse_comment, parse_distribution, parse_name, parse_names, parse_option_list};
use crate::catalog::Making;
use crate::error::{SqlResult, did_you_mean};
use crate::script::Hint;
use crate::statement::{CreateTable, CreateView, TableBody};
use crate::syntax::Tokens;
use crate::{SqlError, StatementKind};

/// What CREATE does not make.
const REFUSED: &[(&str, &str)] = &[
    ("FUNCTION", "only built-in functions are there"),
    ("SYSTEM", "only built-in functions are there"),
    ("MATERIALIZED", "write a table and an INSERT INTO it"),
    ("MODEL", "there are no models"),
    ("CONNECTION", "give the connection's options in the table's WITH"),
];

/// Reads a CREATE.
pub(super) fn parse_create(tokens: &mut Tokens<'_, '_>, hints: &[Hint], span: Span) -> SqlResult<StatementKind> {
    tokens.expect_word("CREATE")?;
    let replace_place = tokens.span();
    let replace = tokens.words(&["OR", "REPLACE"]);
    let temporary = tokens.word("TEMPORARY");
    let place = tokens.span();
    let word = tokens.plain_word().unwrap_or_default();
    if let Some((refused, way_out)) = REFUSED.iter().find(|(refused, _)| *refused == word) {
        let temporary = if temporary { "TEMPORARY " } else { "" };
        return Err(SqlError::new(place, format!("CREATE {temporary}{refused} is not supported")).hint(*way_out));
    }
    let mut making = Making { temporary, if_not_exists: false, replace };
    match word.as_str() {
        "TABLE" => {
            tokens.parser.next_token();
            making.if_not_exists = tokens.words(&["IF", "NOT", "EXISTS"]);
            let create = parse_table(tokens, making, hints, span)?;
            check_as(&create, replace_place, place)?;
            Ok(StatementKind::CreateTable(Box::new(create)))
        }
        "VIEW" => {
            tokens.parser.next_token();
            making.if_not_exists = tokens.words(&["IF", "NOT", "EXISTS"]);
            parse_view(tokens, making, hints, span).map(|view| StatementKind::CreateView(Box::new(view)))
        }
        "CATALOG" if !temporary && !replace => {
            tokens.parser.next_token();
            let if_not_exists = tokens.words(&["IF", "NOT", "EXISTS"]);
            let name = tokens.identifier("the name of a catalog")?;
            let (comment, options) = parse_info(tokens)?;
            Ok(StatementKind::CreateCatalog { name, if_not_exists, comment, options })
        }
        "DATABASE" if !temporary && !replace => {
            tokens.parser.next_token();
            let if_not_exists = tokens.words(&["IF", "NOT", "EXISTS"]);
            let name = parse_name(tokens)?;
            let (comment, options) = parse_info(tokens)?;
            Ok(StatementKind::CreateDatabase { name, if_not_exists, comment, options })
        }
        _ => Err(tokens
            .expected("TABLE, VIEW, DATABASE or CATALOG")
            .hint_maybe(did_you_mean(&word, ["TABLE", "VIEW", "TEMPORARY", "DATABASE", "CATALOG"]))),
    }
}

/// `[COMMENT 'text'] [WITH (...)]` to the end.
fn parse_info(tokens: &mut Tokens<'_, '_>) -> SqlResult<(Option<String>, TableOptions)> {
    let comment = parse_comment(tokens)?;
    let options = if tokens.word("WITH") { parse_option_list(tokens, "WITH")? } else { TableOptions::default() };
    tokens.expect_end()?;
    Ok((comment, options))
}

/// Reads what follows `CREATE TABLE [IF NOT EXISTS]`, up to the end of the statement.
fn parse_table(tokens: &mut Tokens<'_, '_>, making: Making, hints: &[Hint], span: Span) -> SqlResult<CreateTable> {
    let name = parse_name(tokens)?;
    let mut body = TableBody::default();
    if tokens.take(&Token::LParen) {
        parse_body(tokens, &mut body)?;
    }
    let comment = parse_comment(tokens)?;
    let place = tokens.span();
    let distribution = if tokens.word("DISTRIBUTED") { Some(parse_distribution(tokens, place)?) } else { None };
    let partition_keys =
        if tokens.words(&["PARTITIONED", "BY"]) { parse_names(tokens, "PARTITIONED BY")? } else { Vec::new() };
    let options = if tokens.word("WITH") { parse_option_list(tokens, "WITH")? } else { TableOptions::default() };
    let like = if tokens.word("LIKE") { Some(parse_like(tokens)?) } else { None };
    let mut query = None;
    if like.is_none() && tokens.word("AS") {
        if !at_query(tokens.parser) {
            return Err(tokens.expected("SELECT, WITH or VALUES"));
        }
        query = Some(parse_query(tokens, hints, span)?);
    }
    if tokens.is_word(0, "USING") {
        return Err(SqlError::new(tokens.span(), "CREATE TABLE ... USING is not supported")
            .hint("name the connector in WITH ('connector' = '...')"));
    }
    tokens.expect_end()?;
    Ok(CreateTable { name, making, body, comment, distribution, partition_keys, options, like, query })
}

/// Refuses what goes with AS only, and what AS does not go with.
fn check_as(create: &CreateTable, replace: Span, place: Span) -> SqlResult<()> {
    match &create.query {
        Some(_) if create.making.temporary => {
            Err(SqlError::new(place, "CREATE TABLE AS SELECT syntax does not support to create temporary table yet.")
                .hint("leave TEMPORARY out, or declare the table and write INSERT INTO ... SELECT"))
        }
        Some(_) if create.making.replace && create.making.if_not_exists => {
            Err(SqlError::new(replace, "CREATE OR REPLACE and IF NOT EXISTS cannot be used together")
                .hint("leave one of them out"))
        }
        Some(query) if !create.body.names.is_empty() && !create.body.columns.is_empty() => {
            Err(SqlError::new(query.span, "a table's columns are all declared with types or all without")
                .hint("give each column a type, or list names only to order the query's columns"))
        }
        None => match create.body.names.first() {
            Some(name) => Err(SqlError::new(
                crate::span_of(name.span),
                "Columns identifiers without types in the schema are supported on CTAS/RTAS statements only.",
            )
            .hint(format!("give '{}' a type", name.value))),
            None => Ok(()),
        },
        Some(_) => Ok(()),
    }
}

fn parse_view(tokens: &mut Tokens<'_, '_>, making: Making, hints: &[Hint], span: Span) -> SqlResult<CreateView> {
    let name = parse_name(tokens)?;
    let mut columns: Vec<ast::Ident> = Vec::new();
    if tokens.parser.peek_token_ref().token == Token::LParen {
        columns = parse_names(tokens, "the view's name")?;
        check_names(columns.iter())?;
    }
    let comment = parse_comment(tokens)?;
    tokens.expect_word("AS")?;
    if !at_query(tokens.parser) {
        return Err(tokens.expected("SELECT, WITH or VALUES"));
    }
    let query = parse_query(tokens, hints, span)?;
    Ok(CreateView { name, making, columns, comment, query })
}

/// Refuses a name that stands twice.
fn check_names<'i>(names: impl Iterator<Item = &'i ast::Ident>) -> SqlResult<()> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(&name.value) {
            let message = format!("A column with the same name `{}` has been defined", name.value);
            return Err(SqlError::new(crate::span_of(name.span), message).hint("rename one of them"));
        }
    }
    Ok(())
}
