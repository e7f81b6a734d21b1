//! Casts: values seen on Flink 2.3 and the edges of each type.

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Float32Array, TimestampMillisecondArray};
use weir_plan::{DataType, Field, Function as F, Value};

use super::super::tests::*;

#[test]
fn texts_as_integers() {
    let column = strings(&[
        Some("abc"),
        Some(" 12 "),
        Some("12.7"),
        Some(""),
        Some("99999999999"),
        Some("+5"),
        Some("-"),
        Some("1.2.3"),
        Some("-2147483648"),
        Some("2147483648"),
        Some("   "),
        Some("1é"),
        None,
    ]);
    assert_eq!(
        casts(&column, STRING, T::Int),
        [
            "! For input string: 'abc'. Invalid character found.",
            "12",
            "12",
            "! For input string: ''. Input is empty.",
            "! For input string: '99999999999'. Overflow.",
            "5",
            "! For input string: '-'. Input has only positive or negative symbol.",
            "! For input string: '1.2.3'. Invalid character found.",
            "-2147483648",
            "! For input string: '2147483648'. Overflow.",
            "! For input string: ''. Input is empty.",
            "! For input string: '1é'. Invalid character found.",
            "NULL",
        ]
    );
    assert_eq!(
        casts(&strings(&[Some("128"), Some("-128")]), STRING, T::TinyInt),
        ["! For input string: '128'. Overflow.", "-128"]
    );
    let edges = strings(&[Some("9223372036854775807"), Some("-9223372036854775808"), Some("9223372036854775808")]);
    assert_eq!(
        casts(&edges, STRING, T::BigInt),
        ["9223372036854775807", "-9223372036854775808", "! For input string: '9223372036854775808'. Overflow."]
    );
}

#[test]
fn texts_as_other_numbers() {
    let column = strings(&[
        Some("abc"),
        Some(" 1.5 "),
        Some("1.5f"),
        Some("NaN"),
        Some("-Infinity"),
        Some("inf"),
        Some(""),
        Some("1e400"),
        Some("1_0"),
        Some("."),
        Some("1e"),
        Some("12."),
        Some(".5"),
    ]);
    assert_eq!(
        casts(&column, STRING, T::Double),
        [
            "! For input string: \"abc\"",
            "1.5",
            "1.5",
            "NaN",
            "-Infinity",
            "! For input string: \"inf\"",
            "! empty String",
            "Infinity",
            "! For input string: \"1_0\"",
            "! For input string: \".\"",
            "! For input string: \"1e\"",
            "12.0",
            "0.5",
        ]
    );
    let column = strings(&[
        Some("abc"),
        Some("12345678901.5"),
        Some("1e2"),
        Some(""),
        Some("1.005"),
        Some("-1.005"),
        Some(" 7 "),
        Some("1e-9"),
    ]);
    assert_eq!(
        casts(&column, STRING, T::Decimal(10, 2)),
        [
            "! For input string: 'abc'. Overflow.",
            "! For input string: '12345678901.5'. Overflow.",
            "100.00",
            "! For input string: ''. Overflow.",
            "1.01",
            "-1.01",
            "7.00",
            "0.00",
        ]
    );
    let column = strings(&[Some("true"), Some("Y"), Some("0"), Some("abc"), Some(" true ")]);
    assert_eq!(
        casts(&column, STRING, T::Boolean),
        ["TRUE", "TRUE", "FALSE", "! Cannot parse 'abc' as BOOLEAN.", "! Cannot parse ' true ' as BOOLEAN."]
    );
}

#[test]
fn try_cast_gives_null() {
    let column = [strings(&[Some("1"), Some("abc"), None])];
    assert_eq!(eval(&try_cast(col(0, STRING), T::Int), &column), ["1", "NULL", "NULL"]);
    assert_eq!(eval(&try_cast(col(0, STRING), T::Timestamp(3)), &column), ["NULL"; 3]);
    assert_eq!(one(&try_cast(text("xy"), T::Decimal(5, 2))), "NULL");
    // Flink passes over the character at which the digits end, and finds none.
    assert_eq!(one(&try_cast(text("x"), T::Decimal(5, 2))), "0.00");
}

#[test]
fn a_cast_under_a_mask_fails_only_for_its_rows() {
    let column = [strings(&[Some("1"), Some("abc"), Some("30")])];
    let condition = is(F::NotEqual, vec![col(0, STRING), text("abc")]);
    let expr = is(F::And, vec![condition, is(F::Greater, vec![cast(col(0, STRING), T::Int), int(5)])]);
    assert_eq!(eval(&expr, &column), ["false", "false", "true"]);
    let message = "For input string: 'abc'. Invalid character found.".to_owned();
    assert_eq!(error(&cast(col(0, STRING), T::Int), &column), (1, message));
}

#[test]
fn numbers_convert_as_in_java() {
    let column = doubles(&[Some(1e30), Some(f64::NAN), Some(-1.9), Some(70000.5), Some(300.0), None]);
    assert_eq!(casts(&column, T::Double, T::Int), ["2147483647", "0", "-1", "70000", "300", "NULL"]);
    assert_eq!(casts(&column, T::Double, T::TinyInt), ["-1", "0", "-1", "112", "44", "NULL"]);
    assert_eq!(casts(&column, T::Double, T::SmallInt)[3], "4464");
    assert_eq!(casts(&column, T::Double, T::BigInt)[0], "9223372036854775807");
    assert_eq!(casts(&column, T::Double, T::Boolean), ["TRUE", "TRUE", "TRUE", "TRUE", "TRUE", "NULL"]);
    assert_eq!(casts(&longs(&[Some(3_000_000_000)]), T::BigInt, T::Int), ["-1294967296"]);
    assert_eq!(casts(&bools(&[Some(true), None]), T::Boolean, T::Decimal(3, 1)), ["1.0", "NULL"]);
}

#[test]
fn decimals_round_half_up_or_are_null() {
    let decimals = |values: Vec<i128>, scale| -> ArrayRef {
        Arc::new(Decimal128Array::from(values).with_precision_and_scale(20, scale).unwrap())
    };
    assert_eq!(
        casts(&decimals(vec![155, -155, 12345, 0], 2), T::Decimal(20, 2), T::Decimal(3, 1)),
        ["1.6", "-1.6", "NULL", "0.0"]
    );
    assert_eq!(casts(&decimals(vec![199, 9_999_999_999_990], 2), T::Decimal(20, 2), T::Int), ["1", "1215752191"]);
    assert_eq!(casts(&decimals(vec![123_456], 3), T::Decimal(20, 3), T::Double), ["123.456"]);
    let column = doubles(&[Some(1.55), Some(1e20), Some(0.1), Some(f64::NAN), Some(f64::INFINITY)]);
    let bad = |first| {
        format!(
            "! Character {first} is neither a decimal digit number, decimal point, nor \"e\" notation exponential mark."
        )
    };
    assert_eq!(casts(&column, T::Double, T::Decimal(10, 2)), ["1.55", "NULL", "0.10", &bad('N'), &bad('I')]);
}

#[test]
fn values_as_texts() {
    let column = doubles(&[
        Some(1e10),
        Some(1e7),
        Some(9_999_999.0),
        Some(0.001),
        Some(0.0001),
        Some(1.5),
        Some(100.0),
        Some(-0.0),
        Some(4.9e-324),
        Some(1.234_567_891_25E8),
        Some(f64::MAX),
        Some(f64::NEG_INFINITY),
    ]);
    assert_eq!(
        casts(&column, T::Double, STRING),
        [
            "1.0E10",
            "1.0E7",
            "9999999.0",
            "0.001",
            "1.0E-4",
            "1.5",
            "100.0",
            "-0.0",
            "4.9E-324",
            "1.23456789125E8",
            "1.7976931348623157E308",
            "-Infinity",
        ]
    );
    let floats: ArrayRef = Arc::new(Float32Array::from(vec![0.1, 16_777_216.0, 1.0 / 3.0]));
    assert_eq!(casts(&floats, T::Float, STRING), ["0.1", "1.6777216E7", "0.33333334"]);
    assert_eq!(casts(&bools(&[Some(true), Some(false), None]), T::Boolean, STRING), ["TRUE", "FALSE", "NULL"]);
    let cents: ArrayRef = Arc::new(Decimal128Array::from(vec![1500, -5, 0]).with_precision_and_scale(10, 3).unwrap());
    assert_eq!(casts(&cents, T::Decimal(10, 3), STRING), ["1.500", "-0.005", "0.000"]);
}

#[test]
fn lengths_cut_and_fill_by_characters() {
    let column = strings(&[Some("abcdef"), Some("жж"), None]);
    assert_eq!(casts(&column, STRING, T::Varchar(3)), ["abc", "жж", "NULL"]);
    assert_eq!(casts(&column, STRING, T::Char(4)), ["abcd", "жж  ", "NULL"]);
    assert_eq!(one(&cast(int(12), T::Char(5))), "12   ");
    assert_eq!(one(&cast(int(123), T::Varchar(2))), "12");
    assert_eq!(one(&cast(lit(Value::Boolean(true), T::Boolean), T::Char(2))), "TR");
}

#[test]
fn texts_as_dates_and_times() {
    let column = strings(&[Some("2024-2-3"), Some("2024-02-03 10:11"), Some("2024"), Some("2024-02-30"), Some("abc")]);
    assert_eq!(
        casts(&column, STRING, T::Date),
        ["2024-02-03", "2024-02-03", "2024-01-01", "! For input string: '2024-02-30'.", "! For input string: 'abc'."]
    );
    let column = strings(&[Some("10:11"), Some("2:3:4"), Some("23:59:59.999"), Some("abc"), Some("25:00:00")]);
    let words = |text| {
        format!(
            "! Invalid time format: '{text}'. Expected format: HH:mm:ss[.fff] where HH is 00-23, mm is 00-59, ss is 00-59"
        )
    };
    assert_eq!(
        casts(&column, STRING, T::Time(0)),
        ["10:11:00", "02:03:04", "23:59:59", &words("abc"), &words("25:00:00")]
    );
    let column =
        strings(&[Some("10:11:12.3456"), Some("10:11:12+01:00"), Some(" 10:11:12"), Some("10"), Some("10:60")]);
    assert_eq!(
        casts(&column, STRING, T::Time(3)),
        ["10:11:12.346", "11:11:12.0", "10:11:12.0", "10:00:00.0", &words("10:60")]
    );
}

#[test]
fn texts_as_timestamps() {
    let column = strings(&[
        Some("2024-02-03 10:11:12.123456789"),
        Some("2024-02-03"),
        Some("2024-02-03 1:2:3"),
        Some("2024-02-30 10:11:12"),
        Some("2024-02-03 10:11:12."),
        Some("abc"),
        Some("2024-02-03T10:11:12"),
        Some("2024-02-03 10:11"),
        Some("2024-13-03 10:11:12"),
        Some("12024-02-03 10:11:12"),
        None,
    ]);
    let expected = [
        "2024-02-03 10:11:12.123",
        "2024-02-03 00:00:00.000",
        "2024-02-03 01:02:03.000",
        "2024-02-29 10:11:12.000",
        "2024-02-03 10:11:12.000",
        "! Text 'abc' could not be parsed at index 0",
        "! Text '2024-02-03T10:11:12' could not be parsed, unparsed text found at index 10",
        "! Text '2024-02-03 10:11' could not be parsed, unparsed text found at index 10",
        "! Text '2024-13-03 10:11:12' could not be parsed: Invalid value for MonthOfYear (valid values 1 - 12): 13",
        "! Text '12024-02-03 10:11:12' could not be parsed at index 0",
        "NULL",
    ];
    assert_eq!(casts(&column, STRING, T::Timestamp(3)), expected);
    assert_eq!(casts(&column.slice(0, 1), STRING, T::Timestamp(9)), ["2024-02-03 10:11:12.123456789"]);
    assert_eq!(casts(&column.slice(0, 1), STRING, T::Timestamp(0)), ["2024-02-03 10:11:12"]);
    assert_eq!(casts(&column.slice(0, 1), STRING, T::TimestampLtz(3)), ["2024-02-03 10:11:12.123"]);
}

#[test]
fn times_meet_in_the_local_zone() {
    let stamp = |millis: i64| -> ArrayRef { Arc::new(TimestampMillisecondArray::from(vec![millis])) };
    let local = |text: &str| evaluate(&cast(super::super::tests::text(text), T::Timestamp(3)), &[]).unwrap();
    let instants =
        |text: &str| rows(&evaluate(&cast(col(0, T::Timestamp(3)), T::TimestampLtz(3)), &[local(text)]).unwrap());
    assert_eq!(instants("2024-02-03 10:11:12.789"), ["2024-02-03T09:11:12.789Z"]);
    assert_eq!(instants("2024-03-31 02:30:00"), ["2024-03-31T01:30:00Z"], "a time that the shift leaves out");
    assert_eq!(instants("2024-10-27 02:30:00"), ["2024-10-27T00:30:00Z"], "a time that occurs twice");
    assert_eq!(casts(&local("2024-02-03 10:11:12.789"), T::Timestamp(3), T::Date), ["2024-02-03"]);
    assert_eq!(casts(&local("2024-02-03 10:11:12.789"), T::Timestamp(3), T::Time(0)), ["10:11:12"]);
    assert_eq!(
        casts(&stamp(-211), T::Timestamp(3), T::Date),
        ["1970-01-01"],
        "as Flink counts within the day before the epoch"
    );
    assert_eq!(casts(&stamp(-211), T::Timestamp(3), T::Timestamp(0)), ["1970-01-01 00:00:00"]);
    assert_eq!(casts(&stamp(-172_800_000), T::Timestamp(3), T::Date), ["1969-12-30"]);
    assert_eq!(casts(&stamp(-5_060_927_500), T::Timestamp(3), T::Timestamp(0)), ["1969-11-03 10:11:13"]);
    let date = cast(lit(Value::Date(19756), T::Date), T::TimestampLtz(3));
    assert_eq!(one(&date), "2024-02-02T23:00:00Z");
    assert_eq!(one(&cast(lit(Value::Time(36_672_000), T::Time(0)), T::Timestamp(3))), "1970-01-01T10:11:12");
}

#[test]
fn intervals_as_texts() {
    assert_eq!(one(&cast(lit(Value::Months(14), T::IntervalYearMonth), STRING)), "+1-02");
    assert_eq!(one(&cast(lit(Value::Milliseconds(93_784_567), T::IntervalDayTime), STRING)), "+1 02:03:04.567");
    assert_eq!(one(&cast(lit(Value::Milliseconds(-93_784_567), T::IntervalDayTime), STRING)), "-1 02:03:04.567");
}

#[test]
fn unknown_casts_are_refused() {
    let expr = cast(lit(Value::Date(1), T::Date), T::Int);
    let error = super::super::Evaluator::compile(&expr, &super::super::CompileContext::new("UTC")).unwrap_err();
    assert_eq!(error.to_string(), "cast DATE to INT: there is no such cast; cast by way of STRING, or use a function");
    let row = |fields: usize| T::Row(vec![Field::new("a", DataType::nullable(T::Int)); fields]);
    let expr = cast(col(0, row(1)), row(2));
    assert!(super::super::Evaluator::compile(&expr, &super::super::CompileContext::new("UTC")).is_err());
}
