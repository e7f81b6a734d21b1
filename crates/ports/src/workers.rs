//! The `Workers` port: how a job is run, without saying by whom.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use weir_base::limits::{BATCH_ROWS_MAX, SOURCE_LINGER};
use weir_base::{Clock, Epoch, Error, Result};
use weir_connector::{Flush, Position, Prepared, Sink, Source, SplitId};
use weir_metrics::Registry;
use weir_plan::{JobGraph, NodeId};

use crate::{Frozen, RestoredState};

/// The uid under which dead letters stand in a checkpoint.
pub const DEAD_LETTERS_UID: &str = "dead-letters";

/// Runs jobs.
pub trait Workers: Send + Sync {
    /// Starts all subtasks of a job, restored where `deployment.restored` says so. No element flows in that `restored` already holds.
    ///
    /// # Errors
    /// The graph cannot be run: an expression cannot be compiled, a state does not fit, a connector refuses.
    fn deploy(&self, deployment: Deployment) -> Result<Box<dyn Run>>;
}

/// All that a run of a job is made of.
pub struct Deployment {
    /// The job's identity, as text: it names dead letters and metrics.
    pub job: String,
    /// The plan.
    pub graph: JobGraph,
    /// The source of each source node.
    pub sources: BTreeMap<NodeId, Arc<dyn Source>>,
    /// The sink of each sink node.
    pub sinks: BTreeMap<NodeId, Arc<dyn Sink>>,
    /// Where dead letters go; their schema is `weir_connector::dead_letter_schema`.
    pub dead_letters: Arc<dyn Sink>,
    /// What the run starts from; `None`: from nothing.
    pub restored: Option<Arc<dyn Restored>>,
    /// Restarts of the job in this process before this run: `task_attempt_num`.
    pub attempt: u64,
    /// The epoch that the first barrier will close.
    pub first_epoch: Epoch,
    /// How it runs.
    pub settings: EngineSettings,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Metrics with the job's labels.
    pub metrics: Registry,
}

/// Settings of a run.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// Rows in a batch at most; `weir.batch.rows-max`.
    pub batch_rows_max: usize,
    /// `execution.buffer-timeout`: how long rows for a channel wait for more.
    pub buffer_timeout: BufferTimeout,
    /// How long a source waits for more records before it hands on the few it has.
    pub source_linger: Duration,
    /// `taskmanager.network.memory.buffer-debloat`, if it is enabled.
    pub debloat: Option<Debloat>,
    /// `metrics.latency.interval`: how often operators look how old their rows are; `None`: never.
    pub latency_interval: Option<Duration>,
    /// `weir.dedup.exact`: keep whole keys rather than fingerprints.
    pub dedup_exact: bool,
    /// What becomes of rows that do not keep to the declared types of a sink.
    pub sink_constraints: SinkConstraints,
    /// `weir.dead-letter.late`: rows that come too late for a window go to the dead letters.
    pub late_letters: bool,
}

/// What becomes of rows that do not keep to the declared types of a sink's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SinkConstraints {
    /// `table.exec.sink.not-null-enforcer` is DROP rather than ERROR.
    pub not_null_drop: bool,
    /// `table.exec.sink.type-length-enforcer`
    pub lengths: LengthEnforcer,
}

/// What becomes of a text or bytes of another length than a column of a sink declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LengthEnforcer {
    /// They are written as they are.
    #[default]
    Ignore,
    /// They are cut, or filled up.
    TrimPad,
    /// They fail the job.
    Error,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            batch_rows_max: BATCH_ROWS_MAX,
            buffer_timeout: BufferTimeout::AtOnce,
            source_linger: SOURCE_LINGER,
            debloat: None,
            latency_interval: None,
            dedup_exact: false,
            sink_constraints: SinkConstraints::default(),
            late_letters: false,
        }
    }
}

/// How long rows on their way to a channel wait until they are a full batch. What must keep its place among them (a watermark, a barrier) takes them
/// along at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BufferTimeout {
    /// Not at all.
    AtOnce,
    /// So long at most.
    After(Duration),
    /// As long as it takes.
    WhenFull,
}

/// How the bytes in front of a task are bound to what it gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debloat {
    /// How long the task is to take for what lies in front of it.
    pub target: Duration,
    /// How often it is measured.
    pub period: Duration,
    /// Measurements that count: the more, the slower the bound follows.
    pub samples: u32,
    /// A change of fewer percent is left out.
    pub threshold_percent: u32,
}

/// A run of a job. Dropping it cancels it.
pub trait Run: Send {
    /// This run among all of the process.
    fn id(&self) -> RunId;

    /// What happens in it.
    fn events(&self) -> &Receiver<Event>;

    /// Sends a barrier in at all sources.
    fn barrier(&self, barrier: Barrier);

    /// Tells the sinks that `epoch` was decided.
    fn decided(&self, epoch: Epoch);

    /// Tells all operators that the checkpoint of `epoch` is complete.
    fn completed(&self, epoch: Epoch);

    /// Asks the sources for new splits and assigns them.
    ///
    /// # Errors
    /// A source cannot be asked.
    fn discover(&self) -> Result<()>;

    /// Ends all input as if it were bounded: the last watermark goes out and all windows fire. The caller then sends the barrier `End`.
    fn drain(&self);

    /// Stops all subtasks and waits until they have, at most `wait`. Returns whether they have.
    fn cancel(&self, wait: Duration) -> bool;
}

/// A run's number within the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunId(pub u64);

/// A checkpoint barrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Barrier {
    /// The epoch that it closes.
    pub epoch: Epoch,
    /// What follows it.
    pub kind: BarrierKind,
}

/// What follows a barrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarrierKind {
    /// More of the same.
    Periodic,
    /// Nothing: the job stops here and may go on later.
    Stop,
    /// Nothing: the input has ended, sinks close what they have open.
    End,
}

/// What a run tells.
pub enum Event {
    /// A subtask has taken part in a barrier.
    Acknowledged(Box<Acknowledgement>),
    /// All bounded sources of the run have been read to their end; told once.
    Exhausted,
    /// A sink has used half of its bound.
    WantsCheckpoint,
    /// The run has failed; nothing but `cancel` is of use any more.
    Failed(Error),
}

/// What one task hands over at a barrier.
pub struct Acknowledgement {
    /// The barrier's epoch.
    pub epoch: Epoch,
    /// The task's number within the run, below `tasks`.
    pub task: usize,
    /// Number of tasks in the run: with as many acknowledgements the barrier is complete.
    pub tasks: usize,
    /// Subtask of all operators in this task.
    pub subtask: u16,
    /// State by operator uid.
    pub frozen: Vec<(String, Frozen)>,
    /// Source positions by uid.
    pub positions: Vec<SourcePositions>,
    /// What sinks prepared.
    pub prepared: Vec<PreparedSink>,
    /// Totals of the run so far, by operator uid; they do not include restored ones.
    pub totals: Vec<(String, Totals)>,
    /// Microseconds for which the task processed no rows because it froze its state and let its sinks prepare.
    pub sync_us: u64,
}

/// Where the splits of one subtask of a source stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePositions {
    /// The source's uid.
    pub uid: String,
    /// Its splits.
    pub splits: Vec<SplitState>,
}

/// A split with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitState {
    /// The split.
    pub split: SplitId,
    /// How far it was read; `None`: not begun.
    pub position: Option<Position>,
    /// Whether it has been read to its end.
    pub finished: bool,
}

/// What a sink prepared in one subtask.
pub struct PreparedSink {
    /// The sink's uid.
    pub uid: String,
    /// For the manifest and for `apply`.
    pub prepared: Prepared,
    /// Work to be done before the manifest is written.
    pub flush: Option<Flush>,
    /// (fetched_us, rows) of the batches in this epoch, for the latency from fetch to visible.
    pub fetched: Vec<(u64, u64)>,
}

/// Rows by fate, for one operator; see the operators' equations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Rows (for sources: records) taken.
    pub rows_in: u64,
    /// Rows given.
    pub rows_out: u64,
    /// Rows left out by a condition.
    pub filtered: u64,
    /// Rows left out as duplicates.
    pub deduplicated: u64,
    /// Rows too late.
    pub late: u64,
    /// Records or rows set aside.
    pub dead_lettered: u64,
}

impl Totals {
    /// Adds `other`.
    pub fn add(&mut self, other: &Self) {
        self.rows_in += other.rows_in;
        self.rows_out += other.rows_out;
        self.filtered += other.filtered;
        self.deduplicated += other.deduplicated;
        self.late += other.late;
        self.dead_lettered += other.dead_lettered;
    }
}

/// What a run starts from.
pub trait Restored: Send + Sync {
    /// The state of operator `uid` in these key groups.
    ///
    /// # Errors
    /// It cannot be read.
    fn state(&self, uid: &str, key_groups: Range<u16>) -> Result<Box<dyn RestoredState>>;

    /// All splits of source `uid`, of all its former subtasks.
    fn splits(&self, uid: &str) -> Vec<SplitState>;
}
