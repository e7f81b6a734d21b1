//! The lengths of CHAR, VARCHAR, BINARY and VARBINARY: what is longer is cut, CHAR is filled up with spaces and BINARY with zeros.

use arrow_array::BinaryViewArray;
use arrow_array::cast::AsArray;
use weir_plan::LogicalType;

use super::super::rows::{Failure, Texts, byte_strings, texts};
use super::{CastKernel, shared};

/// The bounds of a text or byte type: the most characters or bytes, and whether shorter ones are filled up.
fn bounds(logical: &LogicalType) -> (usize, bool) {
    let (length, fills) = match logical {
        LogicalType::Char(length) | LogicalType::Binary(length) => (*length, true),
        LogicalType::Varchar(length) | LogicalType::Varbinary(length) => (*length, false),
        _ => (u32::MAX, false),
    };
    (usize::try_from(length).unwrap_or(usize::MAX), fills)
}

/// Whether every value of `from` is one of `to` as it is.
fn fits(from: &LogicalType, to: &LogicalType) -> bool {
    let ((length, is_fixed), (length_max, fills)) = (bounds(from), bounds(to));
    if fills { is_fixed && length == length_max } else { length <= length_max }
}

/// Appends `text` as a value of `to`: cut, or filled up.
pub(super) fn fit_text(text: &str, to: &LogicalType, out: &mut String) {
    let (length_max, fills) = bounds(to);
    if text.len() <= length_max && !fills {
        out.push_str(text);
        return;
    }
    match text.char_indices().nth(length_max) {
        Some((end, _)) => out.push_str(&text[..end]),
        None => {
            out.push_str(text);
            if fills {
                out.extend(std::iter::repeat_n(' ', length_max - text.chars().count()));
            }
        }
    }
}

/// Between CHAR and VARCHAR of any lengths; None where nothing changes.
pub(super) fn between_texts(from: &LogicalType, to: &LogicalType) -> Option<CastKernel> {
    if fits(from, to) {
        return None;
    }
    let to = to.clone();
    Some(CastKernel::infallible(move |columns, scope| {
        let values = Texts::of(&columns[0]);
        texts(columns, scope, Failure::Raise, |row, out| {
            fit_text(values.get(row), &to, out);
            Ok(true)
        })
    }))
}

/// A text as its UTF-8 bytes.
pub(super) fn text_to_bytes(to: &LogicalType) -> CastKernel {
    let (length_max, fills) = bounds(to);
    CastKernel::infallible(move |columns, scope| {
        let array = columns[0].array.as_string_view().clone().to_binary_view();
        fit_bytes(&array, columns, scope, length_max, fills)
    })
}

/// Between BINARY and VARBINARY of any lengths; None where nothing changes.
pub(super) fn between_bytes(from: &LogicalType, to: &LogicalType) -> Option<CastKernel> {
    if fits(from, to) {
        return None;
    }
    let (length_max, fills) = bounds(to);
    Some(CastKernel::infallible(move |columns, scope| {
        fit_bytes(columns[0].array.as_binary_view(), columns, scope, length_max, fills)
    }))
}

fn fit_bytes(
    array: &BinaryViewArray,
    columns: &[super::Column],
    scope: &super::Scope<'_>,
    length_max: usize,
    fills: bool,
) -> Result<arrow_array::ArrayRef, super::EvalError> {
    if !fills && array.lengths().all(|length| usize::try_from(length).is_ok_and(|length| length <= length_max)) {
        return Ok(shared(array.clone()));
    }
    byte_strings(columns, scope, Failure::Raise, |row, out| {
        let value = array.value(columns[0].index(row));
        out.extend_from_slice(&value[..value.len().min(length_max)]);
        if fills {
            out.resize(length_max, 0);
        }
        Ok(true)
    })
}
