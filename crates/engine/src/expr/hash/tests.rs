//! Hashes as Flink gives them.

use weir_plan::{Function as F, Value};

use super::super::tests::*;

#[test]
fn hashes_of_a_text() {
    let of = |function, length| one(&call(function, vec![text("a")], T::Char(length)));
    assert_eq!(of(F::Md5, 32), "0cc175b9c0f1b6a831c399e269772661");
    assert_eq!(of(F::Sha1, 40), "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8");
    assert_eq!(of(F::Sha224, 56), "abd37534c7d9a2efb9465de931cd7055ffdb8879563ae98078d6d6d5");
    let bytes = lit(Value::Bytes(vec![10]), T::Binary(1));
    assert_eq!(one(&call(F::Md5, vec![bytes], T::Char(32))), "68b329da9893e34099c7d8ad5cb9c940");
    let sha2 = call(F::Sha2, vec![text("a"), col(0, T::Int)], T::Varchar(128));
    assert_eq!(error(&sha2, &[ints(&[Some(1)])]), (0, "Unsupported algorithm.".to_owned()));
    assert_eq!(eval(&sha2, &[ints(&[Some(256), None])])[1], "NULL");
}

#[test]
fn hash_codes_are_javas() {
    let of = |argument| one(&call(F::HashCode, vec![argument], T::Int));
    assert_eq!(of(text("äö😀 zz")), "217074123");
    assert_eq!(of(lit(Value::Integer(-5), T::BigInt)), "4");
    assert_eq!(of(lit(Value::Integer(i64::MAX), T::BigInt)), "-2147483648");
    assert_eq!(of(double(-1.5)), "-1074266112");
    assert_eq!(of(lit(Value::Decimal(-150), T::Decimal(10, 2))), "-4648");
    assert_eq!(of(lit(Value::Decimal(15), T::Decimal(2, 1))), "466");
    assert_eq!(of(lit(Value::Boolean(false), T::Boolean)), "1237");
    assert_eq!(of(lit(Value::Timestamp(1_704_067_200_000_000_000), T::Timestamp(0))), "-2014528524");
}
