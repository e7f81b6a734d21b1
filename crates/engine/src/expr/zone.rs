//! Time zones and instants: `table.local-time-zone`, wall-clock time to instant and back, and the parts of a timestamp.
//!
//! Rules are Java's: a wall-clock time that a shift leaves out is moved on by the gap; one that occurs twice means the earlier.

use arrow_schema::TimeUnit;
use chrono::{DateTime, Offset, TimeZone};
use weir_base::calendar::DAY_MS;
use weir_base::{Error, Result};

/// A zone that local times are read in.
#[derive(Debug, Clone)]
pub enum Zone {
    /// A fixed distance from UTC, in milliseconds.
    Fixed(i64),
    /// A place with its rules.
    Place(chrono_tz::Tz),
}

impl Zone {
    /// Reads an IANA name, `UTC`, `GMT+02:00` or `+02:00`.
    ///
    /// # Errors
    /// It is none of these.
    pub fn parse(name: &str) -> Result<Self> {
        let name = name.trim();
        if matches!(name, "UTC" | "GMT" | "UT" | "Z" | "Etc/UTC") {
            return Ok(Self::Fixed(0));
        }
        let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
        if let Some(millis) = offset_of(offset) {
            return Ok(Self::Fixed(millis));
        }
        name.parse().map(Self::Place).map_err(|_| {
            Error::invalid(format!("use the time zone '{name}': it is no known name or offset"))
                .hint("set 'table.local-time-zone' to a name such as 'Europe/Berlin' or an offset such as 'GMT+02:00'")
        })
    }

    /// The distance of local time from UTC at an instant, in milliseconds.
    pub fn offset_at(&self, instant: i64) -> i64 {
        match self {
            Self::Fixed(offset) => *offset,
            Self::Place(place) => DateTime::from_timestamp_millis(instant).map_or(0, |instant| {
                i64::from(place.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()) * 1000
            }),
        }
    }

    /// The zone's short name at an instant: `CET`, `UTC`, `GMT+02:00`.
    pub fn short_name_at(&self, instant: i64) -> String {
        match self {
            Self::Fixed(0) => "UTC".to_owned(),
            Self::Fixed(offset) => {
                let minutes = offset.unsigned_abs() / 60_000;
                let sign = if *offset < 0 { '-' } else { '+' };
                format!("GMT{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Self::Place(place) => {
                let time = DateTime::from_timestamp_millis(instant).unwrap_or_default();
                place.offset_from_utc_datetime(&time.naive_utc()).to_string()
            }
        }
    }

    /// The wall-clock time (as if it were UTC) at an instant, both in milliseconds.
    pub fn to_local(&self, instant: i64) -> i64 {
        instant.saturating_add(self.offset_at(instant))
    }

    /// The instant of a wall-clock time; of one that occurs twice the earlier.
    pub fn to_instant(&self, local: i64) -> i64 {
        self.instant_of(local, false)
    }

    /// The same by the rules of Java's old calendar: of a wall-clock time that occurs twice the later.
    pub fn to_later_instant(&self, local: i64) -> i64 {
        self.instant_of(local, true)
    }

    fn instant_of(&self, local: i64, is_later: bool) -> i64 {
        match self {
            Self::Fixed(offset) => local.saturating_sub(*offset),
            Self::Place(place) => {
                let offset = DateTime::from_timestamp_millis(local).map(|time| {
                    let found = place.offset_from_local_datetime(&time.naive_utc());
                    let found = if is_later { found.latest() } else { found.earliest() };
                    found.map(|offset| i64::from(offset.fix().local_minus_utc()) * 1000)
                });
                match offset {
                    Some(Some(offset)) => local - offset,
                    // In a gap the offset before it counts: that of a day earlier.
                    Some(None) => local - self.offset_at(local - DAY_MS),
                    None => local,
                }
            }
        }
    }
}

/// `+hh`, `+hh:mm`, `+hhmm` or `+hh:mm:ss` in milliseconds.
fn offset_of(text: &str) -> Option<i64> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let parts: Vec<&str> = if rest.contains(':') {
        rest.split(':').collect()
    } else if rest.len() == 4 && rest.is_ascii() {
        vec![&rest[..2], &rest[2..]]
    } else {
        vec![rest]
    };
    if parts.len() > 3 || parts.iter().any(|part| part.is_empty() || part.len() > 2) {
        return None;
    }
    let mut seconds = 0;
    for (part, unit) in parts.iter().zip([3600, 60, 1]) {
        seconds += part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i64>().ok()).flatten()? * unit;
    }
    (seconds <= 18 * 3600).then_some(sign * seconds * 1000)
}

/// A point in time as Flink keeps it: milliseconds since the epoch and nanoseconds within the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    /// Milliseconds since the epoch.
    pub(super) millis: i64,
    /// Nanoseconds of the millisecond, 0 to 999,999.
    pub(super) nanos: i32,
}

impl Moment {
    /// The moment that `value` is in `unit`.
    pub(super) fn of(value: i64, unit: TimeUnit) -> Self {
        let split = |per_milli: i64, nanos_each: i64| Self {
            millis: value.div_euclid(per_milli),
            nanos: i32::try_from(value.rem_euclid(per_milli) * nanos_each).expect("less than a million"),
        };
        match unit {
            TimeUnit::Second => Self { millis: value.saturating_mul(1000), nanos: 0 },
            TimeUnit::Millisecond => Self { millis: value, nanos: 0 },
            TimeUnit::Microsecond => split(1000, 1000),
            TimeUnit::Nanosecond => split(1_000_000, 1),
        }
    }

    /// Its value in `unit`; None beyond 64 bits (nanoseconds reach from 1677 to 2262).
    pub(super) fn to(self, unit: TimeUnit) -> Option<i64> {
        match unit {
            TimeUnit::Second => Some(self.millis.div_euclid(1000)),
            TimeUnit::Millisecond => Some(self.millis),
            TimeUnit::Microsecond => self.millis.checked_mul(1000)?.checked_add(i64::from(self.nanos / 1000)),
            TimeUnit::Nanosecond => {
                let nanos = i128::from(self.millis) * 1_000_000 + i128::from(self.nanos);
                i64::try_from(nanos).ok()
            }
        }
    }

    /// The nanoseconds of its second.
    pub(super) fn nanos_of_second(self) -> i64 {
        self.millis.rem_euclid(1000) * 1_000_000 + i64::from(self.nanos)
    }

    /// The moment cut to `precision` digits after the second.
    pub(super) fn cut(self, precision: u8) -> Self {
        let unit = 10_i64.pow(9 - u32::from(precision.min(9)));
        let nanos = self.nanos_of_second() / unit * unit;
        Self {
            millis: self.millis.div_euclid(1000) * 1000 + nanos / 1_000_000,
            nanos: i32::try_from(nanos % 1_000_000).expect("less than a million"),
        }
    }
}
