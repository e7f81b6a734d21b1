//! Filters in JSON paths: `[?(@.price > 10 && @.name)]`.

use std::cmp::Ordering;

use super::dom::Json;
use super::find::{Found, definite};
use super::path::{Step, quoted, steps};

/// How deep the parts of a filter may lie in one another.
const DEPTH_MAX: usize = 64;

/// A condition on an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    /// All are true.
    And(Vec<Filter>),
    /// One is true.
    Or(Vec<Filter>),
    /// It is not true.
    Not(Box<Filter>),
    /// The path leads to something.
    Exists(Operand),
    /// Two values compared.
    Compare(Operand, Comparison, Operand),
}

/// `==` and the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operand {
    /// A constant.
    Value(Json),
    /// A path from the element.
    Element(Vec<Step>),
    /// A path from the root.
    Root(Vec<Step>),
}

/// The signs of comparisons, longer ones first.
const SIGNS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

/// Words that Jayway has and this does not.
const OTHERS: [&str; 12] =
    ["=~", "===", "!==", "in", "nin", "subsetof", "anyof", "noneof", "contains", "size", "empty", "all"];

impl Filter {
    /// Reads `(condition)]`, and gives what is behind it; None if it is malformed.
    ///
    /// # Errors
    /// It has an operator that is not supported.
    pub(super) fn parse(text: &str) -> Result<Option<(Self, &str)>, String> {
        let text = text.trim_start();
        if !text.starts_with('(') {
            return Ok(None);
        }
        let mut parser = Parser { rest: text };
        let Some(filter) = parser.unary(0)? else { return Ok(None) };
        Ok(parser.take("]").then_some((filter, parser.rest)))
    }

    /// Whether it is true of `element` of a document.
    pub(super) fn holds(&self, element: &Json, root: &Json) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(element, root)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(element, root)),
            Self::Not(part) => !part.holds(element, root),
            Self::Exists(operand) => operand.value(element, root).is_some(),
            Self::Compare(left, comparison, right) => {
                comparison.holds(left.value(element, root).as_ref(), right.value(element, root).as_ref())
            }
        }
    }
}

impl Operand {
    /// Its value; None where a path leads nowhere.
    fn value(&self, element: &Json, root: &Json) -> Option<Json> {
        let (steps, from) = match self {
            Self::Value(value) => return Some(value.clone()),
            Self::Element(steps) => (steps, element),
            Self::Root(steps) => (steps, root),
        };
        match super::find::find(from, steps, root) {
            Ok(Found::One(value)) => Some(value.clone()),
            // A path that may lead to several is an array of them.
            Ok(Found::Many(values)) if !definite(steps) => Some(Json::Array(values.into_iter().cloned().collect())),
            Ok(Found::Made(value)) => Some(value),
            _ => None,
        }
    }
}

impl Comparison {
    fn holds(self, left: Option<&Json>, right: Option<&Json>) -> bool {
        let is_equal = match (left, right) {
            (Some(Json::Number(left)), Some(Json::Number(right))) => order(left, right) == Some(Ordering::Equal),
            (left, right) => left == right,
        };
        let order = match (left, right) {
            (Some(Json::Number(left)), Some(Json::Number(right))) => order(left, right),
            (Some(Json::Text(left)), Some(Json::Text(right))) => Some(left.encode_utf16().cmp(right.encode_utf16())),
            _ => None,
        };
        match self {
            Self::Equal => is_equal,
            Self::NotEqual => !is_equal,
            Self::Less => order == Some(Ordering::Less),
            Self::Greater => order == Some(Ordering::Greater),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

/// The order of two numbers of JSON's grammar.
fn order(left: &str, right: &str) -> Option<Ordering> {
    if let (Ok(left), Ok(right)) = (left.parse::<i64>(), right.parse::<i64>()) {
        return Some(left.cmp(&right));
    }
    left.parse::<f64>().ok()?.partial_cmp(&right.parse::<f64>().ok()?)
}

/// A place in a filter.
struct Parser<'a> {
    rest: &'a str,
}

/// What was read; None if it is malformed.
type Read<T> = Result<Option<T>, String>;

impl Parser<'_> {
    /// Passes `sign`, if it stands here.
    fn take(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Conditions with `||` between them.
    fn any(&mut self, depth: usize) -> Read<Filter> {
        let Some(first) = self.every(depth)? else { return Ok(None) };
        let mut parts = vec![first];
        while self.take("||") {
            let Some(part) = self.every(depth)? else { return Ok(None) };
            parts.push(part);
        }
        Ok(Some(if parts.len() == 1 { parts.remove(0) } else { Filter::Or(parts) }))
    }

    /// Conditions with `&&` between them.
    fn every(&mut self, depth: usize) -> Read<Filter> {
        let Some(first) = self.unary(depth)? else { return Ok(None) };
        let mut parts = vec![first];
        while self.take("&&") {
            let Some(part) = self.unary(depth)? else { return Ok(None) };
            parts.push(part);
        }
        Ok(Some(if parts.len() == 1 { parts.remove(0) } else { Filter::And(parts) }))
    }

    /// `!condition`, `(conditions)`, or a comparison.
    fn unary(&mut self, depth: usize) -> Read<Filter> {
        if depth > DEPTH_MAX {
            return Ok(None);
        }
        if self.take("(") {
            let inner = self.any(depth + 1)?;
            return Ok(inner.filter(|_| self.take(")")));
        }
        if !self.rest.starts_with("!=") && self.take("!") {
            return Ok(self.unary(depth + 1)?.map(|inner| Filter::Not(Box::new(inner))));
        }
        let Some(left) = self.operand()? else { return Ok(None) };
        self.rest = self.rest.trim_start();
        if let Some(word) = OTHERS.iter().find(|word| self.has(word)) {
            return Err(format!("the operator '{word}' in a filter of a path is not supported"));
        }
        for (sign, comparison) in SIGNS {
            if self.take(sign) {
                return Ok(self.operand()?.map(|right| Filter::Compare(left, comparison, right)));
            }
        }
        Ok(matches!(left, Operand::Element(_) | Operand::Root(_)).then_some(Filter::Exists(left)))
    }

    /// Whether the operator `word` stands here.
    fn has(&self, word: &str) -> bool {
        let Some(behind) = self.rest.get(word.len()..) else { return false };
        let is_word = word.starts_with(|ch: char| ch.is_ascii_alphabetic());
        self.rest[..word.len()].eq_ignore_ascii_case(word)
            && (!is_word || !behind.starts_with(|ch: char| ch.is_alphanumeric()))
    }

    fn operand(&mut self) -> Read<Operand> {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with(['\'', '"']) {
            let Some((text, behind)) = quoted(self.rest) else { return Ok(None) };
            self.rest = behind;
            return Ok(Some(Operand::Value(Json::Text(text))));
        }
        if self.rest.starts_with(['@', '$']) {
            let (path, behind) = self.rest.split_at(path_length(self.rest));
            self.rest = behind;
            let is_root = path.starts_with('$');
            return Ok(
                steps(&path[1..])?.map(|steps| if is_root { Operand::Root(steps) } else { Operand::Element(steps) })
            );
        }
        let end = self.rest.find([' ', ')', '&', '|', '=', '!', '<', '>', ']']).unwrap_or(self.rest.len());
        let (word, behind) = self.rest.split_at(end);
        self.rest = behind;
        Ok(Json::parse(word).filter(Json::is_scalar).map(Operand::Value))
    }
}

/// How long a path at the beginning of `text` is: to the first blank or sign that is in no bracket.
fn path_length(text: &str) -> usize {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, ch) in text.char_indices() {
        match (quote, ch) {
            (Some(open), ch) => quote = Some(open).filter(|open| *open != ch),
            (None, '\'' | '"') if depth > 0 => quote = Some(ch),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return at,
            (None, ']') => depth -= 1,
            (None, ' ' | ')' | '&' | '|' | '=' | '!' | '<' | '>') if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}
