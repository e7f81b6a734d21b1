//! The cells: counter, gauge, meter and histogram, cheap to clone and to write.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hdrhistogram::Histogram as Hdr;

/// A number that only grows. Written by one task, read by the registry.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds `count`.
    #[inline]
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The sum so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets the sum, where a restored job goes on counting or an outside library counts itself.
    pub fn set(&self, count: u64) {
        self.0.store(count, Ordering::Relaxed);
    }
}

/// A number that moves both ways.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Sets it.
    #[inline]
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Its value; 0 before the first `set`.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// A counter with a rate: Flink's `...PerSecond`, over the last 60 seconds.
///
/// The registry's owner calls `tick` once a second.
#[derive(Debug, Clone)]
pub struct Meter {
    counter: Counter,
    scale: f64,
    window: Arc<Mutex<std::collections::VecDeque<u64>>>,
}

/// Seconds that a meter looks back: Flink's `MeterView` default.
const METER_SECONDS: usize = 60;

impl Meter {
    /// The rate of `counter`.
    pub fn of(counter: Counter) -> Self {
        Self::scaled(counter, 1.0)
    }

    /// The rate of `counter` times `scale`: microseconds spent, say, as milliseconds a second.
    pub fn scaled(counter: Counter, scale: f64) -> Self {
        // What is counted before the first tick counts, too.
        let window = Arc::new(Mutex::new([counter.get()].into()));
        Self { counter, scale, window }
    }

    /// Takes a sample; to be called once a second.
    pub fn tick(&self) {
        let mut window = self.window.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        window.push_back(self.counter.get());
        while window.len() > METER_SECONDS + 1 {
            window.pop_front();
        }
    }

    /// Events a second over the samples held; 0 before the first tick.
    pub fn rate(&self) -> f64 {
        let window = self.window.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match (window.front(), window.back()) {
            (Some(first), Some(last)) if window.len() > 1 => {
                #[expect(clippy::cast_precision_loss, reason = "a rate is an approximation")]
                let rate = last.saturating_sub(*first) as f64 / (window.len() - 1) as f64;
                rate * self.scale
            }
            _ => 0.0,
        }
    }
}

/// A distribution of whole numbers (microseconds, milliseconds), three significant digits, up to 2^40.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Mutex<Hdr<u64>>>);

impl Default for Histogram {
    fn default() -> Self {
        let empty = Hdr::new_with_bounds(1, 1 << 40, 3).expect("these bounds are valid for the histogram");
        Self(Arc::new(Mutex::new(empty)))
    }
}

impl Histogram {
    /// Records `value`, `count` times; values past the bound count as the bound.
    pub fn record(&self, value: u64, count: u64) {
        let mut histogram = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        histogram.saturating_record_n(value, count);
    }

    /// The value at `quantile` (0 to 1); 0 while empty.
    pub fn quantile(&self, quantile: f64) -> u64 {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).value_at_quantile(quantile)
    }

    /// Number of values recorded.
    pub fn count(&self) -> u64 {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).len()
    }

    /// Forgets all values.
    pub fn reset(&self) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).reset();
    }
}
