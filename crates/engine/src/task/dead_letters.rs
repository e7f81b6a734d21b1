//! Dead letters on their way to their table: a builder of batches over a sink's writer.

use weir_base::{Epoch, Result, Timestamp};
use weir_connector::{Batch, DeadLetter, Ready, Writer, dead_letter_batch};
use weir_ports::{Barrier, DEAD_LETTERS_UID, PreparedSink};

/// Writes the dead letters of one task.
pub struct DeadLetters {
    job: String,
    writer: Box<dyn Writer>,
    epoch: Epoch,
    written: u64,
}

impl DeadLetters {
    /// Letters of `job`, the first of them in `epoch`.
    pub fn new(job: String, writer: Box<dyn Writer>, epoch: Epoch) -> Self {
        Self { job, writer, epoch, written: 0 }
    }

    /// Writes `letters`.
    ///
    /// # Errors
    /// The table cannot be written.
    pub fn write(&mut self, letters: &[DeadLetter], now: Timestamp) -> Result<()> {
        if letters.is_empty() {
            return Ok(());
        }
        self.written += letters.len() as u64;
        let batch = dead_letter_batch(&self.job, self.epoch, letters, now)?;
        self.writer.write(&Batch::inserts(batch, 0)).map_err(|error| error.within("write dead letters"))
    }

    /// Closes an epoch.
    ///
    /// # Errors
    /// The table cannot be written.
    pub fn barrier(&mut self, barrier: Barrier) -> Result<PreparedSink> {
        self.epoch = barrier.epoch.next();
        let (prepared, flush) =
            self.writer.prepare(barrier.epoch).map_err(|error| error.within("write dead letters"))?;
        Ok(PreparedSink { uid: DEAD_LETTERS_UID.to_owned(), prepared, flush, fetched: Vec::new() })
    }

    /// Whether more letters may come.
    ///
    /// # Errors
    /// The table cannot be written.
    pub fn clear(&mut self) -> Result<bool> {
        Ok(self.writer.ready().map_err(|error| error.within("write dead letters"))? != Ready::No)
    }

    /// The epoch was decided.
    pub fn decided(&mut self, epoch: Epoch) {
        self.writer.decided(epoch);
    }
}
