//! Latency tracking, `metrics.latency.interval`: from the fetch of rows until an operator sees them, sampled once in the interval.

use std::sync::Arc;
use std::time::Duration;

use weir_base::Clock;
use weir_metrics::{Histogram, Registry, Scope};

/// Flink's name, whose labels stand in it.
const NAME: &str = "latency_source_id_operator_id_operator_subtask_index_latency";

/// The latency of one operator's subtask.
pub struct Latency {
    histogram: Histogram,
    interval_us: u64,
    next_us: u64,
    clock: Arc<dyn Clock>,
}

/// Whose latency it is.
pub struct LatencyOf {
    /// The id of the source.
    pub source: String,
    /// The id of the operator.
    pub operator: String,
    /// Its subtask.
    pub subtask: u16,
}

impl Latency {
    /// Registers it with the labels of the task's `metrics`; shown in milliseconds.
    pub fn register(metrics: &Registry, of: LatencyOf, interval: Duration, clock: Arc<dyn Clock>) -> Self {
        let labels = [
            ("source_id", of.source),
            ("operator_id", of.operator),
            ("operator_subtask_index", of.subtask.to_string()),
        ];
        let histogram = metrics.with(labels).histogram(Scope::Task, NAME, 1e-3);
        let interval_us = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
        Self { histogram, interval_us, next_us: 0, clock }
    }

    /// The operator sees rows that were fetched at `fetched_us`; 0: at no one moment.
    pub fn sees(&mut self, fetched_us: u64) {
        if fetched_us == 0 {
            return;
        }
        let now = self.clock.monotonic_us();
        if now >= self.next_us {
            self.next_us = now.saturating_add(self.interval_us);
            self.histogram.record(now.saturating_sub(fetched_us), 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_base::ManualClock;
    use weir_metrics::Value;

    use super::*;

    #[test]
    fn one_batch_an_interval_tells_how_old_it_is() {
        let (clock, registry) = (Arc::new(ManualClock::at(1_000)), Registry::default());
        let of = LatencyOf { source: "s".to_owned(), operator: "o".to_owned(), subtask: 3 };
        let shared: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let mut latency = Latency::register(&registry, of, Duration::from_millis(100), shared);
        clock.advance(Duration::from_secs(10));
        let now = clock.monotonic_us();
        latency.sees(0);
        latency.sees(now - 5_000);
        latency.sees(now - 900_000);
        clock.advance(Duration::from_millis(100));
        latency.sees(clock.monotonic_us() - 20_000);
        let metric = registry.metrics().remove(0);
        let Value::Histogram(histogram, scale) = &metric.value else { panic!("it is no histogram") };
        assert_eq!((histogram.count(), *scale), (2, 1e-3));
        assert_eq!([0.5, 1.0].map(|quantile| histogram.quantile(quantile) / 100), [50, 200], "5 and 20 ms");
        let labels: Vec<_> = metric.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(labels, ["source_id=s", "operator_id=o", "operator_subtask_index=3"]);
    }
}
