//! Times and texts by pattern: results that Flink 2.3 gives (table.local-time-zone Europe/Berlin).

use weir_plan::{Expr, Function as F, Value};

use super::super::tests::*;
use super::super::{CompileContext, Evaluator};

#[test]
fn to_timestamp() {
    let cases = [
        ("2024-02-03 10:11:12.345", None, "2024-02-03T10:11:12.345"),
        ("abc", None, "NULL"),
        ("2024-02-03", None, "2024-02-03T00:00:00"),
        ("2024-02-03 25:00:00", None, "NULL"),
        ("2024-02-30 10:00:00", None, "2024-02-29T10:00:00"),
        ("03/02/2024 10:11", Some("dd/MM/yyyy HH:mm"), "2024-02-03T10:11:00"),
        ("2024-02-03T10:11:12Z", Some("yyyy-MM-dd'T'HH:mm:ss'Z'"), "2024-02-03T10:11:12"),
        ("20240203101112345", Some("yyyyMMddHHmmssSSS"), "2024-02-03T10:11:12.345"),
        ("2024-2-3", Some("yyyy-MM-dd"), "2024-02-03T00:00:00"),
        ("10:11", Some("HH:mm"), "1970-01-01T10:11:00"),
        ("2024-02-03 10:11 PM", Some("yyyy-MM-dd hh:mm a"), "2024-02-03T22:11:00"),
        ("Feb 3 2024", Some("MMM d yyyy"), "2024-02-03T00:00:00"),
        ("Sat 03 February 2024", Some("EEE dd MMMM yyyy"), "2024-02-03T00:00:00"),
        ("2024-02-03 10:11:12.123456", Some("yyyy-MM-dd HH:mm:ss.SSSSSS"), "2024-02-03T10:11:12.123"),
        ("24-2-3", Some("yy-M-d"), "2024-02-03T00:00:00"),
        ("2024-02-31 00:00:00", Some("yyyy-MM-dd HH:mm:ss"), "2024-02-29T00:00:00"),
        ("2024-02-03 10:11:12", Some("yyyy-MM-dd HH:mm"), "2024-02-03T10:11:12"),
        ("2024-02-03 5", Some("yyyy-MM-dd HH"), "NULL"),
        ("2024-02-03 24", Some("yyyy-MM-dd HH"), "2024-02-04T00:00:00"),
        ("2024-02-03 10:11:12+0200", Some("yyyy-MM-dd HH:mm:ssZ"), "2024-02-03T10:11:12"),
        ("2024-034", Some("yyyy-DDD"), "2024-02-03T00:00:00"),
        ("12", Some("hh"), "1970-01-01T00:00:00"),
        ("2024-02-03 10:11:12.5", Some("yyyy-MM-dd HH:mm:ss.SSS"), "2024-02-03T10:11:12.500"),
        ("2024", Some("u"), "2024-01-01T00:00:00"),
        ("2024-02-03 10:11:12", Some("[yyyy-MM-dd][ HH:mm:ss]"), "2024-02-03T10:11:12"),
        ("1706951472", Some("A"), "NULL"),
    ];
    for (value, pattern, expected) in cases {
        let mut arguments = vec![col(0, STRING)];
        arguments.extend(pattern.map(text));
        let expr = call(F::ToTimestamp, arguments, T::Timestamp(3));
        assert_eq!(eval(&expr, &[strings(&[Some(value)])]), [expected], "{value} {pattern:?}");
    }
}

#[test]
fn to_date() {
    let cases = [
        ("2024-02-03", None, "2024-02-03"),
        ("abc", None, "NULL"),
        ("2024-02-30", None, "NULL"),
        ("03.02.2024", Some("dd.MM.yyyy"), "2024-02-03"),
        ("31.02.2024", Some("dd.MM.yyyy"), "2024-03-02"),
        ("2024-02-03 10:11:12", Some("yyyy-MM-dd"), "2024-02-03"),
        ("2024-2-3", Some("yyyy-MM-dd"), "2024-02-03"),
        ("03FEB24", Some("ddMMMyy"), "2024-02-03"),
        ("abc", Some("dd.MM.yyyy"), "NULL"),
    ];
    for (value, pattern, expected) in cases {
        let mut arguments = vec![col(0, STRING)];
        arguments.extend(pattern.map(text));
        assert_eq!(
            eval(&call(F::ToDate, arguments, T::Date), &[strings(&[Some(value)])]),
            [expected],
            "{value} {pattern:?}"
        );
    }
}

#[test]
fn date_format() {
    let stamp = cast(text("2024-02-03 20:11:12.345"), T::Timestamp(3));
    let cases = [
        ("yyyy-MM-dd HH:mm:ss.SSS", "2024-02-03 20:11:12.345"),
        ("yyyyMMdd", "20240203"),
        ("EEE, d MMM yyyy hh:mm a", "Sat, 3 Feb 2024 08:11 PM"),
        ("EEEE MMMM D u Q", "Saturday February 34 2024 1"),
        ("YYYY-ww e", "2024-05 7"),
        ("SSSSSS n A k K", "345000 345000000 72672345 20 8"),
        ("yy MM M d H h m s S SS L LLL E EEEEE G w W c", "24 02 2 3 20 8 11 12 3 34 2 Feb Sat S AD 5 1 7"),
        ("yyyy-MM-dd'T'HH:mm", "2024-02-03T20:11"),
        ("", ""),
        ("yyyyy", "02024"),
    ];
    for (pattern, expected) in cases {
        assert_eq!(one(&call(F::DateFormat, vec![stamp.clone(), text(pattern)], STRING)), expected, "{pattern}");
    }
    let zoned = lit(Value::Timestamp(0), T::TimestampLtz(3));
    assert_eq!(one(&call(F::DateFormat, vec![zoned, text("yyyy-MM-dd HH:mm")], STRING)), "1970-01-01 01:00");
    let of_text = |value| one(&call(F::DateFormat, vec![text(value), text("yyyy/MM/dd HH")], STRING));
    assert_eq!(of_text("2024-02-03 20:11:12"), "2024/02/03 20");
    assert_eq!(of_text("2024-02-03"), "NULL");
    let columns = [strings(&[Some("yyyy"), None, Some("j")])];
    let by_row = call(F::DateFormat, vec![stamp, col(0, STRING)], STRING);
    assert_eq!(error(&by_row, &columns), (2, "Unknown pattern letter: j".to_owned()));
    assert_eq!(eval(&by_row, &[columns[0].slice(0, 2)]), ["2024", "NULL"]);
}

#[test]
fn a_malformed_constant_pattern_is_refused() {
    let expr = call(F::ToTimestamp, vec![col(0, STRING), text("yyyy-j")], T::Timestamp(3));
    let error = Evaluator::compile(&expr, &CompileContext::new("UTC")).unwrap_err();
    assert_eq!(error.to_string(), "use the pattern 'yyyy-j' of dates and times at 3:7: Unknown pattern letter: j");
}

#[test]
fn unix_times() {
    let from = |seconds: i64, pattern: Option<&str>| {
        let mut arguments = vec![lit(Value::Integer(seconds), T::BigInt)];
        arguments.extend(pattern.map(text));
        one(&call(F::FromUnixtime, arguments, STRING))
    };
    assert_eq!(from(0, None), "1970-01-01 01:00:00");
    assert_eq!(from(1_706_951_472, Some("yyyy-MM-dd")), "2024-02-03");
    assert_eq!(from(44, Some("HH:mm:ss a z")), "01:00:44 AM CET");
    let all = from(0, Some("EEEE u yy MMM w W D F H K k h S z Z X G"));
    assert_eq!(all, "Thursday 4 70 Jan 1 1 1 1 1 1 1 1 0 CET +0100 +01 AD");
    let to = |value: &str, pattern: Option<&str>| {
        let mut arguments = vec![text(value)];
        arguments.extend(pattern.map(text));
        one(&call(F::UnixTimestamp, arguments, T::BigInt))
    };
    assert_eq!(to("2024-02-03 10:11:12", None), "1706951472");
    assert_eq!(to("2024-02-03 10:11:12 extra", None), "1706951472");
    assert_eq!(to("abc", None), "-9223372036854775808");
    assert_eq!(to("2024-02-03", Some("yyyy-MM-dd")), "1706914800");
    assert_eq!(to("2024-02-03 10:11:12 +0500", Some("yyyy-MM-dd HH:mm:ss X")), "1706937072");
    assert_eq!(to("2024-03-31 02:30:00", None), "1711848600");
}

#[test]
fn to_timestamp_ltz() {
    let long = |value: i64| lit(Value::Integer(value), T::BigInt);
    let cases: Vec<(Expr, i64, T, &str)> = vec![
        (long(253_402_300_799_999), 3, T::TimestampLtz(3), "9999-12-31T23:59:59.999Z"),
        (long(253_402_300_800_000), 3, T::TimestampLtz(3), "NULL"),
        (long(-62_167_219_200_001), 3, T::TimestampLtz(3), "NULL"),
        (long(i64::MAX), 0, T::TimestampLtz(3), "NULL"),
        (long(100), 0, T::TimestampLtz(3), "1970-01-01T00:01:40Z"),
        (long(100), 6, T::TimestampLtz(6), "1970-01-01T00:00:00.000100Z"),
        (long(1_234_567_890_123_456_789), 9, T::TimestampLtz(9), "2009-02-13T23:31:30.123456789Z"),
        (double(1.5), 0, T::TimestampLtz(3), "1970-01-01T00:00:01.500Z"),
        (double(1.25), 3, T::TimestampLtz(3), "1970-01-01T00:00:00.001Z"),
        (double(-1.5), 3, T::TimestampLtz(3), "1969-12-31T23:59:59.998Z"),
        (double(-1.5), 1, T::TimestampLtz(3), "1969-12-31T23:59:59.850Z"),
        (double(-1.5), 9, T::TimestampLtz(9), "1969-12-31T23:59:59.999999999Z"),
        (double(253_402_300_799.5), 0, T::TimestampLtz(3), "NULL"),
        (double(1e16), 6, T::TimestampLtz(6), "2262-04-11T23:47:16.854775Z"),
        (double(f64::NAN), 3, T::TimestampLtz(3), "1970-01-01T00:00:00Z"),
        (long(17_319_900_001), 1, T::TimestampLtz(3), "2024-11-19T04:20:00.100Z"),
        (double(f64::INFINITY), 3, T::TimestampLtz(3), "NULL"),
        (lit(Value::Decimal(123_450), T::Decimal(10, 2)), 3, T::TimestampLtz(3), "1970-01-01T00:00:01.234Z"),
        (lit(Value::Decimal(150), T::Decimal(10, 2)), 0, T::TimestampLtz(3), "1970-01-01T00:00:01Z"),
        (null(T::BigInt), 3, T::TimestampLtz(3), "NULL"),
    ];
    for (value, precision, logical, expected) in cases {
        assert_eq!(one(&call(F::ToTimestampLtz, vec![value, int(precision)], logical)), expected, "{precision}");
    }
}
