//! Functions over maps: MAP_KEYS, MAP_VALUES, MAP_ENTRIES, MAP_FROM_ARRAYS, MAP_UNION. Of equal keys the last value counts, at the place of the first.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, MapArray, StructArray, new_empty_array};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::DataType as ArrowType;
use hashbrown::HashMap;
use weir_base::{Error, Result, Span};
use weir_plan::{DataType, Function};

use super::compile::Family;
use super::nested::bounds;
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, each_row};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::MapEntries,
        Function::MapFromArrays,
        Function::MapKeys,
        Function::MapUnion,
        Function::MapValues,
    ],
    compile: |call| compile(call.function, call.nodes, call.data_type, call.span),
};

/// One of the functions above.
///
/// # Errors
/// The keys cannot be compared, or the plan is broken.
fn compile(function: Function, nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let arrow = data_type.arrow();
    let apply: Apply = match (function, &arrow) {
        (Function::MapFromArrays | Function::MapUnion, ArrowType::Map(entries, _)) => {
            let ArrowType::Struct(fields) = entries.data_type() else { unreachable!("a map has entries") };
            let keys = SortField::new(fields[0].data_type().clone());
            if !RowConverter::supports_fields(std::slice::from_ref(&keys)) {
                let key = fields[0].data_type();
                return Err(Error::invalid(format!("compare the keys of a map at {span}: {key} has no order")));
            }
            let is_union = function == Function::MapUnion;
            Box::new(move |columns, scope| {
                if is_union { union(columns, scope, &keys, &arrow) } else { from_arrays(columns, scope, &keys, &arrow) }
            })
        }
        (_, ArrowType::List(field)) => {
            let field = field.clone();
            Box::new(move |columns, _| {
                let map = columns[0].array.as_map();
                let values: ArrayRef = match (function, field.data_type()) {
                    (Function::MapKeys, _) => map.keys().clone(),
                    (_, ArrowType::Struct(fields)) if function == Function::MapEntries => {
                        let columns = vec![map.keys().clone(), map.values().clone()];
                        Arc::new(StructArray::new(fields.clone(), columns, None))
                    }
                    _ => map.values().clone(),
                };
                Ok(Arc::new(ListArray::new(field.clone(), map.offsets().clone(), values, map.nulls().cloned())))
            })
        }
        _ => return Err(Error::internal(format!("compile {function:?} with result {data_type}"))),
    };
    Ok(Node::call(nodes, data_type, span, function == Function::MapFromArrays, apply))
}

/// An entry: the number of its source, the place of its key there, and that of its value.
type Entry = (usize, usize, usize);

/// Maps put together from the keys and values of `sources`; `f` names the entries of a row in order.
fn maps(
    columns: &[Column],
    scope: &Scope<'_>,
    sources: &[(ArrayRef, ArrayRef)],
    keys: &SortField,
    arrow: &ArrowType,
    mut f: impl FnMut(usize, &mut Vec<Entry>) -> std::result::Result<(), String>,
) -> std::result::Result<ArrayRef, EvalError> {
    let ArrowType::Map(entries_field, is_sorted) = arrow else { unreachable!("a MAP is a map") };
    let ArrowType::Struct(fields) = entries_field.data_type() else { unreachable!("a map has entries") };
    let encoded = encoded(keys, sources);
    let (mut taken_keys, mut taken_values) = (Vec::new(), Vec::new());
    let mut lengths = vec![0; scope.rows];
    let mut entries = Vec::new();
    let nulls: Option<NullBuffer> = each_row(columns, scope, Failure::Raise, |row| {
        entries.clear();
        f(row, &mut entries)?;
        let before = taken_keys.len();
        let mut places: HashMap<&[u8], usize> = HashMap::with_capacity(entries.len());
        for (source, key, value) in &entries {
            let place = *places.entry(encoded[*source].row(*key).data()).or_insert(taken_keys.len());
            if place == taken_keys.len() {
                taken_keys.push((*source, *key));
                taken_values.push((*source, *value));
            } else {
                taken_values[place] = (*source, *value);
            }
        }
        lengths[row] = taken_keys.len() - before;
        Ok(true)
    })?;
    let part = |of: &dyn Fn(&(ArrayRef, ArrayRef)) -> ArrayRef, taken: &[(usize, usize)], arrow: &ArrowType| {
        let arrays: Vec<ArrayRef> = sources.iter().map(of).collect();
        let arrays: Vec<&dyn Array> = arrays.iter().map(|array| &**array).collect();
        if taken.is_empty() {
            return new_empty_array(arrow);
        }
        arrow_select::interleave::interleave(&arrays, taken).expect("the binder has given all maps one type")
    };
    let all_keys = part(&|(keys, _)| keys.clone(), &taken_keys, fields[0].data_type());
    let all_values = part(&|(_, values)| values.clone(), &taken_values, fields[1].data_type());
    let entries = StructArray::new(fields.clone(), vec![all_keys, all_values], None);
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(MapArray::new(entries_field.clone(), offsets, entries, nulls, *is_sorted)))
}

fn union(
    columns: &[Column],
    scope: &Scope<'_>,
    keys: &SortField,
    arrow: &ArrowType,
) -> std::result::Result<ArrayRef, EvalError> {
    let parts = |column: &Column| (column.array.as_map().keys().clone(), column.array.as_map().values().clone());
    let sources: Vec<_> = columns.iter().map(parts).collect();
    maps(columns, scope, &sources, keys, arrow, |row, entries| {
        for (source, column) in columns.iter().enumerate() {
            entries.extend(bounds(&column.array, column.index(row)).map(|at| (source, at, at)));
        }
        Ok(())
    })
}

fn from_arrays(
    columns: &[Column],
    scope: &Scope<'_>,
    keys: &SortField,
    arrow: &ArrowType,
) -> std::result::Result<ArrayRef, EvalError> {
    let elements = |column: &Column| column.array.as_list::<i32>().values().clone();
    let sources = [(elements(&columns[0]), elements(&columns[1]))];
    maps(columns, scope, &sources, keys, arrow, |row, entries| {
        let of_row = |column: &Column| bounds(&column.array, column.index(row));
        let (keys, values) = (of_row(&columns[0]), of_row(&columns[1]));
        if keys.len() != values.len() {
            return Err(format!(
                "Invalid function MAP_FROM_ARRAYS call:\nThe length of the keys array {} is not equal to the length of the values array {}",
                keys.len(),
                values.len()
            ));
        }
        if let Some(null) = keys.clone().find(|at| sources[0].0.is_null(*at)) {
            return Err(format!("MAP_FROM_ARRAYS: the key at position {} is NULL", null - keys.start + 1));
        }
        entries.extend(keys.zip(values).map(|(key, value)| (0, key, value)));
        Ok(())
    })
}

/// All keys, encoded: equal ones have equal bytes.
fn encoded(keys: &SortField, sources: &[(ArrayRef, ArrayRef)]) -> Vec<Rows> {
    let converter = RowConverter::new(vec![keys.clone()]).expect("the type was checked when this was compiled");
    let rows = |(keys, _): &(ArrayRef, ArrayRef)| {
        converter.convert_columns(std::slice::from_ref(keys)).expect("the binder has given all keys one type")
    };
    sources.iter().map(rows).collect()
}

#[cfg(test)]
mod tests;
