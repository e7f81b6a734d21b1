//! Arithmetic of times and intervals, and the time of the batch.

use weir_plan::{Expr, Function as F, Value};

use super::super::tests::*;

fn stamp(text: &str, precision: u8) -> Expr {
    cast(super::super::tests::text(text), T::Timestamp(precision))
}

fn date(text: &str) -> Expr {
    cast(super::super::tests::text(text), T::Date)
}

fn months(value: i32) -> Expr {
    lit(Value::Months(value), T::IntervalYearMonth)
}

fn millis(value: i64) -> Expr {
    lit(Value::Milliseconds(value), T::IntervalDayTime)
}

const HOUR: i64 = 3_600_000;

#[test]
fn times_and_intervals() {
    let time = |hour: i32, minute: i32| lit(Value::Time(hour * 3_600_000 + minute * 60_000), T::Time(0));
    let cases: Vec<(F, Expr, Expr, T, &str)> = vec![
        (F::Add, stamp("2024-02-03 10:00:00", 0), millis(24 * HOUR), T::Timestamp(0), "2024-02-04T10:00:00"),
        (F::Add, months(1), stamp("2024-01-31 10:00:00", 0), T::Timestamp(0), "2024-02-29T10:00:00"),
        (F::Subtract, stamp("2024-03-31 10:00:00.123", 3), months(1), T::Timestamp(3), "2024-02-29T10:00:00.123"),
        (F::Add, stamp("2024-01-31 10:00:00.123456", 6), months(-12), T::Timestamp(6), "2023-01-31T10:00:00.123456"),
        (F::Add, date("2024-01-31"), months(1), T::Date, "2024-02-29"),
        (F::Add, date("2024-01-31"), millis(36 * HOUR), T::Date, "2024-02-01"),
        (F::Subtract, date("2024-01-31"), millis(24 * HOUR), T::Date, "2024-01-30"),
        (F::Add, time(23, 30), millis(HOUR), T::Time(0), "00:30:00"),
        (F::Subtract, time(0, 30), millis(HOUR), T::Time(0), "23:30:00"),
        (F::Subtract, stamp("2024-03-31 10:00:00", 0), stamp("2024-03-30 09:00:00", 0), T::IntervalDayTime, "PT90000S"),
        (F::Subtract, date("2024-03-31"), date("2024-01-30"), T::IntervalYearMonth, "0 years 2 mons"),
        (F::Multiply, millis(24 * HOUR), int(2), T::IntervalDayTime, "PT172800S"),
        (F::Add, millis(24 * HOUR), millis(2 * HOUR), T::IntervalDayTime, "PT93600S"),
        (F::Add, stamp("2024-02-03 10:00:00", 0), null(T::IntervalDayTime), T::Timestamp(0), "NULL"),
    ];
    for (function, left, right, logical, expected) in cases {
        let shown = format!("{function:?} {logical} {expected}");
        assert_eq!(one(&call(function, vec![left, right], logical)), expected, "{shown}");
    }
    assert_eq!(one(&call(F::Negate, vec![millis(HOUR)], T::IntervalDayTime)), "-PT3600S");
}

#[test]
fn the_time_is_that_of_the_batch() {
    assert_eq!(one(&call(F::CurrentTimestamp, vec![], T::TimestampLtz(3))), "2024-02-03T09:11:12.345Z");
    assert_eq!(one(&call(F::LocalTimestamp, vec![], T::Timestamp(3))), "2024-02-03T10:11:12.345");
    assert_eq!(one(&call(F::CurrentDate, vec![], T::Date)), "2024-02-03");
}
