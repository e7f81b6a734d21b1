//! Which windows a time belongs to, and when a window fires.
//!
//! Windows that overlap are cut into slices: the longest stretches of time of which each window has all or nothing. Windows over TIMESTAMP_LTZ lie on the wall
//! clock of `table.local-time-zone`: a window's start and end are local times. They fire when the watermark reaches the end less one millisecond; where
//! daylight saving skips or repeats that time, Flink's rule holds (`TimeWindowUtil.toEpochMillsForTimer`).

use std::ops::RangeInclusive;

use weir_base::{Error, Result, Timestamp};
use weir_plan::{WindowKind, WindowSpec};

use crate::expr::Zone;

const HOUR_MS: i64 = 3_600_000;
/// Offsets are looked up once for so long a stretch of time, unless they change within it.
const STRETCH_MS: i64 = 900_000;

/// The windows of one window function.
#[derive(Debug)]
pub struct Windows {
    kind: WindowKind,
    offset_ms: i64,
    slice_ms: i64,
    /// `None`: times are wall-clock times already.
    zone: Option<Zone>,
    stretch: i64,
    stretch_offset: i64,
}

impl Windows {
    /// The windows of `spec`, on the wall clock of `local_time_zone` where the time attribute is TIMESTAMP_LTZ.
    ///
    /// # Errors
    /// A size is not positive, or sizes do not fit each other, in Flink's words; the zone is not known.
    pub fn new(spec: &WindowSpec, local_time_zone: &str) -> Result<Self> {
        let zone = spec.local_time.then(|| Zone::parse(local_time_zone)).transpose()?;
        let slice_ms = slice_of(spec)?;
        Ok(Self { kind: spec.kind, offset_ms: spec.offset_ms, slice_ms, zone, stretch: i64::MIN, stretch_offset: 0 })
    }

    /// Whether a slice belongs to several windows.
    pub fn share_slices(&self) -> bool {
        matches!(self.kind, WindowKind::Hop { .. } | WindowKind::Cumulate { .. })
    }

    /// Whether windows grow from one start, so that each is the one before and a slice more.
    pub fn grow(&self) -> bool {
        matches!(self.kind, WindowKind::Cumulate { .. })
    }

    /// `time` on the wall clock.
    #[inline]
    pub fn local(&mut self, time: Timestamp) -> Timestamp {
        if self.zone.is_some() { time.saturating_add(self.offset_at(time)) } else { time }
    }

    /// The exclusive end of the slice that `time` belongs to, a wall-clock time.
    #[inline]
    pub fn slice_end(&mut self, time: Timestamp) -> Timestamp {
        let local = self.local(time);
        self.floor(local, self.slice_ms).saturating_add(self.slice_ms)
    }

    /// The greatest start of stretches of `length` that is not after `local`.
    #[inline]
    fn floor(&self, local: Timestamp, length: i64) -> Timestamp {
        local.saturating_sub(local.saturating_sub(self.offset_ms).rem_euclid(length))
    }

    /// The end of the first window that has the slice; `None`: no window has it.
    pub fn first_window(&self, slice_end: Timestamp) -> Option<Timestamp> {
        match self.kind {
            WindowKind::Hop { slide_ms, size_ms } => {
                let into = slice_end.saturating_sub(self.offset_ms).saturating_sub(size_ms).rem_euclid(slide_ms);
                let end = if into == 0 { slice_end } else { slice_end.saturating_add(slide_ms - into) };
                (end.saturating_sub(size_ms) <= slice_end.saturating_sub(self.slice_ms)).then_some(end)
            }
            _ => Some(slice_end),
        }
    }

    /// The end of the last window that has the slice; `None`: no window has it.
    pub fn last_window(&self, slice_end: Timestamp) -> Option<Timestamp> {
        let start = slice_end.saturating_sub(self.slice_ms);
        match self.kind {
            WindowKind::Hop { slide_ms, size_ms } => {
                let end = self.floor(start, slide_ms).saturating_add(size_ms);
                (end >= slice_end).then_some(end)
            }
            WindowKind::Cumulate { size_ms, .. } => Some(self.floor(start, size_ms).saturating_add(size_ms)),
            _ => Some(slice_end),
        }
    }

    /// The end of the window after the one that ends at `end`, of those that may share slices with it.
    pub fn next_window(&self, end: Timestamp) -> Option<Timestamp> {
        match self.kind {
            WindowKind::Hop { slide_ms, .. } => Some(end.saturating_add(slide_ms)),
            WindowKind::Cumulate { step_ms, .. } => {
                let next = end.saturating_add(step_ms);
                (self.start_of(next) == self.start_of(end)).then_some(next)
            }
            _ => None,
        }
    }

    /// The ends of the slices of the window that ends at `end`, as bounds.
    pub fn slices(&self, end: Timestamp) -> RangeInclusive<Timestamp> {
        self.start_of(end).saturating_add(1)..=end
    }

    /// The end of the first slice of the window that ends at `end`.
    pub fn first_slice(&self, end: Timestamp) -> Timestamp {
        self.start_of(end).saturating_add(self.slice_ms)
    }

    /// The start of the window that ends at `end`. Sessions have no such: their start is the row's own.
    pub fn start_of(&self, end: Timestamp) -> Timestamp {
        match self.kind {
            WindowKind::Tumble { size_ms } | WindowKind::Hop { size_ms, .. } => end.saturating_sub(size_ms),
            WindowKind::Cumulate { size_ms, .. } => self.floor(end.saturating_sub(1), size_ms),
            WindowKind::Session { .. } => end,
        }
    }

    /// Calls `give` with start and end of each window that `time` belongs to, in Flink's order.
    pub fn each(&mut self, time: Timestamp, mut give: impl FnMut(Timestamp, Timestamp)) {
        let local = self.local(time);
        match self.kind {
            WindowKind::Tumble { size_ms } => {
                let start = self.floor(local, size_ms);
                give(start, start.saturating_add(size_ms));
            }
            WindowKind::Hop { slide_ms, size_ms } => {
                let mut start = self.floor(local, slide_ms);
                while start > local.saturating_sub(size_ms) {
                    give(start, start.saturating_add(size_ms));
                    start = start.saturating_sub(slide_ms);
                }
            }
            WindowKind::Cumulate { step_ms, size_ms } => {
                let start = self.floor(local, size_ms);
                let mut end = self.floor(local, step_ms).saturating_add(step_ms);
                while end <= start.saturating_add(size_ms) {
                    give(start, end);
                    end = end.saturating_add(step_ms);
                }
            }
            WindowKind::Session { gap_ms } => give(local, local.saturating_add(gap_ms)),
        }
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

/// The length of a slice; the sizes checked.
fn slice_of(spec: &WindowSpec) -> Result<i64> {
    let offset = spec.offset_ms;
    let wrong = |message: String| Err(Error::invalid(message));
    match spec.kind {
        WindowKind::Tumble { size_ms } if size_ms <= 0 => {
            wrong(format!("Tumbling Window parameters must satisfy size > 0, but got size {size_ms}ms."))
        }
        WindowKind::Tumble { size_ms } if offset.unsigned_abs() >= size_ms.unsigned_abs() => wrong(format!(
            "Tumbling Window parameters must satisfy abs(offset) < size, bot got size {size_ms}ms and offset {offset}ms."
        )),
        WindowKind::Tumble { size_ms } => Ok(size_ms),
        WindowKind::Hop { slide_ms, size_ms } if slide_ms <= 0 || size_ms <= 0 => wrong(format!(
            "Hopping Window must satisfy slide > 0 and size > 0, but got slide {slide_ms}ms and size {size_ms}ms."
        )),
        WindowKind::Hop { slide_ms, size_ms } => Ok(greatest_common_divisor(slide_ms, size_ms)),
        WindowKind::Cumulate { step_ms, size_ms } if step_ms <= 0 || size_ms <= 0 => wrong(format!(
            "Cumulative Window parameters must satisfy maxSize > 0 and step > 0, but got maxSize {size_ms}ms and step {step_ms}ms."
        )),
        WindowKind::Cumulate { step_ms, size_ms } if size_ms % step_ms != 0 => wrong(format!(
            "Cumulative Window requires maxSize must be an integral multiple of step, but got maxSize {size_ms}ms and step {step_ms}ms."
        )),
        WindowKind::Cumulate { step_ms, .. } => Ok(step_ms),
        WindowKind::Session { gap_ms } if gap_ms <= 0 => {
            wrong("SessionWindowAssigner parameters must satisfy 0 < size".to_owned())
        }
        WindowKind::Session { gap_ms } => Ok(gap_ms),
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
#[path = "windows/tests.rs"]
mod tests;
