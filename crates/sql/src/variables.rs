//! `${NAME}` and `${NAME:-default}`: replaced before anything is parsed, with the places of the original text kept.
//!
//! In comments nothing is replaced. In a text in single quotes a value is taken as it is (its quotes are doubled), so that no value ends
//! the text it stands in. `$${` is a literal `${`. As in a shell the default stands in for a variable that is unset or empty.

use sqlparser::tokenizer::{Location, Span as ParserSpan};
use weir_base::Span;

use crate::SqlError;
use crate::error::{SqlResult, span_of};

/// Where in a script a character stands, as far as quoting goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// In none of the others.
    Plain,
    /// In a text in single quotes.
    Text,
    /// In a name in backticks.
    Name,
    /// In a comment from `--` to the end of the line.
    LineComment,
    /// In a comment between `/*` and `*/`.
    BlockComment,
}

impl Context {
    /// The context behind `ch`, and whether the character after it belongs to the same sign (`--`, `/*`, `*/`).
    pub(crate) fn step(self, ch: char, next: Option<char>) -> (Self, bool) {
        match (self, ch, next) {
            (Self::Plain, '\'', _) => (Self::Text, false),
            (Self::Plain, '`', _) => (Self::Name, false),
            (Self::Plain, '-', Some('-')) => (Self::LineComment, true),
            (Self::Plain, '/', Some('*')) => (Self::BlockComment, true),
            (Self::Text, '\'', _) | (Self::Name, '`', _) | (Self::LineComment, '\n', _) => (Self::Plain, false),
            (Self::BlockComment, '*', Some('/')) => (Self::Plain, true),
            (context, _, _) => (context, false),
        }
    }
}

/// A text with its variables replaced, and the way back to the original's places.
pub(crate) struct Substituted {
    /// The text with its variables replaced.
    pub(crate) text: String,
    segments: Vec<Segment>,
}

/// A stretch of the new text: copied from the original, or a variable's value.
struct Segment {
    /// Where it begins in the new text.
    start: Location,
    /// Where it begins in the original.
    original: Location,
    /// For a variable's value: where its `${...}` ends in the original, exclusive.
    variable_end: Option<Location>,
}

impl Substituted {
    /// The place in the original of a place in the new text.
    pub(crate) fn original(&self, span: ParserSpan) -> ParserSpan {
        if self.segments.len() == 1 || span.start.line == 0 {
            return span;
        }
        let first = &self.segments[self.segments.partition_point(|segment| segment.start <= span.start).max(1) - 1];
        let last = &self.segments[self.segments.partition_point(|segment| segment.start < span.end).max(1) - 1];
        let start = if first.variable_end.is_some() { first.original } else { first.copied(span.start) };
        let end = last.variable_end.unwrap_or_else(|| last.copied(span.end));
        ParserSpan::new(start, end.max(start))
    }

    /// Whether a place of the new text is inside a variable's value.
    pub(crate) fn is_variable(&self, at: Location) -> bool {
        let index = self.segments.partition_point(|segment| segment.start <= at).max(1) - 1;
        self.segments[index].variable_end.is_some()
    }
}

impl Segment {
    fn copied(&self, at: Location) -> Location {
        if at.line == self.start.line {
            let column = (self.original.column + at.column).saturating_sub(self.start.column);
            return Location { line: self.original.line, column };
        }
        Location { line: self.original.line + at.line - self.start.line, column: at.column }
    }
}

/// A cursor over characters that counts lines and columns.
struct Reader<'t> {
    rest: &'t str,
    at: Location,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<char> {
        let ch = self.rest.chars().next()?;
        self.rest = &self.rest[ch.len_utf8()..];
        advance(&mut self.at, ch);
        Some(ch)
    }

    fn skip(&mut self, bytes: usize) -> &'t str {
        let (skipped, rest) = self.rest.split_at(bytes);
        skipped.chars().for_each(|ch| advance(&mut self.at, ch));
        self.rest = rest;
        skipped
    }
}

fn advance(at: &mut Location, ch: char) {
    if ch == '\n' {
        at.line += 1;
        at.column = 1;
    } else {
        at.column += 1;
    }
}

/// Replaces the variables of `text`.
pub(crate) fn substitute(text: &str, variables: &dyn Fn(&str) -> Option<String>) -> SqlResult<Substituted> {
    let origin = Location { line: 1, column: 1 };
    let mut reader = Reader { rest: text, at: origin };
    let mut out = String::with_capacity(text.len());
    let mut out_at = origin;
    let mut segments = vec![Segment { start: origin, original: origin, variable_end: None }];
    let mut context = Context::Plain;
    let mut push = |ch: char, at: &mut Location| {
        out.push(ch);
        advance(at, ch);
    };
    loop {
        let is_code = !matches!(context, Context::LineComment | Context::BlockComment);
        if is_code && reader.rest.starts_with("$${") {
            reader.skip(3);
            push('$', &mut out_at);
            push('{', &mut out_at);
            segments.push(Segment { start: out_at, original: reader.at, variable_end: None });
        } else if is_code && reader.rest.starts_with("${") {
            let original = reader.at;
            let value = read_variable(&mut reader, variables)?;
            segments.push(Segment { start: out_at, original, variable_end: Some(reader.at) });
            for ch in value.chars() {
                if ch == '\'' && context == Context::Text {
                    push(ch, &mut out_at);
                }
                push(ch, &mut out_at);
                if context != Context::Text {
                    context = context.step(ch, None).0;
                }
            }
            segments.push(Segment { start: out_at, original: reader.at, variable_end: None });
        } else if let Some(ch) = reader.next() {
            push(ch, &mut out_at);
            let (after, pair) = context.step(ch, reader.rest.chars().next());
            context = after;
            if pair && let Some(second) = reader.next() {
                push(second, &mut out_at);
            }
        } else {
            break;
        }
    }
    Ok(Substituted { text: out, segments })
}

/// Reads `${NAME}` or `${NAME:-default}` and gives its value.
fn read_variable(reader: &mut Reader<'_>, variables: &dyn Fn(&str) -> Option<String>) -> SqlResult<String> {
    let start = reader.at;
    let Some(length) = reader.rest.find('}') else {
        let place = span_of(ParserSpan::new(start, Location { line: start.line, column: start.column + 2 }));
        return Err(SqlError::new(place, "a variable is not closed: '}' is missing")
            .hint("write ${NAME} or ${NAME:-default}; '$${' stands for '${'"));
    };
    let written = reader.skip(length + 1);
    let place: Span = span_of(ParserSpan::new(start, reader.at));
    let inner = &written[2..written.len() - 1];
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    let is_name = name.chars().all(|ch| ch.is_ascii_alphanumeric() || ch == '_')
        && !name.starts_with(|ch: char| ch.is_ascii_digit());
    if name.is_empty() || !is_name || default.is_some_and(|default| default.contains("${")) {
        return Err(SqlError::new(place, format!("'{}' is not a variable", crate::syntax::shorten(written)))
            .hint("write ${NAME} or ${NAME:-default}, without a variable in the default; '$${' stands for '${'"));
    }
    match (variables(name), default) {
        (Some(value), _) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (Some(empty), None) => Ok(empty),
        (None, None) => Err(SqlError::new(place, format!("the variable '{name}' is not set"))
            .hint(format!("give it with --var {name}=..., in the environment, or write ${{{name}:-default}}"))),
    }
}
