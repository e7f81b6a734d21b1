//! Small steps over sqlparser's parser: words that are no keywords of its own, errors with places.

use sqlparser::ast::Ident;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, TokenizerError};
use weir_base::Span;

use crate::SqlError;
use crate::dialect::FlinkDialect;
use crate::error::{SqlResult, span_of};
use crate::reserved::check_name;

/// How deep sqlparser may recurse: one level of nesting in the text takes it up to five levels.
pub(crate) const RECURSION_MAX: usize = weir_base::limits::NESTING_MAX * 5;

/// What is "encountered" behind the last token.
const END: &str = "the end of the statement";

/// Parts a message from its hint while both travel inside a `ParserError`, which has room for one text only.
const HINT_MARK: char = '\u{1}';

/// A parser with the steps that our grammar is made of.
pub(crate) struct Tokens<'p, 'd> {
    /// The parser, between two tokens.
    pub(crate) parser: &'p mut Parser<'d>,
}

/// Runs `read` over the tokens of `text`; all of them must be used.
pub(crate) fn with_parser<T>(text: &str, read: impl FnOnce(&mut Tokens<'_, '_>) -> SqlResult<T>) -> SqlResult<T> {
    let dialect = FlinkDialect::for_tokens(text.len());
    let tokens = Tokenizer::new(&dialect, text).tokenize_with_location().map_err(|error| from_tokenizer(&error))?;
    let mut parser = Parser::new(&dialect)
        .with_recursion_limit(RECURSION_MAX)
        .with_tokens_with_locations(crate::script::split_shifts(tokens));
    let mut tokens = Tokens::new(&mut parser);
    let value = read(&mut tokens)?;
    tokens.expect_end()?;
    Ok(value)
}

impl<'p, 'd> Tokens<'p, 'd> {
    pub(crate) fn new(parser: &'p mut Parser<'d>) -> Self {
        Self { parser }
    }

    /// The place of the next token.
    pub(crate) fn span(&self) -> Span {
        span_of(self.parser.peek_token_ref().span)
    }

    /// The next token in upper case, if it is an unquoted word.
    pub(crate) fn plain_word(&self) -> Option<String> {
        plain_word(&self.parser.peek_token_ref().token)
    }

    /// Whether the token `ahead` places further is the word `word`.
    pub(crate) fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(&self.parser.peek_nth_token_ref(ahead).token, Token::Word(found)
            if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
    }

    /// Takes the next token if it is `word`.
    pub(crate) fn word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        if found {
            self.parser.next_token();
        }
        found
    }

    /// Takes the next tokens if they are these words.
    pub(crate) fn words(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(ahead, word)| self.is_word(ahead, word));
        if found {
            words.iter().for_each(|_| self.parser.advance_token());
        }
        found
    }

    pub(crate) fn expect_word(&mut self, word: &str) -> SqlResult<()> {
        if self.word(word) { Ok(()) } else { Err(self.expected(word)) }
    }

    pub(crate) fn expect_words(&mut self, words: &[&str]) -> SqlResult<()> {
        words.iter().try_for_each(|word| self.expect_word(word))
    }

    /// Takes the next token if it is `token`.
    pub(crate) fn take(&mut self, token: &Token) -> bool {
        self.parser.consume_token(token)
    }

    pub(crate) fn expect(&mut self, token: &Token, what: &str) -> SqlResult<()> {
        if self.take(token) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// Whether nothing is left.
    pub(crate) fn at_end(&self) -> bool {
        self.parser.peek_token_ref().token == Token::EOF
    }

    pub(crate) fn expect_end(&self) -> SqlResult<()> {
        if self.at_end() { Ok(()) } else { Err(self.expected("the end of the statement")) }
    }

    /// A name, quoted or not.
    pub(crate) fn identifier(&mut self, what: &str) -> SqlResult<Ident> {
        match self.parser.peek_token_ref().token {
            Token::Word(_) => {
                let name = self.parser.parse_identifier().map_err(from_parser)?;
                check_name(&name)?;
                Ok(name)
            }
            _ => Err(self.expected(what)),
        }
    }

    /// A text in single quotes.
    pub(crate) fn text(&mut self, what: &str) -> SqlResult<(String, Span)> {
        let span = self.span();
        let Token::SingleQuotedString(text) = &self.parser.peek_token_ref().token else {
            return Err(self.expected(what));
        };
        let text = text.clone();
        self.parser.next_token();
        Ok((text, span))
    }

    /// A whole number without sign.
    pub(crate) fn number(&mut self, what: &str) -> SqlResult<(u64, Span)> {
        let span = self.span();
        if let Token::Number(digits, _) = &self.parser.peek_token_ref().token
            && let Ok(number) = digits.parse()
        {
            self.parser.next_token();
            return Ok((number, span));
        }
        Err(self.expected(what))
    }

    /// The error that `what` was expected where the next token is.
    pub(crate) fn expected(&self, what: &str) -> SqlError {
        let token = self.parser.peek_token_ref();
        let found = match &token.token {
            Token::EOF => END.to_owned(),
            token => format!("'{}'", shorten(&token.to_string())),
        };
        let span = if token.token == Token::EOF { self.last_place() } else { span_of(token.span) };
        SqlError::new(span, format!("SQL parse failed. Encountered {found}, expected {what}"))
    }

    /// The place of the last token that there is.
    fn last_place(&self) -> Span {
        span_of(self.parser.get_current_token().span)
    }
}

/// `token` in upper case, if it is an unquoted word.
pub(crate) fn plain_word(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_uppercase()),
        _ => None,
    }
}

/// A long token cut so that a message stays readable.
pub(crate) fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// An error on its way through sqlparser's parser.
pub(crate) fn to_parser_error(error: SqlError) -> ParserError {
    let hint = error.hint.map(|hint| format!("{HINT_MARK}{hint}")).unwrap_or_default();
    ParserError::ParserError(format!(
        "{}{hint} at Line: {}, Column: {}",
        error.message, error.span.line, error.span.column
    ))
}

/// An error of sqlparser's parser, its place taken out of its text.
pub(crate) fn from_parser(error: ParserError) -> SqlError {
    match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => {
            let (text, span) = split_place(&text);
            let (message, hint) = match text.split_once(HINT_MARK) {
                Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
                None => (restate(text), None),
            };
            SqlError { message, span, hint }
        }
        ParserError::RecursionLimitExceeded => {
            SqlError::new(Span::default(), "the statement is nested too deep to be read").hint("split it with views")
        }
    }
}

/// An error of sqlparser's tokenizer.
pub(crate) fn from_tokenizer(error: &TokenizerError) -> SqlError {
    let span = span_of(sqlparser::tokenizer::Span::new(error.location, error.location));
    SqlError::new(span, format!("SQL parse failed. {}", error.message))
}

/// Settles the place of an error of sqlparser's parser over `tokens`: it knows none for the end, and names the token behind now and then.
/// `end` is what stands behind `tokens`, if not the end of the statement.
pub(crate) fn settle(mut error: SqlError, tokens: &[TokenWithSpan], end: Option<&TokenWithSpan>) -> SqlError {
    let last = || end.or_else(|| tokens.last()).map(|token| span_of(token.span)).unwrap_or_default();
    let Some(found) = error.message.strip_prefix("SQL parse failed. Encountered ") else { return error.at(last()) };
    if found.starts_with(END) {
        if let Some(end) = end {
            error.message = error.message.replacen(END, &format!("'{}'", end.token), 1);
        }
        return SqlError { span: last(), ..error };
    }
    let is_found = |token: &TokenWithSpan| found.starts_with(&format!("'{}'", token.token));
    if let Some(index) = tokens.iter().position(|token| {
        let span = span_of(token.span);
        (span.line, span.column) == (error.span.line, error.span.column)
    }) {
        let before = index.checked_sub(1).map(|before| &tokens[before]).filter(|before| is_found(before));
        error.span = match before {
            Some(before) if !is_found(&tokens[index]) => span_of(before.span),
            _ => span_of(tokens[index].span),
        };
    }
    error.at(last())
}

/// Cuts ` at Line: 3, Column: 7` from the end.
fn split_place(text: &str) -> (&str, Span) {
    let Some((message, place)) = text.rsplit_once(" at Line: ") else { return (text, Span::default()) };
    let Some((line, column)) = place.split_once(", Column: ") else { return (text, Span::default()) };
    match (line.trim().parse(), column.trim().parse()) {
        (Ok(line), Ok(column)) => (message, Span::at(line, column)),
        _ => (text, Span::default()),
    }
}

/// sqlparser's "Expected: X, found: Y" in the words of the rest.
fn restate(text: &str) -> String {
    if text.starts_with("SQL parse failed") {
        return text.to_owned();
    }
    let expected = text.strip_prefix("Expected: ").or_else(|| text.strip_prefix("Expected "));
    let Some((wanted, found)) = expected.and_then(|rest| rest.rsplit_once(", found: ")) else {
        return format!("SQL parse failed. {text}");
    };
    let found = if found == "EOF" { END.to_owned() } else { format!("'{}'", shorten(found)) };
    format!("SQL parse failed. Encountered {found}, expected {wanted}")
}
