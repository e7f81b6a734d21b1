//! What CREATE TABLE and ALTER TABLE share: columns, keys, watermarks, options, distribution, read over sqlparser's tokens.
//!
//! What a clause alone can tell is checked here, in Flink's words; what a whole table must hold is checked in `declare`, options against
//! connectors in `options`, expressions by the binder.

use sqlparser::ast::{self, Ident};
use sqlparser::tokenizer::Token;
use weir_base::Span;
use weir_base::limits::COLUMNS_MAX;
use weir_plan::TableOptions;

use crate::catalog::Distribution;
use crate::error::{SqlResult, span_of};
use crate::statement::{PrimaryKey, TableBody};
use crate::syntax::{Tokens, from_parser};
use crate::types::parse_type;
use crate::{Column, ColumnKind, SqlError, Watermark};

/// `(columns, watermark, key)` into `body`.
pub(super) fn parse_body(tokens: &mut Tokens<'_, '_>, body: &mut TableBody) -> SqlResult<()> {
    loop {
        parse_element(tokens, body)?;
        if !tokens.take(&Token::Comma) {
            break;
        }
    }
    tokens.expect(&Token::RParen, "',' or ')' behind a column")
}

/// A table's or view's name of one to three parts.
pub(super) fn parse_name(tokens: &mut Tokens<'_, '_>) -> SqlResult<ast::ObjectName> {
    let mut parts = vec![tokens.identifier("a name")?];
    while tokens.take(&Token::Period) {
        parts.push(tokens.identifier("a name behind '.'")?);
    }
    Ok(ast::ObjectName::from(parts))
}

/// `'key' = 'value', ...`
pub(crate) fn parse_options(tokens: &mut Tokens<'_, '_>, options: &mut TableOptions) -> SqlResult<()> {
    loop {
        let (key, span) = tokens.text("an option's key in single quotes")?;
        tokens.expect(&Token::Eq, "'=' behind an option's key")?;
        let (value, _) = tokens.text("an option's value in single quotes")?;
        if options.values.insert(key.clone(), value).is_some() {
            return Err(SqlError::new(span, format!("the option '{key}' is given twice")).hint("remove one of them"));
        }
        options.spans.insert(key, span);
        if !tokens.take(&Token::Comma) {
            return Ok(());
        }
    }
}

/// `COMMENT 'text'` or nothing.
pub(super) fn parse_comment(tokens: &mut Tokens<'_, '_>) -> SqlResult<Option<String>> {
    if !tokens.word("COMMENT") {
        return Ok(None);
    }
    tokens.text("a comment in single quotes").map(|(text, _)| Some(text))
}

/// `(['key' = 'value', ...])`
pub(super) fn parse_option_list(tokens: &mut Tokens<'_, '_>, behind: &str) -> SqlResult<TableOptions> {
    let mut options = TableOptions::default();
    tokens.expect(&Token::LParen, &format!("'(' behind {behind}"))?;
    if !tokens.take(&Token::RParen) {
        parse_options(tokens, &mut options)?;
        tokens.expect(&Token::RParen, "',' or ')' behind an option")?;
    }
    Ok(options)
}

/// `(name, ...)`
pub(super) fn parse_names(tokens: &mut Tokens<'_, '_>, behind: &str) -> SqlResult<Vec<Ident>> {
    tokens.expect(&Token::LParen, &format!("'(' behind {behind}"))?;
    let mut names = vec![tokens.identifier("the name of a column")?];
    while tokens.take(&Token::Comma) {
        names.push(tokens.identifier("the name of a column")?);
    }
    tokens.expect(&Token::RParen, "',' or ')' behind a column's name")?;
    Ok(names)
}

/// `BY [HASH|RANGE] (columns) [INTO n BUCKETS]` or `INTO n BUCKETS`, behind the word that opens it.
pub(super) fn parse_distribution(tokens: &mut Tokens<'_, '_>, span: Span) -> SqlResult<Distribution> {
    let mut distribution = Distribution { kind: None, keys: Vec::new(), buckets: None, span };
    let has_keys = tokens.word("BY");
    if has_keys {
        if tokens.word("HASH") {
            distribution.kind = Some("HASH");
        } else if tokens.word("RANGE") {
            distribution.kind = Some("RANGE");
        }
        distribution.keys = parse_names(tokens, "BY")?.into_iter().map(|ident| ident.value).collect();
    }
    if tokens.word("INTO") {
        let (buckets, place) = tokens.number("a number of buckets")?;
        if buckets == 0 {
            let message = "Invalid bucket count '0'. The number of buckets for a distributed table must be at least 1.";
            return Err(SqlError::new(place, message).hint("leave DISTRIBUTED out"));
        }
        distribution.buckets = Some(buckets);
        tokens.expect_word("BUCKETS")?;
    } else if !has_keys {
        return Err(tokens.expected("BY or INTO"));
    }
    Ok(distribution)
}

/// A column, a watermark or a key.
pub(super) fn parse_element(tokens: &mut Tokens<'_, '_>, body: &mut TableBody) -> SqlResult<()> {
    let span = tokens.span();
    if tokens.is_word(0, "WATERMARK") && tokens.is_word(1, "FOR") {
        return parse_watermark(tokens, body, span);
    }
    let mut name = None;
    if tokens.is_word(0, "CONSTRAINT") && !tokens.is_word(2, "AS") {
        tokens.parser.next_token();
        name = Some(tokens.identifier("the constraint's name")?.value);
        if !tokens.is_word(0, "PRIMARY") {
            return Err(refused_constraint(tokens));
        }
    }
    if tokens.words(&["PRIMARY", "KEY"]) {
        let columns = parse_names(tokens, "PRIMARY KEY")?;
        return set_primary_key(tokens, body, PrimaryKey { name, columns, span });
    }
    if (tokens.is_word(0, "UNIQUE") || tokens.is_word(0, "FOREIGN"))
        && !matches!(tokens.parser.peek_nth_token_ref(1).token, Token::Comma)
    {
        return Err(refused_constraint(tokens));
    }
    parse_column(tokens, body)
}

fn refused_constraint(tokens: &Tokens<'_, '_>) -> SqlError {
    match tokens.plain_word().as_deref() {
        Some("UNIQUE") => SqlError::new(tokens.span(), "UNIQUE constraint is not supported yet")
            .hint("only PRIMARY KEY ... NOT ENFORCED is"),
        Some(word @ ("FOREIGN" | "CHECK" | "DEFAULT" | "REFERENCES")) => {
            SqlError::new(tokens.span(), format!("the constraint {word} is not supported"))
                .hint("only PRIMARY KEY ... NOT ENFORCED is")
        }
        _ => tokens.expected("PRIMARY KEY"),
    }
}

fn parse_watermark(tokens: &mut Tokens<'_, '_>, body: &mut TableBody, span: Span) -> SqlResult<()> {
    tokens.expect_words(&["WATERMARK", "FOR"])?;
    let column = tokens.identifier("the name of the rowtime column")?;
    if matches!(tokens.parser.peek_token_ref().token, Token::Period) {
        return Err(SqlError::new(tokens.span(), "a watermark on a field inside a ROW is not supported")
            .hint("declare a computed column of that field, and the watermark on it"));
    }
    tokens.expect_word("AS")?;
    let expression = parse_expression(tokens)?;
    if body.watermark.is_some() {
        return Err(
            SqlError::new(span, "Multiple WATERMARK declarations are not supported yet.").hint("keep one of them")
        );
    }
    body.watermark = Some(Watermark { column: column.value, expression, span: span_of(column.span) });
    Ok(())
}

fn parse_expression(tokens: &mut Tokens<'_, '_>) -> SqlResult<Box<ast::Expr>> {
    tokens.parser.parse_expr().map(Box::new).map_err(from_parser)
}

fn parse_column(tokens: &mut Tokens<'_, '_>, body: &mut TableBody) -> SqlResult<()> {
    let name = tokens.identifier("the name of a column, WATERMARK FOR or PRIMARY KEY")?;
    let span = span_of(name.span);
    if body.columns.len() == COLUMNS_MAX {
        return Err(SqlError::new(span, format!("the table has more than {COLUMNS_MAX} columns"))
            .hint("put fields together in a ROW"));
    }
    if body.columns.iter().any(|column| column.name == name.value) {
        let message = format!("A column named '{}' already exists in the table.", name.value);
        return Err(SqlError::new(span, message).hint("rename one of them"));
    }
    if matches!(tokens.parser.peek_token_ref().token, Token::Comma | Token::RParen) {
        body.names.push(name);
        return Ok(());
    }
    let kind =
        if tokens.word("AS") { ColumnKind::Computed(parse_expression(tokens)?) } else { parse_stored(tokens, &name)? };
    loop {
        let constraint = tokens.span();
        let mut key = None;
        if tokens.word("CONSTRAINT") {
            key = Some(tokens.identifier("the constraint's name")?.value);
        }
        if tokens.words(&["PRIMARY", "KEY"]) {
            let key = PrimaryKey { name: key, columns: vec![name.clone()], span: constraint };
            set_primary_key(tokens, body, key)?;
        } else {
            break;
        }
    }
    let comment = parse_comment(tokens)?;
    if ["UNIQUE", "DEFAULT", "CHECK", "REFERENCES"].iter().any(|word| tokens.is_word(0, word)) {
        return Err(refused_constraint(tokens));
    }
    body.columns.push(Column { name: name.value, kind, comment, span });
    Ok(())
}

/// `type [METADATA [FROM 'key'] [VIRTUAL]]`
fn parse_stored(tokens: &mut Tokens<'_, '_>, name: &Ident) -> SqlResult<ColumnKind> {
    let data_type = parse_type(tokens)?;
    if !tokens.word("METADATA") {
        return Ok(ColumnKind::Physical(data_type));
    }
    let key = if tokens.word("FROM") { tokens.text("a metadata key in single quotes")?.0 } else { name.value.clone() };
    let is_virtual = tokens.word("VIRTUAL");
    Ok(ColumnKind::Metadata { key, data_type, is_virtual })
}

fn set_primary_key(tokens: &mut Tokens<'_, '_>, body: &mut TableBody, key: PrimaryKey) -> SqlResult<()> {
    let span = key.span;
    if !tokens.words(&["NOT", "ENFORCED"]) {
        return Err(SqlError::new(
            span,
            "Flink doesn't support ENFORCED mode for PRIMARY KEY constraint. ENFORCED/NOT ENFORCED controls if the constraint checks \
             are performed on the incoming/outgoing data. Flink does not own the data therefore the only supported mode is the NOT \
             ENFORCED mode",
        )
        .hint("write PRIMARY KEY ... NOT ENFORCED"));
    }
    if body.primary_key.is_some() {
        return Err(SqlError::new(span, "Duplicate primary key definition").hint("keep one of them"));
    }
    body.primary_key = Some(key);
    Ok(())
}
