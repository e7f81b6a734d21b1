//! Rows of VALUES that are one expression without brackets, as in `VALUES 1, 2`: Flink takes them, sqlparser reads rows in brackets only.

use std::ops::Range;

use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::syntax::plain_word;

/// Puts brackets around them. A bracket has the place of the token that it stands beside, so that errors keep theirs.
pub(crate) fn bracket_rows(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let rows: Vec<Range<usize>> = (1..=tokens.len())
        .filter(|behind| plain_word(&tokens[behind - 1].token).as_deref() == Some("VALUES"))
        .flat_map(|behind| rows_from(&tokens, behind))
        .filter(|row| !row.is_empty() && !is_bracketed(&tokens[row.clone()]))
        .collect();
    if rows.is_empty() {
        return tokens;
    }
    let (mut opened, mut closed) = (vec![0_usize; tokens.len()], vec![0_usize; tokens.len()]);
    for row in &rows {
        opened[row.start] += 1;
        closed[row.end - 1] += 1;
    }
    let mut bracketed = Vec::with_capacity(tokens.len() + 2 * rows.len());
    for ((token, opened), closed) in tokens.into_iter().zip(opened).zip(closed) {
        let span = token.span;
        bracketed.extend((0..opened).map(|_| TokenWithSpan::new(Token::LParen, span)));
        bracketed.push(token);
        bracketed.extend((0..closed).map(|_| TokenWithSpan::new(Token::RParen, span)));
    }
    bracketed
}

/// How many levels deeper it is behind `token`.
fn step(token: &Token, word: Option<&str>) -> isize {
    match (token, word) {
        (Token::LParen | Token::LBracket, _) | (_, Some("CASE")) => 1,
        (Token::RParen | Token::RBracket, _) | (_, Some("END")) => -1,
        _ => 0,
    }
}

/// The rows of the VALUES whose first row begins at `start`.
fn rows_from(tokens: &[TokenWithSpan], start: usize) -> Vec<Range<usize>> {
    const BEHIND: &[&str] =
        &["EXCEPT", "FETCH", "INTERSECT", "LIMIT", "MINUS", "OFFSET", "ON", "ORDER", "SELECT", "UNION", "VALUES"];
    let (mut rows, mut row, mut depth) = (Vec::new(), start, 0);
    let mut end = tokens.len();
    for (index, token) in tokens.iter().enumerate().skip(start) {
        let word = plain_word(&token.token);
        depth += step(&token.token, word.as_deref());
        if depth < 0 || (depth == 0 && word.is_some_and(|word| BEHIND.contains(&word.as_str()))) {
            end = index;
            break;
        }
        if depth == 0 && token.token == Token::Comma {
            rows.push(row..index);
            row = index + 1;
        }
    }
    rows.push(row..end);
    rows
}

/// Whether `row` begins with a bracket or `ROW(`: then it ends with the bracket that closes that.
fn is_bracketed(row: &[TokenWithSpan]) -> bool {
    let is_bracket = |index: usize| row.get(index).is_some_and(|token| token.token == Token::LParen);
    let is_row = row.first().is_some_and(|first| plain_word(&first.token).as_deref() == Some("ROW"));
    is_bracket(usize::from(is_row))
}

#[cfg(test)]
mod tests {
    use sqlparser::tokenizer::Tokenizer;

    use super::*;
    use crate::dialect::FlinkDialect;

    #[test]
    fn a_row_that_is_an_expression_gets_brackets() {
        let cases = [
            ("VALUES 1, 2", "VALUES(1),(2)"),
            ("VALUES (1, 2), ROW(3, 4)", "VALUES(1,2),ROW(3,4)"),
            ("VALUES (1) + 2, -3 * (1), ((4))", "VALUES(1)+2,(-3*(1)),((4))"),
            (
                "INSERT INTO t VALUES CASE a WHEN 1, 2 THEN 3 END, ARRAY[1, 2]",
                "INSERTINTOtVALUES(CASEaWHEN1,2THEN3END),(ARRAY[1,2])",
            ),
            ("(VALUES 1 UNION ALL VALUES (2), f(3, 4)) ORDER BY 1", "(VALUES(1)UNIONALLVALUES(2),(f(3,4)))ORDERBY1"),
            ("VALUES a IN (VALUES 1, 2)", "VALUES(aIN(VALUES(1),(2)))"),
            ("INSERT INTO t VALUES 1 ON CONFLICT DO NOTHING", "INSERTINTOtVALUES(1)ONCONFLICTDONOTHING"),
            ("VALUES 1,", "VALUES(1),"),
            ("VALUES", "VALUES"),
            ("SELECT `VALUES` 1, 2", "SELECT`VALUES`1,2"),
        ];
        for (text, expected) in cases {
            let dialect = FlinkDialect::for_tokens(0);
            let mut tokens = Tokenizer::new(&dialect, text).tokenize_with_location().expect("the text has tokens");
            tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
            let bracketed: String = bracket_rows(tokens).iter().map(|token| token.token.to_string()).collect();
            assert_eq!(bracketed, expected, "{text}");
        }
    }
}
