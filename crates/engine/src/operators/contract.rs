//! What an operator is to its task.

use arrow_array::RecordBatch;
use weir_base::{Epoch, Result, Timestamp};
use weir_connector::Batch;
use weir_state::{Frozen, RestoredState};

/// Takes what an operator gives out.
pub trait Collector {
    /// A batch for the operators behind.
    ///
    /// # Errors
    /// An operator behind failed.
    fn batch(&mut self, batch: Batch) -> Result<()>;

    /// A watermark for the operators behind. The task passes each input watermark on by itself after `on_watermark`: an operator calls this only to
    /// give one of its own (see `Operator::forwards_watermarks`).
    ///
    /// # Errors
    /// An operator behind failed.
    fn watermark(&mut self, watermark: Timestamp) -> Result<()>;

    /// Rows of `data` that came too late: event time had come to `watermark`. They are counted by the operator; where late rows go to the dead letters
    /// they are written there.
    ///
    /// # Errors
    /// The dead letters cannot be written.
    fn late(&mut self, data: &RecordBatch, rows: &[u32], watermark: Timestamp) -> Result<()> {
        let _ = (data, rows, watermark);
        Ok(())
    }
}

/// What an operator is given back when a job is restored.
pub struct Restore<'a> {
    /// Its state.
    pub state: &'a dyn RestoredState,
    /// Processing time.
    pub now: Timestamp,
}

/// One operator of a task. Inputs are already merged: a watermark is the minimum of all inputs, a barrier is aligned.
pub trait Operator: Send {
    /// Takes a batch. `now` is processing time, the same for all rows of the batch.
    ///
    /// # Errors
    /// A row that cannot be processed: an expression failed, a rowtime is NULL.
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()>;

    /// Event time has come to `watermark` (`Timestamp::MAX`: the input has ended and all windows fire).
    ///
    /// # Errors
    /// As `on_batch`.
    fn on_watermark(&mut self, watermark: Timestamp, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let _ = (watermark, now, out);
        Ok(())
    }

    /// Whether the task passes input watermarks on by itself. An operator that makes its own says no.
    fn forwards_watermarks(&self) -> bool {
        true
    }

    /// Processing time has come to `now`; called at each wake-up, at least every 100 ms.
    ///
    /// # Errors
    /// As `on_batch`.
    fn on_tick(&mut self, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let _ = (now, out);
        Ok(())
    }

    /// The barrier of `epoch`: gives what changed since the last confirmed epoch. Cheap: no copy of what has not changed, no encoding of much.
    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        let _ = epoch;
        Frozen::default()
    }

    /// The checkpoint of `epoch` is complete: dirty sets up to there may go.
    fn confirm(&mut self, epoch: Epoch) {
        let _ = epoch;
    }

    /// Takes its state back, before the first element.
    ///
    /// # Errors
    /// The state cannot be read, or is not this operator's.
    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        let _ = restore;
        Ok(())
    }

    /// Bytes of memory that its state takes: tables at their capacity, with the keys and rows in them. What waits to be written to a checkpoint is not
    /// counted. `None`: it has no state. May walk over what it holds: asked for once a second.
    fn state_bytes(&self) -> Option<usize> {
        None
    }

    /// Rows in and where they went, since the start of the run.
    fn equation(&self) -> Equation;
}

/// The balance of an operator: `rows_in` and `restored` must equal the sum of the other figures that its kind declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Equation {
    /// Rows taken.
    pub rows_in: u64,
    /// Rows given, of those taken. For an aggregation: rows taken into it.
    pub passed: u64,
    /// Rows that a condition left out.
    pub filtered: u64,
    /// Rows left out as duplicates, or replaced by a later one.
    pub deduplicated: u64,
    /// Rows that came too late.
    pub late: u64,
    /// Rows set aside as dead letters.
    pub dead_lettered: u64,
    /// Rows still held, to be given later.
    pub held: u64,
    /// Rows that an earlier run had taken and held.
    pub restored: u64,
}

impl Equation {
    /// Whether nothing was lost and nothing made up.
    pub fn holds(&self) -> bool {
        self.rows_in + self.restored
            == self.passed + self.filtered + self.deduplicated + self.late + self.dead_lettered + self.held
    }
}
