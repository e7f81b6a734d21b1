//! ARRAY, MAP and ROW: making them, fields, elements, CARDINALITY.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, ListArray, MapArray, StructArray, UInt32Array};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType as ArrowType, Fields};
use weir_base::{Error, Result, Span};
use weir_plan::{CastMode, DataType, Function, LogicalType};

use super::cast;
use super::compile::Family;
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, primitives};
use super::zone::Zone;

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[Function::ArrayOf, Function::MapOf, Function::RowOf, Function::ItemAt, Function::Cardinality],
    compile: |call| compile(call.function, call.nodes, call.data_type, call.zone, call.span),
};

/// The field at `index` of a ROW: NULL where the ROW is.
///
/// # Errors
/// There is no such field: a broken plan.
pub(super) fn field(row: Node, index: usize, data_type: DataType, span: Span) -> Result<Node> {
    match &row.data_type.logical {
        LogicalType::Row(fields) if index < fields.len() => {}
        other => return Err(Error::internal(format!("compile field {index} of {other}: there is none"))),
    }
    let apply = move |columns: &[Column], _: &Scope<'_>| {
        let rows = columns[0].array.as_struct();
        let column = rows.column(index);
        Ok(rows.nulls().map_or_else(|| column.clone(), |nulls| with_nulls(column, nulls)))
    };
    Ok(Node::call(vec![row], data_type, span, false, Box::new(apply)))
}

/// `column`, NULL where the ROW is that it is a field of.
pub fn with_nulls(column: &ArrayRef, rows: &NullBuffer) -> ArrayRef {
    if *column.data_type() == ArrowType::Null {
        return column.clone();
    }
    let nulls = NullBuffer::union(Some(rows), column.logical_nulls().as_ref());
    let data = column.to_data().into_builder().nulls(nulls).build().expect("only its nulls have changed");
    arrow_array::make_array(data)
}

/// ARRAY, MAP, ROW, element access and CARDINALITY.
///
/// # Errors
/// The types do not fit: a broken plan; or a constant index is less than 1.
pub(super) fn compile(
    function: Function,
    nodes: Vec<Node>,
    data_type: DataType,
    zone: &Zone,
    span: Span,
) -> Result<Node> {
    let arrow = data_type.arrow();
    let broken = || Error::internal(format!("compile {function:?} with result {data_type}"));
    match (function, &data_type.logical) {
        (Function::ArrayOf, LogicalType::Array(element)) => {
            let nodes = all_as(nodes, &[element], zone, span)?;
            let apply: Apply = Box::new(move |columns, scope| Ok(array_of(columns, scope.rows, &arrow)));
            Ok(Node::call(nodes, data_type, span, false, apply))
        }
        (Function::MapOf, LogicalType::Map(key, value)) => {
            let nodes = all_as(nodes, &[key, value], zone, span)?;
            let apply: Apply = Box::new(move |columns, scope| map_of(columns, scope, &arrow));
            Ok(Node::call(nodes, data_type, span, false, apply))
        }
        (Function::RowOf, LogicalType::Row(fields)) => {
            let types: Vec<&DataType> = fields.iter().map(|field| &field.data_type).collect();
            let nodes = all_as(nodes, &types, zone, span)?;
            let apply: Apply = Box::new(move |columns, scope| Ok(row_of(columns, scope.rows, &arrow)));
            Ok(Node::call(nodes, data_type, span, false, apply))
        }
        (Function::Cardinality, _) => {
            let apply: Apply = Box::new(cardinality);
            Ok(Node::call(nodes, data_type, span, false, apply))
        }
        (Function::ItemAt, _) => item_at(nodes, data_type, zone, span),
        _ => Err(broken()),
    }
}

/// `nodes` cast to `types`, which are repeated as often as needed.
fn all_as(nodes: Vec<Node>, types: &[&DataType], zone: &Zone, span: Span) -> Result<Vec<Node>> {
    let as_type = |(node, data_type): (Node, &&DataType)| {
        if node.data_type.arrow() == data_type.arrow() {
            Ok(node)
        } else {
            cast::compile(node, data_type, CastMode::Cast, zone, span)
        }
    };
    nodes.into_iter().zip(types.iter().cycle()).map(as_type).collect()
}

/// Row by row the values of all columns, one behind the other.
fn in_turn(columns: &[Column], rows: usize) -> ArrayRef {
    let arrays: Vec<&dyn Array> = columns.iter().map(|column| &*column.array).collect();
    let order: Vec<(usize, usize)> = (0..rows)
        .flat_map(|row| columns.iter().enumerate().map(move |(index, column)| (index, column.index(row))))
        .collect();
    arrow_select::interleave::interleave(&arrays, &order).expect("all columns have one type and a value for each row")
}

fn array_of(columns: &[Column], rows: usize, arrow: &ArrowType) -> ArrayRef {
    let ArrowType::List(field) = arrow else { unreachable!("an ARRAY is a list") };
    if columns.is_empty() {
        let values = arrow_array::new_empty_array(field.data_type());
        return Arc::new(ListArray::new(field.clone(), OffsetBuffer::from_lengths(vec![0; rows]), values, None));
    }
    let offsets = OffsetBuffer::from_lengths(vec![columns.len(); rows]);
    Arc::new(ListArray::new(field.clone(), offsets, in_turn(columns, rows), None))
}

/// Keys and values in turn; of equal keys the last counts. A NULL key is an error: Arrow's maps have none.
fn map_of(columns: &[Column], scope: &Scope<'_>, arrow: &ArrowType) -> std::result::Result<ArrayRef, EvalError> {
    let rows = scope.rows;
    let ArrowType::Map(entries_field, is_sorted) = arrow else { unreachable!("a MAP is a map") };
    let ArrowType::Struct(fields) = entries_field.data_type() else { unreachable!("a map has entries") };
    let part = |from: usize| columns.iter().skip(from).step_by(2).cloned().collect::<Vec<_>>();
    let (key_columns, pairs) = (part(0), columns.len() / 2);
    if pairs == 0 {
        let entries = StructArray::new_null(fields.clone(), 0);
        let offsets = OffsetBuffer::from_lengths(vec![0; rows]);
        return Ok(Arc::new(MapArray::new(entries_field.clone(), offsets, entries, None, *is_sorted)));
    }
    let (keys, values) = (in_turn(&key_columns, rows), in_turn(&part(1), rows));
    let mut kept: Vec<u32> = Vec::with_capacity(keys.len());
    let mut lengths = Vec::with_capacity(rows);
    for row in 0..rows {
        let all = row * pairs..(row + 1) * pairs;
        if let Some(null) = all.clone().find(|index| keys.is_null(*index)).filter(|_| scope.is_selected(row)) {
            return Err(EvalError::new(row, format!("MAP: the key at position {} is NULL", null - all.start + 1)));
        }
        let is_last = |index: &usize| !(index + 1..all.end).any(|later| equal(&keys, *index, &keys, later));
        let before = kept.len();
        let present = all.clone().filter(|index| keys.is_valid(*index));
        kept.extend(present.filter(is_last).filter_map(|index| u32::try_from(index).ok()));
        lengths.push(kept.len() - before);
    }
    let kept = UInt32Array::from(kept);
    let taken =
        |array: &ArrayRef| arrow_select::take::take(array, &kept, None).expect("the indices are within the array");
    let entries = StructArray::new(fields.clone(), vec![taken(&keys), taken(&values)], None);
    Ok(Arc::new(MapArray::new(entries_field.clone(), OffsetBuffer::from_lengths(lengths), entries, None, *is_sorted)))
}

fn row_of(columns: &[Column], rows: usize, arrow: &ArrowType) -> ArrayRef {
    let fields = match arrow {
        ArrowType::Struct(fields) => fields.clone(),
        _ => Fields::empty(),
    };
    let arrays: Vec<ArrayRef> = columns.iter().map(|column| column.clone().into_array(rows)).collect();
    Arc::new(
        StructArray::try_new_with_length(fields, arrays, None, rows).expect("the fields have the arguments' types"),
    )
}

/// Whether two values are equal; NULL equals nothing.
fn equal(left: &ArrayRef, at: usize, right: &ArrayRef, other: usize) -> bool {
    if left.is_null(at) || right.is_null(other) {
        return false;
    }
    match left.data_type() {
        ArrowType::Utf8View => left.as_string_view().value(at) == right.as_string_view().value(other),
        ArrowType::Int32 => {
            left.as_primitive::<Int32Type>().value(at) == right.as_primitive::<Int32Type>().value(other)
        }
        ArrowType::Int64 => {
            left.as_primitive::<Int64Type>().value(at) == right.as_primitive::<Int64Type>().value(other)
        }
        _ => left.slice(at, 1).as_ref() == right.slice(other, 1).as_ref(),
    }
}

fn cardinality(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let bounds = |row: usize| bounds(&columns[0].array, columns[0].index(row));
    primitives::<Int32Type>(columns, scope, Failure::Raise, |row| Ok(i32::try_from(bounds(row).len()).ok()))
}

/// The stretch of elements or entries of a row.
pub(super) fn bounds(array: &ArrayRef, row: usize) -> std::ops::Range<usize> {
    let offsets = match array.data_type() {
        ArrowType::Map(..) => array.as_map().value_offsets(),
        _ => array.as_list::<i32>().value_offsets(),
    };
    let at = |index: usize| usize::try_from(offsets[index]).unwrap_or(0);
    at(row)..at(row + 1)
}

/// `array[index]` and `map[key]`: NULL where absent.
fn item_at(nodes: Vec<Node>, data_type: DataType, zone: &Zone, span: Span) -> Result<Node> {
    let mut nodes = nodes;
    let key = nodes.pop().ok_or_else(|| Error::internal("compile an element access: its index is missing"))?;
    let key_type = match &nodes[0].data_type.logical {
        LogicalType::Array(_) => DataType::nullable(LogicalType::Int),
        LogicalType::Map(key, _) => (**key).clone(),
        other => return Err(Error::internal(format!("compile an element access of {other}"))),
    };
    let is_map = matches!(nodes[0].data_type.logical, LogicalType::Map(..));
    let key = if key.data_type.arrow() == key_type.arrow() {
        key
    } else {
        cast::compile(key, &key_type, CastMode::Cast, zone, span)?
    };
    if let (false, Some(constant)) = (is_map, &key.constant)
        && constant.is_valid(0)
        && constant.as_primitive::<Int32Type>().value(0) < 1
    {
        let index = constant.as_primitive::<Int32Type>().value(0);
        return Err(Error::invalid(format!("Array element access needs an index starting at 1 but was {index}.")));
    }
    nodes.push(key);
    let apply: Apply = Box::new(move |columns, scope| {
        let array = &columns[0].array;
        let values = if is_map { array.as_map().values() } else { array.as_list::<i32>().values() };
        let find = |row: usize| {
            if columns[0].is_null(row) || columns[1].is_null(row) {
                return None;
            }
            let (all, key) = (bounds(array, columns[0].index(row)), columns[1].index(row));
            let found = if is_map {
                all.into_iter().find(|entry| equal(array.as_map().keys(), *entry, &columns[1].array, key))
            } else {
                let index = usize::try_from(columns[1].array.as_primitive::<Int32Type>().value(key)).ok()?;
                index.checked_sub(1).map(|index| all.start + index).filter(|index| all.contains(index))
            };
            found.and_then(|found| u32::try_from(found).ok())
        };
        let indices: UInt32Array = (0..scope.rows).map(find).collect();
        Ok(arrow_select::take::take(values, &indices, None).expect("the indices are within the array"))
    });
    Ok(Node::call(nodes, data_type, span, false, apply))
}

#[cfg(test)]
mod tests;
