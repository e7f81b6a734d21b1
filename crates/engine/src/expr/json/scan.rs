//! Walks a JSON text along a path without building it. The text before and inside the value found must be JSON; of equal keys the last counts.

use super::number::write_number;
use super::path::{Path, Step};

/// How deep arrays and objects may lie in one another: the scanner recurses.
pub(super) const DEPTH_MAX: usize = 512;

/// Appends the scalar at `path`; false where there is none, or the text is no JSON.
pub(super) fn value_at(text: &str, path: &Path, out: &mut String) -> bool {
    let mut scanner = Scanner::new(text);
    match scanner.find(&path.steps, 0) {
        Some(Some((start, end))) => write_scalar(&text[start..end], out),
        _ => false,
    }
}

/// Appends a scalar; false for null, arrays and objects.
fn write_scalar(value: &str, out: &mut String) -> bool {
    match value.as_bytes().first() {
        Some(b'"') => unescape(&value[1..value.len() - 1], out),
        Some(b't' | b'f') => {
            out.push_str(value);
            true
        }
        Some(b'-' | b'0'..=b'9') => {
            write_number(value, out);
            true
        }
        _ => false,
    }
}

/// A place in a text. Methods give None where the text is no JSON.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// The stretch of a value, if the path leads to one.
type Found = Option<(usize, usize)>;

impl<'a> Scanner<'a> {
    /// At the beginning of `text`.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The byte here.
    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes blanks.
    pub(super) fn blanks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Passes `byte` and blanks before it.
    pub(super) fn pass(&mut self, byte: u8) -> Option<()> {
        self.blanks();
        (self.byte() == Some(byte)).then(|| self.at += 1)
    }

    /// Passes the value here and gives what the path finds in it.
    fn find(&mut self, steps: &[Step], depth: usize) -> Option<Found> {
        self.blanks();
        if depth > DEPTH_MAX {
            return None;
        }
        let start = self.at;
        let found = match (self.byte()?, steps) {
            (b'{', [Step::Key(key), rest @ ..]) => self.object(Some((key, rest)), depth)?,
            (b'{', _) => self.object(None, depth)?,
            (b'[', [Step::Index(index), rest @ ..]) => self.array(Some((*index, rest)), depth)?,
            (b'[', _) => self.array(None, depth)?,
            (b'"', _) => self.string().map(|_| None)?,
            _ => self.plain().map(|_| None)?,
        };
        Some(if steps.is_empty() { Some((start, self.at)) } else { found })
    }

    fn object(&mut self, wanted: Option<(&str, &[Step])>, depth: usize) -> Option<Found> {
        self.pass(b'{')?;
        let mut found = None;
        if self.pass(b'}').is_some() {
            return Some(found);
        }
        loop {
            self.blanks();
            let (start, end) = self.string()?;
            self.pass(b':')?;
            match wanted {
                Some((key, rest)) if is_key(&self.text[start..end], key) => found = self.find(rest, depth + 1)?,
                _ => {
                    self.find(&[], depth + 1)?;
                }
            }
            if self.pass(b'}').is_some() {
                return Some(found);
            }
            self.pass(b',')?;
        }
    }

    fn array(&mut self, wanted: Option<(i64, &[Step])>, depth: usize) -> Option<Found> {
        self.pass(b'[')?;
        let mut elements = Vec::new();
        if self.pass(b']').is_some() {
            return Some(None);
        }
        loop {
            let found = self.find(wanted.map_or(&[], |(_, rest)| rest), depth + 1)?;
            if wanted.is_some() {
                elements.push(found);
            }
            if self.pass(b']').is_some() {
                break;
            }
            self.pass(b',')?;
        }
        let Some((index, _)) = wanted else { return Some(None) };
        let index = match usize::try_from(index) {
            Ok(index) => Some(index),
            Err(_) => {
                usize::try_from(index.unsigned_abs()).ok().and_then(|from_end| elements.len().checked_sub(from_end))
            }
        };
        Some(index.and_then(|index| elements.get(index).copied().flatten()))
    }

    /// Passes a string and gives the stretch between its quotes.
    pub(super) fn string(&mut self) -> Option<(usize, usize)> {
        self.pass(b'"')?;
        let start = self.at;
        loop {
            match self.byte()? {
                b'"' => break,
                b'\\' => self.at += 2,
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some((start, self.at - 1))
    }

    /// What stands between two places that [`Self::string`] gave.
    pub(super) fn between(&self, start: usize, end: usize) -> &'a str {
        &self.text[start..end]
    }

    /// Passes a number, true, false or null, and gives it.
    pub(super) fn plain(&mut self) -> Option<&'a str> {
        let rest = &self.text[self.at..];
        let length = rest.find([',', '}', ']', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
        let word = &rest[..length];
        self.at += length;
        (matches!(word, "true" | "false" | "null") || is_number(word)).then_some(word)
    }
}

/// Whether a text is a number of JSON's grammar.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// Whether what stands between the quotes of a key is `key`.
fn is_key(raw: &str, key: &str) -> bool {
    if !raw.contains('\\') {
        return raw == key;
    }
    let mut unescaped = String::new();
    unescape(raw, &mut unescaped) && unescaped == key
}

/// Appends a string without its escapes; false if one is malformed. A lone surrogate becomes `?`, as Java encodes it.
pub(super) fn unescape(raw: &str, out: &mut String) -> bool {
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let Some(escape) = rest[at + 1..].chars().next() else { return false };
        rest = &rest[at + 1 + escape.len_utf8()..];
        let plain = match escape {
            '"' | '\\' | '/' => escape,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let Some(first) = unit(rest) else { return false };
                rest = &rest[4..];
                let second = rest.strip_prefix("\\u").and_then(unit).filter(|_| (0xD800..0xDC00).contains(&first));
                let units = [first, second.unwrap_or(0)];
                let decoded = char::decode_utf16(units).next().and_then(Result::ok);
                if decoded.is_some_and(|decoded| decoded.len_utf16() == 2) {
                    rest = &rest[6..];
                }
                decoded.unwrap_or('?')
            }
            _ => return false,
        };
        out.push(plain);
    }
    out.push_str(rest);
    true
}

/// The UTF-16 unit that four hexadecimal digits name.
fn unit(text: &str) -> Option<u16> {
    let digits = text.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}
