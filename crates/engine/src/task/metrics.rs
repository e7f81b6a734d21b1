//! What a task shows of itself besides the account of its time: rows and bytes in and out, how full its channels are, alignment, watermark.
//!
//! Bytes between tasks are those by which a batch counts against its channel's bound (16 for each value); bytes into a source are those that its
//! reader fetched.

use std::sync::Arc;

use weir_base::Timestamp;
use weir_metrics::{Counter, Gauge, Registry, Scope};

use super::stage::watermark_value;
use crate::channel::Fill;

/// Bytes of an operator's state, and of all operators of a task or of the process.
pub const STATE_BYTES: &str = "managedMemoryUsed";

/// Rows and bytes through a task; cheap to clone, shared by its clones.
#[derive(Clone)]
pub struct TaskIo {
    /// `numRecordsIn`
    pub rows_in: Counter,
    /// `numBytesIn`
    pub bytes_in: Counter,
    /// `numRecordsOut`
    pub rows_out: Counter,
    /// `numBytesOut`
    pub bytes_out: Counter,
}

impl TaskIo {
    /// Registers the four with their rates in `metrics`, which carries the task's labels.
    pub fn register(metrics: &Registry) -> Self {
        Self {
            rows_in: metrics.counter_with_rate(Scope::Task, "numRecordsIn"),
            bytes_in: metrics.counter_with_rate(Scope::Task, "numBytesIn"),
            rows_out: metrics.counter_with_rate(Scope::Task, "numRecordsOut"),
            bytes_out: metrics.counter_with_rate(Scope::Task, "numBytesOut"),
        }
    }
}

/// What a task behind channels shows.
pub struct GateMetrics {
    /// Rows and bytes.
    pub io: TaskIo,
    /// `currentInputWatermark`, milliseconds since the epoch.
    pub watermark: Gauge,
    /// `checkpointAlignmentTime`, nanoseconds between the first and the last barrier of a checkpoint.
    pub alignment: Gauge,
}

impl GateMetrics {
    /// Registers the two gauges; `io` is registered already.
    pub fn register(metrics: &Registry, io: TaskIo) -> Self {
        let watermark = watermark_gauge(metrics, Scope::Task, "currentInputWatermark");
        Self { io, watermark, alignment: metrics.gauge(Scope::Task, "checkpointAlignmentTime") }
    }
}

/// A gauge of a watermark: `Timestamp::MIN` before the first one, as in Flink.
pub fn watermark_gauge(metrics: &Registry, scope: Scope, name: &str) -> Gauge {
    let gauge = metrics.gauge(scope, name);
    gauge.set(watermark_value(Timestamp::MIN));
    gauge
}

/// Shows how full the channels into a task are, under Flink's old and new names; nothing where there is none.
pub fn register_in_pool(metrics: &Registry, fills: Vec<Fill>) {
    register_pool(metrics, ["buffers_inPoolUsage", "Shuffle_Netty_Input_Buffers_inPoolUsage"], fills);
}

/// The same for the channels out of it.
pub fn register_out_pool(metrics: &Registry, fills: Vec<Fill>) {
    register_pool(metrics, ["buffers_outPoolUsage", "Shuffle_Netty_Output_Buffers_outPoolUsage"], fills);
}

#[expect(clippy::cast_precision_loss, reason = "a number of channels is small")]
fn register_pool(metrics: &Registry, names: [&str; 2], fills: Vec<Fill>) {
    if fills.is_empty() {
        return;
    }
    let fills: Arc<[Fill]> = fills.into();
    for name in names {
        let fills = Arc::clone(&fills);
        let mean = move || fills.iter().map(Fill::usage).sum::<f64>() / fills.len() as f64;
        metrics.computed(Scope::Task, name, mean);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel as events;
    use std::time::Duration;

    use arrow_array::RecordBatch;
    use weir_base::limits::CHANNEL_BATCHES_MAX;
    use weir_base::{Clock, Epoch, Error, ManualClock, Result};
    use weir_connector::Batch;
    use weir_ports::{Barrier, BarrierKind};

    use super::*;
    use crate::channel::channel;
    use crate::element::Element;
    use crate::scheduler::{Step, Task};
    use crate::task::{Body, Gate, GateInput, RunShared, RunTask, TaskMetrics};

    fn value(registry: &Registry, name: &str) -> f64 {
        let found = registry.metrics().into_iter().find(|metric| metric.name == name);
        found.unwrap_or_else(|| panic!("{name} is not registered")).value.number()
    }

    fn shared(clock: &Arc<ManualClock>) -> Arc<RunShared> {
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
        Arc::new(RunShared::new(clock, 1, 0, events().0))
    }

    #[test]
    fn pool_usage_is_the_mean_of_the_channels_under_both_names() {
        let registry = Registry::default();
        let (sender, receiver) = channel();
        let (_other, idle) = channel();
        register_in_pool(&registry, vec![receiver.fill(), idle.fill()]);
        register_out_pool(&registry, vec![sender.fill()]);
        let names = ["buffers_inPoolUsage", "Shuffle_Netty_Input_Buffers_inPoolUsage"];
        let empty = Batch::inserts(RecordBatch::new_empty(Arc::new(arrow_schema::Schema::empty())), 0);
        assert_eq!(names.map(|name| value(&registry, name)), [0.0, 0.0]);
        for _ in 0..CHANNEL_BATCHES_MAX / 2 {
            assert!(sender.try_send(Element::Batch(empty.clone())).is_ok());
        }
        assert_eq!(names.map(|name| value(&registry, name)), [0.25, 0.25]);
        let names = ["buffers_outPoolUsage", "Shuffle_Netty_Output_Buffers_outPoolUsage"];
        assert_eq!(names.map(|name| value(&registry, name)), [0.5, 0.5]);
        drop((sender, receiver));
        assert_eq!(names.map(|name| value(&registry, name)), [0.0, 0.0], "a channel that is gone is empty");
    }

    #[test]
    fn alignment_lasts_from_the_first_barrier_to_the_last_in_nanoseconds() {
        let registry = Registry::default();
        let clock = Arc::new(ManualClock::at(1_000));
        let metrics = GateMetrics::register(&registry, TaskIo::register(&registry));
        let ((first, left), (second, right)) = (channel(), channel());
        let inputs = vec![GateInput::new(left), GateInput::new(right)];
        let mut gate = Gate::new(0, 0, inputs, Vec::new(), shared(&clock), metrics, None);
        assert_eq!(value(&registry, "currentInputWatermark"), watermark_value(Timestamp::MIN));
        let barrier = Element::Barrier(Barrier { epoch: Epoch(1), kind: BarrierKind::Periodic });
        assert!(first.try_send(Element::Watermark(5_000)).is_ok());
        assert!(second.try_send(Element::Watermark(4_000)).is_ok());
        assert!(first.try_send(barrier.clone()).is_ok());
        gate.step().unwrap();
        clock.advance(Duration::from_millis(7));
        assert!(second.try_send(barrier).is_ok());
        gate.step().unwrap();
        assert_eq!(value(&registry, "checkpointAlignmentTime"), 7_000_000.0);
        assert_eq!(value(&registry, "currentInputWatermark"), 4_000.0);
    }

    /// Comes to each of its steps, taking 10 ms for it.
    struct Scripted(Arc<ManualClock>, Vec<Step>);

    impl Body for Scripted {
        fn step(&mut self) -> Result<Step> {
            self.0.advance(Duration::from_millis(10));
            self.1.pop().ok_or_else(|| Error::internal("go on past the script"))
        }

        fn wants_ticks(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_task_that_is_held_back_says_so_and_books_the_time() {
        let registry = Registry::default();
        let clock = Arc::new(ManualClock::at(1_000));
        let body = Box::new(Scripted(Arc::clone(&clock), vec![Step::Idle, Step::Blocked, Step::Progress]));
        let mut task =
            RunTask::new("1".to_owned(), "t".to_owned(), body, shared(&clock), TaskMetrics::register(&registry));
        let mut seen = Vec::new();
        for _ in 0..3 {
            task.step();
            seen.push(value(&registry, "isBackPressured"));
            clock.advance(Duration::from_millis(100));
        }
        assert_eq!(seen, [0.0, 1.0, 0.0]);
        registry.tick();
        // Three steps of 10 ms and the wait after progress are busy; what came after the last step is not booked yet.
        assert_eq!(value(&registry, "busyTimeMsPerSecond"), 130.0);
        assert_eq!(value(&registry, "backPressuredTimeMsPerSecond"), 100.0);
        assert_eq!(value(&registry, "idleTimeMsPerSecond"), 0.0);
        task.step();
        registry.tick();
        assert_eq!(value(&registry, "idleTimeMsPerSecond"), 50.0, "100 ms in two seconds");
    }
}
