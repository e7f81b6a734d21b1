//! Joining, measuring, hashing texts.

use weir_plan::Function as F;

use super::super::tests::*;

#[test]
fn texts_of_one_text() {
    let column = [strings(&[Some("abC"), Some("straße"), Some("ΑΣ"), Some("😀ж"), Some(""), None])];
    let of = |function, logical| eval(&call(function, vec![col(0, STRING)], logical), &column);
    assert_eq!(of(F::Upper, STRING), ["ABC", "STRASSE", "ΑΣ", "😀Ж", "", "NULL"]);
    assert_eq!(of(F::Lower, STRING), ["abc", "straße", "ας", "😀ж", "", "NULL"]);
    assert_eq!(of(F::CharLength, T::Int), ["3", "6", "2", "2", "0", "NULL"]);
    assert_eq!(one(&call(F::Md5, vec![text("abc")], T::Char(32))), "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(one(&call(F::Md5, vec![text("ж")], T::Char(32))), "d82d7ca255082e2ca8720d69da507ee1");
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(one(&call(F::Sha256, vec![text("")], T::Char(64))), empty);
}

#[test]
fn concat_is_null_with_a_null_and_concat_ws_leaves_it_out() {
    let columns = [strings(&[Some("a"), None, Some("ж")]), strings(&[Some("x"), Some("y"), None])];
    let concat = call(F::Concat, vec![col(0, STRING), text("-"), col(1, STRING)], STRING);
    assert_eq!(eval(&concat, &columns), ["a-x", "NULL", "NULL"]);
    let with = call(F::ConcatWs, vec![text(", "), col(0, STRING), col(1, STRING), text("z")], STRING);
    assert_eq!(eval(&with, &columns), ["a, x, z", "y, z", "ж, z"]);
    assert_eq!(eval(&call(F::ConcatWs, vec![null(STRING), col(0, STRING)], STRING), &columns), ["NULL"; 3]);
    assert_eq!(one(&call(F::ConcatWs, vec![text(","), null(STRING)], STRING)), "");
}

#[test]
fn position_counts_characters_from_one() {
    let column = [strings(&[Some("aжb"), Some("жж"), Some(""), None])];
    let of = |wanted| eval(&call(F::Position, vec![text(wanted), col(0, STRING)], T::Int), &column);
    assert_eq!(of("b"), ["3", "0", "0", "NULL"]);
    assert_eq!(of(""), ["1", "1", "1", "NULL"]);
}
