//! Functions over arrays: results that Flink 2.3 gives.

use weir_plan::{DataType, Function as F};

use super::super::tests::*;
use super::slice;

fn array_type(element: T) -> T {
    T::Array(Box::new(DataType::nullable(element)))
}

fn numbers(elements: &[Option<i64>]) -> weir_plan::Expr {
    let elements = elements.iter().map(|element| element.map_or_else(|| null(T::Int), int)).collect();
    call(F::ArrayOf, elements, array_type(T::Int))
}

/// What a function over the arrays gives, as text.
fn of(function: F, arguments: Vec<weir_plan::Expr>) -> String {
    let call = call(function, arguments, array_type(T::Int));
    eval(&cast(call, STRING), &[]).remove(0)
}

#[test]
fn a_slice_counts_from_one_and_from_the_end() {
    let cases = [
        (3, 2, None, 1..3),
        (3, 0, Some(0), 0..1),
        (3, 1, Some(0), 0..1),
        (3, 2, Some(0), 0..0),
        (3, 3, Some(10), 2..3),
        (3, 4, Some(10), 0..0),
        (3, -1, Some(-1), 2..3),
        (3, -1, Some(-2), 0..0),
        (3, -5, Some(-3), 0..1),
        (3, -5, Some(-4), 0..1),
        (4, 1, Some(-10), 0..0),
        (4, 2, Some(-2), 1..3),
        (0, 1, None, 0..0),
    ];
    for (count, from, to, expected) in cases {
        assert_eq!(slice(count, from, to), expected, "{from} to {to:?} of {count}");
    }
}

#[test]
fn what_is_added_removed_and_told_apart() {
    let (some, other) = ([Some(1), Some(1), Some(2), None], [Some(2), Some(1), None]);
    let cases = [
        (F::ArrayAppend, vec![numbers(&some), int(3)], "[1, 1, 2, NULL, 3]"),
        (F::ArrayPrepend, vec![numbers(&some), null(T::Int)], "[NULL, 1, 1, 2, NULL]"),
        (F::ArrayRemove, vec![numbers(&some), int(1)], "[2, NULL]"),
        (F::ArrayRemove, vec![numbers(&some), null(T::Int)], "[1, 1, 2]"),
        (F::ArrayConcat, vec![numbers(&some), numbers(&other)], "[1, 1, 2, NULL, 2, 1, NULL]"),
        (F::ArrayUnion, vec![numbers(&some), numbers(&[Some(3)])], "[1, 2, NULL, 3]"),
        (F::ArrayExcept, vec![numbers(&some), numbers(&[Some(1), Some(3)])], "[2, NULL]"),
        (F::ArrayExcept, vec![numbers(&some), numbers(&[Some(3), None])], "[1, 2]"),
        (F::ArrayIntersect, vec![numbers(&some), numbers(&other)], "[1, 2, NULL]"),
        (F::ArrayDistinct, vec![numbers(&some)], "[1, 2, NULL]"),
        (F::ArrayReverse, vec![numbers(&some)], "[NULL, 2, 1, 1]"),
        (F::ArraySort, vec![numbers(&[Some(3), None, Some(1)])], "[NULL, 1, 3]"),
        (F::ArrayReverse, vec![null(array_type(T::Int))], "NULL"),
    ];
    for (function, arguments, expected) in cases {
        assert_eq!(of(function, arguments), expected, "{function:?}");
    }
}

#[test]
fn sorting_puts_null_where_it_is_told() {
    let flag = |value: bool| lit(weir_plan::Value::Boolean(value), T::Boolean);
    let cases =
        [(false, None, "[3, 1, NULL]"), (true, Some(false), "[1, 3, NULL]"), (false, Some(true), "[NULL, 3, 1]")];
    for (is_ascending, nulls_first, expected) in cases {
        let mut arguments = vec![numbers(&[Some(3), None, Some(1)]), flag(is_ascending)];
        arguments.extend(nulls_first.map(flag));
        assert_eq!(of(F::ArraySort, arguments), expected);
    }
}

#[test]
fn the_only_element_is_the_only_one() {
    let element = |elements: &[Option<i64>]| call(F::Element, vec![numbers(elements)], T::Int);
    assert_eq!(eval(&element(&[Some(7)]), &[]), ["7"]);
    assert_eq!(eval(&element(&[None]), &[]), ["NULL"]);
    assert_eq!(error(&element(&[Some(1), Some(2)]), &[]), (0, "Array has more than one element.".to_owned()));
}

#[test]
fn arrays_that_hold_null_equal_nothing() {
    let nested = |inner: Vec<weir_plan::Expr>| call(F::ArrayOf, inner, array_type(array_type(T::Int)));
    let (plain, holey) = ([Some(1), Some(2)], [Some(1), None]);
    let all = || nested(vec![numbers(&plain), numbers(&holey)]);
    assert_eq!(eval(&is(F::ArrayContains, vec![all(), numbers(&plain)]), &[]), ["true"]);
    assert_eq!(eval(&is(F::ArrayContains, vec![all(), numbers(&holey)]), &[]), ["false"]);
}

#[test]
fn values_are_found_row_by_row() {
    let columns = [ints(&[Some(1), None, Some(3)])];
    let array = || call(F::ArrayOf, vec![col(0, T::Int), int(3)], array_type(T::Int));
    assert_eq!(eval(&is(F::ArrayContains, vec![array(), int(3)]), &columns), ["true"; 3]);
    assert_eq!(eval(&is(F::ArrayContains, vec![array(), null(T::Int)]), &columns), ["false", "true", "false"]);
    assert_eq!(eval(&call(F::ArrayPosition, vec![array(), int(3)], T::Int), &columns), ["2", "2", "1"]);
    assert_eq!(eval(&call(F::ArrayPosition, vec![array(), col(0, T::Int)], T::Int), &columns), ["1", "NULL", "1"]);
    assert_eq!(eval(&call(F::ArrayMax, vec![array()], T::Int), &columns), ["3"; 3]);
    assert_eq!(eval(&call(F::ArrayMin, vec![array()], T::Int), &columns), ["1", "3", "3"]);
}
