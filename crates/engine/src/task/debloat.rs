//! Buffer debloating: the bytes that may lie in front of a task follow what it gets through, so that a barrier behind them is soon reached.
//!
//! As in Flink: throughput is measured over the time in which the task worked, a moving average follows it, and only a change that is worth it is made.

use std::sync::Arc;

use weir_base::Clock;
use weir_base::limits::{CHANNEL_BYTES_MAX, CHANNEL_BYTES_MIN};
use weir_metrics::{Gauge, Registry, Scope};
use weir_ports::Debloat;

/// Measures a task and bounds its channels.
pub struct Debloater {
    settings: Debloat,
    clock: Arc<dyn Clock>,
    channels: usize,
    /// When the period began.
    since_us: u64,
    /// When the task began to work, if it does.
    working_us: Option<u64>,
    busy_us: u64,
    bytes: u64,
    /// The moving average, bytes a channel.
    average: f64,
    /// What is in force, bytes a channel.
    bound: usize,
    shown: Gauge,
}

impl Debloater {
    /// For a task behind `channels` channels; what is in force is shown as `debloatedBufferSize`.
    pub fn new(settings: Debloat, clock: Arc<dyn Clock>, channels: usize, metrics: &Registry) -> Self {
        let shown = metrics.gauge(Scope::Task, "debloatedBufferSize");
        let mut debloater = Self {
            settings,
            since_us: clock.monotonic_us(),
            clock,
            channels: channels.max(1),
            working_us: None,
            busy_us: 0,
            bytes: 0,
            average: 0.0,
            bound: CHANNEL_BYTES_MAX,
            shown,
        };
        debloater.average = bytes(CHANNEL_BYTES_MAX);
        debloater.shown.set(debloater.average);
        debloater
    }

    /// The task begins to work on what lies in front of it.
    pub fn begins(&mut self) {
        self.working_us = Some(self.clock.monotonic_us());
    }

    /// The task has worked off a batch that counts for `bytes`.
    pub fn worked(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// The task rests. Gives a new bound of bytes a channel when a period is over and there is one.
    pub fn rests(&mut self) -> Option<usize> {
        let now = self.clock.monotonic_us();
        if let Some(began) = self.working_us.take() {
            self.busy_us += now.saturating_sub(began);
        }
        let period = u64::try_from(self.settings.period.as_micros()).unwrap_or(u64::MAX);
        if now.saturating_sub(self.since_us) < period {
            return None;
        }
        self.since_us = now;
        let (bytes, busy_us) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.busy_us));
        // A task that had nothing to do says nothing of what it could do.
        if bytes == 0 || busy_us == 0 { None } else { self.measured(bytes, busy_us) }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, clamped to the bounds of a channel"
    )]
    fn measured(&mut self, worked: u64, busy_us: u64) -> Option<usize> {
        let a_second = worked as f64 * 1e6 / busy_us as f64;
        let wanted = a_second * self.settings.target.as_secs_f64() / self.channels as f64;
        let weight = 2.0 / (f64::from(self.settings.samples) + 1.0);
        self.average += weight * (wanted.min(bytes(CHANNEL_BYTES_MAX)) - self.average);
        let next = (self.average as usize).clamp(CHANNEL_BYTES_MIN, CHANNEL_BYTES_MAX);
        let change = next.abs_diff(self.bound) * 100;
        let at_an_end = next == CHANNEL_BYTES_MIN || next == CHANNEL_BYTES_MAX;
        let threshold = usize::try_from(self.settings.threshold_percent).unwrap_or(usize::MAX);
        if next == self.bound || (change < self.bound.saturating_mul(threshold) && !at_an_end) {
            return None;
        }
        self.bound = next;
        self.shown.set(bytes(next));
        Some(next)
    }
}

#[expect(clippy::cast_precision_loss, reason = "the bytes of a channel are few")]
fn bytes(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use weir_base::ManualClock;

    use super::*;

    fn debloater(samples: u32, threshold_percent: u32, channels: usize) -> (Debloater, Arc<ManualClock>, Registry) {
        let (clock, registry) = (Arc::new(ManualClock::at(1_000)), Registry::default());
        let settings =
            Debloat { target: Duration::from_secs(1), period: Duration::from_millis(200), samples, threshold_percent };
        let debloater = Debloater::new(settings, Arc::<ManualClock>::clone(&clock), channels, &registry);
        (debloater, clock, registry)
    }

    /// A period in which the task works for `busy` ms and gets through `bytes`.
    fn period(debloater: &mut Debloater, clock: &ManualClock, busy: u64, bytes: usize) -> Option<usize> {
        debloater.begins();
        debloater.worked(bytes);
        clock.advance(Duration::from_millis(busy));
        let early = debloater.rests();
        if busy >= 200 {
            return early;
        }
        assert_eq!(early, None, "the period is not over");
        clock.advance(Duration::from_millis(200 - busy));
        debloater.rests()
    }

    #[test]
    fn the_bound_follows_what_the_task_gets_through_while_it_works() {
        // One sample: the average is what was measured last. 100 KB in 100 ms of work are 1 MB a second, shared by two channels.
        let (mut debloater, clock, registry) = debloater(1, 25, 2);
        let shown = || registry.metrics()[0].value.number();
        assert_eq!(shown(), 8_388_608.0);
        assert_eq!(period(&mut debloater, &clock, 100, 100_000), Some(500_000));
        assert_eq!(shown(), 500_000.0);
        assert_eq!(period(&mut debloater, &clock, 100, 120_000), None, "20 % more");
        assert_eq!(period(&mut debloater, &clock, 100, 130_000), Some(650_000));
        assert_eq!(period(&mut debloater, &clock, 0, 0), None, "no work says nothing");
        assert_eq!(period(&mut debloater, &clock, 200, 1), Some(CHANNEL_BYTES_MIN));
        assert_eq!(period(&mut debloater, &clock, 1, 100_000_000), Some(CHANNEL_BYTES_MAX));
        assert_eq!(registry.metrics()[0].name, "debloatedBufferSize");
    }

    #[test]
    fn more_samples_follow_more_slowly() {
        // Three samples: half of the way each time, from 8 MiB towards 1 MB.
        let (mut debloater, clock, _) = debloater(3, 0, 1);
        let steps: Vec<_> = (0..3).map(|_| period(&mut debloater, &clock, 100, 100_000)).collect();
        assert_eq!(steps, [Some(4_694_304), Some(2_847_152), Some(1_923_576)]);
    }
}
