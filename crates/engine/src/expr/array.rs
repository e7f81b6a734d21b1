//! Functions over arrays: what they pick, in which order, and whether they find it.
//!
//! A function that gives an array names for each row the elements it takes (`pick`), which are then copied together. Two elements are equal
//! as Flink's `=` has it, but for NULL, which equals itself; functions that look for duplicates (`sets`) compare encoded elements.

mod pick;
mod search;
mod sets;
mod sort;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, UInt32Array};
use weir_base::{Error, Result, Span};
use weir_plan::{DataType, Function, LogicalType};

use super::compile::Family;
use super::nested::bounds;
use super::node::{Apply, Column, Node, Scope};
use super::rows::{Failure, Texts, Values, each_row, texts};
use pick::{elements, lists};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::Element,
        Function::ArrayAppend,
        Function::ArrayConcat,
        Function::ArrayContains,
        Function::ArrayDistinct,
        Function::ArrayExcept,
        Function::ArrayIntersect,
        Function::ArrayJoin,
        Function::ArrayMax,
        Function::ArrayMin,
        Function::ArrayPosition,
        Function::ArrayPrepend,
        Function::ArrayRemove,
        Function::ArrayReverse,
        Function::ArraySlice,
        Function::ArraySort,
        Function::ArrayUnion,
    ],
    compile: |call| compile(call.function, call.nodes, call.data_type, call.span),
};

/// One of ARRAY_..., or ELEMENT.
///
/// # Errors
/// Its elements cannot be compared, or the plan is broken.
fn compile(function: Function, nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    use Function as F;
    let element = match nodes.first().map(|node| &node.data_type.logical) {
        Some(LogicalType::Array(element)) => element.arrow(),
        other => return Err(Error::internal(format!("compile {function:?} of {other:?}"))),
    };
    let arrow = data_type.arrow();
    let apply: Apply = match function {
        F::ArrayAppend | F::ArrayPrepend => {
            let is_first = function == F::ArrayPrepend;
            Box::new(move |columns, scope| {
                let sources = [elements(&columns[0]), columns[1].array.clone()];
                lists(&columns[..1], scope, &sources, &arrow, |row, taken| {
                    let added = (1, columns[1].index(row));
                    taken.extend(is_first.then_some(added));
                    taken.extend(of_row(&columns[0], row).map(|at| (0, at)));
                    taken.extend((!is_first).then_some(added));
                    Ok(())
                })
            })
        }
        F::ArrayConcat => Box::new(move |columns, scope| {
            let sources: Vec<ArrayRef> = columns.iter().map(elements).collect();
            lists(columns, scope, &sources, &arrow, |row, taken| {
                for (source, column) in columns.iter().enumerate() {
                    taken.extend(of_row(column, row).map(|at| (source, at)));
                }
                Ok(())
            })
        }),
        F::ArrayReverse => Box::new(move |columns, scope| {
            lists(columns, scope, &[elements(&columns[0])], &arrow, |row, taken| {
                taken.extend(of_row(&columns[0], row).rev().map(|at| (0, at)));
                Ok(())
            })
        }),
        F::ArraySlice => Box::new(move |columns, scope| {
            lists(columns, scope, &[elements(&columns[0])], &arrow, |row, taken| {
                let all = of_row(&columns[0], row);
                let from = Values::<Int32Type>::of(&columns[1]).get(row);
                let to = columns.get(2).map(|column| Values::<Int32Type>::of(column).get(row));
                let part = slice(all.len(), from, to);
                taken.extend(part.map(|index| (0, all.start + index)));
                Ok(())
            })
        }),
        F::ArrayJoin => Box::new(join),
        F::Element => Box::new(only),
        F::ArraySort => return sort::compile(nodes, data_type, &element, span),
        F::ArrayContains | F::ArrayPosition | F::ArrayRemove => {
            return search::compile(function, nodes, data_type, &element, span);
        }
        F::ArrayMax | F::ArrayMin => return search::extreme(function, nodes, data_type, &element, span),
        _ => return sets::compile(function, nodes, data_type, &element, span),
    };
    Ok(Node::call(nodes, data_type, span, function == F::Element, apply))
}

/// The places of a row's elements among all elements of its column.
fn of_row(column: &Column, row: usize) -> std::ops::Range<usize> {
    bounds(&column.array, column.index(row))
}

/// Which of `count` elements ARRAY_SLICE takes. Positions count from 1, negative ones from the end; an end of 0 is the first element.
fn slice(count: usize, from: i32, to: Option<i32>) -> std::ops::Range<usize> {
    let length = i64::try_from(count).unwrap_or(i64::MAX);
    let from_start = |position: i32| {
        let position = i64::from(position);
        if position < 0 { position + length + 1 } else { position }
    };
    let first = from_start(from).max(1);
    let last = match to.map(from_start) {
        None => length,
        Some(0) => 1,
        Some(last) => last.min(length),
    };
    if last < first || first > length {
        return 0..0;
    }
    let index = |position: i64| usize::try_from(position).unwrap_or(0);
    index(first - 1)..index(last)
}

/// `ARRAY_JOIN(array, separator [, null])`: NULL elements are left out unless a text stands for them.
fn join(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, super::node::EvalError> {
    let values = elements(&columns[0]);
    let values = values.as_string_view();
    let (separator, null) = (Texts::of(&columns[1]), columns.get(2).map(Texts::of));
    texts(columns, scope, Failure::Raise, |row, out| {
        let mut is_first = true;
        for at in of_row(&columns[0], row) {
            let text = match (values.is_valid(at), &null) {
                (true, _) => values.value(at),
                (false, Some(null)) => null.get(row),
                (false, None) => continue,
            };
            if !is_first {
                out.push_str(separator.get(row));
            }
            out.push_str(text);
            is_first = false;
        }
        Ok(true)
    })
}

/// `ELEMENT(array)`: the only element, NULL where there is none.
fn only(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, super::node::EvalError> {
    let mut found: Vec<Option<u32>> = vec![None; scope.rows];
    each_row(columns, scope, Failure::Raise, |row| {
        let mut all = of_row(&columns[0], row);
        if all.len() > 1 {
            return Err("Array has more than one element.".to_owned());
        }
        found[row] = all.next().and_then(|at| u32::try_from(at).ok());
        Ok(true)
    })?;
    let found = UInt32Array::from(found);
    Ok(arrow_select::take::take(&elements(&columns[0]), &found, None).expect("the indices are within the elements"))
}

#[cfg(test)]
mod tests;
