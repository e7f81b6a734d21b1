//! What patterns need of the calendar: English names, weeks that begin on Sunday, days of the year.

use weir_base::calendar::{date_of, days_of};

/// The months' names.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The days' names, from Monday.
pub(super) const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The day of the week, 0 for Monday to 6.
pub(super) fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

/// The day of the year, from 1.
pub(super) fn day_of_year(days: i64) -> i64 {
    days - days_of(date_of(days).0, 1, 1) + 1
}

/// The week-based year and week as in the United States: weeks begin on Sunday, the one with 1 January is the first.
pub(super) fn week_of(days: i64) -> (i64, i64) {
    let sunday = days - (weekday(days) + 1) % 7;
    let year = date_of(sunday + 6).0;
    let first = days_of(year, 1, 1);
    let first_sunday = first - (weekday(first) + 1) % 7;
    (year, (sunday - first_sunday) / 7 + 1)
}

/// The week of the month, from 1; the week with the first day is the first.
pub(super) fn week_of_month(days: i64) -> i64 {
    let (year, month, day) = date_of(days);
    let first = days_of(year, month, 1);
    ((weekday(first) + 1) % 7 + day - 1) / 7 + 1
}
