//! Java's patterns of dates and times: taken apart here, used by `write` and `read`.
//!
//! Flink hands some functions to `DateTimeFormatter` (DATE_FORMAT, TO_TIMESTAMP) and some to `SimpleDateFormat` (FROM_UNIXTIME, UNIX_TIMESTAMP, TO_DATE,
//! DATE_FORMAT of a text): two dialects with one alphabet. Names are English, weeks begin on Sunday.

mod calendar;
mod read;
mod read_simple;
mod resolve;
mod write;

pub(super) use read::read;
pub(super) use read_simple::read_simple;
pub(super) use write::{Instant, write};

/// Whose rules a pattern follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `java.time.format.DateTimeFormatter`
    Formatter,
    /// `java.text.SimpleDateFormat`
    Simple,
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// Text that stands for itself.
    Text(String),
    /// A letter, repeated.
    Field(char, usize),
    /// An optional stretch: `[...]`.
    Optional(Vec<Item>),
}

/// A pattern taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// Its pieces.
    pub(super) items: Vec<Item>,
    /// Its rules.
    pub(super) dialect: Dialect,
}

/// The letters that are known, by dialect.
const FORMATTER: &str = "GuyYQqMLwWdDFEecahHkKmsSAnNXxZz";
const SIMPLE: &str = "GyYMLwWDdFEuaHkKhmsSzZX";
/// The letters that Java knows besides.
const FORMATTER_MORE: &str = "VvOpBg";

/// The most letters of one field.
const REPEATED_MAX: usize = 19;

impl Pattern {
    /// Takes `pattern` apart.
    ///
    /// # Errors
    /// Java's words for what is wrong with it, or what is not supported.
    pub(super) fn parse(pattern: &str, dialect: Dialect) -> Result<Self, String> {
        let characters: Vec<char> = pattern.chars().collect();
        let mut stack: Vec<Vec<Item>> = vec![Vec::new()];
        let mut at = 0;
        while let Some(&character) = characters.get(at) {
            let top = stack.last_mut().expect("the outermost stretch stays");
            match character {
                'a'..='z' | 'A'..='Z' => {
                    let count = characters[at..].iter().take_while(|next| **next == character).count();
                    check(character, count, dialect)?;
                    top.push(Item::Field(character, count));
                    at += count;
                    continue;
                }
                '\'' => {
                    let (text, length) = quoted(&characters[at..])
                        .ok_or_else(|| format!("Pattern ends with an incomplete string literal: {pattern}"))?;
                    push_text(top, &text);
                    at += length;
                    continue;
                }
                '[' if dialect == Dialect::Formatter => stack.push(Vec::new()),
                ']' if dialect == Dialect::Formatter => {
                    let items = stack.pop().unwrap_or_default();
                    match stack.last_mut() {
                        Some(outer) => outer.push(Item::Optional(items)),
                        None => return Err("Pattern invalid as it contains ] without previous [".to_owned()),
                    }
                }
                '{' | '}' | '#' if dialect == Dialect::Formatter => {
                    return Err(format!("Pattern includes reserved character: '{character}'"));
                }
                other => push_text(top, other.encode_utf8(&mut [0; 4])),
            }
            at += 1;
        }
        // What is opened and not closed ends with the pattern.
        while stack.len() > 1 {
            let items = stack.pop().unwrap_or_default();
            stack.last_mut().expect("the outermost stretch stays").push(Item::Optional(items));
        }
        Ok(Self { items: stack.pop().unwrap_or_default(), dialect })
    }
}

fn push_text(items: &mut Vec<Item>, text: &str) {
    match items.last_mut() {
        Some(Item::Text(before)) => before.push_str(text),
        _ => items.push(Item::Text(text.to_owned())),
    }
}

/// A quoted text at the start and its length; `''` is a quote, inside and outside. None if it does not end.
fn quoted(characters: &[char]) -> Option<(String, usize)> {
    if characters.get(1) == Some(&'\'') {
        return Some(("'".to_owned(), 2));
    }
    let mut text = String::new();
    let mut at = 1;
    loop {
        match (characters.get(at)?, characters.get(at + 1)) {
            ('\'', Some('\'')) => {
                text.push('\'');
                at += 2;
            }
            ('\'', _) => return Some((text, at + 1)),
            (other, _) => {
                text.push(*other);
                at += 1;
            }
        }
    }
}

/// Whether a field can be used.
fn check(letter: char, count: usize, dialect: Dialect) -> Result<(), String> {
    if dialect == Dialect::Simple {
        return if SIMPLE.contains(letter) { Ok(()) } else { Err(format!("Illegal pattern character '{letter}'")) };
    }
    if FORMATTER_MORE.contains(letter) {
        return Err(format!("The pattern letter {letter} is not supported"));
    }
    if !FORMATTER.contains(letter) {
        return Err(format!("Unknown pattern letter: {letter}"));
    }
    let count_max = match letter {
        'd' | 'h' | 'H' | 'k' | 'K' | 'm' | 's' | 'w' => 2,
        'D' => 3,
        'a' | 'W' | 'F' => 1,
        'S' => 9,
        'G' | 'E' | 'e' | 'c' | 'M' | 'L' | 'Q' | 'q' | 'X' | 'x' | 'Z' => 5,
        'z' => 4,
        _ => REPEATED_MAX,
    };
    if count > count_max || (letter == 'c' && count == 2) {
        return Err(format!("Too many pattern letters: {letter}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
