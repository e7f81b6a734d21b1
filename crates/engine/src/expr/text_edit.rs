//! Functions that edit a text: TRIM, SUBSTRING, LEFT, RIGHT, REPLACE, LPAD, RPAD. Positions count characters from 1.

use arrow_array::ArrayRef;
use arrow_array::types::Int32Type;
use weir_base::{Result, Span};
use weir_plan::{CastMode, DataType, Function, LogicalType};

use super::cast;
use super::compile::Family;
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, Texts, Values, texts};
use super::zone::Zone;

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::TrimBoth,
        Function::TrimLeading,
        Function::TrimTrailing,
        Function::Substring,
        Function::Left,
        Function::Right,
        Function::Replace,
        Function::Lpad,
        Function::Rpad,
    ],
    compile: |call| compile(call.function, call.nodes, call.data_type, call.span),
};

/// The longest text that LPAD, RPAD and REPEAT make, in UTF-16 units or bytes: a row is to stay far below the bound of a batch.
pub(super) const TEXT_MAX: usize = 16 * 1024 * 1024;

/// One of the functions above.
///
/// # Errors
/// A position or length is no number: a broken plan.
pub(super) fn compile(function: Function, nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let nodes = with_int_numbers(nodes, span)?;
    let apply: Apply = match function {
        Function::TrimBoth | Function::TrimLeading | Function::TrimTrailing => trim(function),
        Function::Substring => Box::new(substring),
        Function::Left => Box::new(|columns, scope| edge(columns, scope, true)),
        Function::Right => Box::new(|columns, scope| edge(columns, scope, false)),
        Function::Replace => Box::new(|columns, scope| {
            let (values, from, to) = (Texts::of(&columns[0]), Texts::of(&columns[1]), Texts::of(&columns[2]));
            texts(columns, scope, Failure::Raise, |row, out| {
                out.push_str(&values.get(row).replace(from.get(row), to.get(row)));
                Ok(true)
            })
        }),
        Function::Lpad => Box::new(|columns, scope| pad(columns, scope, true)),
        _ => Box::new(|columns, scope| pad(columns, scope, false)),
    };
    let is_fallible = matches!(function, Function::Lpad | Function::Rpad);
    Ok(Node::call(nodes, data_type, span, is_fallible, apply))
}

/// The arguments, numbers as INT.
///
/// # Errors
/// There is no such cast: a broken plan.
pub(super) fn with_int_numbers(nodes: Vec<Node>, span: Span) -> Result<Vec<Node>> {
    let int = DataType::nullable(LogicalType::Int);
    let as_int = |node: Node| match node.data_type.logical.is_numeric() {
        true => cast::compile(node, &int, CastMode::Cast, &Zone::Fixed(0), span),
        false => Ok(node),
    };
    nodes.into_iter().map(as_int).collect()
}

/// Leaves out characters at the ends as long as they are among those of the second argument.
fn trim(function: Function) -> Apply {
    Box::new(move |columns, scope| {
        let (values, characters) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
        texts(columns, scope, Failure::Raise, |row, out| {
            let characters = characters.get(row);
            let is_trimmed = |character| characters.contains(character);
            let text = values.get(row);
            out.push_str(match function {
                Function::TrimLeading => text.trim_start_matches(is_trimmed),
                Function::TrimTrailing => text.trim_end_matches(is_trimmed),
                _ => text.trim_matches(is_trimmed),
            });
            Ok(true)
        })
    })
}

/// From a position (negative: from the end; 0: as 1) for a number of characters; NULL for a negative number.
fn substring(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, starts) = (Texts::of(&columns[0]), Values::<Int32Type>::of(&columns[1]));
    let lengths = columns.get(2).map(Values::<Int32Type>::of);
    texts(columns, scope, Failure::Raise, |row, out| {
        let length = lengths.as_ref().map_or(i32::MAX, |lengths| lengths.get(row));
        let Ok(length) = usize::try_from(length) else { return Ok(false) };
        let (text, start) = (values.get(row), starts.get(row));
        let distance = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
        let skipped = match start {
            1.. => distance - 1,
            0 => 0,
            _ => match text.chars().count().checked_sub(distance) {
                Some(skipped) => skipped,
                None => return Ok(true),
            },
        };
        let mut rest = text.chars();
        if skipped > 0 && rest.nth(skipped - 1).is_none() {
            return Ok(true);
        }
        let rest = rest.as_str();
        let end = rest.char_indices().nth(length).map_or(rest.len(), |(end, _)| end);
        out.push_str(&rest[..end]);
        Ok(true)
    })
}

/// LEFT and RIGHT: so many characters of one end; none for a number below 1.
fn edge(columns: &[Column], scope: &Scope<'_>, is_left: bool) -> Result<ArrayRef, EvalError> {
    let (values, counts) = (Texts::of(&columns[0]), Values::<Int32Type>::of(&columns[1]));
    texts(columns, scope, Failure::Raise, |row, out| {
        let text = values.get(row);
        let Some(last) = usize::try_from(counts.get(row)).ok().and_then(|count| count.checked_sub(1)) else {
            return Ok(true);
        };
        out.push_str(if is_left {
            text.char_indices().nth(last + 1).map_or(text, |(end, _)| &text[..end])
        } else {
            text.char_indices().nth_back(last).map_or(text, |(start, _)| &text[start..])
        });
        Ok(true)
    })
}

/// LPAD and RPAD: to a length in UTF-16 units, as Java counts; NULL for a negative length or nothing to fill with.
fn pad(columns: &[Column], scope: &Scope<'_>, is_left: bool) -> Result<ArrayRef, EvalError> {
    let (values, lengths, fillers) =
        (Texts::of(&columns[0]), Values::<Int32Type>::of(&columns[1]), Texts::of(&columns[2]));
    let (mut units, mut filler) = (Vec::<u16>::new(), Vec::<u16>::new());
    texts(columns, scope, Failure::Raise, |row, out| {
        let Ok(length) = usize::try_from(lengths.get(row)) else { return Ok(false) };
        if fillers.get(row).is_empty() {
            return Ok(false);
        }
        if length > TEXT_MAX {
            return Err(format!("A text cannot be padded to {length} characters: {TEXT_MAX} is the most."));
        }
        units.clear();
        units.extend(values.get(row).encode_utf16());
        filler.clear();
        filler.extend(fillers.get(row).encode_utf16());
        let missing = length.saturating_sub(units.len());
        let base = units.iter().take(length).copied();
        let fill = filler.iter().cycle().take(missing).copied();
        let (first, second): (Vec<u16>, Vec<u16>) =
            if is_left { (fill.collect(), base.collect()) } else { (base.collect(), fill.collect()) };
        out.extend(char::decode_utf16(first.into_iter().chain(second)).map(|unit| unit.unwrap_or('?')));
        Ok(true)
    })
}

#[cfg(test)]
mod tests;
