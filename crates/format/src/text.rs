//! Values as text: Java's, for Flink's faces (`print`), and the forms that text formats share.
//!
//! Doubles are written as `Double.toString` of JDK 19 and later does (the shortest digits that read back).

use std::io::Write as _;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalYearMonthType, Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_schema::{DataType as ArrowType, TimeUnit};

use weir_base::calendar::{DAY_MS, date_of};

/// Appends what is formatted; writing to memory cannot fail.
fn write(out: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("a Vec takes all bytes");
}

/// Appends `value` as `Long.toString` does.
#[inline]
pub fn write_integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends `value` as `Double.toString` does: `21.5`, `1.0E10`, `NaN`.
pub fn write_double(value: f64, out: &mut Vec<u8>) {
    let size = value.abs();
    if (1e-3..1e7).contains(&size) {
        if !write_short(value, out) {
            out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
        }
    } else if value == 0.0 || !value.is_finite() {
        write_special(value, out);
    } else if value.is_subnormal() {
        write_subnormal(ryu::Buffer::new().format_finite(value), &format!("{value:.1e}"), out);
    } else {
        write_scientific(ryu::Buffer::new().format_finite(value), out);
    }
}

/// Appends a number of so few bits that one digit may tell it apart: Java writes the nearest two digits then, `4.9E-324`.
fn write_subnormal(shortest: &str, two_digits: &str, out: &mut Vec<u8>) {
    let digits = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    write_scientific(if digits == 1 { two_digits } else { shortest }, out);
}

/// Appends `value`, of a size from 0.001 to 10 million, if it has at most four decimals: most measured values have.
///
/// A decimal of at most 15 digits that reads back as a double is the only one of its length that does, so it is what `Double.toString` finds.
#[inline]
fn write_short(value: f64, out: &mut Vec<u8>) -> bool {
    const SCALE: f64 = 10_000.0;
    #[expect(clippy::cast_possible_truncation, reason = "the product is below 10^11")]
    let scaled = (value.abs() * SCALE + 0.5) as u64;
    #[expect(clippy::cast_precision_loss, reason = "the number is below 10^11")]
    let read_back = scaled as f64 / SCALE;
    if read_back.to_bits() != value.abs().to_bits() {
        return false;
    }
    if value < 0.0 {
        out.push(b'-');
    }
    let (whole, fraction) = (scaled / 10_000, scaled % 10_000);
    out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    let digit = |number: u64| b'0' + u8::try_from(number % 10).unwrap_or_default();
    let text = [b'.', digit(fraction / 1_000), digit(fraction / 100), digit(fraction / 10), digit(fraction)];
    let kept = match fraction {
        _ if !fraction.is_multiple_of(10) => 5,
        _ if !fraction.is_multiple_of(100) => 4,
        _ if !fraction.is_multiple_of(1_000) => 3,
        _ => 2,
    };
    out.extend_from_slice(&text[..kept]);
    true
}

/// Appends `value` as `Float.toString` does.
pub fn write_float(value: f32, out: &mut Vec<u8>) {
    let size = value.abs();
    if (1e-3..1e7).contains(&size) {
        out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
    } else if value == 0.0 || !value.is_finite() {
        write_special(f64::from(value), out);
    } else if value.is_subnormal() {
        write_subnormal(ryu::Buffer::new().format_finite(value), &format!("{value:.1e}"), out);
    } else {
        write_scientific(ryu::Buffer::new().format_finite(value), out);
    }
}

fn write_special(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    out.extend_from_slice(if value == 0.0 { b"0.0" } else { b"Infinity" });
}

/// Appends a number that stands in `text` in any form as `d.dddE[-]n`.
fn write_scientific(text: &str, out: &mut Vec<u8>) {
    let (number, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let unsigned = number.strip_prefix('-').unwrap_or(number);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all: String = [whole, fraction].concat();
    let leading = all.bytes().take_while(|byte| *byte == b'0').count();
    let digits = all[leading..].trim_end_matches('0');
    let point = |count: usize| i64::try_from(count).unwrap_or_default();
    let exponent = exponent.parse::<i64>().unwrap_or_default() + point(whole.len()) - point(leading) - 1;
    if number.starts_with('-') {
        out.push(b'-');
    }
    let (first, rest) = digits.split_at(1.min(digits.len()));
    let rest = if rest.is_empty() { "0" } else { rest };
    write(out, format_args!("{first}.{rest}E{exponent}"));
}

/// Appends the decimal `unscaled / 10^scale` as `BigDecimal.toString` does, or without an exponent where `plain`.
pub fn write_decimal(unscaled: i128, scale: u8, plain: bool, out: &mut Vec<u8>) {
    let digits = unscaled.unsigned_abs().to_string();
    let scale = usize::from(scale);
    if unscaled < 0 {
        out.push(b'-');
    }
    if scale == 0 {
        out.extend_from_slice(digits.as_bytes());
    } else if !plain && scale > digits.len() + 5 {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        write(out, format_args!("{first}{point}{rest}E-{}", scale - (digits.len() - 1)));
    } else if digits.len() > scale {
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write(out, format_args!("{whole}.{fraction}"));
    } else {
        write(out, format_args!("0.{digits:0>scale$}"));
    }
}

/// Appends the decimal `unscaled / 10^scale` as `BigDecimal.toString` does once `stripTrailingZeros` has taken its last zeros: what Jackson writes into
/// JSON and CSV unless it is told otherwise.
pub fn write_decimal_stripped(unscaled: i128, scale: u8, out: &mut Vec<u8>) {
    let (mut digits, mut exponent) = (unscaled, 0_u32);
    if digits == 0 {
        out.push(b'0');
        return;
    }
    while digits % 10 == 0 {
        digits /= 10;
        exponent += 1;
    }
    match u32::from(scale).checked_sub(exponent) {
        Some(scale) => write_decimal(digits, u8::try_from(scale).unwrap_or_default(), false, out),
        None => {
            let all = digits.unsigned_abs().to_string();
            let (first, rest) = all.split_at(1);
            let sign = if digits < 0 { "-" } else { "" };
            let point = if rest.is_empty() { "" } else { "." };
            let exponent = exponent - u32::from(scale) + u32::try_from(rest.len()).unwrap_or_default();
            write(out, format_args!("{sign}{first}{point}{rest}E+{exponent}"));
        }
    }
}

/// Appends the day `days` after the epoch: `2024-02-29`.
pub fn write_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = date_of(days);
    match year {
        0..=9999 => {
            push_four(out, year);
        }
        10_000.. => write(out, format_args!("+{year}")),
        _ => write(out, format_args!("-{:04}", -year)),
    }
    out.push(b'-');
    push_two(out, month);
    out.push(b'-');
    push_two(out, day);
}

/// The two digits of `number % 100`.
fn push_two(out: &mut Vec<u8>, number: i64) {
    let digit = |number: i64| b'0' + u8::try_from(number % 10).unwrap_or_default();
    out.extend_from_slice(&[digit(number / 10), digit(number)]);
}

fn push_four(out: &mut Vec<u8>, number: i64) {
    push_two(out, number / 100);
    push_two(out, number);
}

/// How many digits a fraction of a second has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fraction {
    /// As many as it needs, none if it is zero: Flink's SQL and ISO-8601 formats.
    Needed,
    /// None, 3, 6 or 9: `LocalTime.toString`, where a time of zero seconds has no seconds either.
    Groups,
    /// None, 3, 6 or 9, with seconds always: `Instant.toString`.
    GroupsWithSeconds,
}

/// Appends a time of day: `23:59:59.12`.
pub fn write_time(seconds: i64, nanos: u32, fraction: Fraction, out: &mut Vec<u8>) {
    push_two(out, seconds / 3_600);
    out.push(b':');
    push_two(out, seconds / 60 % 60);
    if fraction == Fraction::Groups && seconds % 60 == 0 && nanos == 0 {
        return;
    }
    out.push(b':');
    push_two(out, seconds % 60);
    if nanos == 0 {
        return;
    }
    let digits = format!("{nanos:09}");
    let kept = match fraction {
        Fraction::Needed => digits.trim_end_matches('0').len(),
        _ if nanos.is_multiple_of(1_000_000) => 3,
        _ if nanos.is_multiple_of(1_000) => 6,
        _ => 9,
    };
    out.push(b'.');
    out.extend_from_slice(&digits.as_bytes()[..kept]);
}

/// Appends a timestamp given in `unit`s since the epoch, `separator` between date and time.
pub fn write_timestamp(value: i64, unit: TimeUnit, separator: u8, fraction: Fraction, out: &mut Vec<u8>) {
    let (seconds, nanos) = seconds_and_nanos(value, unit);
    write_date(seconds.div_euclid(86_400), out);
    out.push(separator);
    write_time(seconds.rem_euclid(86_400), nanos, fraction, out);
}

fn seconds_and_nanos(value: i64, unit: TimeUnit) -> (i64, u32) {
    let (units, nanos) = match unit {
        TimeUnit::Second => (1, 1_000_000_000),
        TimeUnit::Millisecond => (1_000, 1_000_000),
        TimeUnit::Microsecond => (1_000_000, 1_000),
        TimeUnit::Nanosecond => (1_000_000_000, 1),
    };
    let rest = value.rem_euclid(units) * nanos;
    (value.div_euclid(units), u32::try_from(rest).expect("less than a second of nanoseconds fits in 32 bits"))
}

/// Appends `bytes` in Base64, padded.
pub fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0usize, |bits, byte| (bits << 8) | usize::from(*byte)) << (8 * (3 - group.len()));
        for index in 0..4 {
            let six = ALPHABET[(bits >> (18 - 6 * index)) & 63];
            out.push(if index > group.len() { b'=' } else { six });
        }
    }
}

/// The value at `row` of a primitive array.
pub(crate) fn primitive<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

/// The value at `row` of a timestamp array of any unit.
pub(crate) fn timestamp_value(array: &dyn Array, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Microsecond => primitive::<TimestampMicrosecondType>(array, row),
        TimeUnit::Nanosecond => primitive::<TimestampNanosecondType>(array, row),
        _ => primitive::<TimestampMillisecondType>(array, row),
    }
}

/// Appends the value at `row` as Java's `toString` writes it in a Flink `Row`: NULL is `null`, a nested ROW `+I[1, a]`, an ARRAY `[1, 2]`, a MAP
/// `{a=1}`. An array of a type that Flink has not gives its type's name.
pub fn write_java(array: &dyn Array, row: usize, out: &mut Vec<u8>) {
    if array.is_null(row) {
        out.extend_from_slice(b"null");
        return;
    }
    match array.data_type() {
        ArrowType::Null => out.extend_from_slice(b"null"),
        ArrowType::Boolean => write(out, format_args!("{}", array.as_boolean().value(row))),
        ArrowType::Int8 => write_integer(primitive::<Int8Type>(array, row).into(), out),
        ArrowType::Int16 => write_integer(primitive::<Int16Type>(array, row).into(), out),
        ArrowType::Int32 => write_integer(primitive::<Int32Type>(array, row).into(), out),
        ArrowType::Int64 => write_integer(primitive::<Int64Type>(array, row), out),
        ArrowType::Float32 => write_float(primitive::<Float32Type>(array, row), out),
        ArrowType::Float64 => write_double(primitive::<Float64Type>(array, row), out),
        ArrowType::Decimal128(_, scale) => {
            let unscaled = primitive::<arrow_array::types::Decimal128Type>(array, row);
            write_decimal(unscaled, u8::try_from(*scale).unwrap_or_default(), false, out);
        }
        ArrowType::Utf8View => out.extend_from_slice(array.as_string_view().value(row).as_bytes()),
        ArrowType::BinaryView => {
            let bytes = array.as_binary_view().value(row).iter();
            write_list(bytes, out, |byte, out| write_integer(i64::from(byte.cast_signed()), out));
        }
        ArrowType::Date32 => {
            write_date(primitive::<arrow_array::types::Date32Type>(array, row).into(), out);
        }
        ArrowType::Time32(_) => {
            let millis = i64::from(primitive::<Time32MillisecondType>(array, row)).rem_euclid(DAY_MS);
            let (seconds, nanos) = seconds_and_nanos(millis, TimeUnit::Millisecond);
            write_time(seconds, nanos, Fraction::Groups, out);
        }
        ArrowType::Timestamp(unit, zone) => {
            let value = timestamp_value(array, *unit, row);
            let fraction = if zone.is_some() { Fraction::GroupsWithSeconds } else { Fraction::Groups };
            write_timestamp(value, *unit, b'T', fraction, out);
            if zone.is_some() {
                out.push(b'Z');
            }
        }
        ArrowType::Interval(_) => write_period(primitive::<IntervalYearMonthType>(array, row), out),
        ArrowType::Duration(_) => write_duration(primitive::<DurationMillisecondType>(array, row), out),
        _ => write_java_nested(array, row, out),
    }
}

fn write_java_nested(array: &dyn Array, row: usize, out: &mut Vec<u8>) {
    match array.data_type() {
        ArrowType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            write_list(0..items.len(), out, |index, out| write_java(&items, index, out));
        }
        ArrowType::Map(..) => {
            let entries = array.as_map().value(row);
            let start = out.len();
            write_list(java_order(&**entries.column(0)).into_iter(), out, |index, out| {
                write_java(entries.column(0), index, out);
                out.push(b'=');
                write_java(entries.column(1), index, out);
            });
            out[start] = b'{';
            *out.last_mut().expect("a list ends with a bracket") = b'}';
        }
        ArrowType::Struct(_) => {
            out.extend_from_slice(b"+I");
            let columns = array.as_struct().columns();
            write_list(columns.iter(), out, |column, out| write_java(column, row, out));
        }
        other => write(out, format_args!("{other}")),
    }
}

/// The order in which Java's `HashMap` goes through keys that were put one by one: by the lowest bits of their hashes, of which a map of more keys
/// looks at more. Keys whose hashes are not known here keep their order.
fn java_order(keys: &dyn Array) -> Vec<usize> {
    let capacity = (keys.len() * 4).div_ceil(3).next_power_of_two().max(16);
    let mask = u32::try_from(capacity - 1).unwrap_or(u32::MAX);
    let spread = |hash: i32| (hash.cast_unsigned() ^ (hash.cast_unsigned() >> 16)) & mask;
    let mut order: Vec<usize> = (0..keys.len()).collect();
    match keys.data_type() {
        ArrowType::Utf8View => {
            let texts = keys.as_string_view();
            let hash = |text: &str| {
                text.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
            };
            order.sort_by_key(|index| spread(hash(texts.value(*index))));
        }
        ArrowType::Int32 => order.sort_by_key(|index| spread(primitive::<Int32Type>(keys, *index))),
        ArrowType::Int64 => order.sort_by_key(|index| {
            let value = primitive::<Int64Type>(keys, *index).cast_unsigned();
            let (low, high) = (value & u64::from(u32::MAX), value >> 32);
            spread(u32::try_from(low ^ high).unwrap_or_default().cast_signed())
        }),
        _ => {}
    }
    order
}

fn write_list<T>(items: impl Iterator<Item = T>, out: &mut Vec<u8>, mut item: impl FnMut(T, &mut Vec<u8>)) {
    out.push(b'[');
    for (index, each) in items.enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        item(each, out);
    }
    out.push(b']');
}

/// `Period.toString` of whole months, normalised to years and months.
fn write_period(months: i32, out: &mut Vec<u8>) {
    let (years, rest) = (months / 12, months % 12);
    out.push(b'P');
    if years != 0 {
        write(out, format_args!("{years}Y"));
    }
    if rest != 0 {
        write(out, format_args!("{rest}M"));
    }
    if months == 0 {
        out.extend_from_slice(b"0D");
    }
}

/// `Duration.toString`.
fn write_duration(millis: i64, out: &mut Vec<u8>) {
    if millis == 0 {
        out.extend_from_slice(b"PT0S");
        return;
    }
    let (hours, minutes, rest) = (millis / 3_600_000, millis / 60_000 % 60, millis % 60_000);
    out.extend_from_slice(b"PT");
    if hours != 0 {
        write(out, format_args!("{hours}H"));
    }
    if minutes != 0 {
        write(out, format_args!("{minutes}M"));
    }
    if rest != 0 {
        let sign = if rest < 0 { "-" } else { "" };
        write(out, format_args!("{sign}{}", rest.abs() / 1000));
        let fraction = format!("{:03}", rest.abs() % 1000);
        let fraction = fraction.trim_end_matches('0');
        if !fraction.is_empty() {
            write(out, format_args!(".{fraction}"));
        }
        out.push(b'S');
    }
}

#[cfg(test)]
mod tests {
    use weir_base::Rng;

    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_and_floats_are_written_as_java_writes_them() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-21.5, "-21.5"),
            (0.001, "0.001"),
            (0.00099, "9.9E-4"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (1.23456789012e10, "1.23456789012E10"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (f64::from_bits(1), "4.9E-324"),
            (-f64::from_bits(2), "-9.9E-324"),
            (f64::from_bits(3), "1.5E-323"),
            (0.1 + 0.2, "0.30000000000000004"),
            (123.4567, "123.4567"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(|out| write_double(value, out)), expected);
        }
        assert_eq!(text(|out| write_float(0.1, out)), "0.1");
        assert_eq!(text(|out| write_float(1.5e-5, out)), "1.5E-5");
        assert_eq!(text(|out| write_float(f32::from_bits(1), out)), "1.4E-45");
        assert_eq!(text(|out| write_float(f32::from_bits(3), out)), "4.2E-45");
        assert_eq!(text(|out| write_float(16_777_216.0, out)), "1.6777216E7");
    }

    #[test]
    fn short_doubles_are_those_of_the_general_way() {
        let mut random = Rng::new(3);
        for _ in 0..200_000 {
            let decimals = 10_f64.powi(i32::try_from(random.below(7)).unwrap());
            let value = ((random.unit() - 0.5) * 2e7 * decimals).round() / decimals;
            if (1e-3..1e7).contains(&value.abs()) {
                assert_eq!(text(|out| write_double(value, out)), ryu::Buffer::new().format_finite(value));
            }
        }
    }

    #[test]
    fn decimals_and_intervals_are_written_as_java_writes_them() {
        let decimals = [
            (1250, 2, "12.50"),
            (-5, 2, "-0.05"),
            (0, 3, "0.000"),
            (123, 0, "123"),
            (1, 6, "0.000001"),
            (1, 7, "1E-7"),
            (12, 9, "1.2E-8"),
        ];
        for (unscaled, scale, expected) in decimals {
            assert_eq!(text(|out| write_decimal(unscaled, scale, false, out)), expected);
        }
        assert_eq!(text(|out| write_decimal(12, 9, true, out)), "0.000000012");
        for (unscaled, scale, expected) in [
            (150, 2, "1.5"),
            (10_000, 2, "1E+2"),
            (0, 2, "0"),
            (-120_000, 2, "-1.2E+3"),
            (1200, 10, "1.2E-7"),
            (7, 0, "7"),
        ] {
            assert_eq!(text(|out| write_decimal_stripped(unscaled, scale, out)), expected);
        }
        for (millis, expected) in [(0, "PT0S"), (3_661_500, "PT1H1M1.5S"), (-1_500, "PT-1.5S"), (60_000, "PT1M")] {
            assert_eq!(text(|out| write_duration(millis, out)), expected);
        }
        for (months, expected) in [(0, "P0D"), (14, "P1Y2M"), (-1, "P-1M")] {
            assert_eq!(text(|out| write_period(months, out)), expected);
        }
    }

    #[test]
    fn entries_of_maps_come_in_the_order_of_javas_hash_map() {
        let order = |keys: &[&str]| {
            let keys = arrow_array::StringViewArray::from(keys.to_vec());
            java_order(&keys).into_iter().map(|index| keys.value(index).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(order(&["x", "a"]), ["a", "x"]);
        assert_eq!(order(&["x", "ä", ""]), ["", "ä", "x"]);
        // "Aa" and "BB" have one hash: the first that was put comes first.
        assert_eq!(order(&["BB", "Aa"]), ["BB", "Aa"]);
        let numbers: Vec<i32> = (0..13).map(|number| 32 - number).collect();
        let keys = arrow_array::Int32Array::from(numbers);
        // Thirteen keys need 32 places: 32 is at place 0, then 20 to 31.
        assert_eq!(java_order(&keys)[..3], [0, 12, 11]);
        assert_eq!(java_order(&arrow_array::Int64Array::from(vec![-1, 1]))[..], [0, 1]);
    }

    #[test]
    fn dates_and_base64_keep_their_form_at_the_edges() {
        for (days, expected) in [(0, "1970-01-01"), (2_932_897, "+10000-01-01"), (-719_529, "-0001-12-31")] {
            assert_eq!(text(|out| write_date(days, out)), expected);
        }
        for (bytes, expected) in [(&b""[..], ""), (b"a", "YQ=="), (b"ab", "YWI="), (b"abc", "YWJj")] {
            assert_eq!(text(|out| write_base64(bytes, out)), expected);
            assert_eq!(crate::parse::base64(expected).unwrap(), bytes);
        }
    }
}
