//! ARRAY, MAP, ROW.

use weir_plan::{DataType, Expr, ExprKind, Field, Function as F};

use super::super::tests::*;
use super::super::{CompileContext, Evaluator};

fn array_type(element: T) -> T {
    T::Array(Box::new(DataType::nullable(element)))
}

fn map_type() -> T {
    T::Map(Box::new(DataType::not_null(STRING)), Box::new(DataType::nullable(T::Int)))
}

fn item(of: Expr, key: Expr, logical: T) -> Expr {
    call(F::ItemAt, vec![of, key], logical)
}

#[test]
fn arrays() {
    let columns = [ints(&[Some(1), None, Some(3)]), longs(&[Some(2), Some(0), None])];
    let array = || call(F::ArrayOf, vec![col(0, T::Int), int(7)], array_type(T::Int));
    assert_eq!(eval(&cast(array(), STRING), &columns), ["[1, 7]", "[NULL, 7]", "[3, 7]"]);
    assert_eq!(eval(&item(array(), int(1), T::Int), &columns), ["1", "NULL", "3"]);
    assert_eq!(eval(&item(array(), col(1, T::BigInt), T::Int), &columns), ["7", "NULL", "NULL"]);
    assert_eq!(eval(&item(array(), int(3), T::Int), &columns), ["NULL"; 3]);
    assert_eq!(eval(&call(F::Cardinality, vec![array()], T::Int), &columns), ["2"; 3]);
    let error = Evaluator::compile(&item(array(), int(0), T::Int), &CompileContext::new("UTC")).unwrap_err();
    assert_eq!(error.to_string(), "Array element access needs an index starting at 1 but was 0.");
}

#[test]
fn maps_keep_the_last_of_equal_keys() {
    let columns = [strings(&[Some("a"), Some("b")])];
    let map = || call(F::MapOf, vec![text("a"), int(1), col(0, STRING), int(2)], map_type());
    assert_eq!(eval(&cast(map(), STRING), &columns), ["{a=2}", "{a=1, b=2}"]);
    assert_eq!(eval(&item(map(), text("a"), T::Int), &columns), ["2", "1"]);
    assert_eq!(eval(&item(map(), col(0, STRING), T::Int), &columns), ["2", "2"]);
    assert_eq!(eval(&item(map(), text("z"), T::Int), &columns), ["NULL"; 2]);
    assert_eq!(eval(&call(F::Cardinality, vec![map()], T::Int), &columns), ["1", "2"]);
}

#[test]
fn rows_and_their_fields() {
    let row_type = |second: T| {
        T::Row(vec![Field::new("n", DataType::nullable(T::Int)), Field::new("s", DataType::nullable(second))])
    };
    let columns = [ints(&[Some(1), None]), strings(&[Some("12"), Some("x")])];
    let row = || call(F::RowOf, vec![col(0, T::Int), col(1, STRING)], row_type(STRING));
    assert_eq!(eval(&cast(row(), STRING), &columns), ["(1, 12)", "(NULL, x)"]);
    let field = Expr::new(ExprKind::Field(Box::new(row()), 1), DataType::string());
    assert_eq!(eval(&field, &columns), ["12", "x"]);
    let converted = cast(row(), row_type(T::Int));
    assert_eq!(error(&converted, &columns), (1, "For input string: 'x'. Invalid character found.".to_owned()));
    let tried = cast(try_cast(row(), row_type(T::Int)), STRING);
    assert_eq!(eval(&tried, &columns), ["(1, 12)", "NULL"]);
}

#[test]
fn casting_an_array_names_the_row_of_its_element() {
    let columns = [strings(&[Some("1"), Some("2"), Some("x")])];
    let array = call(F::ArrayOf, vec![text("5"), col(0, STRING)], array_type(STRING));
    let expr = cast(array, array_type(T::Int));
    assert_eq!(error(&expr, &columns), (2, "For input string: 'x'. Invalid character found.".to_owned()));
}

#[test]
fn a_slice_fails_for_its_own_rows_only() {
    let array = call(F::ArrayOf, vec![col(0, STRING)], array_type(STRING));
    let arrays = evaluate(&array, &[strings(&[Some("x"), Some("1"), Some("2")])]).unwrap();
    let expr = cast(cast(col(0, array_type(STRING)), array_type(T::Int)), STRING);
    assert_eq!(eval(&expr, &[arrays.slice(1, 2)]), ["[1]", "[2]"]);
    assert_eq!(error(&expr, &[arrays]).0, 0);
}
