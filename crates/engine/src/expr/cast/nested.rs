//! Casts of ARRAY, MAP and ROW: element by element, field by field in order.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, ListArray, MapArray, StructArray, UInt32Array};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, OffsetBuffer};
use arrow_schema::{DataType as ArrowType, FieldRef};
use weir_base::Result;
use weir_plan::{DataType, LogicalType};

use super::super::node::{Column, EvalError, Scope};
use super::super::rows::Failure;
use super::super::zone::Zone;
use super::{CastKernel, kernel, refused, shared};

/// A conversion of elements; None where they stay as they are.
type Inner = Option<CastKernel>;

/// The conversion between two arrays, maps or rows.
///
/// # Errors
/// They differ in kind or in number of fields, or an element has no cast.
pub(super) fn between(source: &DataType, target: &DataType, failure: Failure, zone: &Zone) -> Result<CastKernel> {
    let arrow = target.arrow();
    let pairs: Vec<(&DataType, &DataType)> = match (&source.logical, &target.logical) {
        (LogicalType::Array(from), LogicalType::Array(to)) => vec![(&**from, &**to)],
        (LogicalType::Map(from_key, from), LogicalType::Map(to_key, to)) => {
            vec![(&**from_key, &**to_key), (&**from, &**to)]
        }
        (LogicalType::Row(from), LogicalType::Row(to)) if from.len() == to.len() => {
            from.iter().zip(to).map(|(from, to)| (&from.data_type, &to.data_type)).collect()
        }
        _ => return Err(refused(source, target)),
    };
    let inner: Vec<Inner> =
        pairs.into_iter().map(|(from, to)| kernel(from, to, Failure::Raise, zone)).collect::<Result<_>>()?;
    let is_fallible = inner.iter().flatten().any(|cast| cast.is_fallible);
    let apply = move |columns: &[Column], scope: &Scope<'_>| {
        if is_fallible && failure == Failure::Null {
            return tolerant(&columns[0].array, &arrow, &inner, scope);
        }
        convert(&columns[0].array, &arrow, &inner, scope)
    };
    Ok(CastKernel { apply: Box::new(apply), is_fallible: is_fallible && failure == Failure::Raise })
}

/// TRY_CAST: a value with an element that cannot be cast is NULL as a whole.
fn tolerant(array: &ArrayRef, arrow: &ArrowType, inner: &[Inner], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let rows = array.len();
    let selected = BooleanBuffer::collect_bool(rows, |row| scope.is_selected(row));
    let mut failed = BooleanBufferBuilder::new(rows);
    failed.append_n(rows, false);
    // Each attempt begins behind the last row that failed, so that no row is tried twice.
    let mut from = 0;
    let attempt = |mask: &BooleanBuffer| convert(array, arrow, inner, &Scope { rows, mask: Some(mask), ..*scope });
    loop {
        let rest = BooleanBuffer::collect_bool(rows, |row| row >= from && selected.value(row));
        match attempt(&rest) {
            Ok(converted) if from == 0 => return Ok(converted),
            Ok(_) => break,
            Err(error) => {
                failed.set_bit(error.row, true);
                from = error.row + 1;
            }
        }
    }
    let failed = failed.finish();
    let converted = attempt(&(&selected & &!&failed))?;
    Ok(arrow_select::nullif::nullif(&converted, &BooleanArray::new(failed, None)).expect("both have a value a row"))
}

fn convert(array: &ArrayRef, arrow: &ArrowType, inner: &[Inner], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    Ok(match arrow {
        ArrowType::List(field) => {
            let list = array.as_list::<i32>();
            let owner = owners(list.value_offsets());
            let values = element(list.values(), inner[0].as_ref(), &owner, scope)?;
            shared(ListArray::new(field.clone(), list.offsets().clone(), values, list.nulls().cloned()))
        }
        ArrowType::Map(field, is_sorted) => {
            let map = array.as_map();
            let owner = owners(map.value_offsets());
            let keys = element(map.keys(), inner[0].as_ref(), &owner, scope)?;
            let values = element(map.values(), inner[1].as_ref(), &owner, scope)?;
            // Entries of rows that nobody asks for have no key: they are left out.
            let wanted = |entry: &usize| keys.is_valid(*entry);
            let rows = map.value_offsets().windows(2);
            let entries = rows.map(|bounds| (index(bounds[0])..index(bounds[1])).filter(wanted).collect::<Vec<_>>());
            let entries: Vec<Vec<usize>> = entries.collect();
            let offsets = OffsetBuffer::from_lengths(entries.iter().map(Vec::len));
            let kept: UInt32Array =
                entries.into_iter().flatten().filter_map(|entry| u32::try_from(entry).ok()).collect();
            let taken = |array: &ArrayRef| arrow_select::take::take(array, &kept, None).expect("the entries are there");
            let entries = StructArray::new(fields_of(field), vec![taken(&keys), taken(&values)], None);
            shared(MapArray::new(field.clone(), offsets, entries, map.nulls().cloned(), *is_sorted))
        }
        ArrowType::Struct(fields) => {
            let row = array.as_struct();
            let row_nulls = row.nulls();
            let owner: Vec<Option<usize>> =
                (0..row.len()).map(|row| row_nulls.is_none_or(|nulls| nulls.is_valid(row)).then_some(row)).collect();
            let columns = row
                .columns()
                .iter()
                .zip(inner)
                .map(|(column, cast)| element(column, cast.as_ref(), &owner, scope))
                .collect::<Result<Vec<_>, _>>()?;
            shared(StructArray::new(fields.clone(), columns, row.nulls().cloned()))
        }
        _ => Arc::clone(array),
    })
}

/// An offset as an index.
fn index(offset: i32) -> usize {
    usize::try_from(offset).unwrap_or(0)
}

/// The fields of a map's entries.
fn fields_of(entries: &FieldRef) -> arrow_schema::Fields {
    match entries.data_type() {
        ArrowType::Struct(fields) => fields.clone(),
        _ => arrow_schema::Fields::empty(),
    }
}

/// The row that each element belongs to; None for elements outside of all rows, which a slice leaves behind.
fn owners(offsets: &[i32]) -> Vec<Option<usize>> {
    let end = offsets.last().map_or(0, |end| usize::try_from(*end).unwrap_or(0));
    let mut owner = vec![None; end];
    for (row, bounds) in offsets.windows(2).enumerate() {
        let (start, end) = (usize::try_from(bounds[0]).unwrap_or(0), usize::try_from(bounds[1]).unwrap_or(0));
        owner[start..end].fill(Some(row));
    }
    owner
}

/// Elements converted, under the mask of their rows; an error names the row.
fn element(
    values: &ArrayRef,
    cast: Option<&CastKernel>,
    owner: &[Option<usize>],
    scope: &Scope<'_>,
) -> Result<ArrayRef, EvalError> {
    let Some(cast) = cast else { return Ok(Arc::clone(values)) };
    let row_of = |element: usize| owner.get(element).copied().flatten();
    let wanted =
        BooleanBuffer::collect_bool(values.len(), |element| row_of(element).is_some_and(|row| scope.is_selected(row)));
    let inner = Scope { rows: values.len(), mask: Some(&wanted), ..*scope };
    (cast.apply)(&[Column::of_rows(Arc::clone(values))], &inner)
        .map_err(|error| EvalError { row: row_of(error.row).unwrap_or(error.row), ..error })
}
