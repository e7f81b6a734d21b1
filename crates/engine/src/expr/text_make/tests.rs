//! Texts made of others.

use weir_plan::{Function as F, Value};

use super::super::tests::*;

#[test]
fn large_and_small_letters() {
    let column = [strings(&[Some("abC"), Some("straße"), Some("ΑΣ"), Some("😀ж"), Some(""), None])];
    let of = |function| eval(&call(function, vec![col(0, STRING)], STRING), &column);
    assert_eq!(of(F::Upper), ["ABC", "STRASSE", "ΑΣ", "😀Ж", "", "NULL"]);
    assert_eq!(of(F::Lower), ["abc", "straße", "ας", "😀ж", "", "NULL"]);
    assert_eq!(of(F::Reverse), ["Cba", "eßarts", "ΣΑ", "ж😀", "", "NULL"]);
    let init_cap = call(F::InitCap, vec![text("hello wORLD-foo_bar äpfel 2nd ßa")], STRING);
    assert_eq!(one(&init_cap), "Hello World-Foo_Bar äPfel 2nd ßA");
}

#[test]
fn overlay_counts_utf_16_units() {
    let of = |value, other, start, length| {
        one(&call(F::Overlay, vec![text(value), text(other), int(start), int(length)], STRING))
    };
    assert_eq!(of("This is an old string", " new", 10, 5), "This is a new string");
    assert_eq!(of("abcdef", "XYZ", 2, 0), "aXYZ");
    assert_eq!(of("abcdef", "XY", 3, 4), "abXY");
    assert_eq!(of("abcdef", "XY", 3, 3), "abXYf");
    assert_eq!(of("😀bcdef", "XYZ", 2, 1), "?XYZbcdef");
    assert_eq!([0, -1, 7].map(|start| of("abcdef", "X", start, 1)), ["abcdef"; 3]);
    let short = |start| one(&call(F::Overlay, vec![text("abcdef"), text("XYZ"), int(start)], STRING));
    assert_eq!([2, 5, 6].map(short), ["aXYZef", "abcdXYZ", "abcdeXYZ"]);
}

#[test]
fn characters_one_by_one() {
    let translate = |value, from, to| one(&call(F::Translate, vec![text(value), text(from), text(to)], STRING));
    assert_eq!(translate("www.apache.org", "wapcheorg", " APCHEcom"), "   .APACHE.com");
    assert_eq!(translate("aab", "aa", "xy"), "xxb");
    assert_eq!(translate("😀ab", "😀a", "x"), "xb");
    let with_null = call(F::Translate, vec![text("ab"), text("a"), null(STRING)], STRING);
    assert_eq!(one(&with_null), "b");
    let chr = |code| one(&call(F::Chr, vec![lit(Value::Integer(code), T::BigInt)], STRING));
    assert_eq!([97, 353, 228, -1].map(chr), ["a", "a", "ä", ""]);
    let repeat = |count| one(&call(F::Repeat, vec![text("ab"), int(count)], STRING));
    assert_eq!([3, 0, -1].map(repeat), ["ababab", "", ""]);
}

#[test]
fn elt_chooses_one_of_its_arguments() {
    let expr = call(F::Elt, vec![col(0, T::BigInt), text("a"), null(STRING), text("c")], STRING);
    let indices = [longs(&[Some(1), Some(2), Some(3), Some(4), Some(0), None, Some(1 << 40)])];
    assert_eq!(eval(&expr, &indices), ["a", "NULL", "c", "NULL", "NULL", "NULL", "NULL"]);
}
