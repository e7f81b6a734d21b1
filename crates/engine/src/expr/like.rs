//! LIKE and SIMILAR TO.
//!
//! A constant pattern is translated once: to a comparison, a prefix, a suffix, a search for a stretch, or a regular expression. A pattern that is a column
//! is translated whenever it changes from one row to the next.

use arrow_array::{Array, ArrayRef};
use memchr::memmem::Finder;
use regex::Regex;
use weir_base::{Error, Result, Span};
use weir_plan::{DataType, Function};

use super::compile::Family;
use super::node::{Column, EvalError, Node, Scope};
use super::rows::{Failure, Texts, booleans};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[Function::Like, Function::SimilarTo],
    compile: |call| compile(call.function, call.nodes, call.data_type, call.span),
};

/// `a LIKE pattern [ESCAPE e]` and `a SIMILAR TO pattern [ESCAPE e]`.
///
/// # Errors
/// A constant pattern or escape is malformed.
pub(super) fn compile(function: Function, nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let is_like = function == Function::Like;
    let is_constant = nodes[1..].iter().all(|node| node.constant.as_ref().is_some_and(|value| value.is_valid(0)));
    if is_constant {
        let pattern = nodes[1].constant_text("a pattern")?.unwrap_or_default();
        let escape = nodes.get(2).map(|node| node.constant_text("an ESCAPE")).transpose()?.flatten();
        let matcher = Matcher::new(is_like, &pattern, escape.as_deref())
            .map_err(|why| Error::invalid(format!("use the pattern '{pattern}' at {span}: {why}")))?;
        let text = nodes.into_iter().take(1).collect();
        let apply = move |columns: &[Column], scope: &Scope<'_>| {
            let values = Texts::of(&columns[0]);
            booleans(columns, scope, Failure::Raise, |row| Ok(Some(matcher.matches(values.get(row)))))
        };
        return Ok(Node::call(text, data_type, span, false, Box::new(apply)));
    }
    let apply = move |columns: &[Column], scope: &Scope<'_>| by_row(is_like, columns, scope);
    Ok(Node::call(nodes, data_type, span, true, Box::new(apply)))
}

/// Patterns that differ by row.
fn by_row(is_like: bool, columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, patterns) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let escapes = columns.get(2).map(Texts::of);
    let mut last: Option<(String, Option<String>, Matcher)> = None;
    booleans(columns, scope, Failure::Raise, |row| {
        let (pattern, escape) = (patterns.get(row), escapes.as_ref().map(|escapes| escapes.get(row)));
        let is_last =
            last.as_ref().is_some_and(|(known, known_escape, _)| known == pattern && known_escape.as_deref() == escape);
        if !is_last {
            let matcher = Matcher::new(is_like, pattern, escape)?;
            last = Some((pattern.to_owned(), escape.map(str::to_owned), matcher));
        }
        Ok(last.as_ref().map(|(_, _, matcher)| matcher.matches(values.get(row))))
    })
}

/// A translated pattern.
enum Matcher {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Contains(Box<Finder<'static>>),
    Regex(Box<Regex>),
}

impl Matcher {
    fn new(is_like: bool, pattern: &str, escape: Option<&str>) -> Result<Self, String> {
        let escape = match escape.map(|escape| (escape, escape.chars().collect::<Vec<_>>())) {
            None => None,
            Some((_, characters)) if characters.len() == 1 => Some(characters[0]),
            Some((escape, _)) => return Err(format!("Invalid escape character '{escape}'")),
        };
        if is_like { Self::like(&like_parts(pattern, escape)?) } else { compiled(&similar_to_regex(pattern, escape)?) }
    }

    /// A matcher for LIKE: the quickest that does.
    fn like(parts: &[Part]) -> Result<Self, String> {
        Ok(match parts {
            [] => Self::Exact(String::new()),
            [Part::Text(text)] => Self::Exact(text.clone()),
            [Part::Text(text), Part::Any] => Self::Prefix(text.clone()),
            [Part::Any, Part::Text(text)] => Self::Suffix(text.clone()),
            [Part::Any] => Self::Prefix(String::new()),
            [Part::Any, Part::Text(text), Part::Any] => Self::Contains(Box::new(Finder::new(text).into_owned())),
            _ => {
                let mut regex = String::new();
                for part in parts {
                    match part {
                        Part::Text(text) => regex.push_str(&regex::escape(text)),
                        Part::One => regex.push_str(ONE),
                        Part::Any => regex.push_str(ANY),
                    }
                }
                compiled(&regex)?
            }
        })
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(whole) => text == whole,
            Self::Prefix(start) => text.starts_with(start.as_str()),
            Self::Suffix(end) => text.ends_with(end.as_str()),
            Self::Contains(finder) => finder.find(text.as_bytes()).is_some(),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Java's `.`, for `_`: one character that ends no line.
const ONE: &str = r"[^\n\r\x{85}\x{2028}\x{2029}]";
/// For `%`: any characters.
const ANY: &str = "(?s:.*)";

/// A regular expression for a whole text.
fn compiled(regex: &str) -> Result<Matcher, String> {
    Regex::new(&format!(r"\A(?:{regex})\z"))
        .map(|regex| Matcher::Regex(Box::new(regex)))
        .map_err(|_| format!("Invalid regular expression: {regex}"))
}

/// A stretch of a LIKE pattern.
#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    One,
    Any,
}

/// Takes a LIKE pattern apart; `%%` is `%`.
fn like_parts(pattern: &str, escape: Option<char>) -> Result<Vec<Part>, String> {
    let mut parts: Vec<Part> = Vec::new();
    let mut characters = pattern.chars().enumerate();
    while let Some((index, character)) = characters.next() {
        let plain = if Some(character) == escape {
            match characters.next() {
                Some((_, next)) if matches!(next, '_' | '%') || Some(next) == escape => next,
                _ => return Err(format!("Invalid escape sequence '{pattern}', {index}")),
            }
        } else {
            match character {
                '_' => {
                    parts.push(Part::One);
                    continue;
                }
                '%' => {
                    if parts.last() != Some(&Part::Any) {
                        parts.push(Part::Any);
                    }
                    continue;
                }
                other => other,
            }
        };
        match parts.last_mut() {
            Some(Part::Text(text)) => text.push(plain),
            _ => parts.push(Part::Text(plain.to_string())),
        }
    }
    Ok(parts)
}

/// SQL's regular expressions as ours: `%` stands for any characters, `_` (and `.`) for one, classes are `[[:ALPHA:]]`, a backslash is itself;
/// the rest is alike.
fn similar_to_regex(pattern: &str, escape: Option<char>) -> Result<String, String> {
    const SPECIAL: &str = "[]()|^-+*_%?{}";
    let mut regex = String::with_capacity(pattern.len() + 8);
    let mut characters = pattern.chars().enumerate().peekable();
    let mut in_class = false;
    while let Some((index, character)) = characters.next() {
        if Some(character) == escape {
            match characters.next() {
                Some((_, next)) if SPECIAL.contains(next) || Some(next) == escape => {
                    regex.push_str(&regex::escape(next.encode_utf8(&mut [0; 4])));
                }
                _ => return Err(format!("Invalid escape sequence '{pattern}', {index}")),
            }
            continue;
        }
        match character {
            '_' | '.' if !in_class => regex.push_str(ONE),
            '%' if !in_class => regex.push_str(ANY),
            '\\' => regex.push_str(r"\\"),
            '[' if in_class && characters.peek().is_some_and(|(_, next)| *next == ':') => {
                let name: String = characters.by_ref().map(|(_, next)| next).take_while(|next| *next != ']').collect();
                regex.push_str(
                    class(name.trim_matches(':')).ok_or_else(|| format!("Invalid regular expression: {pattern}"))?,
                );
            }
            '[' => {
                in_class = true;
                regex.push('[');
            }
            ']' => {
                in_class = false;
                regex.push(']');
            }
            other => regex.push(other),
        }
    }
    Ok(regex)
}

/// A named class of characters, to stand inside brackets.
fn class(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_uppercase().as_str() {
        "ALPHA" => "[:alpha:]",
        "UPPER" => "[:upper:]",
        "LOWER" => "[:lower:]",
        "DIGIT" => "0-9",
        "ALNUM" => "[:alnum:]",
        "SPACE" => " ",
        "WHITESPACE" => r"\s",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
