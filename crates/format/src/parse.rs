//! Text to values, as the Java classes do it that Flink's text formats are built on.
//!
//! Each gives `None` for text that is no such value; ranges are the caller's where it knows the type.

use crate::calendar::days_of_date;

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

/// Takes a date off the front: `2024-02-29`, and `+12024-02-29` or `-0044-03-15` with a sign.
fn date_prefix(text: &mut &str) -> Option<i64> {
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
    let month = digits(text, 2)?;
    mark(text, b'-')?;
    let day = digits(text, 2)?;
    days_of_date(if negative { -year } else { year }, month, day)
}

/// Takes a time off the front: nanoseconds of the day. Seconds may be missing where `seconds_optional`.
fn time_prefix(text: &mut &str, seconds_optional: bool) -> Option<i64> {
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
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second)) * 1_000_000_000 + nanos)
}

/// `2024-02-29` as days since the epoch.
pub(crate) fn date(mut text: &str) -> Option<i32> {
    let days = date_prefix(&mut text)?;
    if text.is_empty() { i32::try_from(days).ok() } else { None }
}

/// `23:59:59.123` as milliseconds of the day.
pub(crate) fn time(mut text: &str) -> Option<i32> {
    let nanos = time_prefix(&mut text, false)?;
    if text.is_empty() { i32::try_from(nanos / 1_000_000).ok() } else { None }
}

/// A timestamp as seconds since the epoch and nanoseconds of the second; a `zoned` one (TIMESTAMP_LTZ) ends with `Z`.
pub(crate) fn timestamp(mut text: &str, format: TimestampFormat, zoned: bool) -> Option<(i64, u32)> {
    let days = date_prefix(&mut text)?;
    match format {
        TimestampFormat::Sql => mark(&mut text, b' ')?,
        TimestampFormat::Iso8601 => mark(&mut text, b'T').or_else(|| mark(&mut text, b't'))?,
    }
    let nanos = time_prefix(&mut text, format == TimestampFormat::Iso8601)?;
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
