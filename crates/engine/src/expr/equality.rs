//! Equality of two values of one type, inside ARRAY, MAP and ROW, as Flink's runtime has it.
//!
//! An ARRAY or MAP equals another where `=` is TRUE for each pair of elements, so that a NULL inside makes them differ; the fields of a ROW are compared as
//! Java objects: NULL equals NULL, NaN equals NaN.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_schema::DataType as ArrowType;

/// Whether `=` is TRUE for two values; NULL equals nothing.
pub(super) fn equal(left: &dyn Array, at: usize, right: &dyn Array, other: usize) -> bool {
    if left.is_null(at) || right.is_null(other) {
        return false;
    }
    match left.data_type() {
        ArrowType::Float32 => {
            left.as_primitive::<Float32Type>().value(at) == right.as_primitive::<Float32Type>().value(other)
        }
        ArrowType::Float64 => {
            left.as_primitive::<Float64Type>().value(at) == right.as_primitive::<Float64Type>().value(other)
        }
        ArrowType::List(_) => lists(left, at, right, other, equal),
        ArrowType::Map(..) => maps(left, at, right, other, equal),
        _ => same(left, at, right, other),
    }
}

/// Whether two values are equal as Java objects.
pub(super) fn same(left: &dyn Array, at: usize, right: &dyn Array, other: usize) -> bool {
    match (left.is_null(at), right.is_null(other)) {
        (false, false) => {}
        (one, another) => return one && another,
    }
    match left.data_type() {
        ArrowType::List(_) => lists(left, at, right, other, same),
        ArrowType::Map(..) => maps(left, at, right, other, same),
        ArrowType::Struct(_) => {
            let (left, right) = (left.as_struct(), right.as_struct());
            let mut pairs = left.columns().iter().zip(right.columns());
            left.num_columns() == right.num_columns() && pairs.all(|(a, b)| same(a, at, b, other))
        }
        _ => left.slice(at, 1).as_ref() == right.slice(other, 1).as_ref(),
    }
}

/// Compares two values inside others.
type Compare = fn(&dyn Array, usize, &dyn Array, usize) -> bool;

fn lists(left: &dyn Array, at: usize, right: &dyn Array, other: usize, compare: Compare) -> bool {
    let (left, right) = (left.as_list::<i32>().value(at), right.as_list::<i32>().value(other));
    left.len() == right.len() && (0..left.len()).all(|index| compare(&left, index, &right, index))
}

fn maps(left: &dyn Array, at: usize, right: &dyn Array, other: usize, compare: Compare) -> bool {
    let (left, right) = (left.as_map().value(at), right.as_map().value(other));
    let found = |index: usize| (0..right.len()).find(|other| same(left.column(0), index, right.column(0), *other));
    left.len() == right.len()
        && (0..left.len())
            .all(|index| found(index).is_some_and(|other| compare(left.column(1), index, right.column(1), other)))
}
