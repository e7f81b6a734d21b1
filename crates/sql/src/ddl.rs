//! CREATE TABLE: columns, keys, watermark and options, read over sqlparser's tokens.
//!
//! What the declaration alone can tell is checked here, in Flink's words; options are checked against connectors in `options`,
//! expressions by the binder.

use sqlparser::ast::{self, Ident};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;
use weir_base::Span;
use weir_base::limits::COLUMNS_MAX;
use weir_plan::TableOptions;

use crate::catalog::{full_name, place_of};
use crate::error::{SqlResult, did_you_mean, span_of};
use crate::syntax::{Tokens, from_parser};
use crate::types::parse_type;
use crate::{Column, ColumnKind, SqlError, Table, Watermark};

/// A primary key as written.
struct PrimaryKey {
    columns: Vec<Ident>,
    span: Span,
}

/// What stands between a table's brackets.
#[derive(Default)]
struct Body {
    columns: Vec<Column>,
    watermark: Option<Watermark>,
    primary_key: Option<PrimaryKey>,
}

/// Reads what follows `CREATE [TEMPORARY] TABLE [IF NOT EXISTS]`, up to the end of the statement.
pub(crate) fn parse_create_table(tokens: &mut Tokens<'_, '_>) -> SqlResult<Table> {
    let name = parse_name(tokens)?;
    let mut body = Body::default();
    if tokens.take(&Token::LParen) {
        loop {
            parse_element(tokens, &mut body)?;
            if !tokens.take(&Token::Comma) {
                break;
            }
        }
        tokens.expect(&Token::RParen, "',' or ')' behind a column")?;
    }
    let comment = parse_comment(tokens)?;
    refuse_clauses(tokens)?;
    let mut options = TableOptions::default();
    if tokens.word("WITH") {
        tokens.expect(&Token::LParen, "'(' behind WITH")?;
        if !tokens.take(&Token::RParen) {
            parse_options(tokens, &mut options)?;
            tokens.expect(&Token::RParen, "',' or ')' behind an option")?;
        }
    }
    refuse_clauses(tokens)?;
    tokens.expect_end()?;
    finish(&name, body, options, comment)
}

/// A table's or view's name of one to three parts.
pub(crate) fn parse_name(tokens: &mut Tokens<'_, '_>) -> SqlResult<ast::ObjectName> {
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
pub(crate) fn parse_comment(tokens: &mut Tokens<'_, '_>) -> SqlResult<Option<String>> {
    if !tokens.word("COMMENT") {
        return Ok(None);
    }
    tokens.text("a comment in single quotes").map(|(text, _)| Some(text))
}

/// Clauses of CREATE TABLE that are not there yet.
fn refuse_clauses(tokens: &Tokens<'_, '_>) -> SqlResult<()> {
    const REFUSED: &[(&str, &str)] = &[
        ("PARTITIONED", "leave PARTITIONED BY out: files are written into one folder"),
        ("DISTRIBUTED", "leave DISTRIBUTED BY out: rows are distributed by the primary key"),
        ("LIKE", "repeat the columns and options of the other table"),
        ("AS", "declare the table with its columns, then write INSERT INTO ... SELECT"),
        ("USING", "name the connector in WITH ('connector' = '...')"),
    ];
    match REFUSED.iter().find(|(word, _)| tokens.is_word(0, word)) {
        Some((word, way_out)) => {
            Err(SqlError::new(tokens.span(), format!("CREATE TABLE ... {word} is not supported")).hint(*way_out))
        }
        None => Ok(()),
    }
}

/// A column, a watermark or a key.
fn parse_element(tokens: &mut Tokens<'_, '_>, body: &mut Body) -> SqlResult<()> {
    let span = tokens.span();
    if tokens.is_word(0, "WATERMARK") && tokens.is_word(1, "FOR") {
        return parse_watermark(tokens, body, span);
    }
    if tokens.is_word(0, "CONSTRAINT") && !tokens.is_word(2, "AS") {
        tokens.parser.next_token();
        tokens.identifier("the constraint's name")?;
        if !tokens.is_word(0, "PRIMARY") {
            return Err(refused_constraint(tokens));
        }
    }
    if tokens.words(&["PRIMARY", "KEY"]) {
        tokens.expect(&Token::LParen, "'(' behind PRIMARY KEY")?;
        let mut columns = vec![tokens.identifier("the name of a column")?];
        while tokens.take(&Token::Comma) {
            columns.push(tokens.identifier("the name of a column")?);
        }
        tokens.expect(&Token::RParen, "',' or ')' behind a column of the primary key")?;
        return set_primary_key(tokens, body, columns, span);
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
        Some(word @ ("UNIQUE" | "FOREIGN" | "CHECK" | "DEFAULT" | "REFERENCES")) => {
            SqlError::new(tokens.span(), format!("the constraint {word} is not supported"))
                .hint("only PRIMARY KEY ... NOT ENFORCED is")
        }
        _ => tokens.expected("PRIMARY KEY"),
    }
}

fn parse_watermark(tokens: &mut Tokens<'_, '_>, body: &mut Body, span: Span) -> SqlResult<()> {
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

fn parse_column(tokens: &mut Tokens<'_, '_>, body: &mut Body) -> SqlResult<()> {
    let name = tokens.identifier("the name of a column, WATERMARK FOR or PRIMARY KEY")?;
    let span = span_of(name.span);
    if body.columns.len() == COLUMNS_MAX {
        return Err(SqlError::new(span, format!("the table has more than {COLUMNS_MAX} columns"))
            .hint("put fields together in a ROW"));
    }
    if body.columns.iter().any(|column| column.name == name.value) {
        return Err(SqlError::new(span, format!("A column named '{}' already exists in the table.", name.value))
            .hint("rename one of them"));
    }
    let kind =
        if tokens.word("AS") { ColumnKind::Computed(parse_expression(tokens)?) } else { parse_stored(tokens, &name)? };
    loop {
        let constraint = tokens.span();
        if tokens.word("CONSTRAINT") {
            tokens.identifier("the constraint's name")?;
        }
        if tokens.words(&["PRIMARY", "KEY"]) {
            set_primary_key(tokens, body, vec![name.clone()], constraint)?;
        } else {
            break;
        }
    }
    parse_comment(tokens)?;
    if ["UNIQUE", "DEFAULT", "CHECK", "REFERENCES"].iter().any(|word| tokens.is_word(0, word)) {
        return Err(refused_constraint(tokens));
    }
    body.columns.push(Column { name: name.value, kind, span });
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

fn set_primary_key(tokens: &mut Tokens<'_, '_>, body: &mut Body, columns: Vec<Ident>, span: Span) -> SqlResult<()> {
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
    body.primary_key = Some(PrimaryKey { columns, span });
    Ok(())
}

fn finish(name: &ast::ObjectName, mut body: Body, options: TableOptions, comment: Option<String>) -> SqlResult<Table> {
    let span = place_of(name);
    if body.columns.is_empty() {
        return Err(SqlError::new(span, "a table without columns is not supported")
            .hint("declare the columns in brackets behind its name"));
    }
    let primary_key = check_primary_key(&mut body)?;
    if let Some(watermark) = &body.watermark {
        check_watermark(watermark, &body.columns)?;
    }
    Ok(Table {
        full_name: full_name(name)?,
        name: name
            .0
            .last()
            .and_then(ast::ObjectNamePart::as_ident)
            .map(|ident| ident.value.clone())
            .unwrap_or_default(),
        columns: body.columns,
        watermark: body.watermark,
        primary_key,
        options,
        comment,
        span,
    })
}

/// The names of the key's columns; their types become NOT NULL.
fn check_primary_key(body: &mut Body) -> SqlResult<Vec<String>> {
    let Some(key) = body.primary_key.take() else { return Ok(Vec::new()) };
    let mut names: Vec<String> = Vec::new();
    for ident in key.columns {
        let span = if ident.span.start.line > 0 { span_of(ident.span) } else { key.span };
        let Some(column) = body.columns.iter_mut().find(|column| column.name == ident.value) else {
            let hint = did_you_mean(&ident.value, body.columns.iter().map(|column| column.name.as_str()));
            return Err(SqlError::new(
                span,
                format!("Primary key column '{}' is not defined in the schema", ident.value),
            )
            .hint_maybe(hint));
        };
        if names.contains(&ident.value) {
            return Err(SqlError::new(
                span,
                format!(
                    "Invalid primary key. A primary key must not contain duplicate columns. Found: [{}]",
                    ident.value
                ),
            ));
        }
        let ColumnKind::Physical(data_type) = &mut column.kind else {
            return Err(SqlError::new(
                span,
                format!("Invalid primary key. Column '{}' is not a physical column.", ident.value),
            )
            .hint("a primary key consists of columns that the connector stores"));
        };
        data_type.nullable = false;
        names.push(ident.value);
    }
    Ok(names)
}

fn check_watermark(watermark: &Watermark, columns: &[Column]) -> SqlResult<()> {
    let Some(column) = columns.iter().find(|column| column.name == watermark.column) else {
        let hint = did_you_mean(&watermark.column, columns.iter().map(|column| column.name.as_str()));
        let message = format!("The rowtime attribute field '{}' is not defined in the table schema", watermark.column);
        return Err(SqlError::new(watermark.span, message).hint_maybe(hint));
    };
    let data_type = match &column.kind {
        ColumnKind::Physical(data_type) | ColumnKind::Metadata { data_type, .. } => data_type,
        // The binder knows the type of an expression.
        ColumnKind::Computed(_) => return Ok(()),
    };
    if data_type.logical.is_rowtime() {
        return Ok(());
    }
    Err(SqlError::new(
        watermark.span,
        format!(
            "Invalid data type of time field for watermark definition. The field must be of type TIMESTAMP(p) or TIMESTAMP_LTZ(p), the \
             supported precision 'p' is from 0 to 3, but the time field type is {data_type}"
        ),
    )
    .hint(format!("declare a computed column such as ts AS TO_TIMESTAMP_LTZ({}, 3), and the watermark on it", column.name)))
}

/// Whether `parser` stands at a query.
pub(crate) fn at_query(parser: &Parser<'_>) -> bool {
    match &parser.peek_token_ref().token {
        Token::LParen => true,
        token => matches!(crate::syntax::plain_word(token).as_deref(), Some("SELECT" | "WITH" | "VALUES")),
    }
}
