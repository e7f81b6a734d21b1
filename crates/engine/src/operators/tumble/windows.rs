//! Which window a time belongs to, and when a window fires.
//!
//! Windows over TIMESTAMP_LTZ lie on the wall clock of `table.local-time-zone`: a window's start and end are local times. They fire when the watermark reaches
//! the end less one millisecond; where daylight saving skips or repeats that time, Flink's rule holds (`TimeWindowUtil.toEpochMillsForTimer`).

use std::time::Duration;

use weir_base::{Error, Result, Timestamp};

use crate::expr::Zone;

const HOUR_MS: i64 = 3_600_000;
/// Offsets are looked up once for so long a stretch of time, unless they change within it.
const STRETCH_MS: i64 = 900_000;

/// Tumbling windows of one size.
#[derive(Debug)]
pub struct Windows {
    size_ms: i64,
    offset_ms: i64,
    /// `None`: times are wall-clock times already.
    zone: Option<Zone>,
    stretch: i64,
    stretch_offset: i64,
}

impl Windows {
    /// Windows of `size`, shifted by `offset_ms`, on the wall clock of `zone` if there is one.
    ///
    /// # Errors
    /// The size is not positive, or the offset not below it; in Flink's words.
    pub fn new(size: Duration, offset_ms: i64, zone: Option<Zone>) -> Result<Self> {
        let size_ms = i64::try_from(size.as_millis()).unwrap_or(i64::MAX);
        if size_ms == 0 {
            return Err(Error::invalid("Tumbling Window parameters must satisfy size > 0, but got size 0ms."));
        }
        if offset_ms.unsigned_abs() >= size_ms.unsigned_abs() {
            return Err(Error::invalid(format!(
                "Tumbling Window parameters must satisfy abs(offset) < size, bot got size {size_ms}ms and offset {offset_ms}ms."
            )));
        }
        Ok(Self { size_ms, offset_ms, zone, stretch: i64::MIN, stretch_offset: 0 })
    }

    /// The exclusive end of the window that `time` belongs to, a wall-clock time.
    #[inline]
    pub fn end_of(&mut self, time: Timestamp) -> Timestamp {
        let local = if self.zone.is_some() { time.saturating_add(self.offset_at(time)) } else { time };
        let into = local.saturating_sub(self.offset_ms).rem_euclid(self.size_ms);
        local.saturating_sub(into).saturating_add(self.size_ms)
    }

    /// The start of the window that ends at `end`.
    pub fn start_of(&self, end: Timestamp) -> Timestamp {
        end.saturating_sub(self.size_ms)
    }

    /// The instant of the last millisecond of the window that ends at `end`: `window_time`.
    pub fn time_of(&self, end: Timestamp) -> Timestamp {
        match &self.zone {
            None => end - 1,
            Some(zone) => zone.to_instant(end - 1),
        }
    }

    /// The watermark at which the window that ends at `end` fires.
    pub fn fires_at(&self, end: Timestamp) -> Timestamp {
        let Some(zone) = &self.zone else { return end - 1 };
        let first = zone.to_instant(end - 1);
        let hour_later = zone.to_instant(end - 1 + HOUR_MS);
        if first == hour_later {
            // The time is left out: the first instant after the gap.
            first - first % HOUR_MS
        } else if hour_later - first > HOUR_MS {
            // The time comes twice: the second one.
            first + HOUR_MS
        } else {
            first
        }
    }

    #[inline]
    fn offset_at(&mut self, time: Timestamp) -> i64 {
        let stretch = time.div_euclid(STRETCH_MS);
        if stretch == self.stretch { self.stretch_offset } else { self.look_up(time, stretch) }
    }

    #[cold]
    fn look_up(&mut self, time: Timestamp, stretch: i64) -> i64 {
        let Some(zone) = &self.zone else { return 0 };
        let offset = zone.offset_at(time);
        let start = stretch.saturating_mul(STRETCH_MS);
        let constant =
            zone.offset_at(start) == offset && zone.offset_at(start.saturating_add(STRETCH_MS - 1)) == offset;
        if constant {
            (self.stretch, self.stretch_offset) = (stretch, offset);
        }
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(size_ms: u64, offset_ms: i64, zone: Option<&str>) -> Windows {
        let zone = zone.map(|zone| Zone::parse(zone).unwrap());
        Windows::new(Duration::from_millis(size_ms), offset_ms, zone).unwrap()
    }

    #[test]
    fn a_time_belongs_to_the_window_that_starts_at_or_before_it() {
        for (size, offset, time, end) in [
            (10, 0, 0, 10),
            (10, 0, 9, 10),
            (10, 0, 10, 20),
            (10, 0, -1, 0),
            (10, 0, -10, 0),
            (10, 0, -11, -10),
            (10, 3, 2, 3),
            (10, 3, 3, 13),
            (10, -3, 6, 7),
            (10, -3, 7, 17),
        ] {
            let mut windows = windows(size, offset, None);
            assert_eq!(windows.end_of(time), end, "{time} in windows of {size} shifted by {offset}");
            assert_eq!(windows.start_of(end), end - i64::try_from(size).unwrap());
            assert_eq!((windows.fires_at(end), windows.time_of(end)), (end - 1, end - 1));
        }
    }

    #[test]
    fn windows_over_instants_lie_on_the_wall_clock() {
        const DAY: i64 = 24 * HOUR_MS;
        for zone in ["Asia/Shanghai", "GMT+08:00"] {
            let mut windows = windows(DAY as u64, 0, Some(zone));
            // 1970-01-01 16:00 UTC is midnight there.
            assert_eq!(windows.end_of(16 * HOUR_MS - 1), DAY);
            assert_eq!(windows.end_of(16 * HOUR_MS), 2 * DAY);
            assert_eq!(windows.fires_at(DAY), 16 * HOUR_MS - 1);
            assert_eq!(windows.time_of(DAY), 16 * HOUR_MS - 1);
        }
    }

    #[test]
    fn daylight_saving_moves_firing_as_flink_does() {
        // Los Angeles, the instants of Flink's own description: 2021-03-14 02:00 is left out, 2021-11-07 01:00 comes twice.
        let local = |instant_utc: i64| instant_utc;
        let mut windows = windows(HOUR_MS as u64, 0, Some("America/Los_Angeles"));
        let spring_three = 1_615_716_000_000;
        let spring_local_two = local(1_615_687_200_000);
        // The hour from 02:00 to 03:00 does not exist; its window would fire as soon as the gap has passed.
        assert_eq!(windows.fires_at(spring_local_two + HOUR_MS), spring_three);
        assert_eq!(windows.fires_at(spring_local_two), spring_three - 1);
        let autumn_one = 1_636_272_000_000;
        let end = windows.end_of(autumn_one);
        assert_eq!(windows.end_of(autumn_one + HOUR_MS), end, "the repeated hour is one window");
        assert_eq!(windows.fires_at(end), autumn_one + 2 * HOUR_MS - 1);
    }

    #[test]
    fn sizes_and_offsets_are_checked_in_flinks_words() {
        let error = |size, offset| Windows::new(Duration::from_millis(size), offset, None).unwrap_err().to_string();
        assert_eq!(error(0, 0), "Tumbling Window parameters must satisfy size > 0, but got size 0ms.");
        assert_eq!(
            error(10, -10),
            "Tumbling Window parameters must satisfy abs(offset) < size, bot got size 10ms and offset -10ms."
        );
    }
}
