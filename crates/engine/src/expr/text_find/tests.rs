//! Searching in texts.

use weir_plan::Function as F;

use super::super::tests::*;

#[test]
fn position_counts_characters_from_one() {
    let column = [strings(&[Some("aжb"), Some("жж"), Some(""), None])];
    let of = |wanted| eval(&call(F::Position, vec![text(wanted), col(0, STRING)], T::Int), &column);
    assert_eq!(of("b"), ["3", "0", "0", "NULL"]);
    assert_eq!(of(""), ["1", "1", "1", "NULL"]);
    let lengths = call(F::CharLength, vec![col(0, STRING)], T::Int);
    assert_eq!(eval(&lengths, &column), ["3", "2", "0", "NULL"]);
}

#[test]
fn locate_begins_anywhere() {
    let of = |part, value, start| one(&call(F::Locate, vec![text(part), text(value), int(start)], T::Int));
    assert_eq!(of("or", "Corporate", 3), "5");
    assert_eq!(of("or", "Corporate", -3), "2");
    assert_eq!(of("b", "abcb", 3), "4");
    assert_eq!(of("a", "abc", 9), "0");
}

#[test]
fn instr_counts_occurrences_from_either_end() {
    let of =
        |value, part, start, nth| one(&call(F::Instr, vec![text(value), text(part), int(start), int(nth)], T::Int));
    assert_eq!(of("Corporate Floor", "or", 3, 2), "14");
    assert_eq!(of("Corporate Floor", "or", -3, 2), "2");
    assert_eq!(of("abcabc", "bc", -1, 1), "5");
    assert_eq!(of("abcabc", "bc", -1, 3), "0");
    assert_eq!(of("abcabc", "bc", 0, 1), "0");
    assert_eq!(of("aaa", "aa", 1, 2), "2");
    assert_eq!(of("abc", "", 2, 2), "1");
    assert_eq!(of("😀bc", "bc", -1, 1), "2");
    let nth = call(F::Instr, vec![text("a"), text("a"), int(1), col(0, T::Int)], T::Int);
    assert_eq!(error(&nth, &[ints(&[Some(0)])]).1, "nthAppearance must be positive!");
}

#[test]
fn of_what_a_text_consists() {
    let column = [strings(&[Some("äb"), Some("12"), Some("1.5e3"), Some(""), None, Some(" -7f ")])];
    let of = |function| eval(&call(function, vec![col(0, STRING)], T::Boolean), &column);
    assert_eq!(of(F::IsAlpha), ["true", "false", "false", "false", "false", "false"]);
    assert_eq!(of(F::IsDigit), ["false", "true", "false", "false", "false", "false"]);
    assert_eq!(of(F::IsDecimal), ["false", "true", "true", "false", "false", "true"]);
    let numbers = [ints(&[Some(1), None])];
    let of = |function| eval(&call(function, vec![col(0, T::Int)], T::Boolean), &numbers);
    assert_eq!(
        (of(F::IsAlpha)[0].as_str(), of(F::IsDigit)[0].as_str(), of(F::IsDecimal)[0].as_str()),
        ("false", "true", "true")
    );
}

#[test]
fn the_first_byte_and_the_ends() {
    let ascii = |value| one(&call(F::Ascii, vec![text(value)], T::Int));
    assert_eq!(["ab", "ä", "😀", ""].map(ascii), ["97", "-61", "-16", "0"]);
    let of = |function, value, part| one(&is(function, vec![text(value), text(part)]));
    assert_eq!(of(F::StartsWith, "abc", ""), "true");
    assert_eq!(of(F::EndsWith, "abc", "abcd"), "false");
}
