//! ALTER: tables, views, databases.

use sqlparser::tokenizer::Token;
use weir_base::Span;

use super::at_query;
use super::query::parse_query;
use super::table::{parse_distribution, parse_element, parse_name, parse_names, parse_option_list};
use crate::error::SqlResult;
use crate::script::Hint;
use crate::statement::{ColumnPlace, TableChange, TableParts, ViewChange};
use crate::syntax::Tokens;
use crate::{SqlError, StatementKind};

/// Reads an ALTER.
pub(super) fn parse_alter(tokens: &mut Tokens<'_, '_>, hints: &[Hint], span: Span) -> SqlResult<StatementKind> {
    const REFUSED: &[(&str, &str)] = &[
        ("CATALOG", "DROP the catalog and CREATE it anew"),
        ("FUNCTION", "only built-in functions are there"),
        ("TEMPORARY", "temporary objects are not altered: DROP them and CREATE them anew"),
        ("SYSTEM", "only built-in functions are there"),
        ("MODEL", "there are no models"),
        ("MATERIALIZED", "there are no materialized tables"),
        ("CONNECTION", "there are no connections"),
    ];
    tokens.expect_word("ALTER")?;
    let place = tokens.span();
    let word = tokens.plain_word().unwrap_or_default();
    if let Some((refused, way_out)) = REFUSED.iter().find(|(refused, _)| *refused == word) {
        return Err(SqlError::new(place, format!("ALTER {refused} is not supported")).hint(*way_out));
    }
    let kind = match word.as_str() {
        "TABLE" => {
            tokens.parser.next_token();
            let if_exists = tokens.words(&["IF", "EXISTS"]);
            let name = parse_name(tokens)?;
            let change = Box::new(parse_table_change(tokens)?);
            StatementKind::AlterTable { name, if_exists, change }
        }
        "VIEW" => {
            tokens.parser.next_token();
            let if_exists = tokens.words(&["IF", "EXISTS"]);
            let name = parse_name(tokens)?;
            let change = if tokens.words(&["RENAME", "TO"]) {
                ViewChange::Rename(parse_name(tokens)?)
            } else if tokens.word("AS") {
                if !at_query(tokens.parser) {
                    return Err(tokens.expected("SELECT, WITH or VALUES"));
                }
                ViewChange::As(parse_query(tokens, hints, span)?)
            } else {
                return Err(tokens.expected("RENAME TO or AS"));
            };
            StatementKind::AlterView { name, if_exists, change: Box::new(change) }
        }
        "DATABASE" => {
            tokens.parser.next_token();
            let name = parse_name(tokens)?;
            tokens.expect_word("SET")?;
            StatementKind::AlterDatabase(name, parse_option_list(tokens, "SET")?)
        }
        _ => return Err(tokens.expected("TABLE, VIEW or DATABASE")),
    };
    tokens.expect_end()?;
    Ok(kind)
}

fn parse_table_change(tokens: &mut Tokens<'_, '_>) -> SqlResult<TableChange> {
    let place = tokens.span();
    if tokens.word("ADD") {
        let lenient = tokens.words(&["IF", "NOT", "EXISTS"]);
        if lenient || tokens.is_word(0, "PARTITION") {
            return parse_partition(tokens, false, lenient);
        }
        return parse_parts(tokens).map(TableChange::Add);
    }
    if tokens.word("MODIFY") {
        return parse_parts(tokens).map(TableChange::Modify);
    }
    if tokens.word("DROP") {
        return parse_dropped(tokens, place);
    }
    if tokens.words(&["RENAME", "TO"]) {
        return parse_name(tokens).map(TableChange::Rename);
    }
    if tokens.word("RENAME") {
        let from = tokens.identifier("the name of a column, or TO")?;
        tokens.expect_word("TO")?;
        return Ok(TableChange::RenameColumn(from, tokens.identifier("its new name")?));
    }
    if tokens.word("SET") {
        return parse_option_list(tokens, "SET").map(TableChange::Set);
    }
    if tokens.word("RESET") {
        return parse_reset_keys(tokens, place).map(TableChange::Reset);
    }
    Err(tokens.expected("ADD, MODIFY, DROP, RENAME, SET or RESET"))
}

fn parse_dropped(tokens: &mut Tokens<'_, '_>, place: Span) -> SqlResult<TableChange> {
    let lenient = tokens.words(&["IF", "EXISTS"]);
    if lenient || tokens.is_word(0, "PARTITION") {
        return parse_partition(tokens, true, lenient);
    }
    if tokens.words(&["PRIMARY", "KEY"]) {
        return Ok(TableChange::DropPrimaryKey(place));
    }
    if tokens.word("CONSTRAINT") {
        return tokens.identifier("the constraint's name").map(TableChange::DropConstraint);
    }
    if tokens.word("WATERMARK") {
        return Ok(TableChange::DropWatermark(place));
    }
    if tokens.word("DISTRIBUTION") {
        return Ok(TableChange::DropDistribution(place));
    }
    if tokens.parser.peek_token_ref().token == Token::LParen {
        return parse_names(tokens, "DROP").map(TableChange::DropColumns);
    }
    Ok(TableChange::DropColumns(vec![tokens.identifier("the name of a column")?]))
}

/// `('key', ...)`
fn parse_reset_keys(tokens: &mut Tokens<'_, '_>, place: Span) -> SqlResult<Vec<(String, Span)>> {
    tokens.expect(&Token::LParen, "'(' behind RESET")?;
    if tokens.take(&Token::RParen) {
        return Err(SqlError::new(place, "ALTER TABLE RESET does not support empty key").hint("name an option"));
    }
    let mut keys = vec![tokens.text("an option's key in single quotes")?];
    while tokens.take(&Token::Comma) {
        keys.push(tokens.text("an option's key in single quotes")?);
    }
    tokens.expect(&Token::RParen, "',' or ')' behind an option's key")?;
    Ok(keys)
}

/// One part, or several in brackets.
fn parse_parts(tokens: &mut Tokens<'_, '_>) -> SqlResult<TableParts> {
    let mut parts = TableParts::default();
    let place = tokens.span();
    if tokens.word("DISTRIBUTION") {
        parts.distribution = Some(parse_distribution(tokens, place)?);
        return Ok(parts);
    }
    if !tokens.take(&Token::LParen) {
        parse_part(tokens, &mut parts)?;
        return Ok(parts);
    }
    loop {
        parse_part(tokens, &mut parts)?;
        if !tokens.take(&Token::Comma) {
            break;
        }
    }
    tokens.expect(&Token::RParen, "',' or ')' behind a column")?;
    Ok(parts)
}

fn parse_part(tokens: &mut Tokens<'_, '_>, parts: &mut TableParts) -> SqlResult<()> {
    parse_element(tokens, &mut parts.body)?;
    if let Some(name) = parts.body.names.first() {
        return Err(SqlError::new(crate::span_of(name.span), format!("the column '{}' has no type", name.value))
            .hint("write its type behind its name"));
    }
    if parts.places.len() < parts.body.columns.len() {
        parts.places.push(if tokens.word("FIRST") {
            ColumnPlace::First
        } else if tokens.word("AFTER") {
            ColumnPlace::After(tokens.identifier("the name of a column")?)
        } else {
            ColumnPlace::Default
        });
    }
    Ok(())
}

/// `PARTITION (column = value, ...)`
fn parse_partition(tokens: &mut Tokens<'_, '_>, drop: bool, lenient: bool) -> SqlResult<TableChange> {
    let span = tokens.span();
    tokens.expect_word("PARTITION")?;
    tokens.expect(&Token::LParen, "'(' behind PARTITION")?;
    let mut values = Vec::new();
    loop {
        let column = tokens.identifier("the name of a column")?;
        tokens.expect(&Token::Eq, "'=' behind the column")?;
        let value = match tokens.parser.next_token().token {
            Token::SingleQuotedString(text) => text,
            token => token.to_string(),
        };
        values.push((column.value, value));
        if !tokens.take(&Token::Comma) {
            break;
        }
    }
    tokens.expect(&Token::RParen, "',' or ')' behind a value")?;
    Ok(TableChange::Partition { drop, values, lenient, span })
}
