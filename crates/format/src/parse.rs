//! Text to values, as the Java classes do it that Flink's text formats are built on.
//!
//! Each gives `None` for text that is no such value; ranges are the caller's where it knows the type.

use weir_base::calendar::{DAY_MS, days_in, days_of_date};

/// Nanoseconds of a day.
const DAY_NANOS: i64 = DAY_MS * 1_000_000;

/// How timestamps are written: `json.timestamp-format.standard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimestampFormat {
    /// `2024-02-29 23:59:59.12`
    Sql,
    /// `2024-02-29T23:59:59.12`
    Iso8601,
}

impl TimestampFormat {
    /// What stands between date and time.
    pub fn separator(self) -> u8 {
        match self {
            Self::Sql => b' ',
            Self::Iso8601 => b'T',
        }
    }
}

/// Java's `String.trim`: cuts off characters up to the space on both sides.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|character| character <= ' ')
}

/// `Boolean.parseBoolean`: `true` in any case is true, all else is false.
pub(crate) fn boolean(text: &str) -> bool {
    trim(text).eq_ignore_ascii_case("true")
}

/// `Long.parseLong` of the trimmed text.
pub(crate) fn integer(text: &str) -> Option<i64> {
    trim(text).parse().ok()
}

/// `Double.parseDouble` of the trimmed text, without hexadecimal numbers.
pub(crate) fn double(text: &str) -> Option<f64> {
    let text = trim(text);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned {
        "NaN" => return Some(f64::NAN),
        "Infinity" => return Some(sign * f64::INFINITY),
        _ => {}
    }
    let digits = unsigned.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(unsigned);
    if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    fast_float2::parse::<f64, _>(digits.as_bytes()).ok().map(|value| sign * value)
}

/// `Float.parseFloat` of the trimmed text, without hexadecimal numbers.
pub(crate) fn float(text: &str) -> Option<f32> {
    let trimmed = trim(text);
    let plain = trimmed.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(trimmed);
    if plain.starts_with(|first: char| first.is_ascii_digit()) {
        // Straight to 32 bits: a way over 64 would round twice.
        double(plain)?;
        return fast_float2::parse::<f32, _>(plain.as_bytes()).ok();
    }
    #[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest FLOAT is what is asked for")]
    let value = double(text)? as f32;
    Some(value)
}

/// The unscaled value of a number as `DECIMAL(precision, scale)`, rounded half up; the inner `None` is NULL: too many digits before the point.
pub(crate) fn decimal(text: &str, precision: u8, scale: u8) -> Option<Option<i128>> {
    let text = trim(text);
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (number, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], unsigned[at + 1..].parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if whole.len() + fraction.len() == 0 || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The value is 0.d1d2d3... * 10^point; digits from index `kept` on only round.
    let leading = digits().take_while(|byte| *byte == b'0').count();
    let total = whole.len() + fraction.len();
    if leading == total {
        return Some(Some(0));
    }
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent) - i64::try_from(leading).ok()?;
    let kept = point + i64::from(scale);
    if point > i64::from(precision) - i64::from(scale) {
        return Some(None);
    }
    if kept < 0 {
        return Some(Some(0));
    }
    let mut value: i128 = 0;
    let mut significant = digits().skip(leading);
    for _ in 0..kept {
        value = value * 10 + i128::from(significant.next().map_or(0, |byte| byte - b'0'));
    }
    if significant.next().is_some_and(|byte| byte >= b'5') {
        value += 1;
    }
    if value >= 10_i128.pow(u32::from(precision)) {
        return Some(None);
    }
    Some(Some(if negative { -value } else { value }))
}

/// Takes `count` digits off the front of `text`.
fn digits(text: &mut &str, count: usize) -> Option<u32> {
    let (number, rest) = text.split_at_checked(count)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *text = rest;
    number.parse().ok()
}

fn mark(text: &mut &str, mark: u8) -> Option<()> {
    if text.as_bytes().first() != Some(&mark) {
        return None;
    }
    *text = &text[1..];
    Some(())
}

/// How a reader of times takes a day past the end of its month, and `24:00:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resolver {
    /// Neither is a time: `java.time`'s `STRICT`.
    Strict,
    /// The month's last day, if it is one of 31; the midnight that ends the day: `java.time`'s `SMART`.
    Smart,
}

/// Takes a date off the front: `2024-02-29`, and `+12024-02-29` or `-0044-03-15` with a sign.
fn date_prefix(text: &mut &str, resolver: Resolver) -> Option<i64> {
    let signed = text.starts_with(['+', '-']);
    let negative = text.starts_with('-');
    if signed {
        *text = &text[1..];
    }
    let length = if signed { text.find('-')? } else { 4 };
    if !(4..=9).contains(&length) || (signed && !negative && length == 4) {
        return None;
    }
    let year = i64::from(digits(text, length)?);
    mark(text, b'-')?;
    let month = i64::from(digits(text, 2)?);
    mark(text, b'-')?;
    let day = i64::from(digits(text, 2)?);
    let year = if negative { -year } else { year };
    let day = if resolver == Resolver::Smart && day <= 31 { day.min(days_in(year, month)) } else { day };
    days_of_date(year, month, day)
}

/// Takes a time off the front: nanoseconds of the day, up to and with its end. Seconds may be missing where `seconds_optional`.
fn time_prefix(text: &mut &str, seconds_optional: bool, resolver: Resolver) -> Option<i64> {
    let hour = digits(text, 2)?;
    mark(text, b':')?;
    let minute = digits(text, 2)?;
    let mut nanos = 0;
    let mut second = 0;
    if !seconds_optional || text.starts_with(':') {
        mark(text, b':')?;
        second = digits(text, 2)?;
        if mark(text, b'.').is_some() {
            let count = text.bytes().take_while(u8::is_ascii_digit).count().min(9);
            let fraction = if count == 0 { 0 } else { digits(text, count)? };
            nanos = i64::from(fraction) * 10_i64.pow(u32::try_from(9 - count).ok()?);
        }
    }
    let of_day = (i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second)) * 1_000_000_000 + nanos;
    let is_end = resolver == Resolver::Smart && of_day == DAY_NANOS;
    if minute > 59 || second > 59 || (hour > 23 && !is_end) {
        return None;
    }
    Some(of_day)
}

/// `2024-02-29` as days since the epoch.
pub(crate) fn date(mut text: &str) -> Option<i32> {
    let days = date_prefix(&mut text, Resolver::Strict)?;
    if text.is_empty() { i32::try_from(days).ok() } else { None }
}

/// A date as `java.sql.Date.valueOf` reads it, days since the epoch: `2024-2-9` too, and 2023-02-29 is the day after the 28th.
pub(crate) fn date_rolling(text: &str) -> Option<i32> {
    let mut parts = text.split('-');
    let mut number = |lengths: std::ops::RangeInclusive<usize>| {
        let mut part = parts.next().filter(|part| lengths.contains(&part.len()))?;
        let length = part.len();
        digits(&mut part, length)
    };
    let (year, month, day) = (number(4..=4)?, number(1..=2)?, number(1..=2)?);
    if parts.next().is_some() || !(1..=31).contains(&day) {
        return None;
    }
    let first = days_of_date(i64::from(year), i64::from(month), 1)?;
    i32::try_from(first + i64::from(day) - 1).ok()
}

/// `23:59:59.123` as milliseconds of the day.
pub(crate) fn time(mut text: &str) -> Option<i32> {
    let nanos = time_prefix(&mut text, false, Resolver::Smart)? % DAY_NANOS;
    if text.is_empty() { i32::try_from(nanos / 1_000_000).ok() } else { None }
}

/// A time as `LocalTime.parse` reads it, milliseconds of the day: `23:59` too.
pub(crate) fn time_iso(mut text: &str) -> Option<i32> {
    let nanos = time_prefix(&mut text, true, Resolver::Strict)?;
    if text.is_empty() { i32::try_from(nanos / 1_000_000).ok() } else { None }
}

/// A timestamp as seconds since the epoch and nanoseconds of the second; a `zoned` one (TIMESTAMP_LTZ) ends with `Z`.
pub(crate) fn timestamp(mut text: &str, format: TimestampFormat, zoned: bool) -> Option<(i64, u32)> {
    // Of Flink's four formats the one of ISO 8601 without a zone is Java's own, which is strict.
    let resolver = if format == TimestampFormat::Iso8601 && !zoned { Resolver::Strict } else { Resolver::Smart };
    let days = date_prefix(&mut text, resolver)?;
    match format {
        TimestampFormat::Sql => mark(&mut text, b' ')?,
        TimestampFormat::Iso8601 => mark(&mut text, b'T').or_else(|| mark(&mut text, b't'))?,
    }
    let nanos = time_prefix(&mut text, format == TimestampFormat::Iso8601, resolver)?;
    if zoned {
        mark(&mut text, b'Z')?;
    }
    if !text.is_empty() {
        return None;
    }
    Some((days * 86_400 + nanos / 1_000_000_000, u32::try_from(nanos % 1_000_000_000).ok()?))
}

/// Seconds and nanoseconds in the unit that holds timestamps of `precision`; `None` past the range of 64 bits.
pub(crate) fn in_unit(seconds: i64, nanos: u32, precision: u8) -> Option<i64> {
    let (unit, divisor) = match precision {
        0..=3 => (1_000, 1_000_000),
        4..=6 => (1_000_000, 1_000),
        _ => (1_000_000_000, 1),
    };
    seconds.checked_mul(unit)?.checked_add(i64::from(nanos / divisor))
}

/// Base64 with the standard alphabet; the padding may be missing.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let trimmed = text.trim_end_matches('=');
    if text.len() - trimmed.len() > 2 || trimmed.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(trimmed.len() * 3 / 4);
    let (mut bits, mut count) = (0u32, 0u32);
    for byte in trimmed.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_flinks_formats_has_its_own_leniency() {
        use TimestampFormat::{Iso8601, Sql};
        let day = |text: &str| i64::from(date(text).unwrap()) * 86_400;
        let cases = [
            ("2024-02-30 00:00:00", Sql, false, Some(day("2024-02-29"))),
            ("2023-02-31 00:00:00Z", Sql, true, Some(day("2023-02-28"))),
            ("2023-02-32 00:00:00", Sql, false, None),
            ("2023-13-01 00:00:00", Sql, false, None),
            ("2023-12-31 24:00:00", Sql, false, Some(day("2024-01-01"))),
            ("2023-12-31 24:00:00.1", Sql, false, None),
            ("2024-02-30T00:00:00", Iso8601, false, None),
            ("2024-02-28T24:00:00", Iso8601, false, None),
            ("2024-02-30T24:00:00Z", Iso8601, true, Some(day("2024-03-01"))),
        ];
        for (text, format, zoned, seconds) in cases {
            assert_eq!(timestamp(text, format, zoned), seconds.map(|seconds| (seconds, 0)), "{text}");
        }
        assert_eq!((time("24:00:00"), time("23:59"), time("24:00:01")), (Some(0), None, None));
        assert_eq!((time_iso("24:00:00"), time_iso("23:59")), (None, Some(86_340_000)));
    }

    #[test]
    fn days_past_the_end_of_a_month_roll_over_in_csv_alone() {
        assert_eq!((date("2023-02-29"), date("2024-2-9")), (None, None));
        assert_eq!(date_rolling("2023-02-29"), date("2023-03-01"));
        assert_eq!(date_rolling("2024-2-9"), date("2024-02-09"));
        for wrong in
            ["2023-04-32", "2023-00-01", "23-01-01", "2023-01", "2023-01-01-01", "2023-+1-01", " 2023-01-01", ""]
        {
            assert_eq!(date_rolling(wrong), None, "{wrong}");
        }
    }
}
