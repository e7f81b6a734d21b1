//! Putting arrays together from elements that a function has picked.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, new_empty_array};
use arrow_buffer::OffsetBuffer;
use arrow_schema::DataType as ArrowType;

use super::super::node::{Column, EvalError, Scope};
use super::super::rows::{Failure, each_row};

/// An element: the number of its source and its place there.
pub(super) type Pick = (usize, usize);

/// The elements of all rows of an ARRAY.
pub(super) fn elements(column: &Column) -> ArrayRef {
    column.array.as_list::<i32>().values().clone()
}

/// For each row the ARRAY of the elements of `sources` that `f` picks; NULL where one of `columns` is.
pub(super) fn lists(
    columns: &[Column],
    scope: &Scope<'_>,
    sources: &[ArrayRef],
    arrow: &ArrowType,
    mut f: impl FnMut(usize, &mut Vec<Pick>) -> Result<(), String>,
) -> Result<ArrayRef, EvalError> {
    let ArrowType::List(field) = arrow else { unreachable!("an ARRAY is a list") };
    let mut taken = Vec::new();
    let mut lengths = vec![0; scope.rows];
    let nulls = each_row(columns, scope, Failure::Raise, |row| {
        let before = taken.len();
        f(row, &mut taken)?;
        lengths[row] = taken.len() - before;
        Ok(true)
    })?;
    let sources: Vec<&dyn Array> = sources.iter().map(|source| &**source).collect();
    let values = if taken.is_empty() {
        new_empty_array(field.data_type())
    } else {
        arrow_select::interleave::interleave(&sources, &taken).expect("the binder has given all elements one type")
    };
    Ok(Arc::new(ListArray::new(field.clone(), OffsetBuffer::from_lengths(lengths), values, nulls)))
}
