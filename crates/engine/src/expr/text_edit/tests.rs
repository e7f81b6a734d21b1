//! Taking texts apart: results that Flink 2.3 gives.

use weir_plan::{Expr, Function as F, LogicalType as T};

use super::super::tests::*;

#[test]
fn results_of_flink() {
    let cases: Vec<(F, Vec<Expr>, &str)> = vec![
        (F::Substring, vec![text("hello"), int(2), int(3)], "ell"),
        (F::Substring, vec![text("hello"), int(-3), int(2)], "ll"),
        (F::Substring, vec![text("hello"), int(0), int(2)], "he"),
        (F::Substring, vec![text("hello"), int(-9)], ""),
        (F::Substring, vec![text("hello"), int(2), int(-1)], "NULL"),
        (F::Substring, vec![text("hello"), int(9)], ""),
        (F::Substring, vec![text("hello"), int(2), int(2_147_483_647)], "ello"),
        (F::Substring, vec![text("hello"), int(-2_147_483_648)], ""),
        (F::Substring, vec![text("hé😀lo"), int(2), int(2)], "é😀"),
        (F::Substring, vec![text("hé😀lo"), int(-3)], "😀lo"),
        (F::Left, vec![text("äöü😀x"), int(4)], "äöü😀"),
        (F::Left, vec![text("abc"), int(2_147_483_647)], "abc"),
        (F::Left, vec![text("abc"), int(0)], ""),
        (F::Left, vec![text("abc"), int(-2_147_483_648)], ""),
        (F::Left, vec![text("abc"), null(T::Int)], "NULL"),
        (F::Right, vec![text("äöü😀x"), int(2)], "😀x"),
        (F::Right, vec![text("abc"), int(3)], "abc"),
        (F::Right, vec![text("abc"), int(4)], "abc"),
        (F::Right, vec![text(""), int(1)], ""),
        (F::Right, vec![text("abc"), int(-1)], ""),
        (F::TrimBoth, vec![text("  a "), text(" ")], "a"),
        (F::TrimLeading, vec![text("xyxab"), text("xy")], "ab"),
        (F::TrimTrailing, vec![text("aжж"), text("ж")], "a"),
        (F::TrimBoth, vec![text("жaж"), text("ж")], "a"),
        (F::TrimBoth, vec![text("abc"), text("")], "abc"),
        (F::Replace, vec![text("abcabc"), text("b"), text("xx")], "axxcaxxc"),
        (F::Replace, vec![text("abc"), text(""), text("x")], "xaxbxcx"),
        (F::Replace, vec![text("aaa"), text("aa"), text("b")], "ba"),
        (F::SplitIndex, vec![text("a,b,c"), text(","), int(1)], "b"),
        (F::SplitIndex, vec![text("a,b,c"), text(","), int(3)], "NULL"),
        (F::SplitIndex, vec![text("a,,c"), text(","), int(1)], ""),
        (F::SplitIndex, vec![text("a,b,"), text(","), int(2)], ""),
        (F::SplitIndex, vec![text(""), text(","), int(0)], "NULL"),
        (F::SplitIndex, vec![text("a b"), text(""), int(1)], "b"),
        (F::SplitIndex, vec![text("abc"), text(","), int(-1)], "NULL"),
        (F::SplitIndex, vec![text("aXXbXXc"), text("XX"), int(2)], "c"),
        (F::Lpad, vec![text("hi"), int(5), text("?!")], "?!?hi"),
        (F::Lpad, vec![text("hi"), int(1), text("?")], "h"),
        (F::Lpad, vec![text("hi"), int(5), text("")], "NULL"),
        (F::Lpad, vec![text("hi"), int(-1), text("x")], "NULL"),
        (F::Lpad, vec![text("hi"), int(0), text("x")], ""),
        (F::Rpad, vec![text("hi"), int(5), text("?!")], "hi?!?"),
        (F::Rpad, vec![text("é😀"), int(5), text("ж")], "é😀жж"),
        (F::Reverse, vec![text("añ😀b")], "b😀ña"),
        (F::Reverse, vec![null(STRING)], "NULL"),
    ];
    for (function, arguments, expected) in cases {
        let shown = format!("{function:?} {:?}", arguments.iter().map(|argument| &argument.kind).collect::<Vec<_>>());
        assert_eq!(one(&call(function, arguments, STRING)), expected, "{shown}");
    }
}

#[test]
fn padding_is_bounded() {
    let expr = call(F::Lpad, vec![col(0, STRING), int(2_000_000_000), text("x")], STRING);
    let message = "A text cannot be padded to 2000000000 characters: 16777216 is the most.".to_owned();
    assert_eq!(error(&expr, &[strings(&[None, Some("a")])]), (1, message));
}
