//! A script as statements of tokens: variables replaced, bounds kept, comments gone, hints set aside, cut at `;`.
//!
//! Bounds are checked before anything recurses: on the text (size, nesting of brackets), then on the tokens (nesting with CASE, length of
//! chains of operators), so that no script can exhaust the stack of what parses and binds it.

use sqlparser::tokenizer::{Location, Span as ParserSpan, Token, TokenWithSpan, Tokenizer, Whitespace};
use weir_base::Span;
use weir_base::limits::{EXPRESSION_OPERATORS_MAX, NESTING_MAX, SCRIPT_BYTES_MAX, STATEMENTS_MAX};

use crate::SqlError;
use crate::dialect::FlinkDialect;
use crate::error::{SqlResult, span_of};
use crate::literals::settle;
use crate::syntax::plain_word;
use crate::values::bracket_rows;
use crate::variables::{Context, Substituted, substitute};

/// One statement's tokens, without comments and spaces.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    /// Its tokens without the `;`; never empty.
    pub(crate) tokens: Vec<TokenWithSpan>,
    /// The hints in it.
    pub(crate) hints: Vec<Hint>,
}

/// A comment that begins with `/*+`.
#[derive(Debug, Clone)]
pub(crate) struct Hint {
    /// What stands between `/*+` and `*/`.
    pub(crate) text: String,
    /// Its place.
    pub(crate) span: ParserSpan,
    /// The place of the word before it, unless that is a keyword such as SELECT.
    pub(crate) behind: Option<Location>,
    /// The place of the SELECT before it.
    pub(crate) select: Option<Location>,
}

impl Chunk {
    /// From the first to the last token.
    pub(crate) fn span(&self) -> Span {
        let (first, last) = (self.tokens.first(), self.tokens.last());
        first
            .zip(last)
            .map(|(first, last)| span_of(ParserSpan::new(first.span.start, last.span.end)))
            .unwrap_or_default()
    }
}

/// Cuts a script into statements.
pub(crate) fn read(text: &str, variables: &dyn Fn(&str) -> Option<String>) -> SqlResult<Vec<Chunk>> {
    check_size(text, "the script")?;
    let substituted = substitute(text, variables)?;
    check_size(&substituted.text, "the script with its variables replaced")?;
    check_brackets(&substituted)?;
    let dialect = FlinkDialect::for_tokens(0);
    let tokens = Tokenizer::new(&dialect, &substituted.text).tokenize_with_location().map_err(|error| {
        let place = substituted.original(ParserSpan::new(error.location, error.location));
        SqlError::new(span_of(place), format!("SQL parse failed. {}", error.message))
            .hint("look for a quote or a comment that is not closed")
    })?;
    check_signs(&tokens, &substituted)?;
    let tokens = settle(&split_shifts(tokens), &|span| span_of(substituted.original(span)))?;
    let mut chunks = split_statements(tokens, &substituted)?;
    for chunk in &mut chunks {
        check_tokens(&chunk.tokens)?;
        chunk.tokens = bracket_rows(std::mem::take(&mut chunk.tokens));
        check_tokens(&chunk.tokens)?;
    }
    Ok(chunks)
}

/// Refuses `==` and `!=`, which sqlparser reads as `=` and `<>`.
fn check_signs(tokens: &[TokenWithSpan], substituted: &Substituted) -> SqlResult<()> {
    let mut chars = substituted.text.chars();
    let mut at = Location { line: 1, column: 1 };
    let signs = tokens.iter().filter(|token| matches!(token.token, Token::Neq | Token::DoubleEq));
    for token in signs {
        let mut first = None;
        while at <= token.span.start {
            first = chars.next();
            let Some(char) = first else { break };
            at = match char {
                '\n' => Location { line: at.line + 1, column: 1 },
                _ => Location { line: at.line, column: at.column + 1 },
            };
        }
        let place = span_of(substituted.original(token.span));
        if token.token == Token::DoubleEq {
            return Err(SqlError::new(place, "SQL parse failed. Encountered '= ='").hint("write ="));
        }
        if first == Some('!') {
            let message = "SQL parse failed. Bang equal '!=' is not allowed under the current SQL conformance level";
            return Err(SqlError::new(place, message).hint("write <>"));
        }
    }
    Ok(())
}

fn check_size(text: &str, what: &str) -> SqlResult<()> {
    if text.len() > SCRIPT_BYTES_MAX {
        let message = format!("{what} has {} bytes; at most {SCRIPT_BYTES_MAX} are read", text.len());
        return Err(SqlError::new(Span::default(), message).hint("split it into several scripts"));
    }
    Ok(())
}

/// Refuses brackets nested too deep, before a token is made of each.
fn check_brackets(substituted: &Substituted) -> SqlResult<()> {
    let mut context = Context::Plain;
    let mut depth: usize = 0;
    let mut at = Location { line: 1, column: 1 };
    let mut chars = substituted.text.chars().peekable();
    let mut paired = false;
    while let Some(ch) = chars.next() {
        if paired {
            paired = false;
        } else {
            match (context, ch) {
                (Context::Plain, '(' | '[') => depth += 1,
                (Context::Plain, ')' | ']') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > NESTING_MAX {
                return Err(too_deep(span_of(substituted.original(ParserSpan::new(at, at)))));
            }
            (context, paired) = context.step(ch, chars.peek().copied());
        }
        if ch == '\n' {
            at = Location { line: at.line + 1, column: 1 };
        } else {
            at.column += 1;
        }
    }
    Ok(())
}

fn too_deep(span: Span) -> SqlError {
    SqlError::new(span, format!("the statement is nested deeper than {NESTING_MAX}")).hint("split it with views")
}

/// Words behind which a hint is not one of a table.
const NOT_A_TABLE: &[&str] =
    &["SELECT", "INSERT", "FROM", "JOIN", "WHERE", "BY", "ON", "AND", "OR", "ALL", "DISTINCT", "INTO", "TABLE", "AS"];

fn split_statements(tokens: Vec<TokenWithSpan>, substituted: &Substituted) -> SqlResult<Vec<Chunk>> {
    let mut chunks = Vec::new();
    let mut chunk = Chunk { tokens: Vec::new(), hints: Vec::new() };
    for token in tokens {
        let span = substituted.original(token.span);
        match token.token {
            Token::SemiColon => {
                let full = std::mem::replace(&mut chunk, Chunk { tokens: Vec::new(), hints: Vec::new() });
                push_chunk(&mut chunks, full)?;
            }
            Token::Whitespace(Whitespace::MultiLineComment(comment)) if comment.starts_with('+') => {
                if substituted.is_variable(token.span.start) {
                    return Err(SqlError::new(span_of(span), "a hint cannot come from a variable")
                        .hint("write the hint into the script; its values may be variables"));
                }
                let behind = chunk.tokens.last().filter(|last| {
                    matches!(last.token, Token::Word(_))
                        && !plain_word(&last.token).is_some_and(|word| NOT_A_TABLE.contains(&word.as_str()))
                });
                let behind = behind.map(|last| last.span.start);
                let select =
                    chunk.tokens.last().filter(|last| plain_word(&last.token).is_some_and(|word| word == "SELECT"));
                let select = select.map(|last| last.span.start);
                chunk.hints.push(Hint { text: comment[1..].to_owned(), span, behind, select });
            }
            Token::Whitespace(_) => {}
            Token::DoubleQuotedString(_) => {
                return Err(SqlError::new(span_of(span), "double quotes are not used in Flink SQL")
                    .hint("put names in backticks (`name`) and texts in single quotes ('text')"));
            }
            Token::DollarQuotedString(_) | Token::Placeholder(_) => {
                return Err(SqlError::new(span_of(span), "SQL parse failed. Encountered '$'")
                    .hint("a variable is written ${NAME}"));
            }
            token => chunk.tokens.push(TokenWithSpan::new(token, span)),
        }
    }
    push_chunk(&mut chunks, chunk)?;
    Ok(chunks)
}

fn push_chunk(chunks: &mut Vec<Chunk>, chunk: Chunk) -> SqlResult<()> {
    if chunks.len() == STATEMENTS_MAX && !chunk.tokens.is_empty() {
        return Err(SqlError::new(chunk.span(), format!("the script has more than {STATEMENTS_MAX} statements"))
            .hint("split it into several scripts"));
    }
    if !chunk.tokens.is_empty() {
        chunks.push(chunk);
    } else if let Some(hint) = chunk.hints.first() {
        return Err(SqlError::new(span_of(hint.span), "a hint belongs to no statement")
            .hint("put it behind a table's name, or remove it"));
    }
    Ok(())
}

/// What the tokens of one level of nesting add up to.
#[derive(Default)]
struct Level {
    /// Operators since the last comma or clause: they nest in the syntax tree.
    operators: usize,
    /// UNION and its kin: they nest as well.
    set_operators: usize,
    /// Whether it was opened by CASE.
    is_case: bool,
    /// Whether it was opened by two or more brackets in a row before a query: sqlparser reads what is inside twice.
    is_read_twice: bool,
}

/// Levels inside each other that sqlparser reads twice, at most: the time doubles with each.
const READ_TWICE_MAX: usize = 8;

/// Refuses nesting (brackets and CASE) and chains of operators that are too long.
fn check_tokens(tokens: &[TokenWithSpan]) -> SqlResult<()> {
    let mut levels = vec![Level::default()];
    for (index, token) in tokens.iter().enumerate() {
        let word = plain_word(&token.token);
        let closes = matches!(token.token, Token::RParen | Token::RBracket);
        if matches!(token.token, Token::LParen | Token::LBracket) || word.as_deref() == Some("CASE") {
            if let Some(level) = levels.last_mut()
                && token.token == Token::LBracket
            {
                level.operators += 1;
            }
            let is_read_twice = opens_query_twice(&tokens[index..]);
            levels.push(Level { is_case: word.is_some(), is_read_twice, ..Level::default() });
            if is_read_twice && levels.iter().filter(|level| level.is_read_twice).count() > READ_TWICE_MAX {
                return Err(SqlError::new(
                    span_of(token.span),
                    format!("queries in doubled brackets are nested deeper than {READ_TWICE_MAX}"),
                )
                .hint("remove brackets that are not needed"));
            }
        } else if closes || (word.as_deref() == Some("END") && levels.last().is_some_and(|level| level.is_case)) {
            if closes {
                while levels.len() > 1 && levels.last().is_some_and(|level| level.is_case) {
                    levels.pop();
                }
            }
            levels.pop();
        }
        if levels.is_empty() {
            return Err(SqlError::new(
                span_of(token.span),
                format!("SQL parse failed. '{}' closes nothing", token.token),
            ));
        }
        if levels.len() > NESTING_MAX {
            return Err(too_deep(span_of(tokens[index].span)));
        }
        if let Some(level) = levels.last_mut() {
            count_operator(level, &token.token, word.as_deref());
            if level.operators.max(level.set_operators) > EXPRESSION_OPERATORS_MAX {
                return Err(SqlError::new(
                    span_of(token.span),
                    format!("an expression has more than {EXPRESSION_OPERATORS_MAX} operators in a row"),
                )
                .hint("write x IN (...) instead of many ORs, or split it with views"));
            }
        }
    }
    Ok(())
}

/// Whether the tokens begin with two or more brackets and a query.
fn opens_query_twice(tokens: &[TokenWithSpan]) -> bool {
    let brackets = tokens.iter().take_while(|token| token.token == Token::LParen).count();
    let behind = tokens.get(brackets).and_then(|token| plain_word(&token.token));
    brackets > 1 && matches!(behind.as_deref(), Some("SELECT" | "WITH" | "VALUES"))
}

fn count_operator(level: &mut Level, token: &Token, word: Option<&str>) {
    match (token, word) {
        (Token::Comma, _) | (_, Some("SELECT" | "FROM" | "WHERE" | "HAVING" | "GROUP" | "WHEN" | "THEN" | "ELSE")) => {
            level.operators = 0
        }
        (_, Some("UNION" | "INTERSECT" | "EXCEPT" | "MINUS")) => level.set_operators += 1,
        (
            _,
            Some(
                "AND" | "OR" | "NOT" | "IS" | "BETWEEN" | "LIKE" | "IN" | "SIMILAR" | "INTERVAL" | "AT" | "COLLATE"
                | "JOIN",
            ),
        ) => level.operators += 1,
        (_, Some(_)) => {}
        (Token::Word(_) | Token::Number(..) | Token::SingleQuotedString(_), _) => {}
        (Token::LParen | Token::RParen | Token::RBracket | Token::Period | Token::EOF, _) => {}
        // Whatever else there is is a sign: each may be an operator that nests.
        _ => level.operators += 1,
    }
}

/// Splits `>>` into two `>`: Flink has no shift operators, but types such as `ROW<a ARRAY<INT>>`.
pub(crate) fn split_shifts(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !tokens.iter().any(|token| token.token == Token::ShiftRight) {
        return tokens;
    }
    let mut split = Vec::with_capacity(tokens.len() + 1);
    for token in tokens {
        if token.token == Token::ShiftRight {
            let (start, end) = (token.span.start, token.span.end);
            let middle = Location { line: start.line, column: start.column + 1 };
            split.push(TokenWithSpan::new(Token::Gt, ParserSpan::new(start, middle)));
            split.push(TokenWithSpan::new(Token::Gt, ParserSpan::new(middle, end)));
        } else {
            split.push(token);
        }
    }
    split
}
