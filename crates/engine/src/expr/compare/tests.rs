//! Comparisons, with NULL, NaN, texts short and long, and decimals of two scales.

use std::sync::Arc;

use arrow_array::Decimal128Array;
use weir_plan::{Function as F, Value};

use super::super::tests::*;

#[test]
fn floats_compare_as_java_primitives() {
    let columns = [
        doubles(&[Some(f64::NAN), Some(f64::NAN), Some(0.0), Some(1.5), None]),
        doubles(&[Some(f64::NAN), Some(1.0), Some(-0.0), Some(2.5), Some(1.0)]),
    ];
    let sides = || vec![col(0, T::Double), col(1, T::Double)];
    let (t, f, n) = ("true", "false", "NULL");
    assert_eq!(eval(&is(F::Equal, sides()), &columns), [f, f, t, f, n]);
    assert_eq!(eval(&is(F::NotEqual, sides()), &columns), [t, t, f, t, n]);
    assert_eq!(eval(&is(F::Less, sides()), &columns), [f, f, f, t, n]);
    assert_eq!(eval(&is(F::GreaterOrEqual, sides()), &columns), [f, f, t, f, n]);
    assert_eq!(eval(&is(F::IsNotDistinctFrom, sides()), &columns), [f, f, t, f, f]);
}

#[test]
fn texts_compare_by_their_bytes() {
    let long = "a text of more than twelve bytes";
    let columns =
        [strings(&[Some("co2"), Some(long), Some("a text of more than twelve bytEs"), Some("é"), Some(""), None])];
    let against = |function, value: &str| eval(&is(function, vec![col(0, STRING), text(value)]), &columns);
    assert_eq!(against(F::Equal, "co2"), ["true", "false", "false", "false", "false", "NULL"]);
    assert_eq!(against(F::Equal, long), ["false", "true", "false", "false", "false", "NULL"]);
    assert_eq!(against(F::NotEqual, ""), ["true", "true", "true", "true", "false", "NULL"]);
    assert_eq!(against(F::Greater, "z"), ["false", "false", "false", "true", "false", "NULL"]);
    assert_eq!(eval(&is(F::Equal, vec![text("é"), col(0, STRING)]), &columns)[3], "true");
    assert_eq!(eval(&is(F::Equal, vec![col(0, STRING), null(STRING)]), &columns), ["NULL"; 6]);
}

#[test]
fn distinct_counts_null_as_a_value() {
    let columns = [ints(&[Some(1), None, None]), ints(&[Some(1), Some(1), None])];
    let sides = || vec![col(0, T::Int), col(1, T::Int)];
    assert_eq!(eval(&is(F::IsDistinctFrom, sides()), &columns), ["false", "true", "false"]);
    assert_eq!(eval(&is(F::IsNotDistinctFrom, sides()), &columns), ["true", "false", "true"]);
}

#[test]
fn decimals_of_two_scales_compare_by_value() {
    let column = Decimal128Array::from(vec![Some(150), Some(149), None]).with_precision_and_scale(10, 2).unwrap();
    let half = lit(Value::Decimal(15), T::Decimal(2, 1));
    let compared =
        |function| eval(&is(function, vec![col(0, T::Decimal(10, 2)), half.clone()]), &[Arc::new(column.clone())]);
    assert_eq!(compared(F::Equal), ["true", "false", "NULL"]);
    assert_eq!(compared(F::Less), ["false", "true", "NULL"]);
}

#[test]
fn greatest_and_least_are_null_with_a_null() {
    let columns = [ints(&[Some(1), Some(5), None]), ints(&[Some(2), Some(3), Some(1)])];
    let of = |function| eval(&call(function, vec![col(0, T::Int), col(1, T::Int), int(4)], T::Int), &columns);
    assert_eq!(of(F::Greatest), ["4", "5", "NULL"]);
    assert_eq!(of(F::Least), ["1", "3", "NULL"]);
    let constants_first = call(F::Greatest, vec![int(1), int(2), col(0, T::Int)], T::Int);
    assert_eq!(eval(&constants_first, &columns), ["2", "5", "NULL"]);
    let columns = [doubles(&[Some(f64::NAN), Some(-0.0)])];
    let of = |function| eval(&call(function, vec![col(0, T::Double), double(1.0)], T::Double), &columns);
    assert_eq!(of(F::Greatest), ["NaN", "1.0"]);
    assert_eq!(of(F::Least), ["1.0", "-0.0"]);
}

#[test]
fn values_of_two_widths_meet_in_the_wider() {
    let columns = [ints(&[Some(1), Some(2)]), longs(&[Some(1), Some(3)])];
    assert_eq!(eval(&is(F::Equal, vec![col(0, T::Int), col(1, T::BigInt)]), &columns), ["true", "false"]);
    let stamp = |precision| cast(text("2024-02-03 10:11:12.5"), T::Timestamp(precision));
    assert_eq!(one(&is(F::Equal, vec![stamp(3), stamp(6)])), "true");
    assert_eq!(one(&is(F::Less, vec![lit(Value::Date(19756), T::Date), stamp(9)])), "true");
}
