//! What Java's `Formatter` gives.

use weir_plan::{Expr, Function as F, Value};

use super::super::tests::*;

fn printf(format: &str, arguments: Vec<Expr>) -> String {
    let mut all = vec![text(format)];
    all.extend(arguments);
    one(&call(F::Printf, all, STRING))
}

fn whole(value: i64) -> Expr {
    lit(Value::Integer(value), T::Int)
}

#[test]
fn whole_numbers() {
    let value = || whole(42);
    assert_eq!(
        printf("%d|%5d|%-5d|%05d|%+d|% d", vec![value(), value(), value(), value(), value(), value()]),
        "42|   42|42   |00042|+42| 42"
    );
    assert_eq!(
        printf("%,d|%(d|%(08d|%,08d", vec![whole(1_234_567), whole(-42), whole(-42), whole(12345)]),
        "1,234,567|(42)|(000042)|0012,345"
    );
    assert_eq!(
        printf("%x|%X|%o|%#x|%08x", vec![whole(255), whole(255), whole(8), whole(255), whole(255)]),
        "ff|FF|10|0xff|000000ff"
    );
    assert_eq!(printf("%x|%x", vec![whole(-1), lit(Value::Integer(-1), T::TinyInt)]), "ffffffff|ff");
    assert_eq!(printf("%c%C", vec![whole(128_512), whole(97)]), "😀A");
}

#[test]
fn real_numbers() {
    let four = || double(4.14159);
    assert_eq!(
        printf("%f|%.2f|%10.3f|%-10.1f|%+f|%010.2f", vec![four(), four(), four(), four(), four(), double(3.5)]),
        "4.141590|4.14|     4.142|4.1       |+4.141590|0000003.50"
    );
    assert_eq!(
        printf("%,.2f|%(f|%(,.1f", vec![double(1_234_567.891), double(-1.0), double(-12345.67)]),
        "1,234,567.89|(1.000000)|(12,345.7)"
    );
    assert_eq!(
        printf("%e|%.2e|%E|%12.3e", vec![double(12345.678), double(12345.678), double(0.00012), double(0.0)]),
        "1.234568e+04|1.23e+04|1.200000E-04|   0.000e+00"
    );
    assert_eq!(
        printf(
            "%g|%.3g|%G|%g|%g",
            vec![double(12345.678), double(12345.678), double(0.00012), double(1e10), double(0.0)]
        ),
        "12345.7|1.23e+04|0.000120000|1.00000e+10|0.00000"
    );
    assert_eq!(
        printf("%.1f|%.0f|%.0f|%.1f", vec![double(0.25), double(0.5), double(1.5), double(0.35)]),
        "0.3|1|2|0.4"
    );
    assert_eq!(
        printf(
            "%f|%e|%5f|%+f",
            vec![double(f64::NAN), double(f64::INFINITY), double(f64::NEG_INFINITY), double(f64::INFINITY)]
        ),
        "NaN|Infinity|-Infinity|+Infinity"
    );
    assert_eq!(
        printf(
            "%.3e|%.0e|%#.0f|%.20f|%f",
            vec![double(0.000_999_96), double(15.0), double(3.0), double(0.1), double(1e20)]
        ),
        "1.000e-03|2e+01|3.|0.10000000000000000000|100000000000000000000.000000"
    );
}

#[test]
fn texts_and_truths() {
    assert_eq!(
        printf("%s|%10s|%-10s|%.2s|%S", vec![text("abc"), text("abc"), text("abc"), text("abc"), text("abc")]),
        "abc|       abc|abc       |ab|ABC"
    );
    assert_eq!(printf("%5s|%-6s|%.1s", vec![text("ä😀"), text("😀"), text("😀a")]), "  ä😀|😀    |?");
    assert_eq!(
        printf(
            "%b|%B|%b|%b|%.1b",
            vec![
                lit(Value::Boolean(true), T::Boolean),
                lit(Value::Boolean(false), T::Boolean),
                text("x"),
                null(STRING),
                lit(Value::Boolean(true), T::Boolean)
            ]
        ),
        "true|FALSE|true|false|t"
    );
    assert_eq!(printf("%2$s %1$s %<s|%n%%|%5%|%-5%|", vec![text("a"), text("b")]), "b a a|\n%|    %|%    |");
    assert_eq!(printf("%s|%5d|%s|%h", vec![null(T::Int), null(T::Int), double(1e10), whole(5)]), "null| null|1.0E10|5");
    assert_eq!(printf("%s", vec![lit(Value::Decimal(150), T::Decimal(3, 2))]), "1.50");
    assert_eq!(
        printf("%s", vec![lit(Value::Timestamp(1_704_164_645_600_000_000), T::Timestamp(3))]),
        "2024-01-02T03:04:05.600"
    );
    assert_eq!(printf("%s", vec![lit(Value::Date(19724), T::Date)]), "19724");
}

#[test]
fn what_java_does_not_write_is_null() {
    let one = || vec![whole(5)];
    for format in [
        "%d %s", "%q", "%", "a%", "%.2d", "%-d", "%-05d", "%+ d", "%,x", "%#d", "%3$s", "%0$s", "%<s", "%f", "%ss%--5d",
    ] {
        assert_eq!(printf(format, one()), "NULL", "{format}");
    }
    assert_eq!(
        [printf("%d", vec![double(1.5)]), printf("%c", vec![text("a")]), printf("%#s", vec![text("a")])],
        ["NULL"; 3]
    );
    let refused = call(F::Printf, vec![col(0, STRING), whole(5)], STRING);
    assert!(error(&refused, &[strings(&[Some("%tY")])]).1.contains("%t"));
}
