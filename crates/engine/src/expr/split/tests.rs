//! Texts taken apart.

use weir_plan::{DataType, Function as F};

use super::super::tests::*;

fn array() -> T {
    T::Array(Box::new(DataType::string()))
}

fn map() -> T {
    T::Map(Box::new(DataType::string()), Box::new(DataType::string()))
}

#[test]
fn split_keeps_empty_parts() {
    let column = [strings(&[Some("a,b,,c"), Some(","), Some(""), Some("x"), None])];
    let by = |separator| eval(&call(F::Split, vec![col(0, STRING), text(separator)], array()), &column);
    assert_eq!(by(","), ["[a, b, , c]", "[, ]", "[]", "[x]", "NULL"]);
    assert_eq!(by("")[0], "[a, ,, b, ,, ,, c]");
    assert_eq!(one(&call(F::Split, vec![text("😀a"), text("")], array())), "[?, ?, a]");
}

#[test]
fn split_index_by_text_and_by_code() {
    let by_text = |value, index| one(&call(F::SplitIndex, vec![text(value), text(","), int(index)], STRING));
    assert_eq!(
        [by_text("a,b", 1), by_text("a,b", 2), by_text("a,b", -1), by_text("", 0)],
        ["b", "NULL", "NULL", "NULL"]
    );
    let by_code = |code| one(&call(F::SplitIndex, vec![text("a,b"), int(code), int(1)], STRING));
    assert_eq!([44, 300, -1, 0].map(by_code), ["b", "NULL", "NULL", "NULL"]);
}

#[test]
fn maps_of_pairs() {
    let of = |value| one(&call(F::StrToMap, vec![text(value)], map()));
    assert_eq!(of("k1=v1,k2=v2"), "{k1: v1, k2: v2}");
    assert_eq!(of("a=1=2,,b="), "{a: 1=2, : NULL, b: }");
    assert_eq!([of(""), of("a"), of("a=1,a=2")], ["{}", "{a: NULL}", "{a: 2}"]);
    let by = |value, pairs, keys| one(&call(F::StrToMap, vec![text(value), text(pairs), text(keys)], map()));
    assert_eq!(by("k1$$v1|k2$$ v2", r"\|", r"\$\$"), "{k1: v1, k2:  v2}");
    assert_eq!(by("a=1", "", "="), "{a: NULL, : , 1: NULL}");
}
