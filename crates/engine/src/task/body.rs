//! The frame around every task: cancellation, failures, and the account of its time.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tracing::{Span, warn};
use weir_base::{Error, Result};
use weir_metrics::{Counter, Gauge, Registry, Scope};

use super::RunShared;
use crate::scheduler::{Step, Task};

/// What a task does, without its frame.
pub trait Body: Send {
    /// Does a bounded piece of work.
    ///
    /// # Errors
    /// What fails the run.
    fn step(&mut self) -> Result<Step>;

    /// See `Task::wants_ticks`.
    fn wants_ticks(&self) -> bool;
}

/// Microseconds that a task spent busy, idle and held back; Flink's `...TimeMsPerSecond` are their rates, `isBackPressured` is what it is now.
#[derive(Clone)]
pub struct TaskMetrics {
    busy_us: Counter,
    idle_us: Counter,
    blocked_us: Counter,
    back_pressured: Gauge,
}

impl TaskMetrics {
    /// Registers them in `metrics`, which carries the task's labels.
    pub fn register(metrics: &Registry) -> Self {
        let share = |name: &str| {
            let spent = Counter::default();
            metrics.rate_of(Scope::Task, name, &spent, 1e-3);
            spent
        };
        Self {
            busy_us: share("busyTimeMsPerSecond"),
            idle_us: share("idleTimeMsPerSecond"),
            blocked_us: share("backPressuredTimeMsPerSecond"),
            back_pressured: metrics.gauge(Scope::Task, "isBackPressured"),
        }
    }
}

/// A task in its frame.
pub struct RunTask {
    body: Box<dyn Body>,
    shared: Arc<RunShared>,
    metrics: TaskMetrics,
    id: String,
    name: String,
    /// What its log lines belong to.
    span: Span,
    last: Step,
    last_us: u64,
}

impl RunTask {
    /// Frames `body`, called `id` and `name` in errors and logs.
    pub fn new(id: String, name: String, body: Box<dyn Body>, shared: Arc<RunShared>, metrics: TaskMetrics) -> Self {
        let last_us = shared.clock.monotonic_us();
        Self { body, shared, metrics, id, name, span: Span::current(), last: Step::Idle, last_us }
    }

    /// The run fails with `error`.
    fn fail(&self, error: Error) {
        let (task, operator, event) = (&self.id, &self.name, "TaskFailureEvent");
        self.span.in_scope(|| warn!(task, operator, event, %error, "task failed"));
        self.shared.fail(error);
    }

    /// Books the time since the last step under what it came to.
    fn book(&mut self, step: Step) {
        let now = self.shared.clock.monotonic_us();
        let spent = now.saturating_sub(self.last_us);
        let account = match step {
            Step::Progress | Step::Finished => &self.metrics.busy_us,
            Step::Idle => &self.metrics.idle_us,
            Step::Blocked => &self.metrics.blocked_us,
        };
        account.add(spent);
        self.last_us = now;
    }
}

impl Task for RunTask {
    fn step(&mut self) -> Step {
        // Waiting for a thread counts as what the task was before: idle or held back; after progress it is work that waits, so busy.
        self.book(self.last);
        if self.shared.is_cancelled() {
            return Step::Finished;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| self.body.step()));
        let step = match outcome {
            Ok(Ok(step)) => step,
            Ok(Err(error)) => {
                self.fail(error);
                Step::Finished
            }
            Err(panic) => {
                self.fail(panic_error(&self.name, panic.as_ref()));
                Step::Finished
            }
        };
        self.book(Step::Progress);
        self.metrics.back_pressured.set(f64::from(u8::from(matches!(step, Step::Blocked))));
        self.last = step;
        step
    }

    fn wants_ticks(&self) -> bool {
        self.body.wants_ticks()
    }
}

/// The error that a panic becomes: a broken invariant of ours, never a user's fault.
fn panic_error(task: &str, panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Error::internal(format!("run the task '{task}': {}", text.unwrap_or("it panicked")))
        .hint("this is a defect of Weir: please report it with the job's SQL")
}
