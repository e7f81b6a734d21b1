//! A line taken apart into fields.

use crate::csv::style::Style;

/// A field of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldText {
    /// Its text as it stands in the line: bytes `start..end` of the line.
    pub start: usize,
    pub end: usize,
    /// Its text where that is another one, because of escapes or doubled quotes.
    pub changed: Option<Vec<u8>>,
}

/// Takes `line` apart into `fields`; an error is the byte where it is wrong and why.
pub(crate) fn split(line: &[u8], style: &Style, fields: &mut Vec<FieldText>) -> Result<(), (usize, &'static str)> {
    fields.clear();
    let mut at = 0;
    loop {
        let quoted = line.get(at).is_some_and(|byte| Some(*byte) == style.quote);
        let field = if quoted { quoted_field(line, &mut at, style)? } else { plain_field(line, &mut at, style) };
        fields.push(field);
        if at >= line.len() {
            return Ok(());
        }
        at += 1;
    }
}

/// A field without quotes; leaves `at` on the delimiter or at the end.
fn plain_field(line: &[u8], at: &mut usize, style: &Style) -> FieldText {
    let start = *at;
    let mut changed: Option<Vec<u8>> = None;
    while let Some(byte) = line.get(*at).copied().filter(|byte| *byte != style.delimiter) {
        let escaped = Some(byte) == style.escape && *at + 1 < line.len();
        if escaped {
            let text = changed.get_or_insert_with(|| line[start..*at].to_vec());
            text.push(line[*at + 1]);
        } else if let Some(text) = &mut changed {
            text.push(byte);
        }
        *at += 1 + usize::from(escaped);
    }
    FieldText { start, end: *at, changed }
}

/// A field in quotes; leaves `at` on the delimiter or at the end.
fn quoted_field(line: &[u8], at: &mut usize, style: &Style) -> Result<FieldText, (usize, &'static str)> {
    let opening = *at;
    *at += 1;
    let start = *at;
    let mut changed: Option<Vec<u8>> = None;
    loop {
        let Some(byte) = line.get(*at).copied() else { return Err((opening, "a quote is not closed")) };
        let next = line.get(*at + 1).copied();
        let escape = Some(byte) == style.escape && next.is_some();
        let doubled = Some(byte) == style.quote && next == style.quote;
        if escape || doubled {
            let text = changed.get_or_insert_with(|| line[start..*at].to_vec());
            text.extend(next);
            *at += 2;
        } else if Some(byte) == style.quote {
            break;
        } else {
            if let Some(text) = &mut changed {
                text.push(byte);
            }
            *at += 1;
        }
    }
    let end = *at;
    *at += 1;
    while line.get(*at) == Some(&b' ') && style.delimiter != b' ' {
        *at += 1;
    }
    match line.get(*at) {
        Some(byte) if *byte != style.delimiter => Err((*at, "expected the field delimiter after a closing quote")),
        _ => Ok(FieldText { start, end, changed }),
    }
}
