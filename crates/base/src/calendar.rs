//! Days and dates of the proleptic Gregorian calendar, as `java.time` counts them (Hinnant, "chrono-compatible low-level date algorithms").

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// Days since 1970-01-01 of a date. A month beyond its year and a day beyond its month count on: the 32nd of January is the 1st of February.
pub fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    // Years that begin in March have the leap day at their end.
    let (year, month_from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Days since 1970-01-01 of a date; `None` if there is no such day.
pub fn days_of_date(year: i64, month: i64, day: i64) -> Option<i64> {
    let exists = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    exists.then(|| days_of(year, month, day))
}

/// Year, month (1 to 12) and day (1 to 31) of the day `days` after 1970-01-01.
pub fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The days of a month, 1 to 12.
pub fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch, `months` later; a day past the month's end becomes its last.
pub fn add_months(days: i64, months: i64) -> i64 {
    let (year, month, day) = date_of(days);
    let first = days_of(year, month + months, 1);
    let (year, month, _) = date_of(first);
    first + day.min(days_in(year, month)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_are_inverse_to_each_other() {
        let cases = [
            ((1970, 1, 1), Some(0)),
            ((1969, 12, 31), Some(-1)),
            ((2024, 2, 29), Some(19_782)),
            ((2023, 2, 29), None),
            ((1900, 2, 29), None),
            ((2024, 13, 1), None),
            ((2024, 0, 1), None),
            ((2024, 4, 31), None),
            ((2024, 4, 0), None),
            ((0, 1, 1), Some(-719_528)),
        ];
        for ((year, month, day), days) in cases {
            assert_eq!(days_of_date(year, month, day), days, "{year}-{month}-{day}");
        }
        for days in (-1_000_000..1_000_000).step_by(97) {
            let (year, month, day) = date_of(days);
            assert_eq!(days_of_date(year, month, day), Some(days));
            assert_eq!(days_in(year, month), days_of(year, month + 1, 1) - days_of(year, month, 1));
        }
    }

    #[test]
    fn months_and_days_count_on() {
        assert_eq!(days_of(2024, 1, 32), days_of(2024, 2, 1));
        assert_eq!(days_of(2024, 14, 1), days_of(2025, 2, 1));
        assert_eq!(days_of(2024, 0, 1), days_of(2023, 12, 1));
        assert_eq!(date_of(add_months(days_of(2024, 1, 31), 1)), (2024, 2, 29));
        assert_eq!(date_of(add_months(days_of(2024, 1, 31), -11)), (2023, 2, 28));
    }
}
