//! ARRAY_CONTAINS, ARRAY_POSITION, ARRAY_REMOVE, ARRAY_MAX, ARRAY_MIN: elements compared with one value, or with each other.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type};
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_ord::ord::{DynComparator, make_comparator};
use arrow_schema::{DataType as ArrowType, SortOptions};
use weir_base::{Error, Result, Span};
use weir_plan::{DataType, Function};

use super::super::node::{Apply, Node};
use super::super::rows::{Failure, booleans, each_row, primitives};
use super::of_row;
use super::pick::{elements, lists};

/// Whether the value at one place of the one column is that at a place of the other.
type Equality = Box<dyn Fn(usize, usize) -> bool>;

/// Elements compared with a value; for CONTAINS and REMOVE the value may be NULL.
///
/// # Errors
/// Such elements cannot be compared.
pub(super) fn compile(
    function: Function,
    nodes: Vec<Node>,
    data_type: DataType,
    element: &ArrowType,
    span: Span,
) -> Result<Node> {
    check(element, span)?;
    let arrow = data_type.arrow();
    let apply: Apply = match function {
        Function::ArrayContains => Box::new(|columns, scope| {
            let equal = equality(&elements(&columns[0]), &columns[1].array);
            booleans(&columns[..1], scope, Failure::Raise, |row| {
                let wanted = columns[1].index(row);
                Ok(Some(of_row(&columns[0], row).any(|at| equal(at, wanted))))
            })
        }),
        Function::ArrayPosition => Box::new(|columns, scope| {
            let equal = equality(&elements(&columns[0]), &columns[1].array);
            primitives::<Int32Type>(columns, scope, Failure::Raise, |row| {
                let wanted = columns[1].index(row);
                let found = of_row(&columns[0], row).position(|at| equal(at, wanted));
                Ok(i32::try_from(found.map_or(0, |index| index + 1)).ok())
            })
        }),
        _ => Box::new(move |columns, scope| {
            let all = elements(&columns[0]);
            let equal = equality(&all, &columns[1].array);
            lists(&columns[..1], scope, &[all], &arrow, |row, taken| {
                let unwanted = columns[1].index(row);
                taken.extend(of_row(&columns[0], row).filter(|at| !equal(*at, unwanted)).map(|at| (0, at)));
                Ok(())
            })
        }),
    };
    Ok(Node::call(nodes, data_type, span, false, apply))
}

/// ARRAY_MAX and ARRAY_MIN: NULL elements do not count.
///
/// # Errors
/// Such elements cannot be compared.
pub(super) fn extreme(
    function: Function,
    nodes: Vec<Node>,
    data_type: DataType,
    element: &ArrowType,
    span: Span,
) -> Result<Node> {
    check(element, span)?;
    let wanted = if function == Function::ArrayMax { Ordering::Greater } else { Ordering::Less };
    let apply: Apply = Box::new(move |columns, scope| {
        let all = elements(&columns[0]);
        let order = ordering(&all, &all);
        let mut found: Vec<Option<u32>> = vec![None; scope.rows];
        each_row(columns, scope, Failure::Raise, |row| {
            let valid = of_row(&columns[0], row).filter(|at| all.is_valid(*at));
            let best = valid.reduce(|best, at| if order(at, best) == wanted { at } else { best });
            found[row] = best.and_then(|best| u32::try_from(best).ok());
            Ok(true)
        })?;
        let found = UInt32Array::from(found);
        Ok(arrow_select::take::take(&all, &found, None).expect("the indices are within the elements"))
    });
    Ok(Node::call(nodes, data_type, span, false, apply))
}

/// Checks that elements of this type have an order.
///
/// # Errors
/// They have none: a MAP, or what holds one.
pub(super) fn check(element: &ArrowType, span: Span) -> Result<()> {
    let none = arrow_array::new_empty_array(element);
    make_comparator(&none, &none, SortOptions::default())
        .map(|_| ())
        .map_err(|error| Error::invalid(format!("compare the elements of an array at {span}: {error}")))
}

/// The order of values of two arrays of one type; NULL is the least and equals NULL.
pub(super) fn ordering(left: &ArrayRef, right: &ArrayRef) -> DynComparator {
    make_comparator(left, right, SortOptions::default()).expect("the elements were checked when this was compiled")
}

/// `=` of values of two arrays of one type; NULL equals NULL. Floats are compared as Java's `==` does: NaN equals nothing.
fn equality(left: &ArrayRef, right: &ArrayRef) -> Equality {
    fn floats<T: arrow_array::ArrowPrimitiveType>(left: &ArrayRef, right: &ArrayRef) -> Equality {
        let (left, right) = (left.as_primitive::<T>().clone(), right.as_primitive::<T>().clone());
        Box::new(move |at, other| match (left.is_null(at), right.is_null(other)) {
            (false, false) => left.value(at) == right.value(other),
            (left, right) => left && right,
        })
    }
    match left.data_type() {
        ArrowType::Float32 => floats::<Float32Type>(left, right),
        ArrowType::Float64 => floats::<Float64Type>(left, right),
        ArrowType::List(_) | ArrowType::Struct(_) => {
            // NULL inside an array or a row makes the comparison unknown.
            let (order, left) = (ordering(left, right), left.clone());
            Box::new(move |at, other| order(at, other) == Ordering::Equal && !holds_null(&left, at))
        }
        _ => {
            let order = ordering(left, right);
            Box::new(move |at, other| order(at, other) == Ordering::Equal)
        }
    }
}

/// Whether there is a NULL inside a value, which is not NULL itself.
fn holds_null(array: &ArrayRef, at: usize) -> bool {
    let is_null = |array: &ArrayRef, at: usize| array.is_null(at) || holds_null(array, at);
    if array.is_null(at) {
        return false;
    }
    match array.data_type() {
        ArrowType::List(_) => {
            let list = array.as_list::<i32>();
            super::super::nested::bounds(array, at).any(|element| is_null(list.values(), element))
        }
        ArrowType::Struct(_) => array.as_struct().columns().iter().any(|column| is_null(column, at)),
        _ => false,
    }
}
