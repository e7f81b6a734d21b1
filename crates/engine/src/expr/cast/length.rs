//! The lengths of CHAR, VARCHAR, BINARY and VARBINARY: what is longer is cut, CHAR is filled up with spaces and BINARY with zeros.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use arrow_schema::DataType as ArrowType;
use weir_plan::LogicalType;

use super::super::rows::{Failure, Texts, byte_strings, texts};
use super::{CastKernel, Column, Scope, shared};

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

/// As [`fit_text`], its length counted in UTF-16 units, as Java counts the text that it makes of bytes.
pub(super) fn fit_decoded(text: &str, to: &LogicalType, out: &mut String) {
    let (length_max, fills) = bounds(to);
    let units: Vec<u16> = text.encode_utf16().collect();
    if units.len() <= length_max {
        out.push_str(text);
        if fills {
            out.extend(std::iter::repeat_n(' ', length_max - units.len()));
        }
        return;
    }
    // Half a character becomes a question mark.
    out.extend(char::decode_utf16(units[..length_max].iter().copied()).map(|char| char.unwrap_or('?')));
}

/// Lengths of the values that are not NULL: characters of texts, bytes of bytes; 0 for other types.
fn lengths(array: &ArrayRef) -> impl Iterator<Item = (usize, usize)> + '_ {
    let length = |row: usize| match array.data_type() {
        ArrowType::Utf8View => array.as_string_view().value(row).chars().count(),
        ArrowType::BinaryView => array.as_binary_view().value(row).len(),
        _ => 0,
    };
    (0..array.len()).filter(|row| array.is_valid(*row)).map(move |row| (row, length(row)))
}

/// The length of the first value that has not the length that `logical` demands.
pub(crate) fn misfit(array: &ArrayRef, logical: &LogicalType) -> Option<usize> {
    let (length_max, fills) = bounds(logical);
    lengths(array).map(|(_, length)| length).find(|length| *length > length_max || (fills && *length < length_max))
}

/// The values cut, or filled up, to the length that `logical` demands; None where all have it.
pub(crate) fn fitted(array: &ArrayRef, logical: &LogicalType) -> Option<ArrayRef> {
    misfit(array, logical)?;
    let columns = [Column::of_rows(ArrayRef::clone(array))];
    let scope = Scope { columns: &[], rows: array.len(), now: 0, mask: None };
    let (length_max, fills) = bounds(logical);
    let fitted = match array.data_type() {
        ArrowType::BinaryView => fit_bytes(array.as_binary_view(), &columns, &scope, length_max, fills),
        _ => {
            let values = Texts::of(&columns[0]);
            texts(&columns, &scope, Failure::Raise, |row, out| {
                fit_text(values.get(row), logical, out);
                Ok(true)
            })
        }
    };
    Some(fitted.expect("cutting and filling up do not fail"))
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
    columns: &[Column],
    scope: &Scope<'_>,
    length_max: usize,
    fills: bool,
) -> Result<ArrayRef, super::EvalError> {
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
