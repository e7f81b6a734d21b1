//! Digits, base 64 and charsets as Flink has them.

use weir_plan::{Function as F, Value};

use super::super::tests::*;

fn bytes(value: &[u8]) -> weir_plan::Expr {
    lit(Value::Bytes(value.to_vec()), T::Varbinary(100))
}

#[test]
fn digits_of_other_bases() {
    let of = |function, value| one(&call(function, vec![lit(Value::Integer(value), T::BigInt)], STRING));
    assert_eq!(of(F::Bin, 4), "100");
    assert_eq!(of(F::Bin, -1), "1".repeat(64));
    assert_eq!(of(F::Hex, -1), "FFFFFFFFFFFFFFFF");
    assert_eq!(one(&call(F::Hex, vec![text("äb")], STRING)), "C3A462");
    let unhex = |value| one(&call(F::Unhex, vec![text(value)], T::Varbinary(100)));
    assert_eq!(["4d4", "zz", "", "7A7A"].map(unhex), ["00d4", "NULL", "", "7a7a"]);
}

#[test]
fn base_64_with_and_without_padding() {
    assert_eq!(one(&call(F::ToBase64, vec![text("ä😀")], STRING)), "w6Twn5iA");
    assert_eq!(one(&call(F::ToBase64, vec![bytes(&[10])], STRING)), "Cg==");
    let from = call(F::FromBase64, vec![col(0, STRING)], STRING);
    let column = [strings(&[Some("aGVsbG8="), Some("aGVsbG8"), Some("/w=="), Some(""), None])];
    assert_eq!(eval(&from, &column), ["hello", "hello", "\u{fffd}", "", "NULL"]);
    assert_eq!(error(&from, &[strings(&[Some("aG Vs")])]), (0, "Illegal base64 character 20".to_owned()));
}

#[test]
fn charsets() {
    let encode = |name| one(&call(F::Encode, vec![text("ä€"), text(name)], T::Varbinary(100)));
    assert_eq!(encode("UTF-8"), "c3a4e282ac");
    assert_eq!(encode("iso-8859-1"), "e43f");
    assert_eq!(encode("US-ASCII"), "3f3f");
    assert_eq!(encode("UTF-16"), "feff00e420ac");
    assert_eq!(encode("utf-16le"), "e400ac20");
    let decode = |value, name| one(&call(F::Decode, vec![bytes(value), text(name)], STRING));
    assert_eq!(decode(&[0xff, 0xfe, 0x61, 0], "UTF-16"), "a");
    assert_eq!(decode(&[0, 0xe4, 0], "UTF-16"), "ä\u{fffd}");
    assert_eq!(decode(&[0xe4], "US-ASCII"), "\u{fffd}");
    let unknown = call(F::Encode, vec![text("a"), col(0, STRING)], T::Varbinary(100));
    assert!(error(&unknown, &[strings(&[Some("nope")])]).1.starts_with("The charset 'nope' is not supported"));
}
