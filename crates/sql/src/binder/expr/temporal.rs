//! Texts of dates and times in literals: `2024-02-29`, `12:34:56.789`, both with a blank between.

use weir_base::calendar::days_of_date;

/// Nanoseconds of a second.
const SECOND_NS: i128 = 1_000_000_000;

/// Days since the epoch of `[YYY]Y-[M]M-[D]D`; `None` when the text is anything else.
pub(in crate::binder) fn date(text: &str) -> Option<i32> {
    let mut parts = text.split('-');
    let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some() || year == 0 {
        return None;
    }
    let days = days_of_date(i64::from(year), i64::from(month), i64::from(day))?;
    i32::try_from(days).ok()
}

/// Nanoseconds of the day of `[H]H:[M]M:[S]S[.f...]`, and the number of digits after the second: more than nine are cut.
pub(in crate::binder) fn time(text: &str) -> Option<(i128, usize)> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, fraction),
        None => (text, ""),
    };
    if text.ends_with('.') || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut parts = clock.split(':');
    let (hour, minute, second) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos: i128 = if fraction.is_empty() { 0 } else { format!("{fraction:0<9}")[..9].parse().ok()? };
    Some((i128::from(hour * 3600 + minute * 60 + second) * SECOND_NS + nanos, fraction.len()))
}

/// Nanoseconds since the epoch of a date, or of a date and a time with a blank between; and the number of digits after the second.
pub(in crate::binder) fn timestamp(text: &str) -> Option<(i128, usize)> {
    let midnight = |day: &str| Some(i128::from(date(day)?) * 86_400 * SECOND_NS);
    let Some((day, clock)) = text.split_once(' ') else { return Some((midnight(text)?, 0)) };
    let (nanos, digits) = time(clock)?;
    Some((midnight(day)? + nanos, digits))
}

/// A number of at most so many digits.
fn number(text: &str, digits_max: usize) -> Option<i32> {
    let is_number = !text.is_empty() && text.len() <= digits_max && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_since_the_epoch() {
        let cases = [
            ("1970-01-01", Some(0)),
            ("1969-12-31", Some(-1)),
            ("2000-02-29", Some(11_016)),
            ("2024-02-29", Some(19_782)),
            ("0001-01-01", Some(-719_162)),
            ("9999-12-31", Some(2_932_896)),
            ("2023-02-29", None),
            ("2023-13-01", None),
            ("2023-1-1", Some(19_358)),
            ("23-01-01", Some(-711_127)),
            ("0000-01-01", None),
            ("10000-01-01", None),
            ("2023-01-01 ", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(date(text), expected, "{text}");
        }
    }

    #[test]
    fn timestamps_carry_their_digits() {
        let second = SECOND_NS;
        let cases = [
            ("1970-01-01 00:00:01", Some((second, 0))),
            ("1970-01-01 00:00:00.5", Some((second / 2, 1))),
            ("1970-01-01 00:00:00.000000001", Some((1, 9))),
            ("1969-12-31 23:59:59.999", Some((-1_000_000, 3))),
            ("1970-01-01 24:00:00", None),
            ("1970-01-01 00:00:00.", None),
            ("1970-01-01 00:00:00.0000000011", Some((1, 10))),
            ("1970-01-01 0:0:1", Some((second, 0))),
            ("1970-01-02", Some((86_400 * second, 0))),
            ("1970-01-01T00:00:00", None),
        ];
        for (text, expected) in cases {
            assert_eq!(timestamp(text), expected, "{text}");
        }
    }
}
