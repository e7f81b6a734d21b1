//! What is in a text: POSITION, LOCATE, INSTR, STARTSWITH, ENDSWITH, CHAR_LENGTH, ASCII, and of what it consists: IS_ALPHA, IS_DIGIT, IS_DECIMAL.
//!
//! Positions count characters from 1; 0 is nowhere.

use std::sync::{Arc, LazyLock};

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, BooleanArray};
use arrow_buffer::BooleanBuffer;
use regex::Regex;
use weir_base::Result;
use weir_plan::{Function, LogicalType};

use super::compile::{Called, Family};
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, Strings, Texts, Values, booleans, primitives};
use super::text_edit::with_int_numbers;

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::Position,
        Function::Locate,
        Function::Instr,
        Function::StartsWith,
        Function::EndsWith,
        Function::CharLength,
        Function::Ascii,
        Function::IsAlpha,
        Function::IsDigit,
        Function::IsDecimal,
    ],
    compile,
};

/// One of the functions above.
fn compile(call: Called<'_>) -> Result<Node> {
    let Called { function, nodes, data_type, span, .. } = call;
    if let Function::IsAlpha | Function::IsDigit | Function::IsDecimal = function {
        let apply = consists_of(function, &nodes[0].data_type.logical);
        return Ok(Node::call(nodes, data_type, span, false, apply));
    }
    let nodes = with_int_numbers(nodes, span)?;
    let apply: Apply = match function {
        Function::CharLength => counts(|text| text.chars().count()),
        Function::Ascii => Box::new(|columns, scope| {
            let values = Texts::of(&columns[0]);
            numbers(columns, scope, |row| i32::from(values.get(row).bytes().next().unwrap_or(0).cast_signed()))
        }),
        Function::StartsWith => within(<[u8]>::starts_with),
        Function::EndsWith => within(<[u8]>::ends_with),
        Function::Instr => Box::new(instr),
        _ => Box::new(locate),
    };
    let is_fallible = function == Function::Instr && nodes.len() > 3;
    Ok(Node::call(nodes, data_type, span, is_fallible, apply))
}

fn numbers(columns: &[Column], scope: &Scope<'_>, f: impl Fn(usize) -> i32) -> Result<ArrayRef, EvalError> {
    primitives::<Int32Type>(columns, scope, Failure::Raise, |row| Ok(Some(f(row))))
}

fn counts(count: fn(&str) -> usize) -> Apply {
    Box::new(move |columns, scope| {
        let values = Texts::of(&columns[0]);
        numbers(columns, scope, |row| as_int(count(values.get(row))))
    })
}

fn as_int(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn within(test: fn(&[u8], &[u8]) -> bool) -> Apply {
    Box::new(move |columns, scope| {
        let (values, parts) = (Strings::of(&columns[0]), Strings::of(&columns[1]));
        booleans(columns, scope, Failure::Raise, |row| Ok(Some(test(values.get(row), parts.get(row)))))
    })
}

/// POSITION and LOCATE: part, text, and where the search begins (below 1: at 1).
fn locate(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (parts, values) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let starts = columns.get(2).map(Values::<Int32Type>::of);
    numbers(columns, scope, |row| {
        let start = starts.as_ref().map_or(1, |starts| starts.get(row));
        found_from(values.get(row), parts.get(row), usize::try_from(start).unwrap_or(1).max(1))
    })
}

/// The position of `part` in `text`, searched for from the position `start` on. An empty part is found at 1, wherever the search begins.
fn found_from(text: &str, part: &str, start: usize) -> i32 {
    if part.is_empty() {
        return 1;
    }
    let from = if start == 1 { Some(0) } else { text.char_indices().nth(start - 1).map(|(at, _)| at) };
    let found = from.and_then(|from| text[from..].find(part).map(|at| from + at));
    found.map_or(0, |at| as_int(text[..at].chars().count() + 1))
}

/// INSTR: text, part, where the search begins (from the end where negative), and which occurrence is meant. Occurrences may overlap.
fn instr(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, parts) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let starts = columns.get(2).map(Values::<Int32Type>::of);
    let occurrences = columns.get(3).map(Values::<Int32Type>::of);
    primitives::<Int32Type>(columns, scope, Failure::Raise, |row| {
        let start = starts.as_ref().map_or(1, |starts| starts.get(row));
        let occurrence = occurrences.as_ref().map_or(1, |occurrences| occurrences.get(row));
        if occurrence <= 0 {
            return Err("nthAppearance must be positive!".to_owned());
        }
        let (text, part) = (values.get(row), parts.get(row));
        let distance = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
        Ok(Some(match start {
            0 => 0,
            1.. => nth_from(text, part, distance, occurrence),
            _ => {
                let backwards = |text: &str| text.chars().rev().collect::<String>();
                match nth_from(&backwards(text), &backwards(part), distance, occurrence) {
                    0 => 0,
                    at => as_int(text.chars().count()) + 2 - at - as_int(part.chars().count()),
                }
            }
        }))
    })
}

/// The position of the so-many-th `part` from `start` on, 0 where there are not so many.
fn nth_from(text: &str, part: &str, start: usize, occurrence: i32) -> i32 {
    let mut start = start;
    let mut at = 0;
    for _ in 0..occurrence {
        at = found_from(text, part, start);
        match usize::try_from(at) {
            Ok(found @ 1..) if !part.is_empty() => start = found + 1,
            _ => return at,
        }
    }
    at
}

/// IS_ALPHA, IS_DIGIT and IS_DECIMAL: never NULL.
fn consists_of(function: Function, logical: &LogicalType) -> Apply {
    let test: fn(&str) -> bool = match function {
        Function::IsAlpha => |text| !text.is_empty() && text.chars().all(char::is_alphabetic),
        Function::IsDigit => |text| DIGITS.is_match(text),
        _ => is_decimal,
    };
    // A number is no letter; whether it is a digit its type tells; a decimal it always is. So it is with a NULL of that type.
    let of_number = match function {
        Function::IsAlpha => false,
        Function::IsDigit => logical.is_integer(),
        _ => true,
    };
    let is_text = logical.is_string();
    Box::new(move |columns, scope| {
        let column = &columns[0];
        let texts = is_text.then(|| Texts::of(column));
        let values = BooleanBuffer::collect_bool(scope.rows, |row| match &texts {
            Some(texts) => !column.is_null(row) && test(texts.get(row)),
            None => of_number,
        });
        Ok(Arc::new(BooleanArray::new(values, None)))
    })
}

/// Digits of any script.
static DIGITS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\A\p{Nd}+\z").expect("the pattern is right"));

/// Whether Java reads it as a whole number, of digits of any script, or as a DOUBLE: digits with a point and an exponent, blanks around, perhaps a `d`
/// or `f` behind.
fn is_decimal(text: &str) -> bool {
    if DIGITS.is_match(text.strip_prefix(['+', '-']).unwrap_or(text)) {
        return true;
    }
    let text = text.trim_matches(|character| character <= ' ');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "NaN" || unsigned == "Infinity" {
        return true;
    }
    let number = unsigned.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(unsigned);
    number.starts_with(|first: char| first.is_ascii_digit() || first == '.') && number.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests;
