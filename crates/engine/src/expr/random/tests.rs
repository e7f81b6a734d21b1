//! Java's generator, and what is random without a seed.

use weir_plan::Function as F;

use super::super::tests::*;
use super::JavaRandom;

#[test]
fn a_seed_gives_what_it_gives_in_java() {
    let mut random = JavaRandom::new(42);
    assert_eq!(random.next_double(), 0.727_563_680_032_868_1);
    assert_eq!(JavaRandom::new(42).next_below(100), Some(30));
    assert_eq!(JavaRandom::new(42).next_below(0), None);
    assert_eq!(JavaRandom::new(42).next_below(-5), None);
}

#[test]
fn a_constant_seed_starts_one_sequence_and_a_column_of_seeds_one_for_each_row() {
    let seeds = [ints(&[Some(42), Some(42), None])];
    let each = call(F::Rand, vec![col(0, T::Int)], T::Double);
    let got = eval(&each, &seeds);
    assert_eq!(got[0], got[1]);
    assert_eq!(got[2], "NULL");
    let one = call(F::Rand, vec![int(42)], T::Double);
    let sequence = eval(&one, &seeds);
    assert_eq!(sequence[0], got[0]);
    assert!(sequence[1] != sequence[0] && sequence[2] != sequence[1]);
}

#[test]
fn a_bound_below_one_fails() {
    let expr = call(F::RandInteger, vec![col(0, T::Int)], T::Int);
    assert_eq!(error(&expr, &[ints(&[Some(5), Some(0)])]), (1, "bound must be positive".to_owned()));
    let below = eval(&expr, &[ints(&[Some(1), Some(7), None])]);
    assert_eq!((below[0].as_str(), below[2].as_str()), ("0", "NULL"));
    assert!(below[1].parse::<i32>().is_ok_and(|number| (0..7).contains(&number)));
}

#[test]
fn uuids_are_of_version_4_and_all_differ() {
    let uuid = call(F::Uuid, vec![], T::Char(36));
    let mut got = eval(&uuid, &[ints(&[Some(1); 50])]);
    for text in &got {
        let bytes = text.as_bytes();
        assert_eq!(
            (text.len(), bytes[14], bytes[8], bytes[13], bytes[18], bytes[23]),
            (36, b'4', b'-', b'-', b'-', b'-')
        );
        assert!(matches!(bytes[19], b'8' | b'9' | b'a' | b'b'), "{text}");
    }
    got.sort();
    got.dedup();
    assert_eq!(got.len(), 50);
}
