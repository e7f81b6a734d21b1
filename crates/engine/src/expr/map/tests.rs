//! Functions over maps: results that Flink 2.3 gives.

use weir_plan::{DataType, Expr, Field, Function as F};

use super::super::tests::*;

fn array_type(element: T) -> T {
    T::Array(Box::new(DataType::nullable(element)))
}

fn map_type() -> T {
    T::Map(Box::new(DataType::not_null(STRING)), Box::new(DataType::nullable(T::Int)))
}

fn map(entries: &[(&str, i64)]) -> Expr {
    let entries = entries.iter().flat_map(|(key, value)| [text(key), int(*value)]).collect();
    call(F::MapOf, entries, map_type())
}

#[test]
fn keys_values_and_entries() {
    let both = || map(&[("b", 1), ("a", 2)]);
    let entry =
        T::Row(vec![Field::new("key", DataType::not_null(STRING)), Field::new("value", DataType::nullable(T::Int))]);
    let shown = |function, logical| eval(&cast(call(function, vec![both()], logical), STRING), &[]).remove(0);
    assert_eq!(shown(F::MapKeys, array_type(STRING)), "[b, a]");
    assert_eq!(shown(F::MapValues, array_type(T::Int)), "[1, 2]");
    assert_eq!(shown(F::MapEntries, array_type(entry)), "[(b, 1), (a, 2)]");
}

#[test]
fn of_equal_keys_the_last_counts() {
    let union = call(F::MapUnion, vec![map(&[("a", 1), ("b", 2)]), map(&[("a", 3)])], map_type());
    assert_eq!(eval(&cast(union, STRING), &[]), ["{a=3, b=2}"]);
}

#[test]
fn keys_and_values_must_be_as_many() {
    let columns = [strings(&[Some("x"), Some("y")]), ints(&[Some(1), None])];
    let of = |values: Vec<Expr>| {
        let keys = call(F::ArrayOf, vec![col(0, STRING)], array_type(STRING));
        call(F::MapFromArrays, vec![keys, call(F::ArrayOf, values, array_type(T::Int))], map_type())
    };
    assert_eq!(eval(&cast(of(vec![col(1, T::Int)]), STRING), &columns), ["{x=1}", "{y=NULL}"]);
    let (row, words) = error(&of(vec![int(1), int(2)]), &columns);
    assert_eq!(row, 0);
    assert!(
        words.ends_with("The length of the keys array 1 is not equal to the length of the values array 2"),
        "{words}"
    );
}
