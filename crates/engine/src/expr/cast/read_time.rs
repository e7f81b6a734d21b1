//! Texts as DATE, TIME and TIMESTAMP.
//!
//! A timestamp is `yyyy-[M]M-[d]d`, optionally followed by ` [H]H:[m]m:[s]s[.fraction]`; a day past its month's end becomes its last, 24:00:00 is the midnight
//! behind it. A date may end in a time, which is left out.

use weir_base::calendar::{DAY_MS, days_in, days_of};

use super::super::zone::Moment;

/// A timestamp with up to nine digits after the second.
pub(in super::super) fn timestamp_of_text(text: &str) -> Result<Moment, String> {
    let bytes = text.as_bytes();
    let broken = |index: usize| format!("Text '{text}' could not be parsed at index {index}");
    let dash = |at: usize| if bytes.get(at) == Some(&b'-') { Ok(at + 1) } else { Err(broken(at)) };
    let is_year = bytes.len() >= 4 && bytes[..4].iter().all(u8::is_ascii_digit);
    if !is_year || bytes.get(4).is_some_and(u8::is_ascii_digit) {
        return Err(broken(0));
    }
    let year = number(&bytes[..4]);
    let (month, at) = one_or_two(bytes, dash(4)?).ok_or_else(|| broken(5))?;
    let at = dash(at)?;
    let (day, at) = one_or_two(bytes, at).ok_or_else(|| broken(at))?;
    let (time, end) = match time_after(bytes, at) {
        Some((time, end)) => (time, end),
        None => ([0; 4], at),
    };
    if end < bytes.len() {
        return Err(format!("Text '{text}' could not be parsed, unparsed text found at index {end}"));
    }
    let within = |name: &str, value: i64, min: i64, max: i64| {
        if (min..=max).contains(&value) {
            return Ok(());
        }
        Err(format!(
            "Text '{text}' could not be parsed: Invalid value for {name} (valid values {min} - {max}): {value}"
        ))
    };
    within("YearOfEra", year, 1, 999_999_999)?;
    within("MonthOfYear", month, 1, 12)?;
    within("DayOfMonth", day, 1, 31)?;
    let is_end_of_day = time == [24, 0, 0, 0];
    within("HourOfDay", time[0], 0, if is_end_of_day { 24 } else { 23 })?;
    within("MinuteOfHour", time[1], 0, 59)?;
    within("SecondOfMinute", time[2], 0, 59)?;
    let days = days_of(year, month, day.min(days_in(year, month)));
    let millis = days * DAY_MS + time[0] * 3_600_000 + time[1] * 60_000 + time[2] * 1000 + time[3] / 1_000_000;
    Ok(Moment { millis, nanos: i32::try_from(time[3] % 1_000_000).expect("less than a million") })
}

/// The value of ASCII digits.
fn number(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'))
}

/// One or two digits at `at`: their value and the index behind them.
fn one_or_two(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let count = bytes.get(at..)?.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then(|| (number(&bytes[at..at + count]), at + count))
}

/// ` [H]H:[m]m:[s]s[.fraction]` at `at`: hour, minute, second, nanosecond, and the index behind.
fn time_after(bytes: &[u8], at: usize) -> Option<([i64; 4], usize)> {
    let after = |byte: u8, at: usize| (bytes.get(at) == Some(&byte)).then_some(at + 1);
    let (hour, at) = one_or_two(bytes, after(b' ', at)?)?;
    let (minute, at) = one_or_two(bytes, after(b':', at)?)?;
    let (second, at) = one_or_two(bytes, after(b':', at)?)?;
    let Some(start) = after(b'.', at) else { return Some(([hour, minute, second, 0], at)) };
    let digits = bytes[start..].iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    let scale = 10_i64.pow(9 - u32::try_from(digits).expect("at most nine"));
    Some(([hour, minute, second, number(&bytes[start..start + digits]) * scale], start + digits))
}

/// Days since the epoch: `yyyy[-M[-d]]`, with anything behind a blank left out.
pub(in super::super) fn date_of_text(text: &str) -> Result<i32, String> {
    let broken = || format!("For input string: '{text}'.");
    let date = match text.find(' ') {
        Some(end) if end > 0 => &text[..end],
        _ => text,
    };
    let mut parts = date.splitn(3, '-').map(digits);
    let year = parts.next().flatten().ok_or_else(broken)?;
    let month = parts.next().unwrap_or(Some(1)).ok_or_else(broken)?;
    let day = parts.next().unwrap_or(Some(1)).ok_or_else(broken)?;
    let is_valid = year <= 9999 && (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
    let days = is_valid.then(|| days_of(year, month, day)).ok_or_else(broken)?;
    i32::try_from(days).map_err(|_| broken())
}

/// A number of digits only, blanks around it left out; None for anything else.
fn digits(text: &str) -> Option<i64> {
    let text = text.trim();
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Milliseconds of the day, cut to `precision`: `H[:m[:s[.fraction]]]`, with an offset `+H[:m]` behind, which is added.
pub(in super::super) fn time_of_text(text: &str, precision: u8) -> Result<i32, String> {
    let of_day = time_parts(text).ok_or_else(|| {
        format!(
            "Invalid time format: '{text}'. Expected format: HH:mm:ss[.fff] where HH is 00-23, mm is 00-59, ss is 00-59"
        )
    })?;
    let unit = 10_i64.pow(3 - u32::from(precision.min(3)));
    i32::try_from(of_day / unit * unit).map_err(|_| format!("For input string: '{text}'."))
}

/// The milliseconds of the day that a time names; the fraction is rounded.
fn time_parts(text: &str) -> Option<i64> {
    let (time, offset) = match text.find(['-', '+']) {
        Some(at) => (&text[..at], offset_of(&text[at..])?),
        None => (text, 0),
    };
    let (time, fraction) =
        time.trim().split_once('.').map_or((time.trim(), None), |(time, rest)| (time, Some(rest.trim())));
    let parts: Vec<i64> = time.split(':').map(digits).collect::<Option<_>>()?;
    let (hour, minute, second) = match parts[..] {
        [hour] => (hour, 0, 0),
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let is_misplaced = fraction.is_some() && parts.len() < 3;
    if hour > 23 || minute > 59 || second > 59 || is_misplaced {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digit = |at: usize| fraction.as_bytes().get(at).map_or(0, |digit| i64::from(digit - b'0'));
    let millis = digit(0) * 100 + digit(1) * 10 + digit(2) + i64::from(digit(3) >= 5);
    Some(hour * 3_600_000 + minute * 60_000 + second * 1000 + millis + offset)
}

/// `+H`, `-H:m` in milliseconds.
fn offset_of(text: &str) -> Option<i64> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hour, minute) = text[1..].split_once(':').map_or((&text[1..], None), |(hour, minute)| (hour, Some(minute)));
    let minute = minute.map_or(Some(0), digits)?;
    Some(sign * (digits(hour)? * 3_600_000 + minute * 60_000))
}
