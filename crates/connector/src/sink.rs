//! Sinks: writers that take rows, committers that make an epoch visible, and the decider that says when.
//!
//! Checkpoint N: every writer's `prepare` (1), the state with all `Prepared` is made durable (2), the decider decides (3), every committer applies (4).

use std::sync::Arc;

use weir_base::{Clock, Epoch, Generation, JobId, Result};
use weir_metrics::Registry;

use crate::{Batch, DeadLetter};

/// The part a sink plays in exactly-once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Its rows lie in the decider's transaction: the decision makes them visible.
    Decider,
    /// Written in place on local disk, visible up to a mark that `apply` moves.
    Local,
    /// Rows are kept with the checkpoint and sent by `apply`; sending them twice does no harm.
    Carried,
    /// Seen at once: at least once after a failure (print, blackhole, collect).
    BestEffort,
}

/// A table that can be written. One for each sink node of a job's run.
pub trait Sink: Send + Sync {
    /// Its part in exactly-once.
    fn role(&self) -> Role;

    /// Brings the outside to the restored epoch before any writer starts: cuts off what was written and never decided. `prepared` is what the
    /// writers prepared for that epoch; empty when the job starts fresh.
    ///
    /// # Errors
    /// What was decided is not there any more.
    fn recover(&self, prepared: &[Prepared]) -> Result<()>;

    /// A writer for one subtask.
    ///
    /// # Errors
    /// The outside refuses.
    fn writer(&self, context: &WriterContext) -> Result<Box<dyn Writer>>;

    /// The committer, one for all subtasks.
    ///
    /// # Errors
    /// The outside refuses.
    fn committer(&self) -> Result<Box<dyn Committer>>;
}

/// What a writer is handed.
pub struct WriterContext {
    /// The subtask it writes for.
    pub subtask: u16,
    /// Subtasks of the sink.
    pub parallelism: u16,
    /// The epoch whose rows come first.
    pub epoch: Epoch,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where its own metrics go (operator scope, labels already set).
    pub metrics: Registry,
}

/// Whether a writer takes another batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// It does.
    Yes,
    /// Its bound is reached: ask again when woken or after a moment.
    No,
    /// It does, but wants a checkpoint soon: half of its bound is used.
    WantsCheckpoint,
}

/// Takes the rows of one subtask, synchronously; it encodes and hands over, and never waits.
pub trait Writer: Send {
    /// Whether `write` may be called; also the moment to hand on what was held back.
    ///
    /// # Errors
    /// The outside failed for good since.
    fn ready(&mut self) -> Result<Ready>;

    /// Takes a batch. It belongs to the epoch that the next `prepare` closes.
    ///
    /// # Errors
    /// A row that cannot be written, named by its index and content.
    fn write(&mut self, batch: &Batch) -> Result<()>;

    /// The barrier: what was written since the last one belongs to `epoch`. Quick: what must wait (fsync) is returned as a `Flush`.
    ///
    /// # Errors
    /// The outside failed.
    fn prepare(&mut self, epoch: Epoch) -> Result<(Prepared, Option<Flush>)>;

    /// Bytes that the rows written so far took, encoded, since this writer was made; `None`: rows are not encoded.
    fn bytes_written(&self) -> Option<u64> {
        None
    }

    /// Told when `epoch` was decided: what was held back behind it may flow.
    fn decided(&mut self, epoch: Epoch) {
        let _ = epoch;
    }

    /// No more rows come; the next `prepare` is the last.
    ///
    /// # Errors
    /// As `write`.
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Work that makes a `Prepared` durable; done off the task's thread, before the manifest.
pub type Flush = Box<dyn FnOnce() -> Result<()> + Send>;

/// What a writer hands to the checkpoint at a barrier: enough to make the epoch visible, after a crash as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The subtask that prepared it.
    pub subtask: u16,
    /// The epoch it closes.
    pub epoch: Epoch,
    /// The sink's own words (JSON, lengths, paths); empty if there is nothing to say.
    pub state: Vec<u8>,
}

/// Makes decided epochs visible. Called by the job's coordinator, in epoch order.
pub trait Committer: Send {
    /// Makes `epoch` visible; idempotent: called again after a crash with the same `prepared`. A carried sink only takes the rows over here and sends
    /// them by itself.
    ///
    /// # Errors
    /// The outside failed for good.
    fn apply(&mut self, epoch: Epoch, prepared: &[Prepared]) -> Result<()>;

    /// How far it is, given the newest epoch handed to `apply`; asked once for each checkpoint. What lies behind `Progress::applied` is carried in
    /// that checkpoint, and `Progress::refused` goes to the dead letters with it: so neither is lost, and neither happens twice.
    fn progress(&mut self, handed: Epoch) -> Progress {
        Progress { applied: handed, refused: Vec::new() }
    }

    /// Waits until all that was handed over is visible, at most `wait`. Returns whether it is.
    ///
    /// # Errors
    /// The outside failed for good.
    fn drain(&mut self, wait: std::time::Duration) -> Result<bool> {
        let _ = wait;
        Ok(true)
    }
}

/// How far a committer is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The newest epoch up to which all is visible.
    pub applied: Epoch,
    /// Rows up to `applied` that the outside refused, each told once.
    pub refused: Vec<DeadLetter>,
}

/// Consumer group offsets that go into the decider's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkOffsets {
    /// The cluster they belong to: its `bootstrap.servers`.
    pub cluster: String,
    /// The consumer group.
    pub group: String,
    /// (topic, partition, next offset)
    pub offsets: Vec<(String, i32, i64)>,
}

/// What the outside says was last decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastDecided {
    /// This epoch of this generation.
    Epoch(Generation, Epoch),
    /// There is no record: nothing was ever decided there, or it has expired.
    None,
}

/// How an attempt to decide ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The epoch is decided.
    Committed,
    /// It is not and never will be: the job restarts from the last completed checkpoint.
    Aborted(String),
    /// It is not, and somebody else decides from now on: this process must not start the job again, or the two would fence each other in turn.
    Fenced(String),
    /// Nobody knows: the job restarts and asks the record.
    Unknown(String),
}

/// The one that says that an epoch happened: the transaction of a Kafka cluster. Without one, the manifest's put-if-absent decides.
pub trait Decider: Send {
    /// Takes the transactional id over: fences older holders, aborts what is open, reads the progress record.
    ///
    /// # Errors
    /// The cluster does not answer or refuses.
    fn claim(&mut self, job: JobId, generation: Generation) -> Result<LastDecided>;

    /// Whether rows were written since the last decision: an epoch without any is not committed.
    fn has_rows(&self) -> bool;

    /// Flushes the rows of `epoch`, writes the progress record and the offsets, commits.
    ///
    /// # Errors
    /// Never for what the cluster answers: that is a `Decision`.
    fn decide(&mut self, epoch: Epoch, offsets: &[SinkOffsets]) -> Result<Decision>;
}
