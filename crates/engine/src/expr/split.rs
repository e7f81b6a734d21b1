//! Texts taken apart at separators: SPLIT, SPLIT_INDEX, STR_TO_MAP.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{ListBuilder, MapBuilder, MapFieldNames, StringViewBuilder};
use arrow_array::types::Int32Type;
use weir_base::Result;
use weir_plan::Function;

use super::compile::{Called, Family};
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::regexp::{Pattern, Patterns};
use super::rows::{Failure, Texts, Values, each_row, texts};
use super::text_edit::with_int_numbers;
use super::text_make::push_units;

/// The family.
pub(super) const FAMILY: Family =
    Family { functions: &[Function::Split, Function::SplitIndex, Function::StrToMap], compile };

/// One of the functions above.
fn compile(call: Called<'_>) -> Result<Node> {
    let Called { function, nodes, data_type, span, .. } = call;
    let apply: Apply = match function {
        Function::Split => Box::new(split),
        Function::SplitIndex if nodes[1].data_type.logical.is_string() => Box::new(split_index),
        Function::SplitIndex => Box::new(split_index_by_code),
        _ => Box::new(str_to_map),
    };
    let nodes = with_int_numbers(nodes, span)?;
    Ok(Node::call(nodes, data_type, span, function == Function::StrToMap, apply))
}

/// A column of arrays of texts, row by row: NULL where an argument is, or where `f` gives false; `f` appends its texts by what it is handed.
pub(super) fn lists(
    columns: &[Column],
    scope: &Scope<'_>,
    mut f: impl FnMut(usize, &mut StringViewBuilder) -> Result<bool, String>,
) -> Result<ArrayRef, EvalError> {
    let mut builder = ListBuilder::new(StringViewBuilder::new());
    let mut filled = 0;
    each_row(columns, scope, Failure::Raise, |row| {
        (filled..row).for_each(|_| builder.append_null());
        let is_some = f(row, builder.values())?;
        builder.append(is_some);
        filled = row + 1;
        Ok(is_some)
    })?;
    (filled..scope.rows).for_each(|_| builder.append_null());
    Ok(Arc::new(builder.finish()))
}

/// SPLIT: an empty separator splits into UTF-16 units; nothing comes of an empty text.
fn split(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, separators) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let mut unit = String::new();
    lists(columns, scope, |row, out| {
        let (text, separator) = (values.get(row), separators.get(row));
        if separator.is_empty() {
            for one in text.encode_utf16() {
                unit.clear();
                push_units(&[one], &mut unit);
                out.append_value(&unit);
            }
        } else if !text.is_empty() {
            text.split(separator).for_each(|part| out.append_value(part));
        }
        Ok(true)
    })
}

/// The part at an index from 0; NULL where there is none. An empty separator splits at each blank.
fn split_index(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, separators) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let indices = Values::<Int32Type>::of(&columns[2]);
    texts(columns, scope, Failure::Raise, |row, out| {
        let (text, separator) = (values.get(row), separators.get(row));
        let Ok(index) = usize::try_from(indices.get(row)) else { return Ok(false) };
        if text.is_empty() {
            return Ok(false);
        }
        let part = if separator.is_empty() {
            text.split(char::is_whitespace).nth(index)
        } else {
            text.split(separator).nth(index)
        };
        part.iter().for_each(|part| out.push_str(part));
        Ok(part.is_some())
    })
}

/// The same where the separator is the code of a character, from 1 to 255.
fn split_index_by_code(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, codes) = (Texts::of(&columns[0]), Values::<Int32Type>::of(&columns[1]));
    let indices = Values::<Int32Type>::of(&columns[2]);
    texts(columns, scope, Failure::Raise, |row, out| {
        let (Ok(code @ 1..), Ok(index)) = (u8::try_from(codes.get(row)), usize::try_from(indices.get(row))) else {
            return Ok(false);
        };
        let text = values.get(row);
        let part = if text.is_empty() { None } else { text.split(char::from(code)).nth(index) };
        part.iter().for_each(|part| out.push_str(part));
        Ok(part.is_some())
    })
}

/// STR_TO_MAP: pairs and keys are split off by regular expressions. A pair without a value has NULL for it; of equal keys the last counts.
fn str_to_map(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let values = Texts::of(&columns[0]);
    let separators = (columns.len() > 1).then(|| (Texts::of(&columns[1]), Texts::of(&columns[2])));
    let names = MapFieldNames { entry: "entries".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
    let mut builder = MapBuilder::new(Some(names), StringViewBuilder::new(), StringViewBuilder::new());
    let (mut between_pairs, mut behind_key) = (Patterns::default(), Patterns::default());
    let append = |builder: &mut MapBuilder<_, _>, is_some| builder.append(is_some).expect("as many keys as values");
    let mut filled = 0;
    each_row(columns, scope, Failure::Raise, |row| {
        (filled..row).for_each(|_| append(&mut builder, false));
        let (pair, key) = separators.as_ref().map_or((",", "="), |(pairs, keys)| (pairs.get(row), keys.get(row)));
        let pair = between_pairs.get(pair)?.ok_or_else(|| malformed(pair))?;
        let key = behind_key.get(key)?.ok_or_else(|| malformed(key))?;
        let mut entries: Vec<(&str, Option<&str>)> = Vec::new();
        for text in split_by(pair, values.get(row))? {
            let (name, value) = split_once_by(key, text)?;
            match entries.iter_mut().find(|(known, _)| *known == name) {
                Some(entry) => entry.1 = value,
                None => entries.push((name, value)),
            }
        }
        for (name, value) in entries {
            builder.keys().append_value(name);
            builder.values().append_option(value);
        }
        append(&mut builder, true);
        filled = row + 1;
        Ok(true)
    })?;
    (filled..scope.rows).for_each(|_| append(&mut builder, false));
    Ok(Arc::new(builder.finish()))
}

fn malformed(pattern: &str) -> String {
    format!("The regular expression '{pattern}' is malformed.")
}

/// Java's `split`: no empty part before a match of nothing at the start, none at the end; a text without a match is one part.
fn split_by<'a>(pattern: &Pattern, text: &'a str) -> Result<Vec<&'a str>, String> {
    let mut parts = Vec::new();
    if text.is_empty() {
        return Ok(parts);
    }
    let mut begin = 0;
    pattern.for_each(text, |range| {
        if range.end > 0 {
            parts.push(&text[begin..range.start]);
            begin = range.end;
        }
    })?;
    parts.push(&text[begin..]);
    while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    if begin > 0 && parts == [""] {
        parts.pop();
    }
    Ok(parts)
}

/// Java's `split` with a limit of 2: what is before the first match, and what is behind it.
fn split_once_by<'a>(pattern: &Pattern, text: &'a str) -> Result<(&'a str, Option<&'a str>), String> {
    let mut found = None;
    pattern.for_each(text, |range| {
        if found.is_none() && range.end > 0 {
            found = Some(range);
        }
    })?;
    Ok(found.map_or((text, None), |range| (&text[..range.start], Some(&text[range.end..]))))
}

#[cfg(test)]
mod tests;
