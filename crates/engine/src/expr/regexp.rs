//! REGEXP and the functions called REGEXP_*, by Java's rules where the two kinds of regular expression differ (`java`).
//!
//! A malformed pattern gives FALSE (REGEXP) or NULL, as in Flink. What only Java can do (look-around, back references and the like) fails, by name.
//! Patterns are kept from row to row as long as they do not change.

mod class;
mod java;

use std::ops::Range;

use arrow_array::ArrayRef;
use arrow_array::types::Int32Type;
use regex::{Captures, Regex, RegexBuilder};
use weir_base::{Error, Result};
use weir_plan::Function;

use super::compile::{Called, Family};
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, Texts, Values, booleans, primitives, texts};
use super::split::lists;
use super::text_edit::with_int_numbers;
use java::{Misfit, Translated, translated};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::Regexp,
        Function::RegexpExtract,
        Function::RegexpReplace,
        Function::RegexpCount,
        Function::RegexpExtractAll,
        Function::RegexpInstr,
        Function::RegexpSubstr,
    ],
    compile,
};

/// The most bytes that a compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One of the functions above. A constant pattern that is not supported fails here.
fn compile(call: Called<'_>) -> Result<Node> {
    let Called { function, nodes, data_type, span, .. } = call;
    let nodes = with_int_numbers(nodes, span)?;
    if nodes[1].constant.is_some()
        && let Some(pattern) = nodes[1].constant_text("a regular expression")?
    {
        Pattern::new(&pattern).map_err(|why| Error::invalid(format!("evaluate {function:?} at {span}: {why}")))?;
    }
    let apply: Apply = match function {
        Function::Regexp => Box::new(matched),
        Function::RegexpExtract => Box::new(extracted),
        Function::RegexpReplace => Box::new(replaced),
        Function::RegexpCount => Box::new(counted),
        Function::RegexpExtractAll => Box::new(all_extracted),
        Function::RegexpInstr => Box::new(found),
        _ => Box::new(extracted),
    };
    Ok(Node::call(nodes, data_type, span, true, apply))
}

/// The pattern last compiled; None inside: it is malformed.
#[derive(Default)]
pub(super) struct Patterns {
    last: Option<(String, Option<Pattern>)>,
}

impl Patterns {
    /// The regular expression for `pattern`; None if it is malformed.
    ///
    /// # Errors
    /// It is well-formed in Java only.
    pub(super) fn get(&mut self, pattern: &str) -> Result<Option<&Pattern>, String> {
        if self.last.as_ref().is_none_or(|(known, _)| known != pattern) {
            self.last = Some((pattern.to_owned(), Pattern::new(pattern)?));
        }
        Ok(self.last.as_ref().and_then(|(_, pattern)| pattern.as_ref()))
    }
}

/// A regular expression of Java's.
pub(super) struct Pattern {
    regex: Regex,
    /// Whether `$` or `\Z` is in it, which look before a last line terminator, too.
    looks_at_end: bool,
}

impl Pattern {
    /// The compiled pattern; None if it is malformed.
    ///
    /// # Errors
    /// It asks for what is not supported, or is too large.
    fn new(pattern: &str) -> Result<Option<Self>, String> {
        let Translated { regex, looks_at_end } = match translated(pattern) {
            Ok(translated) => translated,
            Err(Misfit::Malformed) => return Ok(None),
            Err(Misfit::Unsupported(what)) => {
                return Err(format!("The regular expression '{pattern}' uses {what}, which is not supported."));
            }
        };
        match RegexBuilder::new(&regex).size_limit(COMPILED_BYTES_MAX).build() {
            Ok(regex) => Ok(Some(Self { regex, looks_at_end })),
            Err(regex::Error::CompiledTooBig(_)) => Err(format!(
                "The regular expression '{pattern}' is too large: at most {COMPILED_BYTES_MAX} bytes when compiled."
            )),
            Err(_) => Ok(None),
        }
    }

    /// The text without its last line terminator, where that makes a difference.
    fn shorter<'t>(&self, text: &'t str) -> Option<&'t str> {
        if !self.looks_at_end {
            return None;
        }
        text.strip_suffix("\r\n").or_else(|| text.strip_suffix(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']))
    }

    /// The first match from `from` on: `$` is the end of the text or stands before its last line terminator.
    fn find_at(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let whole = self.regex.find_at(text, from).map(|found| found.range());
        let shorter = self.shorter(text).filter(|shorter| from <= shorter.len());
        let before_end = shorter.and_then(|shorter| self.regex.find_at(shorter, from)).map(|found| found.range());
        match (whole, before_end) {
            (Some(whole), Some(before_end)) if before_end.start < whole.start => Some(before_end),
            (None, before_end) => before_end,
            (whole, _) => whole,
        }
    }

    /// The groups of the first match from `from` on.
    fn captures_at<'t>(&self, text: &'t str, from: usize) -> Option<Captures<'t>> {
        let found = self.find_at(text, from)?;
        let captures = self.regex.captures_at(text, from);
        if captures.as_ref().and_then(|captures| captures.get(0)).is_some_and(|whole| whole.range() == found) {
            return captures;
        }
        self.regex.captures_at(self.shorter(text)?, from)
    }

    /// Calls `f` with each match, as Java finds them: an empty match right behind another counts.
    pub(super) fn for_each(&self, text: &str, mut f: impl FnMut(Range<usize>)) -> Result<(), String> {
        let mut from = 0;
        while from <= text.len() {
            let Some(found) = self.find_at(text, from) else { break };
            from = behind(text, &found);
            f(found);
        }
        Ok(())
    }
}

/// Where to look on behind a match.
fn behind(text: &str, found: &Range<usize>) -> usize {
    if found.is_empty() { found.end + text[found.end..].chars().next().map_or(1, char::len_utf8) } else { found.end }
}

/// REGEXP: whether the pattern is found anywhere; an empty one never is.
fn matched(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, patterns) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let mut compiled = Patterns::default();
    booleans(columns, scope, Failure::Raise, |row| {
        let pattern = patterns.get(row);
        if pattern.is_empty() {
            return Ok(Some(false));
        }
        Ok(Some(compiled.get(pattern)?.is_some_and(|pattern| pattern.find_at(values.get(row), 0).is_some())))
    })
}

/// REGEXP_EXTRACT and REGEXP_SUBSTR: a group of the first match, group 0 if none is asked for; NULL where there is none.
fn extracted(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, patterns) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let groups = columns.get(2).map(Values::<Int32Type>::of);
    let mut compiled = Patterns::default();
    texts(columns, scope, Failure::Raise, |row, out| {
        let group = groups.as_ref().map_or(0, |groups| groups.get(row));
        let (Some(pattern), Ok(group)) = (compiled.get(patterns.get(row))?, usize::try_from(group)) else {
            return Ok(false);
        };
        let text = values.get(row);
        let found = if group == 0 {
            pattern.find_at(text, 0).map(|found| &text[found])
        } else {
            pattern.captures_at(text, 0).and_then(|captures| captures.get(group)).map(|found| found.as_str())
        };
        found.iter().for_each(|found| out.push_str(found));
        Ok(found.is_some())
    })
}

/// REGEXP_REPLACE: every match by a text that is taken as it is.
fn replaced(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, patterns, by) = (Texts::of(&columns[0]), Texts::of(&columns[1]), Texts::of(&columns[2]));
    let mut compiled = Patterns::default();
    texts(columns, scope, Failure::Raise, |row, out| {
        let Some(pattern) = compiled.get(patterns.get(row))? else { return Ok(false) };
        let (text, by) = (values.get(row), by.get(row));
        let mut copied = 0;
        pattern.for_each(text, |found| {
            out.push_str(&text[copied..found.start]);
            out.push_str(by);
            copied = found.end;
        })?;
        out.push_str(&text[copied..]);
        Ok(true)
    })
}

/// REGEXP_COUNT: how many matches there are.
fn counted(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, patterns) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let mut compiled = Patterns::default();
    primitives::<Int32Type>(columns, scope, Failure::Raise, |row| {
        let Some(pattern) = compiled.get(patterns.get(row))? else { return Ok(None) };
        let mut count = 0_i32;
        pattern.for_each(values.get(row), |_| count += 1)?;
        Ok(Some(count))
    })
}

/// REGEXP_INSTR: where the first match begins, in UTF-16 units.
fn found(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, patterns) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let mut compiled = Patterns::default();
    primitives::<Int32Type>(columns, scope, Failure::Raise, |row| {
        let Some(pattern) = compiled.get(patterns.get(row))? else { return Ok(None) };
        let text = values.get(row);
        let units = pattern.find_at(text, 0).map(|found| text[..found.start].encode_utf16().count() + 1);
        Ok(i32::try_from(units.unwrap_or(0)).ok())
    })
}

/// REGEXP_EXTRACT_ALL: a group of each match, group 1 if none is asked for; NULL where the pattern has no such group.
fn all_extracted(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, patterns) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let groups = columns.get(2).map(Values::<Int32Type>::of);
    let mut compiled = Patterns::default();
    lists(columns, scope, |row, out| {
        let group = groups.as_ref().map_or(1, |groups| groups.get(row));
        let Some(pattern) = compiled.get(patterns.get(row))? else { return Ok(false) };
        let Some(group) = usize::try_from(group).ok().filter(|group| *group < pattern.regex.captures_len()) else {
            return Ok(false);
        };
        let text = values.get(row);
        let mut from = 0;
        while from <= text.len() {
            let Some(captures) = pattern.captures_at(text, from) else { break };
            out.append_option(captures.get(group).map(|found| found.as_str()));
            from = captures.get(0).map_or(usize::MAX, |whole| behind(text, &whole.range()));
        }
        Ok(true)
    })
}

#[cfg(test)]
mod tests;
