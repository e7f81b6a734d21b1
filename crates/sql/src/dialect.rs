//! Flink's dialect over sqlparser, and how Flink's forms that sqlparser has no node for look in its AST.
//!
//! | Flink | AST |
//! | --- | --- |
//! | `TABLE(TUMBLE(...)) [AS a]` | `TableFactor::TableFunction { expr: Expr::Function(TUMBLE), alias }` |
//! | `TUMBLE(...) [AS a]` in FROM | `TableFactor::Table { name: TUMBLE, args: Some(..), alias, .. }` |
//! | `TABLE t [PARTITION BY a, ..] [ORDER BY b, ..]` as an argument | `Expr::Function` called [`TABLE_MARKER`]: the name as (compound) identifier, then optionally functions called [`PARTITION_MARKER`] and [`ORDER_MARKER`] |
//! | `DATA => x` | `FunctionArg::Named`, operator `RightArrow` |
//! | `DESCRIPTOR(ts)` | `Expr::Function` called DESCRIPTOR |
//! | `CAST(x AS <Flink type>)`, `TRY_CAST` | `Expr::Cast`, its type `Custom([one quoted identifier holding the type's text])`: read it with [`crate::cast_type`] |
//! | `MAP['k', v]` | `Expr::Function` called MAP |
//! | `ARRAY[..]` | `Expr::Array` |
//! | `ROW(..)` | `Expr::Function` called ROW |
//! | `TIMESTAMP WITH LOCAL TIME ZONE '..'` | `Expr::TypedString`, its type `Custom` |
//! | `a BETWEEN SYMMETRIC b AND c` | `Expr::Function` called [`SYMMETRIC_MARKER`] over a, b, c |
//! | `POSITION(a IN b FROM c)` | `Expr::Function` called LOCATE |
//!
//! Both spellings of a table function are one to whoever uses [`table_function`] and [`table_argument`]. Table hints are not in the AST:
//! see [`crate::TableHints`].

use std::cell::Cell;

use sqlparser::ast::{
    self, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName,
    TableFactor,
};
use sqlparser::dialect::{Dialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;
use weir_base::Span;

/// The function that stands for `TABLE t ...` as an argument. No user can write it: its name is no identifier.
pub const TABLE_MARKER: &str = "TABLE ";

/// The function inside [`TABLE_MARKER`] that holds the columns of `PARTITION BY`.
pub const PARTITION_MARKER: &str = "PARTITION BY ";

/// The function inside [`TABLE_MARKER`] that holds the columns of `ORDER BY`.
pub const ORDER_MARKER: &str = "ORDER BY ";

/// The function that stands for `a BETWEEN SYMMETRIC b AND c`.
pub(crate) const SYMMETRIC_MARKER: &str = "BETWEEN SYMMETRIC ";

/// A call of a table function in FROM, in either spelling.
#[derive(Debug, Clone)]
pub struct TableFunction<'a> {
    /// Its name as written.
    pub name: &'a ObjectName,
    /// Its arguments.
    pub args: &'a [FunctionArg],
    /// `AS alias`
    pub alias: Option<&'a ast::TableAlias>,
    /// The place of its name.
    pub span: Span,
}

/// The argument `TABLE t [PARTITION BY ...] [ORDER BY ...]`, or a bare table name.
#[derive(Debug, Clone)]
pub struct TableArgument<'a> {
    /// The table's name.
    pub name: ObjectName,
    /// The columns of `PARTITION BY`.
    pub partition_by: Vec<&'a Expr>,
    /// The columns of `ORDER BY`.
    pub order_by: Vec<&'a Expr>,
    /// The place of the table's name.
    pub span: Span,
}

/// The call, if `factor` is one.
pub fn table_function(factor: &TableFactor) -> Option<TableFunction<'_>> {
    let (name, args, alias) = match factor {
        TableFactor::TableFunction { expr: Expr::Function(function), alias } => {
            (&function.name, function_args(function), alias.as_ref())
        }
        TableFactor::Table { name, args: Some(args), alias, .. } => (name, args.args.as_slice(), alias.as_ref()),
        TableFactor::Function { name, args, alias, .. } => (name, args.as_slice(), alias.as_ref()),
        _ => return None,
    };
    Some(TableFunction { name, args, alias, span: crate::catalog::place_of(name) })
}

/// The table that an argument names: `TABLE t ...` or a bare (compound) identifier.
pub fn table_argument(argument: &Expr) -> Option<TableArgument<'_>> {
    let name_of = |expr: &Expr| match expr {
        Expr::Identifier(ident) => Some(ObjectName::from(vec![ident.clone()])),
        Expr::CompoundIdentifier(parts) => Some(ObjectName::from(parts.clone())),
        _ => None,
    };
    let mut found = TableArgument {
        name: ObjectName(Vec::new()),
        partition_by: Vec::new(),
        order_by: Vec::new(),
        span: Span::default(),
    };
    match argument {
        Expr::Function(function) if is_called(function, TABLE_MARKER) => {
            for part in function_args(function).iter().filter_map(positional) {
                match part {
                    Expr::Function(clause) if is_called(clause, PARTITION_MARKER) => {
                        found.partition_by = function_args(clause).iter().filter_map(positional).collect();
                    }
                    Expr::Function(clause) if is_called(clause, ORDER_MARKER) => {
                        found.order_by = function_args(clause).iter().filter_map(positional).collect();
                    }
                    other => found.name = name_of(other)?,
                }
            }
        }
        other => found.name = name_of(other)?,
    }
    found.span = crate::catalog::place_of(&found.name);
    Some(found)
}

/// The table of a `TABLE t ...`, if `expr` is one.
pub(crate) fn marked_table(expr: &Expr) -> Option<ObjectName> {
    match expr {
        Expr::Function(function) if is_called(function, TABLE_MARKER) => table_argument(expr).map(|table| table.name),
        _ => None,
    }
}

/// Gives a `TABLE t ...` another table.
pub(crate) fn set_marked_table(expr: &mut Expr, name: &ObjectName) {
    let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = expr else { return };
    if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(table))) = list.args.first_mut() {
        *table = Expr::CompoundIdentifier(name.0.iter().filter_map(|part| part.as_ident().cloned()).collect());
    }
}

/// The arguments of a function call, empty where it has no list.
pub fn function_args(function: &Function) -> &[FunctionArg] {
    match &function.args {
        FunctionArguments::List(list) => &list.args,
        FunctionArguments::None | FunctionArguments::Subquery(_) => &[],
    }
}

fn positional(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

/// Whether the function's name is exactly `name`.
pub(crate) fn is_called(function: &Function, name: &str) -> bool {
    matches!(function.name.0.as_slice(), [part] if part.as_ident().is_some_and(|ident| ident.value == name))
}

/// Flink's words and signs, as far as sqlparser asks.
///
/// sqlparser tries some forms in two ways, which nested in each other take exponential time. Each attempt to read an expression costs one
/// of a number that is in proportion to the text: right scripts use a small part of it.
#[derive(Debug)]
pub(crate) struct FlinkDialect {
    attempts_left: Cell<usize>,
}

impl FlinkDialect {
    /// The dialect for reading a text of so many tokens once.
    pub(crate) fn for_tokens(count: usize) -> Self {
        const ATTEMPTS_MIN: usize = 10_000;
        const ATTEMPTS_PER_TOKEN: usize = 50;
        Self { attempts_left: Cell::new(ATTEMPTS_MIN + count.saturating_mul(ATTEMPTS_PER_TOKEN)) }
    }
}

impl Dialect for FlinkDialect {
    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_' || ch == '$'
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`'
    }

    fn identifier_quote_style(&self, _identifier: &str) -> Option<char> {
        Some('`')
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_named_fn_args_with_rarrow_operator(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    /// Read, so that it can be refused by its name.
    fn supports_match_recognize(&self) -> bool {
        true
    }

    fn supports_table_versioning(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }

    fn require_interval_qualifier(&self) -> bool {
        true
    }

    /// Words that start a special form and nothing else. Were they names too, sqlparser would try each twice at every level of
    /// nesting: exponential time, and the error of the wrong attempt.
    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        matches!(
            keyword,
            Keyword::CASE
                | Keyword::CAST
                | Keyword::TRY_CAST
                | Keyword::CEIL
                | Keyword::EXISTS
                | Keyword::EXTRACT
                | Keyword::FLOOR
                | Keyword::INTERVAL
                | Keyword::NOT
                | Keyword::OVERLAY
                | Keyword::POSITION
                | Keyword::SELECT
                | Keyword::SUBSTRING
                | Keyword::TABLE
                | Keyword::TRIM
                | Keyword::WHEN
        )
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        let Some(attempts_left) = self.attempts_left.get().checked_sub(1) else {
            // The one error that sqlparser does not answer with another attempt.
            return Some(Err(ParserError::RecursionLimitExceeded));
        };
        self.attempts_left.set(attempts_left);
        let Token::Word(word) = &parser.peek_token_ref().token else { return None };
        if word.quote_style.is_some() {
            return None;
        }
        let next = &parser.peek_nth_token_ref(1).token;
        match word.keyword {
            Keyword::TABLE if matches!(next, Token::Word(_)) => Some(parse_table_argument(parser)),
            Keyword::MAP if matches!(next, Token::LBracket) => Some(parse_map(parser)),
            Keyword::CAST if matches!(next, Token::LParen) => Some(parse_cast(parser, ast::CastKind::Cast)),
            Keyword::TRY_CAST if matches!(next, Token::LParen) => Some(parse_cast(parser, ast::CastKind::TryCast)),
            Keyword::TIMESTAMP if names_local_zone(parser) => Some(parse_local_timestamp(parser)),
            Keyword::TRIM if trims_blanks(parser) => Some(parse_trim(parser)),
            Keyword::POSITION if matches!(next, Token::LParen) => {
                Some(parse_position(parser, self.prec_value(Precedence::Between)))
            }
            _ => crate::json_syntax::parse_prefix(parser),
        }
    }

    fn parse_infix(&self, parser: &mut Parser, expr: &Expr, _precedence: u8) -> Option<Result<Expr, ParserError>> {
        let word = |ahead: usize| match &parser.peek_nth_token_ref(ahead).token {
            Token::Word(word) if word.quote_style.is_none() => word.keyword,
            _ => Keyword::NoKeyword,
        };
        let negated = word(0) == Keyword::NOT;
        let between = usize::from(negated);
        let is_symmetric = word(between + 1) == Keyword::SYMMETRIC;
        if word(between) != Keyword::BETWEEN || !(is_symmetric || word(between + 1) == Keyword::ASYMMETRIC) {
            return crate::json_syntax::parse_infix(parser, expr);
        }
        (0..between + 2).for_each(|_| parser.advance_token());
        let precedence = self.prec_value(Precedence::Between);
        Some(parse_between(parser, expr.clone(), negated, is_symmetric, precedence))
    }
}

/// `low AND high` behind `BETWEEN SYMMETRIC`, which is BETWEEN with the bounds in either order, or behind `BETWEEN ASYMMETRIC`.
fn parse_between(
    parser: &mut Parser,
    expr: Expr,
    negated: bool,
    is_symmetric: bool,
    precedence: u8,
) -> Result<Expr, ParserError> {
    let low = parser.parse_subexpr(precedence)?;
    parser.expect_keyword_is(Keyword::AND)?;
    let high = parser.parse_subexpr(precedence)?;
    if !is_symmetric {
        return Ok(Expr::Between { expr: Box::new(expr), negated, low: Box::new(low), high: Box::new(high) });
    }
    let span = parser.get_current_token().span;
    let between = call(SYMMETRIC_MARKER, span, vec![expr, low, high]);
    Ok(if negated { Expr::UnaryOp { op: ast::UnaryOperator::Not, expr: Box::new(between) } } else { between })
}

/// Whether `TIMESTAMP WITH LOCAL ...` stands here.
fn names_local_zone(parser: &Parser) -> bool {
    let is = |ahead: usize, word: &str| parser.peek_nth_token_ref(ahead).token.to_string().eq_ignore_ascii_case(word);
    is(1, "WITH") && is(2, "LOCAL")
}

/// `TIMESTAMP WITH LOCAL TIME ZONE '...'`
fn parse_local_timestamp(parser: &mut Parser) -> Result<Expr, ParserError> {
    let span = parser.next_token().span;
    parser.advance_token();
    for word in ["LOCAL", "TIME", "ZONE"] {
        let token = parser.next_token();
        if !token.token.to_string().eq_ignore_ascii_case(word) {
            return parser.expected(word, token);
        }
    }
    let value = parser.parse_value()?;
    let name = ObjectName::from(vec![Ident::with_span(span, "TIMESTAMP WITH LOCAL TIME ZONE")]);
    let data_type = ast::DataType::Custom(name, Vec::new());
    Ok(Expr::TypedString(ast::TypedString { data_type, value, uses_odbc_syntax: false }))
}

pub(crate) fn call(name: &str, span: sqlparser::tokenizer::Span, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::with_span(span, name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn parse_table_argument(parser: &mut Parser) -> Result<Expr, ParserError> {
    let span = parser.next_token().span;
    let name = parser.parse_object_name(false)?;
    let mut idents: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
    let name = if idents.len() == 1 { Expr::Identifier(idents.remove(0)) } else { Expr::CompoundIdentifier(idents) };
    let mut args = vec![name];
    for (keyword, marker) in [(Keyword::PARTITION, PARTITION_MARKER), (Keyword::ORDER, ORDER_MARKER)] {
        let place = parser.peek_token_ref().span;
        if parser.parse_keywords(&[keyword, Keyword::BY]) {
            let columns = if parser.consume_token(&Token::LParen) {
                let columns = parser.parse_comma_separated(Parser::parse_expr)?;
                parser.expect_token(&Token::RParen)?;
                columns
            } else {
                parse_columns(parser)?
            };
            args.push(call(marker, place, columns));
        }
    }
    Ok(call(TABLE_MARKER, span, args))
}

/// Columns separated by commas; a comma before `name =>` belongs to the arguments around.
fn parse_columns(parser: &mut Parser) -> Result<Vec<Expr>, ParserError> {
    let mut columns = vec![parser.parse_expr()?];
    while parser.peek_token_ref().token == Token::Comma && !starts_argument(parser) {
        parser.next_token();
        columns.push(parser.parse_expr()?);
    }
    Ok(columns)
}

/// Whether what follows the comma is the next argument of the function rather than a column.
fn starts_argument(parser: &Parser) -> bool {
    let (first, second) = (&parser.peek_nth_token_ref(1).token, &parser.peek_nth_token_ref(2).token);
    match first {
        Token::Word(word) if word.keyword == Keyword::INTERVAL => true,
        Token::Word(_) => matches!(second, Token::RArrow | Token::LParen),
        _ => true,
    }
}

fn parse_map(parser: &mut Parser) -> Result<Expr, ParserError> {
    let span = parser.next_token().span;
    parser.expect_token(&Token::LBracket)?;
    let entries = parser.parse_comma_separated(Parser::parse_expr)?;
    parser.expect_token(&Token::RBracket)?;
    Ok(call("MAP", span, entries))
}

fn parse_cast(parser: &mut Parser, kind: ast::CastKind) -> Result<Expr, ParserError> {
    parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let expr = parser.parse_expr()?;
    parser.expect_keyword_is(Keyword::AS)?;
    let data_type = crate::types::parse_for_cast(parser)?;
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Cast { kind, expr: Box::new(expr), data_type, array: false, format: None })
}

/// Whether `TRIM(LEADING FROM ...` stands here: without the characters that are trimmed.
fn trims_blanks(parser: &Parser) -> bool {
    let word = |ahead: usize| match &parser.peek_nth_token_ref(ahead).token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    };
    parser.peek_nth_token_ref(1).token == Token::LParen
        && matches!(word(2), Keyword::LEADING | Keyword::TRAILING | Keyword::BOTH)
        && word(3) == Keyword::FROM
}

/// `TRIM(LEADING FROM a)`
fn parse_trim(parser: &mut Parser) -> Result<Expr, ParserError> {
    parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let trim_where = Some(parser.parse_trim_where()?);
    parser.expect_keyword_is(Keyword::FROM)?;
    let expr = Box::new(parser.parse_expr()?);
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Trim { expr, trim_where, trim_what: None, trim_characters: None })
}

/// `POSITION(a IN b [FROM c])`
fn parse_position(parser: &mut Parser, precedence: u8) -> Result<Expr, ParserError> {
    let span = parser.next_token().span;
    parser.expect_token(&Token::LParen)?;
    let expr = Box::new(parser.parse_subexpr(precedence)?);
    parser.expect_keyword_is(Keyword::IN)?;
    let r#in = Box::new(parser.parse_expr()?);
    if parser.parse_keyword(Keyword::FROM) {
        let from = parser.parse_expr()?;
        parser.expect_token(&Token::RParen)?;
        return Ok(call("LOCATE", span, vec![*expr, *r#in, from]));
    }
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Position { expr, r#in })
}
