//! The registry: every cell with its scope, name and labels; read when somebody asks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Counter, Gauge, Histogram, Meter};

/// Flink's scopes: they decide the prefix of a name and the page it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// `flink_jobmanager_`
    JobManager,
    /// `flink_jobmanager_job_`
    Job,
    /// `flink_taskmanager_`
    TaskManager,
    /// `flink_taskmanager_job_`
    TaskManagerJob,
    /// `flink_taskmanager_job_task_`
    Task,
    /// `flink_taskmanager_job_task_operator_`
    Operator,
}

/// Label names with values, in the order they are shown.
pub type Labels = Vec<(&'static str, String)>;

/// What a metric's value is read from.
#[derive(Clone)]
pub enum Value {
    /// A counter.
    Counter(Counter),
    /// A gauge.
    Gauge(Gauge),
    /// A meter's rate.
    Meter(Meter),
    /// A histogram, shown as a summary of its values times this.
    Histogram(Histogram, f64),
    /// Computed when it is read.
    Computed(Arc<dyn Fn() -> f64 + Send + Sync>),
}

impl Value {
    /// It as a number; a histogram's is how many values it has.
    #[expect(clippy::cast_precision_loss, reason = "a page shows doubles, as Flink's does")]
    pub fn number(&self) -> f64 {
        match self {
            Self::Counter(counter) => counter.get() as f64,
            Self::Gauge(gauge) => gauge.get(),
            Self::Meter(meter) => meter.rate(),
            Self::Histogram(histogram, _) => histogram.count() as f64,
            Self::Computed(read) => read(),
        }
    }
}

/// One metric.
#[derive(Clone)]
pub struct Metric {
    /// Its scope.
    pub scope: Scope,
    /// Its name without scope, as Flink writes it: `numRecordsIn`, or `KafkaSourceReader_topic_partition_currentOffset`.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// Where its value is.
    pub value: Value,
    /// Whether its name is a job's own, all of it the metric's: in a name of Flink what stands before the last `_` is a group.
    pub is_own: bool,
    /// The group that it goes with, if any.
    group: Option<Arc<Group>>,
}

/// What was registered together and goes together.
#[derive(Default)]
struct Group {
    ended: AtomicBool,
}

/// All metrics of the process; cheap to clone, shared by its clones.
///
/// A registry can be narrowed (`with`): metrics registered through the narrowed one carry its labels and go when `retire` is called with
/// them. It can also be split off (`group`): what is registered through the group goes when the group ends.
#[derive(Clone, Default)]
pub struct Registry {
    metrics: Arc<Mutex<Vec<Metric>>>,
    labels: Labels,
    group: Option<Arc<Group>>,
}

impl Registry {
    /// The same registry; what is registered through it carries `labels` behind those it already has.
    #[must_use]
    pub fn with(&self, labels: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let mut all = self.labels.clone();
        all.extend(labels);
        Self { metrics: Arc::clone(&self.metrics), labels: all, group: self.group.clone() }
    }

    /// The same registry with the same labels; what is registered through it, or through what is narrowed from it, goes with `end_group`: an
    /// attempt to run a job, whose successor counts anew.
    #[must_use]
    pub fn group(&self) -> Self {
        Self { group: Some(Arc::default()), ..self.clone() }
    }

    /// Takes away all metrics of this registry's group. What a thread of it still registers later is not shown.
    pub fn end_group(&self) {
        let Some(group) = &self.group else { return };
        let mut metrics = self.lock();
        group.ended.store(true, Ordering::Relaxed);
        metrics.retain(|metric| !metric.group.as_ref().is_some_and(|of| Arc::ptr_eq(of, group)));
    }

    /// Registers a counter.
    pub fn counter(&self, scope: Scope, name: impl Into<String>) -> Counter {
        let counter = Counter::default();
        self.register(scope, name, Value::Counter(counter.clone()));
        counter
    }

    /// Registers a counter together with its rate, called `<name>PerSecond`, as Flink does.
    pub fn counter_with_rate(&self, scope: Scope, name: &str) -> Counter {
        let counter = self.counter(scope, name);
        self.register(scope, format!("{name}PerSecond"), Value::Meter(Meter::of(counter.clone())));
        counter
    }

    /// Shows `counter` with its rate under another name, too.
    pub fn also(&self, scope: Scope, name: &str, counter: &Counter) {
        self.register(scope, name, Value::Counter(counter.clone()));
        self.register(scope, format!("{name}PerSecond"), Value::Meter(Meter::of(counter.clone())));
    }

    /// Registers the rate of `counter`, which is not shown itself, times `scale`.
    pub fn rate_of(&self, scope: Scope, name: impl Into<String>, counter: &Counter, scale: f64) {
        self.register(scope, name, Value::Meter(Meter::scaled(counter.clone(), scale)));
    }

    /// Registers a gauge.
    pub fn gauge(&self, scope: Scope, name: impl Into<String>) -> Gauge {
        let gauge = Gauge::default();
        self.register(scope, name, Value::Gauge(gauge.clone()));
        gauge
    }

    /// Registers a histogram; what is shown is its values times `scale`: microseconds recorded, say, as milliseconds.
    pub fn histogram(&self, scope: Scope, name: impl Into<String>, scale: f64) -> Histogram {
        let histogram = Histogram::default();
        self.register(scope, name, Value::Histogram(histogram.clone(), scale));
        histogram
    }

    /// Registers a counter that a job itself has named.
    pub fn own_counter(&self, scope: Scope, name: impl Into<String>) -> Counter {
        let counter = Counter::default();
        self.register_as(scope, name, Value::Counter(counter.clone()), true);
        counter
    }

    /// Registers a histogram that a job itself has named.
    pub fn own_histogram(&self, scope: Scope, name: impl Into<String>) -> Histogram {
        let histogram = Histogram::default();
        self.register_as(scope, name, Value::Histogram(histogram.clone(), 1.0), true);
        histogram
    }

    /// Registers the sum of the metrics `of` of the scope `of_scope` that carry all labels of this registry: what a task's operators have together.
    pub fn sum_of(&self, scope: Scope, name: impl Into<String>, of_scope: Scope, of: &'static str) {
        // Not the list itself: it would keep itself alive.
        let metrics = Arc::downgrade(&self.metrics);
        let labels = self.labels.clone();
        self.computed(scope, name, move || {
            let Some(metrics) = metrics.upgrade() else { return 0.0 };
            let metrics = metrics.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let of = |metric: &&Metric| metric.scope == of_scope && metric.name == of;
            let ours =
                metrics.iter().filter(of).filter(|metric| labels.iter().all(|label| metric.labels.contains(label)));
            ours.map(|metric| metric.value.number()).sum()
        });
    }

    /// Registers a value that is computed when it is read.
    pub fn computed(&self, scope: Scope, name: impl Into<String>, read: impl Fn() -> f64 + Send + Sync + 'static) {
        self.register(scope, name, Value::Computed(Arc::new(read)));
    }

    fn register(&self, scope: Scope, name: impl Into<String>, value: Value) {
        self.register_as(scope, name, value, false);
    }

    fn register_as(&self, scope: Scope, name: impl Into<String>, value: Value, is_own: bool) {
        let (labels, group) = (self.labels.clone(), self.group.clone());
        let metric = Metric { scope, name: name.into(), labels, value, is_own, group };
        // The group's end is marked under this lock: nothing of an ended group slips in behind it.
        let mut metrics = self.lock();
        if !self.group.as_ref().is_some_and(|group| group.ended.load(Ordering::Relaxed)) {
            metrics.push(metric);
        }
    }

    /// Takes away all metrics that carry every one of this registry's labels: a job or task that ended.
    pub fn retire(&self) {
        self.lock().retain(|metric| !self.labels.iter().all(|label| metric.labels.contains(label)));
    }

    /// All metrics as they stand.
    pub fn metrics(&self) -> Vec<Metric> {
        self.lock().clone()
    }

    /// Lets every meter take its sample; to be called once a second.
    pub fn tick(&self) {
        for metric in self.metrics() {
            if let Value::Meter(meter) = metric.value {
                meter.tick();
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Metric>> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(registry: &Registry) -> Vec<String> {
        registry.metrics().into_iter().map(|metric| metric.name).collect()
    }

    #[test]
    fn a_group_goes_as_a_whole_and_takes_nothing_more() {
        let registry = Registry::default().with([("job_id", "a".to_owned())]);
        registry.gauge(Scope::Job, "uptime");
        let (first, second) = (registry.group(), registry.group());
        let task = first.with([("subtask_index", "0".to_owned())]);
        task.counter(Scope::Task, "numRecordsIn");
        second.counter(Scope::Task, "numRecordsOut");
        first.end_group();
        let late = task.counter(Scope::Task, "numBytesIn");
        late.add(1);
        assert_eq!(names(&registry), ["uptime", "numRecordsOut"]);
        registry.end_group();
        assert_eq!(names(&registry).len(), 2, "what belongs to no group stays");
    }

    #[test]
    fn a_sum_takes_in_what_carries_its_labels() {
        let registry = Registry::default();
        registry.sum_of(Scope::TaskManager, "all", Scope::Operator, "bytes");
        let [first, second] = ["0", "1"].map(|task| registry.with([("task_id", task.to_owned())]));
        first.sum_of(Scope::Task, "bytes", Scope::Operator, "bytes");
        for (task, bytes) in [(&first, 3.0), (&first, 4.0), (&second, 5.0)] {
            task.with([("operator_id", "o".to_owned())]).gauge(Scope::Operator, "bytes").set(bytes);
        }
        first.gauge(Scope::Operator, "others").set(100.0);
        let read = |name: &str, scope: Scope| {
            let found = registry.metrics().into_iter().find(|metric| metric.name == name && metric.scope == scope);
            found.expect("it is registered").value.number()
        };
        assert_eq!((read("all", Scope::TaskManager), read("bytes", Scope::Task)), (12.0, 7.0));
    }

    #[test]
    fn retire_takes_what_carries_all_labels() {
        let registry = Registry::default();
        let job = registry.with([("job_id", "a".to_owned())]);
        job.with([("task_id", "t".to_owned())]).gauge(Scope::Task, "isBackPressured");
        registry.with([("job_id", "b".to_owned())]).gauge(Scope::Job, "uptime");
        job.retire();
        assert_eq!(names(&registry), ["uptime"]);
    }
}
