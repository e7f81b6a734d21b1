//! CASE with and without dispatch, COALESCE, NULLIF, IF and IN.

use weir_plan::Function as F;

use super::super::tests::*;

#[test]
fn a_case_over_one_text_takes_the_first_equal_constant() {
    let columns =
        [strings(&[Some("co2"), Some("pressure"), Some("a very long sensor type"), Some(""), None, Some("other")])];
    let when = |value: &str, result: i64| (is(F::Equal, vec![col(0, STRING), text(value)]), int(result));
    let branches =
        vec![when("co2", 1), when("pressure", 2), when("co2", 9), when("a very long sensor type", 3), when("", 4)];
    assert_eq!(eval(&case(branches, int(0)), &columns), ["1", "2", "3", "4", "0", "0"]);
}

#[test]
fn branches_behind_a_dispatch_see_only_what_is_left() {
    let columns = [ints(&[Some(1), Some(2), Some(3), Some(0), None])];
    let equals = |value| is(F::Equal, vec![col(0, T::Int), int(value)]);
    let quotient = call(F::Divide, vec![int(6), col(0, T::Int)], T::Int);
    let branches = vec![
        (equals(0), text("zero")),
        (is(F::In, vec![col(0, T::Int), int(1), int(7)]), text("one")),
        (is(F::Equal, vec![quotient, int(3)]), text("two")),
    ];
    let expr = case(branches, text("other"));
    assert_eq!(eval(&expr, &columns), ["one", "two", "other", "zero", "other"]);
}

#[test]
fn only_the_chosen_branch_can_fail() {
    let columns = [ints(&[Some(0), Some(2), Some(4)])];
    let quotient = || call(F::Divide, vec![int(8), col(0, T::Int)], T::Int);
    let guarded = case(vec![(is(F::Equal, vec![col(0, T::Int), int(0)]), null(T::Int))], quotient());
    assert_eq!(eval(&guarded, &columns), ["NULL", "4", "2"]);
    let open = case(vec![(is(F::Equal, vec![col(0, T::Int), int(2)]), int(1))], quotient());
    assert_eq!(error(&open, &columns), (0, "/ by zero".to_owned()));
    let inside = is(
        F::Equal,
        vec![call(F::If, vec![is(F::Equal, vec![col(0, T::Int), int(0)]), int(0), quotient()], T::Int), int(4)],
    );
    assert_eq!(eval(&inside, &columns), ["false", "true", "false"]);
}

#[test]
fn a_case_of_conditions_takes_texts_of_several_columns() {
    let columns = [
        strings(&[Some("a text of more than twelve bytes"), Some("b"), None]),
        strings(&[Some("x"), Some("another text of more than twelve"), Some("z")]),
        bools(&[Some(true), None, Some(false)]),
    ];
    let expr = case(vec![(col(2, T::Boolean), col(0, STRING))], col(1, STRING));
    assert_eq!(eval(&expr, &columns), ["a text of more than twelve bytes", "another text of more than twelve", "z"]);
}

#[test]
fn booleans_and_nulls_come_from_their_branches() {
    let columns = [ints(&[Some(1), Some(2), Some(3), None]), bools(&[Some(true), Some(false), None, Some(true)])];
    let equals = |value| is(F::Equal, vec![col(0, T::Int), int(value)]);
    let branches = vec![(equals(1), col(1, T::Boolean)), (equals(2), is(F::Not, vec![col(1, T::Boolean)]))];
    assert_eq!(eval(&case(branches, null(T::Boolean)), &columns), ["true", "true", "NULL", "NULL"]);
}

#[test]
fn coalesce_and_nullif() {
    let columns = [ints(&[Some(0), None, Some(2), None]), ints(&[Some(7), Some(8), None, None])];
    let quotient = call(F::Divide, vec![int(8), col(0, T::Int)], T::Int);
    let expr = call(F::Coalesce, vec![col(1, T::Int), quotient, int(-1)], T::Int);
    assert_eq!(eval(&expr, &columns), ["7", "8", "4", "-1"]);
    let expr = call(F::NullIf, vec![col(0, T::Int), int(2)], T::Int);
    assert_eq!(eval(&expr, &columns), ["0", "NULL", "NULL", "NULL"]);
}

#[test]
fn in_is_three_valued() {
    let columns = [ints(&[Some(1), Some(3), None]), ints(&[Some(3), Some(3), Some(3)])];
    let of = |list: Vec<weir_plan::Expr>| {
        let mut arguments = vec![col(0, T::Int)];
        arguments.extend(list);
        eval(&is(F::In, arguments), &columns)
    };
    assert_eq!(of(vec![int(1), int(2)]), ["true", "false", "NULL"]);
    assert_eq!(of(vec![int(1), null(T::Int)]), ["true", "NULL", "NULL"]);
    assert_eq!(of(vec![int(9), col(1, T::Int)]), ["false", "true", "NULL"]);
    let texts = [strings(&[
        Some("x"),
        Some("a text of more than twelve bytes"),
        Some("a text of more than twelve bytez"),
        None,
    ])];
    let expr = is(F::In, vec![col(0, STRING), text("x"), text("a text of more than twelve bytes")]);
    assert_eq!(eval(&expr, &texts), ["true", "true", "false", "NULL"]);
}

#[test]
fn in_over_doubles_tells_the_zeros_apart() {
    let columns = [doubles(&[Some(0.0), Some(-0.0), Some(1.0), Some(f64::NAN), None])];
    let expr = is(F::In, vec![col(0, T::Double), double(0.0), double(1.0)]);
    assert_eq!(eval(&expr, &columns), ["true", "false", "true", "false", "NULL"]);
}

#[test]
fn many_constants_hash_without_collisions_or_compare() {
    let values: Vec<_> = (0..2000).map(|value| Some(value * 7)).collect();
    let mut arguments = vec![col(0, T::Int)];
    arguments.extend((0..1000).map(|value| int(i64::from(value) * 14)));
    let found = eval(&is(F::In, arguments), &[ints(&values)]);
    assert!(found.iter().enumerate().all(|(row, found)| (found == "true") == (row % 2 == 0)), "{found:?}");
}
