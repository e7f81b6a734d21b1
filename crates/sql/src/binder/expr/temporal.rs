//! Texts of dates and times in literals: `2024-02-29`, `12:34:56.789`, both with a blank between.

/// Nanoseconds of a second.
const SECOND_NS: i128 = 1_000_000_000;

/// Days since the epoch of `YYYY-MM-DD`; `None` when the text is anything else.
pub(in crate::binder) fn date(text: &str) -> Option<i32> {
    let mut parts = text.split('-');
    let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    Some(days_from_civil(year, month, day))
}

/// Nanoseconds of the day of `HH:MM:SS[.f...]`, and the number of digits after the second.
pub(in crate::binder) fn time(text: &str) -> Option<(i128, u8)> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, fraction),
        None => (text, ""),
    };
    if text.ends_with('.') || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut parts = clock.split(':');
    let (hour, minute, second) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos: i128 = if fraction.is_empty() { 0 } else { format!("{fraction:0<9}").parse().ok()? };
    let digits = u8::try_from(fraction.len()).ok()?;
    Some((i128::from(hour * 3600 + minute * 60 + second) * SECOND_NS + nanos, digits))
}

/// Nanoseconds since the epoch of `YYYY-MM-DD HH:MM:SS[.f...]`, and the number of digits after the second.
pub(in crate::binder) fn timestamp(text: &str) -> Option<(i128, u8)> {
    let (day, clock) = text.split_once(' ')?;
    let (nanos, digits) = time(clock)?;
    Some((i128::from(date(day)?) * 86_400 * SECOND_NS + nanos, digits))
}

/// A number of exactly `digits` digits.
fn number(text: &str, digits: usize) -> Option<i32> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn days_of_month(year: i32, month: i32) -> i32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years that begin in March.
fn days_from_civil(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
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
            ("2023-1-01", None),
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
            ("1970-01-01 00:00:00.0000000001", None),
            ("1970-01-01", None),
            ("1970-01-01T00:00:00", None),
        ];
        for (text, expected) in cases {
            assert_eq!(timestamp(text), expected, "{text}");
        }
    }
}
