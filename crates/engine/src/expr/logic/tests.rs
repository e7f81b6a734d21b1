//! Three-valued logic, and what is not evaluated.

use weir_plan::Function as F;

use super::super::tests::*;

#[test]
fn and_or_not_are_three_valued() {
    let values = [Some(true), Some(false), None];
    let left: Vec<_> = values.iter().flat_map(|value| [*value; 3]).collect();
    let right: Vec<_> = (0..3).flat_map(|_| values).collect();
    let columns = [bools(&left), bools(&right)];
    let sides = || vec![col(0, T::Boolean), col(1, T::Boolean)];
    let (t, f, n) = ("true", "false", "NULL");
    assert_eq!(eval(&is(F::And, sides()), &columns), [t, f, n, f, f, f, n, f, n]);
    assert_eq!(eval(&is(F::Or, sides()), &columns), [t, t, t, t, f, n, t, n, n]);
    assert_eq!(eval(&is(F::Not, vec![col(1, T::Boolean)]), &columns)[..3], [f, t, n]);
}

#[test]
fn a_bare_null_is_unknown() {
    let columns = [bools(&[Some(true), Some(false), None])];
    let sides = || vec![col(0, T::Boolean), null(T::Null)];
    assert_eq!(eval(&is(F::And, sides()), &columns), ["NULL", "false", "NULL"]);
    assert_eq!(eval(&is(F::Or, sides()), &columns), ["true", "NULL", "NULL"]);
}

#[test]
fn is_tests_never_give_null() {
    let column = [bools(&[Some(true), Some(false), None])];
    let cases = [
        (F::IsNull, ["false", "false", "true"]),
        (F::IsNotNull, ["true", "true", "false"]),
        (F::IsTrue, ["true", "false", "false"]),
        (F::IsNotTrue, ["false", "true", "true"]),
        (F::IsFalse, ["false", "true", "false"]),
        (F::IsNotFalse, ["true", "false", "true"]),
    ];
    for (function, expected) in cases {
        assert_eq!(eval(&is(function, vec![col(0, T::Boolean)]), &column), expected, "{function:?}");
    }
}

#[test]
fn a_later_part_is_evaluated_only_for_rows_that_need_it() {
    let columns = [ints(&[Some(0), Some(5), Some(20), None])];
    let quotient = || call(F::Divide, vec![int(10), col(0, T::Int)], T::Int);
    let guarded =
        is(F::And, vec![is(F::NotEqual, vec![col(0, T::Int), int(0)]), is(F::Greater, vec![quotient(), int(1)])]);
    assert_eq!(eval(&guarded, &columns), ["false", "true", "false", "NULL"]);
    let either = is(F::Or, vec![is(F::Equal, vec![col(0, T::Int), int(0)]), is(F::Greater, vec![quotient(), int(1)])]);
    assert_eq!(eval(&either, &columns), ["true", "true", "false", "NULL"]);
    let turned =
        is(F::And, vec![is(F::Greater, vec![quotient(), int(1)]), is(F::NotEqual, vec![col(0, T::Int), int(0)])]);
    assert_eq!(error(&turned, &columns), (0, "/ by zero".to_owned()));
}

#[test]
fn an_error_names_row_and_place() {
    let expr = call(F::Divide, vec![int(1), col(0, T::Int)], T::Int);
    let error = evaluate(&expr, &[ints(&[Some(1), None, Some(0)])]).unwrap_err();
    assert_eq!(error.to_string(), "evaluate the expression at 3:7 for row 2 of its batch: / by zero");
}
