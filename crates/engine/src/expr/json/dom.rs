//! A JSON text as values, and back: numbers keep their digits, keys come out sorted, as Flink's JSON functions write them.
//!
//! The first value of a text is read; what stands behind it is not looked at. Of equal keys the last counts.

use std::fmt::Write as _;

use hashbrown::HashMap;

use super::number::write_number;
use super::scan::{DEPTH_MAX, Scanner, unescape};

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number, as it is written.
    Number(String),
    /// A text, without its escapes.
    Text(String),
    /// Elements.
    Array(Vec<Json>),
    /// Keys with values, in the order of the text, no key twice.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads the first value of `text`; None where there is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        read(&mut Scanner::new(text), 0)
    }

    /// Whether it is neither an array nor an object.
    pub(super) fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// The value of `key`, if it is an object that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Appends it as JSON, without blanks.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(digits) => write_number(digits, out),
            Self::Text(text) => write_text(text, out),
            Self::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(entries) => {
                let mut sorted: Vec<&(String, Self)> = entries.iter().collect();
                // Java's order of texts: by UTF-16 units.
                sorted.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
                out.push('{');
                for (index, (key, value)) in sorted.into_iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    write_text(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// Appends a scalar as Java's `toString` gives it, anything else as JSON; nothing for null.
    pub(super) fn write_plain(&self, out: &mut String) {
        match self {
            Self::Null => {}
            Self::Text(text) => out.push_str(text),
            other => other.write(out),
        }
    }
}

/// An object of `entries`: of equal keys the last value counts, at the place of the first.
pub(super) fn object(entries: Vec<(String, Json)>) -> Json {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(entries.len());
    let mut unique: Vec<(String, Json)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        if let Some(place) = places.get(&key) {
            unique[*place].1 = value;
            continue;
        }
        places.insert(key.clone(), unique.len());
        unique.push((key, value));
    }
    Json::Object(unique)
}

fn read(scanner: &mut Scanner<'_>, depth: usize) -> Option<Json> {
    if depth > DEPTH_MAX {
        return None;
    }
    scanner.blanks();
    match scanner.byte()? {
        b'{' => {
            scanner.pass(b'{')?;
            let mut entries = Vec::new();
            if scanner.pass(b'}').is_some() {
                return Some(Json::Object(entries));
            }
            loop {
                scanner.blanks();
                let key = text(scanner)?;
                scanner.pass(b':')?;
                let value = read(scanner, depth + 1)?;
                entries.push((key, value));
                if scanner.pass(b'}').is_some() {
                    return Some(object(entries));
                }
                scanner.pass(b',')?;
            }
        }
        b'[' => {
            scanner.pass(b'[')?;
            let mut elements = Vec::new();
            if scanner.pass(b']').is_some() {
                return Some(Json::Array(elements));
            }
            loop {
                elements.push(read(scanner, depth + 1)?);
                if scanner.pass(b']').is_some() {
                    return Some(Json::Array(elements));
                }
                scanner.pass(b',')?;
            }
        }
        b'"' => text(scanner).map(Json::Text),
        _ => Some(match scanner.plain()? {
            "null" => Json::Null,
            "true" => Json::Boolean(true),
            "false" => Json::Boolean(false),
            digits => Json::Number(digits.to_owned()),
        }),
    }
}

fn text(scanner: &mut Scanner<'_>) -> Option<String> {
    let (start, end) = scanner.string()?;
    let mut text = String::new();
    unescape(scanner.between(start, end), &mut text).then_some(text)
}

/// Appends `text` in quotes, with the escapes that Jackson writes.
pub(crate) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for ch in text.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' => {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(ch));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
