//! Numbers to numbers: results that Flink 2.3 gives.

use weir_plan::{Expr, Function as F, Value};

use super::super::tests::*;

fn dec(unscaled: i128, precision: u8, scale: u8) -> Expr {
    lit(Value::Decimal(unscaled), T::Decimal(precision, scale))
}

#[test]
fn of_decimals() {
    let cases = [
        (F::Abs, vec![dec(-15, 2, 1)], (2, 1), "1.5"),
        (F::Floor, vec![dec(-15, 2, 1)], (2, 0), "-2"),
        (F::Ceil, vec![dec(-15, 2, 1)], (2, 0), "-1"),
        (F::Ceil, vec![dec(15, 2, 1)], (2, 0), "2"),
        (F::Round, vec![dec(25, 2, 1)], (2, 0), "3"),
        (F::Round, vec![dec(-25, 2, 1)], (2, 0), "-3"),
        (F::Round, vec![dec(2345, 4, 3), int(2)], (4, 2), "2.35"),
        (F::Round, vec![dec(12345, 5, 1), int(-2)], (5, 0), "1200"),
        (F::Round, vec![dec(25, 2, 1), int(3)], (2, 1), "2.5"),
        (F::Truncate, vec![dec(42345, 5, 3), int(2)], (5, 2), "42.34"),
        (F::Truncate, vec![dec(42324, 5, 3), int(-1)], (3, 0), "40"),
        (F::Truncate, vec![dec(-42345, 5, 3), int(0)], (3, 0), "-42"),
        (F::Sign, vec![dec(-25, 2, 1)], (2, 1), "-1.0"),
    ];
    for (function, arguments, (precision, scale), expected) in cases {
        assert_eq!(one(&call(function, arguments, T::Decimal(precision, scale))), expected, "{function:?}");
    }
}

#[test]
fn of_doubles() {
    let cases = [
        (F::Floor, vec![double(-1.5)], "-2.0"),
        (F::Ceil, vec![double(-1.2)], "-1.0"),
        (F::Round, vec![double(1.005), int(2)], "1.01"),
        (F::Round, vec![double(2.675), int(2)], "2.68"),
        (F::Round, vec![double(-2.5)], "-3.0"),
        (F::Round, vec![double(1e300), int(2)], "1e300"),
        (F::Round, vec![double(1e-300), int(2)], "0.0"),
        (F::Truncate, vec![double(-42.999), int(1)], "-42.9"),
        (F::Truncate, vec![double(42.345)], "42.0"),
        (F::Truncate, vec![double(42.345), int(-1)], "40.0"),
        (F::Power, vec![int(2), int(3)], "8.0"),
        (F::Power, vec![int(-8), double(0.5)], "NaN"),
        (F::Power, vec![double(1.0), double(f64::NAN)], "NaN"),
        (F::Sqrt, vec![int(-1)], "NaN"),
        (F::Sqrt, vec![dec(225, 3, 2)], "1.5"),
        (F::Ln, vec![int(0)], "-inf"),
        (F::Log10, vec![int(1000)], "3.0"),
        (F::Exp, vec![int(1000)], "inf"),
        (F::Sign, vec![double(-2.5)], "-1.0"),
        (F::Sign, vec![double(0.0)], "0.0"),
    ];
    for (function, arguments, expected) in cases {
        assert_eq!(one(&call(function, arguments, T::Double)), expected, "{function:?}");
    }
    assert_eq!(one(&call(F::Round, vec![lit(Value::Double(1.25), T::Float), int(1)], T::Float)), "1.3");
    assert_eq!(one(&call(F::Truncate, vec![lit(Value::Double(1.25), T::Float), int(1)], T::Float)), "1.2");
}

#[test]
fn of_integers() {
    let columns = [ints(&[Some(-15), Some(i32::MIN), Some(12345), None])];
    let of = |function, digits: Option<i64>| {
        let mut arguments = vec![col(0, T::Int)];
        arguments.extend(digits.map(int));
        eval(&call(function, arguments, T::Int), &columns)
    };
    assert_eq!(of(F::Abs, None), ["15", "-2147483648", "12345", "NULL"]);
    assert_eq!(of(F::Floor, None), ["-15", "-2147483648", "12345", "NULL"]);
    assert_eq!(of(F::Sign, None), ["-1", "-1", "1", "NULL"]);
    assert_eq!(of(F::Round, Some(-1)), ["-20", "2147483646", "12350", "NULL"]);
    assert_eq!(of(F::Truncate, Some(-2)), ["0", "-2147483600", "12300", "NULL"]);
    assert_eq!(one(&call(F::Round, vec![lit(Value::Integer(127), T::TinyInt), int(-1)], T::TinyInt)), "-126");
}

#[test]
fn rounding_what_is_not_finite_fails() {
    let columns = [doubles(&[Some(1.0), None, Some(f64::NAN)])];
    let message = "Character N is neither a decimal digit number, decimal point, nor \"e\" notation exponential mark.";
    assert_eq!(error(&call(F::Round, vec![col(0, T::Double), int(1)], T::Double), &columns), (2, message.to_owned()));
}
