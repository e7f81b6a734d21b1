//! Text as a JSON string, escaped as Jackson does it; short texts by copies of one width, which cost no call.

use arrow_array::StringViewArray;

use crate::view::place_of;

/// Bytes of a wide copy: most names and values are shorter.
const WIDE: usize = 32;

/// A text that is written often.
pub(crate) struct Padded {
    text: Vec<u8>,
    /// Its first bytes, zeros behind them.
    wide: [u8; WIDE],
}

impl Padded {
    /// `text`, to be written as it is.
    pub fn new(text: Vec<u8>) -> Self {
        let mut wide = [0; WIDE];
        let count = text.len().min(WIDE);
        wide[..count].copy_from_slice(&text[..count]);
        Self { text, wide }
    }

    /// Appends it.
    #[inline]
    pub fn write(&self, out: &mut Vec<u8>) {
        if self.text.len() <= WIDE {
            append(&self.wide, self.text.len(), out);
        } else {
            out.extend_from_slice(&self.text);
        }
    }
}

/// Appends the first `length` bytes of `wide`.
#[inline]
fn append(wide: &[u8; WIDE], length: usize, out: &mut Vec<u8>) {
    let end = out.len() + length;
    out.extend_from_slice(wide);
    out.truncate(end);
}

/// Whether none of the first `length` bytes of `wide` needs an escape.
#[inline]
fn is_plain(wide: &[u8; WIDE], length: usize) -> bool {
    // Without branches, so that all bytes are looked at in a few wide steps.
    let mut escapes = 0;
    for (index, byte) in (0u8..).zip(wide) {
        let counts = usize::from(index) < length;
        escapes |= u8::from(counts & ((*byte == b'"') | (*byte == b'\\') | (*byte < 0x20)));
    }
    escapes == 0
}

/// Appends the text at `row` of `array` in quotes.
#[inline]
pub(crate) fn write_view(array: &StringViewArray, row: usize, out: &mut Vec<u8>) {
    let text = array.value(row).as_bytes();
    let (buffer, offset) = place_of(array.views()[row]);
    // What lies behind a short text in its buffer is loaded with it and not looked at. Texts of up to 12 bytes have no buffer.
    let wide = match text.len() {
        0..=12 => None,
        13..=WIDE => array.data_buffers().get(buffer).and_then(|buffer| buffer.get(offset..offset + WIDE)),
        _ => None,
    };
    match wide.and_then(|wide| <&[u8; WIDE]>::try_from(wide).ok()) {
        Some(wide) if is_plain(wide, text.len()) => {
            out.push(b'"');
            append(wide, text.len(), out);
            out.push(b'"');
        }
        _ if text.len() <= 12 => write_short(text, array.views()[row], out),
        _ => write_string(text, out),
    }
}

/// Appends `text`, which lies within its `view`.
#[inline]
fn write_short(text: &[u8], view: u128, out: &mut Vec<u8>) {
    let mut wide = [0; WIDE];
    wide[..16].copy_from_slice(&(view >> 32).to_le_bytes());
    if is_plain(&wide, text.len()) {
        out.push(b'"');
        append(&wide, text.len(), out);
        out.push(b'"');
    } else {
        write_string(text, out);
    }
}

/// Appends `text` in quotes.
#[inline]
pub(crate) fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    // One pass without branches says whether there is anything to escape; there rarely is.
    let plain = text.iter().fold(true, |plain, byte| plain & (*byte != b'"') & (*byte != b'\\') & (*byte >= 0x20));
    if plain {
        out.extend_from_slice(text);
    } else {
        write_escaped(text, out);
    }
    out.push(b'"');
}

#[cold]
fn write_escaped(text: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0C => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => {
                out.extend_from_slice(b"\\u00");
                out.push(DIGITS[usize::from(byte >> 4)]);
                out.push(DIGITS[usize::from(byte & 15)]);
            }
            _ => out.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_texts_are_escaped_alike_wherever_they_lie() {
        // Of each length up to beyond a wide copy, plain and with something to escape at each place; the last ones end with their buffer.
        let mut texts = vec![String::new()];
        for length in 1..=40 {
            let plain: String = (0..length).map(|index| char::from(b'a' + u8::try_from(index % 26).unwrap())).collect();
            texts.push(plain.clone());
            for at in 0..length {
                for special in ["\"", "\\", "\n", "\u{1}"] {
                    texts.push(format!("{}{special}{}", &plain[..at], &plain[at + 1..]));
                }
            }
            texts.push(format!("{}ü", &plain[..length - 1]));
        }
        let array: StringViewArray = texts.iter().map(Some).collect();
        for (row, text) in texts.iter().enumerate() {
            let (mut by_view, mut by_text) = (b"before".to_vec(), b"before".to_vec());
            write_view(&array, row, &mut by_view);
            write_string(text.as_bytes(), &mut by_text);
            assert_eq!(by_view, by_text, "{text:?}");
            let back: String = serde_json::from_slice(&by_view[6..]).unwrap();
            assert_eq!(back, *text);
        }
    }

    #[test]
    fn names_of_any_length_are_written_whole() {
        for length in [0, 1, 31, 32, 33, 100] {
            let text = "n".repeat(length).into_bytes();
            let mut out = b"x".to_vec();
            Padded::new(text.clone()).write(&mut out);
            assert_eq!(out[1..], text);
        }
    }
}
