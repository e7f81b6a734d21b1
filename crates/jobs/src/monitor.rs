//! What a job shows of itself while it runs: state, totals, last checkpoint, latency. Written by its coordinator, read by whoever asks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use weir_base::{Epoch, Timestamp};
use weir_metrics::Histogram;
use weir_ports::Totals;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Claims its generation and restores.
    Initializing,
    /// Runs.
    Running,
    /// Waits for its next attempt.
    Restarting,
    /// Takes its last checkpoint.
    Stopping,
    /// Its input has ended and all of it is visible.
    Finished,
    /// It was stopped, and can go on.
    Suspended,
    /// It has failed for good.
    Failed,
}

impl JobState {
    /// The word for it, Flink's where Flink has one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initializing => "INITIALIZING",
            Self::Running => "RUNNING",
            Self::Restarting => "RESTARTING",
            Self::Stopping => "STOPPING",
            Self::Finished => "FINISHED",
            Self::Suspended => "SUSPENDED",
            Self::Failed => "FAILED",
        }
    }
}

/// A completed checkpoint, for those who look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointShown {
    /// Its number.
    pub epoch: Epoch,
    /// When it was completed.
    pub completed_at: Timestamp,
    /// From its trigger to its completion.
    pub duration_ms: u64,
    /// Bytes that it wrote.
    pub bytes: u64,
    /// Bytes of the whole state.
    pub full_bytes: u64,
}

/// A moment of a job.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Where it stands.
    pub state: JobState,
    /// Since when.
    pub state_since: Timestamp,
    /// Attempts that failed.
    pub restarts: u64,
    /// Why the last one failed.
    pub last_failure: Option<String>,
    /// Totals by operator uid at the last checkpoint, over all runs of the job.
    pub totals: BTreeMap<String, Totals>,
    /// The last completed checkpoint.
    pub checkpoint: Option<CheckpointShown>,
    /// Since when the job has been running without a failure; `None` while it does not run.
    pub running_since: Option<Timestamp>,
    /// Checkpoints triggered in this process.
    pub checkpoints_triggered: u64,
    /// Checkpoints completed in this process.
    pub checkpoints_completed: u64,
    /// Checkpoints that failed in this process.
    pub checkpoints_failed: u64,
    /// The checkpoint that the current run was restored from.
    pub restored: Option<Epoch>,
    /// When the job was last restored in this process.
    pub restored_at: Option<Timestamp>,
    /// When the job was started in this process.
    pub started_at: Timestamp,
}

impl Shown {
    /// Checkpoints that are neither completed nor failed.
    pub fn checkpoints_in_progress(&self) -> u64 {
        self.checkpoints_triggered.saturating_sub(self.checkpoints_completed + self.checkpoints_failed)
    }
}

/// The shared view of a job.
#[derive(Clone)]
pub struct Monitor {
    shown: Arc<Mutex<Shown>>,
    /// Microseconds from a record's fetch until it was visible behind a committed sink.
    pub latency_us: Histogram,
}

impl Monitor {
    /// A job that was just started.
    pub fn new(now: Timestamp, latency_us: Histogram) -> Self {
        let shown = Shown {
            state: JobState::Initializing,
            state_since: now,
            restarts: 0,
            last_failure: None,
            totals: BTreeMap::new(),
            checkpoint: None,
            running_since: None,
            checkpoints_triggered: 0,
            checkpoints_completed: 0,
            checkpoints_failed: 0,
            restored: None,
            restored_at: None,
            started_at: now,
        };
        Self { shown: Arc::new(Mutex::new(shown)), latency_us }
    }

    /// The job as it stands.
    pub fn shown(&self) -> Shown {
        self.lock().clone()
    }

    /// Changes what is shown.
    pub fn update(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.lock());
    }

    /// Moves the job to `state`.
    pub fn enter(&self, state: JobState, now: Timestamp) {
        self.update(|shown| {
            shown.running_since = match state {
                JobState::Running => Some(now),
                JobState::Stopping => shown.running_since,
                _ => None,
            };
            shown.state = state;
            shown.state_since = now;
        });
    }

    /// An attempt has failed because of `failure`, and the checkpoint on its way with it.
    pub fn attempt_failed(&self, failure: String) {
        self.update(|shown| {
            shown.last_failure = Some(failure);
            shown.checkpoints_failed += shown.checkpoints_in_progress();
        });
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
