//! DECIMAL arithmetic: results that Flink 2.3 gives for the same types, and the edges of 38 digits.

use weir_plan::{Function as F, Value};

use super::super::tests::*;

fn dec(unscaled: i128, precision: u8, scale: u8) -> weir_plan::Expr {
    lit(Value::Decimal(unscaled), T::Decimal(precision, scale))
}

#[test]
fn results_are_rounded_half_up_to_their_scale() {
    let ten_digits = 10_i128.pow(18);
    let cases = [
        (F::Divide, dec(1000, 10, 2), dec(300, 10, 2), (23, 13), "3.3333333333333"),
        (F::Divide, dec(7, 10, 0), dec(20, 3, 1), (17, 6), "3.500000"),
        (F::Divide, dec(ten_digits, 38, 18), dec(3 * ten_digits, 38, 18), (38, 6), "0.333333"),
        (F::Divide, dec(200_000, 10, 5), dec(7000, 20, 3), (34, 26), "0.28571428571428571428571429"),
        (F::Divide, dec(-2, 1, 0), dec(3, 1, 0), (7, 6), "-0.666667"),
        (F::Add, dec(50, 10, 2), dec(1, 10, 0), (13, 2), "1.50"),
        (F::Subtract, dec(50, 10, 2), dec(1, 10, 0), (13, 2), "-0.50"),
        (F::Multiply, dec(15, 2, 1), dec(-15, 2, 1), (3, 1), "-2.3"),
        (F::Modulo, dec(-75, 2, 1), dec(2, 10, 0), (2, 1), "-1.5"),
    ];
    for (function, a, b, (precision, scale), expected) in cases {
        assert_eq!(one(&call(function, vec![a, b], T::Decimal(precision, scale))), expected);
    }
}

#[test]
fn what_does_not_fit_is_null() {
    let largest = 10_i128.pow(38) - 1;
    let sum = call(F::Add, vec![dec(largest, 38, 0), dec(1, 38, 0)], T::Decimal(38, 0));
    assert_eq!(one(&sum), "NULL");
    let product = call(F::Multiply, vec![dec(largest, 38, 0), dec(largest, 38, 0)], T::Decimal(38, 0));
    assert_eq!(one(&product), "NULL");
    let fits = call(F::Multiply, vec![dec(largest, 38, 38), dec(largest, 38, 38)], T::Decimal(38, 37));
    assert_eq!(one(&fits), "1.0000000000000000000000000000000000000");
}

#[test]
fn dividing_by_zero_fails() {
    let divide = |a, b| call(F::Divide, vec![dec(a, 3, 1), dec(b, 3, 1)], T::Decimal(9, 6));
    assert_eq!(error(&divide(10, 0), &[]), (0, "Division by zero".to_owned()));
    assert_eq!(error(&divide(0, 0), &[]), (0, "Division undefined".to_owned()));
}
