//! Numbers: wrapping, division by zero, floats, mixed widths.

use weir_plan::{Function as F, Value};

use super::super::tests::*;

#[test]
fn integers_wrap_around() {
    let columns = [ints(&[Some(i32::MAX), Some(i32::MIN), None, Some(-7)])];
    let by = |function, value| eval(&call(function, vec![col(0, T::Int), int(value)], T::Int), &columns);
    assert_eq!(by(F::Add, 1), ["-2147483648", "-2147483647", "NULL", "-6"]);
    assert_eq!(by(F::Subtract, 1), ["2147483646", "2147483647", "NULL", "-8"]);
    assert_eq!(by(F::Multiply, 2), ["-2", "0", "NULL", "-14"]);
    assert_eq!(by(F::Divide, -1), ["-2147483647", "-2147483648", "NULL", "7"]);
    assert_eq!(by(F::Divide, 2), ["1073741823", "-1073741824", "NULL", "-3"]);
    assert_eq!(by(F::Modulo, 3), ["1", "-2", "NULL", "-1"]);
    assert_eq!(eval(&call(F::Negate, vec![col(0, T::Int)], T::Int), &columns)[1], "-2147483648");
}

#[test]
fn dividing_integers_by_zero_fails_with_the_row() {
    let columns = [ints(&[None, Some(1), Some(2)]), ints(&[Some(0), Some(1), Some(0)])];
    let expr = call(F::Divide, vec![col(0, T::Int), col(1, T::Int)], T::Int);
    assert_eq!(error(&expr, &columns), (2, "/ by zero".to_owned()));
    let expr = call(F::Modulo, vec![col(0, T::Int), int(0)], T::Int);
    assert_eq!(error(&expr, &columns), (1, "/ by zero".to_owned()));
    let constant = call(F::Divide, vec![int(1), int(0)], T::Int);
    assert_eq!(error(&constant, &columns), (0, "/ by zero".to_owned()));
    let nowhere = is(F::And, vec![is(F::Equal, vec![col(1, T::Int), int(9)]), is(F::Equal, vec![constant, int(1)])]);
    assert_eq!(eval(&nowhere, &columns), ["false"; 3]);
}

#[test]
fn doubles_never_fail() {
    let columns = [doubles(&[Some(1.0), Some(-1.0), Some(0.0), None])];
    let expr = call(F::Divide, vec![col(0, T::Double), double(0.0)], T::Double);
    assert_eq!(eval(&expr, &columns), ["inf", "-inf", "NaN", "NULL"]);
    let expr = call(F::Modulo, vec![double(5.5), double(-2.0)], T::Double);
    assert_eq!(one(&expr), "1.5");
}

#[test]
fn widths_meet_in_the_wider() {
    let columns = [longs(&[Some(10_000_000_007)]), ints(&[Some(10)])];
    let expr = call(F::Modulo, vec![col(0, T::BigInt), col(1, T::Int)], T::Int);
    assert_eq!(eval(&expr, &columns), ["7"]);
    let tiny = |value| lit(Value::Integer(value), T::TinyInt);
    assert_eq!(one(&call(F::Add, vec![tiny(100), tiny(100)], T::TinyInt)), "-56");
    assert_eq!(one(&call(F::Add, vec![int(1), double(0.5)], T::Double)), "1.5");
    let decimal = lit(Value::Decimal(-75), T::Decimal(2, 1));
    assert_eq!(one(&call(F::Modulo, vec![decimal, int(2)], T::Decimal(2, 1))), "-1.5");
}
