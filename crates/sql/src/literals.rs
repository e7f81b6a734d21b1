//! Constants that Flink writes otherwise than sqlparser reads them, settled on the tokens: `U&'\00e4'` with `UESCAPE`, `_UTF8'ä'`, `N'ä'`, and texts that
//! go on in another line.
//!
//! Behind it a text is one `SingleQuotedString`, however it was written.

use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Whitespace};

use crate::SqlError;
use crate::error::SqlResult;

/// Charsets that may stand before a text, and whether they hold Latin-1 only.
const CHARSETS: &[(&str, bool)] = &[("LATIN1", true), ("UTF8", false), ("UTF16", false), ("UTF32", false)];

/// Where in the script a token stands.
type Place<'a> = &'a dyn Fn(Span) -> weir_base::Span;

/// The same tokens with each constant as one token; `place` gives a token's place in the script as it was written.
///
/// # Errors
/// A charset is unknown, an escape is broken, or two texts stand in one line.
pub(crate) fn settle(tokens: &[TokenWithSpan], place: Place<'_>) -> SqlResult<Vec<TokenWithSpan>> {
    let mut settled: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    while let [token, behind @ ..] = rest {
        rest = behind;
        let read = match &token.token {
            Token::NationalStringLiteral(text) => Some((text.clone(), token.span, 0)),
            Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("U") => {
                unicode(token, rest, place)?
            }
            Token::Word(word) if word.quote_style.is_none() && word.value.starts_with('_') => {
                with_charset(token, &word.value[1..], rest, place)?
            }
            _ => None,
        };
        let token = match read {
            Some((text, span, used)) => {
                rest = &rest[used..];
                TokenWithSpan::new(Token::SingleQuotedString(text), span)
            }
            None => token.clone(),
        };
        if !continued(&mut settled, &token, place)? {
            settled.push(token);
        }
    }
    Ok(settled)
}

/// A text that was read: itself, its place, and the number of tokens behind its first.
type Read = Option<(String, Span, usize)>;

/// Whether `token` goes on where the last constant ended; it is then joined to it.
fn continued(settled: &mut Vec<TokenWithSpan>, token: &TokenWithSpan, place: Place<'_>) -> SqlResult<bool> {
    let blanks = settled.iter().rev().take_while(|before| matches!(before.token, Token::Whitespace(_))).count();
    let Some(last) = settled.len().checked_sub(blanks + 1) else { return Ok(false) };
    let joined = match (&settled[last].token, &token.token) {
        (Token::SingleQuotedString(text), Token::SingleQuotedString(more)) => {
            Token::SingleQuotedString(format!("{text}{more}"))
        }
        _ => return Ok(false),
    };
    let is_in_next_line = settled[last + 1..].iter().any(|blank| match &blank.token {
        Token::Whitespace(Whitespace::Newline | Whitespace::SingleLineComment { .. }) => true,
        Token::Whitespace(Whitespace::MultiLineComment(comment)) => comment.contains('\n'),
        _ => false,
    });
    if !is_in_next_line {
        return Err(SqlError::new(place(token.span), "String literal continued on same line")
            .hint("join texts with a || b; a quote inside a text is written twice: 'it''s'"));
    }
    let span = Span::new(settled[last].span.start, token.span.end);
    settled.truncate(last);
    settled.push(TokenWithSpan::new(joined, span));
    Ok(true)
}

/// The text that begins right behind `token`, if there is one.
fn adjacent<'t>(token: &TokenWithSpan, rest: &'t [TokenWithSpan]) -> Option<(&'t str, Span)> {
    match rest.first()? {
        TokenWithSpan { token: Token::SingleQuotedString(text), span } if span.start == token.span.end => {
            Some((text, Span::new(token.span.start, span.end)))
        }
        _ => None,
    }
}

/// `_UTF8'ä'`
fn with_charset(word: &TokenWithSpan, charset: &str, rest: &[TokenWithSpan], place: Place<'_>) -> SqlResult<Read> {
    let Some((text, span)) = adjacent(word, rest) else { return Ok(None) };
    let Some((_, is_latin)) = CHARSETS.iter().find(|(known, _)| known.eq_ignore_ascii_case(charset)) else {
        return Err(SqlError::new(place(word.span), format!("SQL parse failed. Unknown character set '{charset}'"))
            .hint("leave the charset out: texts are Unicode"));
    };
    if *is_latin && text.chars().any(|char| u32::from(char) > 0xff) {
        let message = format!("SQL parse failed. Failed to encode '{text}' in character set 'ISO-8859-1'");
        return Err(SqlError::new(place(span), message).hint("leave the charset out: texts are Unicode"));
    }
    Ok(Some((text.to_owned(), span, 1)))
}

/// `U&'\00e4' [UESCAPE '\']`
fn unicode(word: &TokenWithSpan, rest: &[TokenWithSpan], place: Place<'_>) -> SqlResult<Read> {
    let [ampersand, behind @ ..] = rest else { return Ok(None) };
    if ampersand.token != Token::Ampersand || ampersand.span.start != word.span.end {
        return Ok(None);
    }
    let Some((text, span)) = adjacent(ampersand, behind) else { return Ok(None) };
    let span = Span::new(word.span.start, span.end);
    let (escape, span, used) = match written_escape(&behind[1..]) {
        Some((text, written, used)) => {
            let mut chars = text.chars();
            let escape = chars.next().filter(|char| chars.next().is_none() && is_escape(*char));
            let escape = escape.ok_or_else(|| {
                let why = format!("UESCAPE '{text}' may not be hex digit, whitespace, plus sign, or double quote");
                SqlError::new(place(written), format!("SQL parse failed. {why}")).hint("name one other character: '!'")
            })?;
            (escape, Span::new(span.start, written.end), used)
        }
        None => ('\\', span, 0),
    };
    let text = unescaped(text, escape).map_err(|at| {
        let why = format!("Unicode escape sequence starting at character {at} is not exactly four hex digits");
        SqlError::new(place(span), format!("SQL parse failed. {why}")).hint("write four digits: U&'\\00e4'")
    })?;
    Ok(Some((text, span, 2 + used)))
}

/// Whether the character may begin escapes.
fn is_escape(char: char) -> bool {
    !char.is_ascii_hexdigit() && !char.is_whitespace() && !matches!(char, '+' | '"' | '\'')
}

/// `UESCAPE '!'`, if it stands next: its text and place, and the number of its tokens.
fn written_escape(rest: &[TokenWithSpan]) -> Option<(&str, Span, usize)> {
    let mut ahead = rest.iter().enumerate().filter(|(_, token)| !matches!(token.token, Token::Whitespace(_)));
    match &ahead.next()?.1.token {
        Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("UESCAPE") => {}
        _ => return None,
    }
    match ahead.next()? {
        (index, TokenWithSpan { token: Token::SingleQuotedString(text), span }) => Some((text, *span, index + 1)),
        _ => None,
    }
}

/// `text` with its escapes replaced. Java reads the four characters as a number with a sign, which is kept: `\+01F` is the character 31.
///
/// # Errors
/// The index of an escape that is broken, counted in characters from 0.
fn unescaped(text: &str, escape: char) -> Result<String, usize> {
    let chars: Vec<char> = text.chars().collect();
    let mut units: Vec<u16> = Vec::with_capacity(chars.len());
    let mut at = 0;
    while at < chars.len() {
        if chars[at] != escape {
            units.extend_from_slice(chars[at].encode_utf16(&mut [0; 2]));
            at += 1;
        } else if chars.get(at + 1) == Some(&escape) {
            units.extend_from_slice(escape.encode_utf16(&mut [0; 2]));
            at += 2;
        } else {
            let digits: String = chars.get(at + 1..at + 5).ok_or(at)?.iter().collect();
            units.push(u16::from_str_radix(&digits, 16).map_err(|_| at)?);
            at += 5;
        }
    }
    String::from_utf16(&units).map_err(|_| 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_four_digits_behind_the_escape_character() {
        let cases = [
            (r"\00e4x", '\\', Ok("äx")),
            (r"\\", '\\', Ok(r"\")),
            ("!00e4!!", '!', Ok("ä!")),
            (r"\d83d\de00", '\\', Ok("😀")),
            (r"\+01F600", '\\', Ok("\u{1f}600")),
            (r"ab\00e", '\\', Err(2)),
            (r"\00g4", '\\', Err(0)),
        ];
        for (text, escape, expected) in cases {
            assert_eq!(unescaped(text, escape), expected.map(str::to_owned), "{text}");
        }
    }
}
