//! A script as tokens and statements.

use sqlparser::tokenizer::{Location, Span as ParserSpan, Token, TokenWithSpan};

/// Splits `>>` into two `>`: Flink has no shift operators, but types such as `ROW<a ARRAY<INT>>`.
pub(crate) fn split_shifts(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut split = Vec::with_capacity(tokens.len());
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
