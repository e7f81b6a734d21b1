//! The fields that a text gave, and the time they name.

use weir_base::calendar::{DAY_MS, days_in, days_of};

use super::super::zone::Moment;

/// Fields by letter, as a pattern read them; of a letter that comes twice the values must agree.
#[derive(Debug, Default, Clone)]
pub(super) struct Fields {
    values: Vec<(char, i64)>,
}

impl Fields {
    /// Notes a value; false if it contradicts an earlier one.
    pub(super) fn set(&mut self, letter: char, value: i64) -> bool {
        match self.get(letter) {
            Some(known) => known == value,
            None => {
                self.values.push((letter, value));
                true
            }
        }
    }

    /// The value of a letter.
    pub(super) fn get(&self, letter: char) -> Option<i64> {
        self.values.iter().find(|(known, _)| *known == letter).map(|(_, value)| *value)
    }

    /// The time, as `DateTimeFormatter` resolves it and Flink completes it: 1970, the first of January, midnight. None if a value is out of its
    /// range, or they contradict each other.
    pub(super) fn resolve(&self) -> Option<Moment> {
        let (millis_of_day, nanos, days_more) = self.time_of_day()?;
        let days = self.date()? + days_more;
        Some(Moment { millis: days * DAY_MS + millis_of_day, nanos })
    }

    fn within(&self, letter: char, min: i64, max: i64) -> Option<Option<i64>> {
        match self.get(letter) {
            None => Some(None),
            Some(value) => (min..=max).contains(&value).then_some(Some(value)),
        }
    }

    /// Days since the epoch. A day past the end of its month becomes its last.
    fn date(&self) -> Option<i64> {
        let year = self.get('y').or(self.get('u'));
        let month = self.within('M', 1, 12)?;
        let day = self.within('d', 1, 31)?;
        let day_of_year = self.within('D', 1, 366)?;
        let known = year.unwrap_or(1970);
        if let (Some(_), Some(day_of_year), None) = (year, day_of_year, month) {
            let days = days_of(known, 1, 1) + day_of_year - 1;
            return (days < days_of(known + 1, 1, 1)).then_some(days);
        }
        let month = month.unwrap_or(1);
        let day = day.unwrap_or(1);
        let is_full = year.is_some() && self.get('M').is_some();
        let day = if is_full { day.min(days_in(known, month)) } else { day };
        (day <= days_in(known, month)).then(|| days_of(known, month, day))
    }

    /// Milliseconds of the day, nanoseconds within the last, and days more (24:00 is the next day's midnight).
    fn time_of_day(&self) -> Option<(i64, i32, i64)> {
        let half = self.within('a', 0, 1)?;
        let mut hour = self.within('H', 0, 24)?;
        if let Some(clock) = self.within('k', 1, 24)? {
            hour = Some(clock % 24);
        }
        let of_half = match (self.within('K', 0, 11)?, self.within('h', 1, 12)?) {
            (Some(hour), _) => Some(hour),
            (None, Some(clock)) => Some(clock % 12),
            (None, None) => None,
        };
        if let (Some(of_half), Some(half)) = (of_half, half) {
            let told = half * 12 + of_half;
            if hour.is_some_and(|hour| hour != told) {
                return None;
            }
            hour = Some(told);
        }
        let minute = self.within('m', 0, 59)?.unwrap_or(0);
        let second = self.within('s', 0, 59)?.unwrap_or(0);
        let mut nanos = self.within('S', 0, 999_999_999)?.or(self.within('n', 0, 999_999_999)?).unwrap_or(0);
        let mut of_day = hour.unwrap_or(0) * 3_600_000 + minute * 60_000 + second * 1000;
        if let Some(millis) = self.within('A', 0, DAY_MS - 1)? {
            of_day = millis / 1000 * 1000;
            nanos = millis % 1000 * 1_000_000;
        }
        if let Some(all) = self.within('N', 0, DAY_MS * 1_000_000 - 1)? {
            of_day = all / 1_000_000_000 * 1000;
            nanos = all % 1_000_000_000;
        }
        if of_day >= DAY_MS && (of_day > DAY_MS || nanos > 0) {
            return None;
        }
        let nanos_of_milli = i32::try_from(nanos % 1_000_000).ok()?;
        Some(((of_day + nanos / 1_000_000) % DAY_MS, nanos_of_milli, of_day / DAY_MS))
    }
}
