//! REGEXP, REGEXP_EXTRACT and REGEXP_REPLACE, by Java's rules where the two kinds of regular expression differ.
//!
//! `\d`, `\w`, `\s` are ASCII. A malformed pattern gives FALSE (REGEXP) or NULL, as in Flink. Look-around and back references are Java's alone: such a
//! pattern fails, by name. Patterns are kept from row to row as long as they do not change.

use arrow_array::ArrayRef;
use arrow_array::types::Int32Type;
use regex::{Regex, RegexBuilder};
use weir_base::{Result, Span};
use weir_plan::{DataType, Function};

use super::compile::Family;
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, Texts, Values, booleans, texts};
use super::text_edit::with_int_numbers;

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[Function::RegexpExtract, Function::RegexpReplace, Function::Regexp],
    compile: |call| compile(call.function, call.nodes, call.data_type, call.span),
};

/// The most bytes that a compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One of the functions above.
///
/// # Errors
/// The group is no number: a broken plan.
pub(super) fn compile(function: Function, nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let nodes = with_int_numbers(nodes, span)?;
    let apply: Apply = match function {
        Function::Regexp => Box::new(matched),
        Function::RegexpExtract => Box::new(extracted),
        _ => Box::new(replaced),
    };
    Ok(Node::call(nodes, data_type, span, true, apply))
}

/// The pattern last compiled; None inside: it is malformed.
#[derive(Default)]
struct Patterns {
    last: Option<(String, Option<Regex>)>,
}

impl Patterns {
    /// The regular expression for `pattern`; None if it is malformed.
    ///
    /// # Errors
    /// It is well-formed in Java only.
    fn get(&mut self, pattern: &str) -> Result<Option<&Regex>, String> {
        if self.last.as_ref().is_none_or(|(known, _)| known != pattern) {
            self.last = Some((pattern.to_owned(), built(pattern)?));
        }
        Ok(self.last.as_ref().and_then(|(_, regex)| regex.as_ref()))
    }
}

fn built(pattern: &str) -> Result<Option<Regex>, String> {
    match RegexBuilder::new(&ascii_classes(pattern)).size_limit(COMPILED_BYTES_MAX).build() {
        Ok(regex) => Ok(Some(regex)),
        Err(regex::Error::CompiledTooBig(_)) => Err(format!(
            "The regular expression '{pattern}' is too large: at most {COMPILED_BYTES_MAX} bytes when compiled."
        )),
        Err(error) => {
            let words = error.to_string();
            if words.contains("look-around") || words.contains("backreferences") {
                return Err(format!(
                    "The regular expression '{pattern}' uses look-around or a back reference, which are not supported."
                ));
            }
            Ok(None)
        }
    }
}

/// Java's predefined classes know ASCII only.
fn ascii_classes(pattern: &str) -> String {
    let mut translated = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            translated.push(character);
            continue;
        }
        match characters.next() {
            Some('d') => translated.push_str("[0-9]"),
            Some('D') => translated.push_str("[^0-9]"),
            Some('w') => translated.push_str("[a-zA-Z_0-9]"),
            Some('W') => translated.push_str("[^a-zA-Z_0-9]"),
            Some('s') => translated.push_str(r"[ \t\n\x0B\f\r]"),
            Some('S') => translated.push_str(r"[^ \t\n\x0B\f\r]"),
            Some('Z') => translated.push_str(r"(?:\r?\n)?\z"),
            other => {
                translated.push('\\');
                translated.extend(other);
            }
        }
    }
    translated
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
        Ok(Some(compiled.get(pattern)?.is_some_and(|regex| regex.is_match(values.get(row)))))
    })
}

/// REGEXP_EXTRACT: a group of the first match, group 0 if none is asked for; NULL where there is none.
fn extracted(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, patterns) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let groups = columns.get(2).map(Values::<Int32Type>::of);
    let mut compiled = Patterns::default();
    texts(columns, scope, Failure::Raise, |row, out| {
        let group = groups.as_ref().map_or(0, |groups| groups.get(row));
        let (Some(regex), Ok(group)) = (compiled.get(patterns.get(row))?, usize::try_from(group)) else {
            return Ok(false);
        };
        let captures = regex.captures(values.get(row));
        let found = captures.as_ref().and_then(|captures| captures.get(group));
        found.iter().for_each(|found| out.push_str(found.as_str()));
        Ok(found.is_some())
    })
}

/// REGEXP_REPLACE: every match by a text that is taken as it is.
fn replaced(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, patterns, by) = (Texts::of(&columns[0]), Texts::of(&columns[1]), Texts::of(&columns[2]));
    let mut compiled = Patterns::default();
    texts(columns, scope, Failure::Raise, |row, out| {
        let Some(regex) = compiled.get(patterns.get(row))? else { return Ok(false) };
        replace_all(regex, values.get(row), by.get(row), out);
        Ok(true)
    })
}

/// As Java's `replaceAll`: an empty match right behind another match counts.
fn replace_all(regex: &Regex, text: &str, by: &str, out: &mut String) {
    let (mut copied, mut from) = (0, 0);
    while from <= text.len() {
        let Some(found) = regex.find_at(text, from) else { break };
        out.push_str(&text[copied..found.start()]);
        out.push_str(by);
        copied = found.end();
        from = if found.is_empty() {
            found.end() + text[found.end()..].chars().next().map_or(1, char::len_utf8)
        } else {
            found.end()
        };
    }
    out.push_str(&text[copied..]);
}

#[cfg(test)]
mod tests;
