//! Sources: what can be read (splits), and readers that fetch it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, RecordBatch};
use weir_base::{Clock, Result};
use weir_format::RawRecords;
use weir_metrics::Registry;

use crate::SinkOffsets;

/// A part of a source that is read in order by one reader: a file, a partition. Its text is stable: it is the key in checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SplitId(pub Arc<str>);

impl fmt::Display for SplitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far a split has been read: what lies before it is in the state, what lies behind it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// Next byte of a file, next offset of a partition, next row of a generator.
    pub offset: u64,
    /// Records before it (for files: lines, so that an error can name one).
    pub records: u64,
}

/// A table that can be read. One for each source node of a job's run.
pub trait Source: Send + Sync {
    /// All splits there are now, in a defined order.
    ///
    /// # Errors
    /// The outside cannot be asked, or the table names nothing that exists.
    fn splits(&self) -> Result<Vec<SplitId>>;

    /// How often `splits` is asked for new ones while the job runs; `None`: never.
    fn discovery_interval(&self) -> Option<Duration> {
        None
    }

    /// Whether the job ends when all splits have been read to their end.
    fn is_bounded(&self) -> bool;

    /// Whether a reader reads its splits one after another (files) rather than all at once (partitions): a split that is not begun yet then holds no
    /// watermark back.
    fn reads_in_turn(&self) -> bool {
        false
    }

    /// A reader for one subtask, called once a run.
    ///
    /// # Errors
    /// The outside refuses: credentials, addresses.
    fn reader(&self, context: &ReaderContext) -> Result<Box<dyn Reader>>;

    /// Told after a checkpoint completed that all before these positions is done with: a group's offsets may be committed. For show, never for recovery.
    fn completed(&self, positions: &[(SplitId, Position)]) {
        let _ = positions;
    }

    /// Offsets that must go into the decider's transaction instead of `completed`; see `SinkOffsets`.
    fn offsets(&self, positions: &[(SplitId, Position)]) -> Option<SinkOffsets> {
        let _ = positions;
        None
    }
}

/// What a reader is handed.
pub struct ReaderContext {
    /// The subtask it reads for.
    pub subtask: u16,
    /// Subtasks of the source.
    pub parallelism: u16,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where its own metrics go (operator scope, labels already set).
    pub metrics: Registry,
    /// How long it may wait for more records once there is one.
    pub linger: Duration,
}

/// Fetches raw records of the splits it was given. Lives on a thread of its own; may wait, but no longer than it is told.
pub trait Reader: Send {
    /// Takes a split over, from `from` (`None`: from where the table's options say).
    ///
    /// # Errors
    /// The split has gone, or the position lies outside of it.
    fn add(&mut self, split: SplitId, from: Option<Position>) -> Result<()>;

    /// The next records of one of its splits, waiting at most `wait` for the first one (and `ReaderContext::linger` for more).
    ///
    /// # Errors
    /// The outside fails for good; what may heal by itself is retried inside.
    fn fetch(&mut self, wait: Duration) -> Result<Fetch>;

    /// Told now and then while what it fetched waits for its task: the moment to look at what it shows of itself.
    fn held_up(&mut self) {}
}

/// What a fetch gave.
#[derive(Debug)]
pub enum Fetch {
    /// Records of a split, all before `next`.
    Records {
        /// The split.
        split: SplitId,
        /// What was read: at most `limits::BATCH_ROWS_MAX` records.
        payload: Payload,
        /// The metadata columns that the table's spec asks for (`SourceColumn::Metadata`), in that order, one value a record.
        metadata: Vec<ArrayRef>,
        /// Where the first record stands.
        first: Position,
        /// The position behind the last one.
        next: Position,
    },
    /// The split has been read to its end and gives no more.
    End(SplitId),
    /// Nothing came in time.
    Nothing,
}

/// Records, still encoded or not.
#[derive(Debug)]
pub enum Payload {
    /// To be decoded by the table's format.
    Raw(RawRecords),
    /// Already columns: the source's physical columns in the order that its spec reads them (generators).
    Columns(RecordBatch),
}
