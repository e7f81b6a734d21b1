//! Units of time: results that Flink 2.3 gives (table.local-time-zone Europe/Berlin).

use weir_plan::{Expr, Function as F, Value};

use super::super::tests::*;
use super::super::{CompileContext, Evaluator};

fn stamp(text: &str) -> Expr {
    cast(super::super::tests::text(text), T::Timestamp(6))
}

fn date(text: &str) -> Expr {
    cast(super::super::tests::text(text), T::Date)
}

fn instant(millis: i128) -> Expr {
    lit(Value::Timestamp(millis * 1_000_000), T::TimestampLtz(3))
}

#[test]
fn extract() {
    let time = || lit(Value::Time(36_672_000), T::Time(0));
    let interval = || lit(Value::Milliseconds(((5 * 24 + 10) * 3600 + 11 * 60 + 12) * 1000 + 500), T::IntervalDayTime);
    let months = || lit(Value::Months(63), T::IntervalYearMonth);
    let cases: Vec<(&str, Expr, &str)> = vec![
        ("YEAR", stamp("2024-02-03 10:11:12.345"), "2024"),
        ("QUARTER", date("2024-12-31"), "4"),
        ("WEEK", date("2024-12-31"), "1"),
        ("WEEK", date("2023-01-01"), "52"),
        ("DOW", date("2024-02-04"), "1"),
        ("ISODOW", date("2024-02-04"), "7"),
        ("DOY", date("2024-12-31"), "366"),
        ("ISOYEAR", date("2024-12-31"), "2025"),
        ("CENTURY", date("2024-12-31"), "21"),
        ("MILLENNIUM", date("2000-12-31"), "2"),
        ("DECADE", date("2024-12-31"), "202"),
        ("EPOCH", stamp("2024-02-03 10:11:12.345"), "1706955072"),
        ("EPOCH", date("1970-01-02"), "86400"),
        ("EPOCH", instant(7_200_000), "10800"),
        ("HOUR", stamp("1969-12-31 23:11:12.345"), "0"),
        ("SECOND", stamp("1969-12-31 23:11:12.345"), "-47"),
        ("DAY", stamp("1969-12-31 23:11:12.345"), "1"),
        ("SECOND", stamp("2024-02-03 10:11:12.345"), "12"),
        ("MILLISECOND", stamp("2024-02-03 10:11:12.345"), "345"),
        ("MICROSECOND", stamp("2024-02-03 10:11:12.345678"), "345678"),
        ("NANOSECOND", stamp("2024-02-03 10:11:12.345678"), "345678000"),
        ("HOUR", time(), "10"),
        ("MINUTE", time(), "11"),
        ("HOUR", instant(0), "1"),
        ("DAY", instant(0), "1"),
        ("HOUR", date("2024-02-03"), "0"),
        ("DAY", interval(), "5"),
        ("HOUR", interval(), "10"),
        ("SECOND", interval(), "12"),
        ("MONTH", months(), "3"),
        ("YEAR", months(), "5"),
        ("YEAR", null(T::Date), "NULL"),
    ];
    for (unit, of, expected) in cases {
        assert_eq!(one(&call(F::Extract, vec![text(unit), of], T::BigInt)), expected, "{unit} {expected}");
    }
}

#[test]
fn floor_and_ceil_of_timestamps() {
    let cases = [
        (F::FloorTo, "HOUR", "2024-02-03T10:00:00"),
        (F::FloorTo, "DAY", "2024-02-03T00:00:00"),
        (F::FloorTo, "MONTH", "2024-02-01T00:00:00"),
        (F::FloorTo, "WEEK", "2024-01-28T00:00:00"),
        (F::FloorTo, "QUARTER", "2024-01-01T00:00:00"),
        (F::FloorTo, "YEAR", "2024-01-01T00:00:00"),
        (F::FloorTo, "DECADE", "2020-01-01T00:00:00"),
        (F::FloorTo, "CENTURY", "2001-01-01T00:00:00"),
        (F::FloorTo, "MILLENNIUM", "2001-01-01T00:00:00"),
        (F::FloorTo, "SECOND", "2024-02-03T10:11:12"),
        (F::FloorTo, "MILLISECOND", "2024-02-03T10:11:12.345"),
        (F::CeilTo, "HOUR", "2024-02-03T11:00:00"),
        (F::CeilTo, "DAY", "2024-02-04T00:00:00"),
        (F::CeilTo, "MONTH", "2024-03-01T00:00:00"),
        (F::CeilTo, "WEEK", "2024-02-04T00:00:00"),
        (F::CeilTo, "QUARTER", "2024-04-01T00:00:00"),
        (F::CeilTo, "YEAR", "2025-01-01T00:00:00"),
        (F::CeilTo, "DECADE", "2030-01-01T00:00:00"),
        (F::CeilTo, "CENTURY", "2101-01-01T00:00:00"),
        (F::CeilTo, "SECOND", "2024-02-03T10:11:13"),
        (F::CeilTo, "MINUTE", "2024-02-03T10:12:00"),
    ];
    for (function, unit, expected) in cases {
        let expr = call(function, vec![stamp("2024-02-03 10:11:12.345"), text(unit)], T::Timestamp(6));
        assert_eq!(one(&expr), expected, "{function:?} {unit}");
    }
    let ceil = |value, unit| one(&call(F::CeilTo, vec![stamp(value), text(unit)], T::Timestamp(6)));
    assert_eq!(ceil("2024-02-01 10:11:12.345", "MONTH"), "2024-02-01T00:00:00");
    assert_eq!(ceil("2024-02-04 00:00:00", "WEEK"), "2024-02-04T00:00:00");
    let floor = |value, unit| one(&call(F::FloorTo, vec![stamp(value), text(unit)], T::Timestamp(6)));
    assert_eq!(floor("1969-11-03 10:11:12.5", "HOUR"), "1969-11-03T10:00:00");
    assert_eq!(floor("1969-11-03 10:11:12.5", "MONTH"), "1969-11-01T00:00:00");
    assert_eq!(floor("1969-12-31 23:59:59.789", "MONTH"), "1970-01-01T00:00:00");
    assert_eq!(floor("1969-12-31 23:59:59.789", "DAY"), "1969-12-31T00:00:00");
}

#[test]
fn floor_and_ceil_of_other_times() {
    let of = |function, value: Expr, unit| {
        let logical = value.data_type.logical.clone();
        one(&call(function, vec![value, text(unit)], logical))
    };
    assert_eq!(of(F::FloorTo, date("2024-02-03"), "MONTH"), "2024-02-01");
    assert_eq!(of(F::FloorTo, date("2024-02-03"), "WEEK"), "2024-01-28");
    assert_eq!(of(F::CeilTo, date("2024-02-03"), "YEAR"), "2025-01-01");
    assert_eq!(of(F::FloorTo, date("1969-11-03"), "MONTH"), "1969-11-01");
    assert_eq!(of(F::CeilTo, date("2024-02-03"), "DAY"), "2024-02-04");
    assert_eq!(of(F::FloorTo, date("2024-02-03"), "HOUR"), "2024-02-03");
    let time = || lit(Value::Time(36_672_000), T::Time(0));
    assert_eq!(of(F::FloorTo, time(), "MINUTE"), "10:11:00");
    assert_eq!(of(F::CeilTo, time(), "MINUTE"), "10:12:00");
    assert_eq!(of(F::FloorTo, instant(1_706_951_472_345), "DAY"), "2024-02-02T23:00:00Z");
    assert_eq!(of(F::FloorTo, instant(1_706_951_472_345), "MONTH"), "2024-01-31T23:00:00Z");
    assert_eq!(of(F::CeilTo, instant(1_706_951_472_345), "DAY"), "2024-02-03T23:00:00Z");
    assert_eq!(of(F::CeilTo, instant(1_706_951_472_345), "WEEK"), "2024-02-03T23:00:00Z");
}

#[test]
fn timestampdiff() {
    let cases = [
        ("DAY", "2024-02-03 10:00:00", "2024-02-05 09:00:00", "1"),
        ("HOUR", "2024-02-03 10:00:00", "2024-02-05 09:30:00", "47"),
        ("MONTH", "2024-01-31 10:00:00", "2024-03-01 09:30:00", "1"),
        ("YEAR", "2020-02-29 10:00:00", "2024-02-28 09:30:00", "3"),
        ("QUARTER", "2020-02-29 10:00:00", "2024-02-28 09:30:00", "15"),
        ("WEEK", "2024-02-03 10:00:00", "2024-02-25 09:30:00", "3"),
        ("SECOND", "2024-02-03 10:00:00", "2024-02-03 09:59:58.5", "-1"),
        ("MONTH", "2024-03-31", "2024-02-29", "-1"),
    ];
    for (unit, start, end, expected) in cases {
        assert_eq!(
            one(&call(F::TimestampDiff, vec![text(unit), stamp(start), stamp(end)], T::Int)),
            expected,
            "{unit}"
        );
    }
    let mixed = call(F::TimestampDiff, vec![text("DAY"), date("2024-02-03"), stamp("2024-02-05 09:00:00")], T::Int);
    assert_eq!(one(&mixed), "2");
}

#[test]
fn units_that_do_not_fit_are_refused() {
    let refused = |expr: Expr| Evaluator::compile(&expr, &CompileContext::new("UTC")).unwrap_err().to_string();
    let time = || lit(Value::Time(0), T::Time(0));
    assert_eq!(
        refused(call(F::Extract, vec![text("YEAR"), time()], T::BigInt)),
        "use the unit YEAR at 3:7: it cannot be had of TIME(0)"
    );
    assert_eq!(
        refused(call(F::Extract, vec![text("EON"), time()], T::BigInt)),
        "use the unit EON at 3:7: it is none of Flink's"
    );
}
