//! Time, handed in: a clock of the system, or one that a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Milliseconds since the epoch (1970-01-01 00:00 UTC): event times, watermarks and processing times alike.
pub type Timestamp = i64;

/// The source of processing time.
pub trait Clock: Send + Sync {
    /// Milliseconds since the epoch; may jump when the system's clock is set.
    fn now(&self) -> Timestamp;
    /// Microseconds since some fixed instant; never goes back. For durations.
    fn monotonic_us(&self) -> u64;
    /// Waits for `duration`.
    fn sleep(&self, duration: Duration);
}

/// The system's clock.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// The system's clock, its monotonic side counted from now.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system for the time")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system for the time")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that sleeps")]
    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// A clock that stands still until it is moved; shared by its clones.
#[derive(Debug, Clone, Default)]
pub struct ManualClock {
    now_us: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { now_us: Arc::new(AtomicI64::new(now * 1000)) }
    }

    /// Moves the clock on.
    pub fn advance(&self, duration: Duration) {
        self.now_us.fetch_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.now_us.load(Ordering::SeqCst).div_euclid(1000)
    }

    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.now_us.load(Ordering::SeqCst)).unwrap_or(0)
    }

    fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}
