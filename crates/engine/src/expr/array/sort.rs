//! ARRAY_SORT: ascending with NULL first, descending with NULL last, or as told.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_schema::DataType as ArrowType;
use weir_base::{Result, Span};
use weir_plan::DataType;

use super::super::node::{Apply, Column, Node};
use super::of_row;
use super::pick::{elements, lists};
use super::search::{check, ordering};

/// `ARRAY_SORT(array [, ascending [, null first]])`
///
/// # Errors
/// Such elements cannot be compared.
pub(super) fn compile(nodes: Vec<Node>, data_type: DataType, element: &ArrowType, span: Span) -> Result<Node> {
    check(element, span)?;
    let arrow = data_type.arrow();
    let apply: Apply = Box::new(move |columns, scope| {
        let all = elements(&columns[0]);
        let order = ordering(&all, &all);
        lists(columns, scope, std::slice::from_ref(&all), &arrow, |row, taken| {
            let is_ascending = flag(columns, 1, row).unwrap_or(true);
            let nulls_first = flag(columns, 2, row).unwrap_or(is_ascending);
            let (mut valid, nulls): (Vec<usize>, Vec<usize>) =
                of_row(&columns[0], row).partition(|at| all.is_valid(*at));
            valid.sort_by(|left, right| if is_ascending { order(*left, *right) } else { order(*right, *left) });
            let (first, second) = if nulls_first { (nulls, valid) } else { (valid, nulls) };
            taken.extend(first.into_iter().chain(second).map(|at| (0, at)));
            Ok(())
        })
    });
    Ok(Node::call(nodes, data_type, span, false, apply))
}

fn flag(columns: &[Column], index: usize, row: usize) -> Option<bool> {
    columns.get(index).map(|column| column.array.as_boolean().value(column.index(row)))
}
