//! Texts made of others: UPPER, LOWER, INITCAP, REVERSE, REPEAT, CHR, OVERLAY, TRANSLATE, ELT.

use arrow_array::ArrayRef;
use arrow_array::types::{Int32Type, Int64Type};
use hashbrown::HashMap;
use weir_base::Result;
use weir_plan::Function;

use super::compile::{Called, Family};
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, Texts, Values, texts};
use super::text::mapped;
use super::text_edit::{TEXT_MAX, with_int_numbers};
use super::{cast, select};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::Upper,
        Function::Lower,
        Function::InitCap,
        Function::Reverse,
        Function::Repeat,
        Function::Chr,
        Function::Overlay,
        Function::Translate,
        Function::Elt,
    ],
    compile,
};

/// One of the functions above.
fn compile(call: Called<'_>) -> Result<Node> {
    let Called { function, nodes, data_type, span, zone } = call;
    let apply: Apply = match function {
        Function::Upper => mapped(|text, out| {
            if text.is_ascii() {
                out.push_str(text);
                out.make_ascii_uppercase();
            } else {
                out.push_str(&text.to_uppercase());
            }
        }),
        Function::Lower => mapped(|text, out| {
            if text.is_ascii() {
                out.push_str(text);
                out.make_ascii_lowercase();
            } else {
                out.push_str(&text.to_lowercase());
            }
        }),
        Function::InitCap => mapped(init_cap),
        Function::Reverse => mapped(|text, out| out.extend(text.chars().rev())),
        Function::Chr => Box::new(|columns, scope| {
            let codes = Values::<Int64Type>::of(&columns[0]);
            texts(columns, scope, Failure::Raise, |row, out| {
                let low = u8::try_from(codes.get(row) & 0xff).expect("one byte");
                if codes.get(row) >= 0 {
                    out.push(char::from(low));
                }
                Ok(true)
            })
        }),
        Function::Repeat => {
            return Ok(Node::call(with_int_numbers(nodes, span)?, data_type, span, true, Box::new(repeat)));
        }
        Function::Overlay => {
            return Ok(Node::call(with_int_numbers(nodes, span)?, data_type, span, false, Box::new(overlay)));
        }
        Function::Translate => Box::new(translate),
        _ => {
            let mut parts = nodes.into_iter();
            let index = parts.next();
            let parts = parts.map(|part| cast::compile(part, &data_type, weir_plan::CastMode::Cast, zone, span));
            let nodes = index.into_iter().map(Ok).chain(parts).collect::<Result<Vec<_>>>()?;
            return Ok(Node::call(nodes, data_type, span, false, Box::new(elt)));
        }
    };
    Ok(Node::call(nodes, data_type, span, false, apply))
}

/// The first letter or digit of each word large, the others small. ASCII only: anything else stands between words.
fn init_cap(text: &str, out: &mut String) {
    let mut begins = true;
    for character in text.chars() {
        out.push(if begins { character.to_ascii_uppercase() } else { character.to_ascii_lowercase() });
        begins = !character.is_ascii_alphanumeric();
    }
}

/// REPEAT: nothing for a count below 1.
fn repeat(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, counts) = (Texts::of(&columns[0]), Values::<Int32Type>::of(&columns[1]));
    texts(columns, scope, Failure::Raise, |row, out| {
        let (text, count) = (values.get(row), usize::try_from(counts.get(row)).unwrap_or(0));
        if text.len().saturating_mul(count) > TEXT_MAX {
            return Err(format!("A text cannot be repeated {count} times: {TEXT_MAX} bytes are the most."));
        }
        (0..count).for_each(|_| out.push_str(text));
        Ok(true)
    })
}

/// OVERLAY: text, replacement, start from 1, length (that of the replacement). It counts UTF-16 units, and what is behind the replacement stays only
/// where the length is positive and ends before the text does.
fn overlay(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, others) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let starts = Values::<Int32Type>::of(&columns[2]);
    let lengths = columns.get(3).map(Values::<Int32Type>::of);
    let mut units: Vec<u16> = Vec::new();
    texts(columns, scope, Failure::Raise, |row, out| {
        let (text, other) = (values.get(row), others.get(row));
        units.clear();
        units.extend(text.encode_utf16());
        let start = usize::try_from(starts.get(row)).ok().filter(|start| (1..=units.len()).contains(start));
        let Some(start) = start else {
            out.push_str(text);
            return Ok(true);
        };
        let length = match &lengths {
            Some(lengths) => usize::try_from(lengths.get(row)).unwrap_or(0),
            None => other.encode_utf16().count(),
        };
        push_units(&units[..start - 1], out);
        out.push_str(other);
        if length > 0 && start.saturating_add(length) <= units.len() {
            push_units(&units[start - 1 + length..], out);
        }
        Ok(true)
    })
}

/// UTF-16 units as characters; half of one is a question mark.
pub(super) fn push_units(units: &[u16], out: &mut String) {
    out.extend(char::decode_utf16(units.iter().copied()).map(|unit| unit.unwrap_or('?')));
}

/// TRANSLATE: each character of `from` becomes that of `to` at the same place, or nothing where `to` is shorter. A NULL for either is an empty one.
fn translate(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, from, to) = (Texts::of(&columns[0]), Texts::of(&columns[1]), Texts::of(&columns[2]));
    let at = |texts: &Texts<'_>, column: &Column, row: usize| {
        if column.is_null(row) { String::new() } else { texts.get(row).to_owned() }
    };
    let is_constant = columns[1..].iter().all(|column| column.is_constant);
    let mut table: Option<HashMap<char, Option<char>>> = None;
    texts(&columns[..1], scope, Failure::Raise, |row, out| {
        if !is_constant || table.is_none() {
            let (from, to) = (at(&from, &columns[1], row), at(&to, &columns[2], row));
            let mut pairs = HashMap::new();
            let mut replacements = to.chars();
            for character in from.chars() {
                let replacement = replacements.next();
                pairs.entry(character).or_insert(replacement);
            }
            table = Some(pairs);
        }
        let table = table.as_ref().expect("it has just been made");
        out.extend(values.get(row).chars().filter_map(|character| match table.get(&character) {
            Some(replacement) => *replacement,
            None => Some(character),
        }));
        Ok(true)
    })
}

/// ELT: the value at the index from 1 of those behind it, NULL where there is none.
fn elt(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let indices = Values::<Int64Type>::of(&columns[0]);
    let parts = &columns[1..];
    // Beyond the parts stands one that is NULL.
    let null = Column::constant(arrow_array::new_null_array(parts[0].array.data_type(), 1));
    let choices: Vec<Column> = parts.iter().cloned().chain([null]).collect();
    let none = u16::try_from(parts.len()).unwrap_or(u16::MAX);
    let choice: Vec<u16> = (0..scope.rows)
        .map(|row| {
            let index = u16::try_from(indices.get(row)).unwrap_or(0);
            if columns[0].is_null(row) { none } else { index.checked_sub(1).filter(|at| *at < none).unwrap_or(none) }
        })
        .collect();
    Ok(select::pick(&choice, &choices, scope.rows))
}

#[cfg(test)]
mod tests;
