//! Rows that came too late for an operator, on their way to the dead letters: `weir.dead-letter.late`.
//!
//! A letter holds the row as the operator was given it, as JSON. It is written exactly once: with the epoch in which the row came.

use arrow_array::{RecordBatch, UInt32Array};
use arrow_select::take::take_record_batch;
use weir_base::limits::DEAD_LETTER_BYTES_MAX;
use weir_base::{Epoch, Error, Result, Timestamp};
use weir_connector::DeadLetter;
use weir_format::{Encoder, encoder};
use weir_plan::{Schema, TableOptions};
use weir_ports::{Barrier, PreparedSink};
use xxhash_rust::xxh3::xxh3_64;

use super::DeadLetters;

/// The late rows of one operator.
pub struct LateLetters {
    letters: DeadLetters,
    encoder: Box<dyn Encoder>,
    /// The operator, as it is called in the plan.
    operator: String,
    /// The operator's subtask: what letters are told apart by, with their number in the epoch.
    place: String,
    written: u64,
}

impl LateLetters {
    /// Late rows of the operator `operator` with the columns `input`; `place` names its subtask.
    ///
    /// # Errors
    /// The columns cannot be written as JSON.
    pub fn new(letters: DeadLetters, input: &Schema, operator: &str, place: String) -> Result<Self> {
        let encoder = encoder("json", &TableOptions::default(), "", &input.fields, b"")
            .map_err(|error| error.within(format!("write the late rows of '{operator}' as JSON")))?;
        Ok(Self { letters, encoder, operator: operator.to_owned(), place, written: 0 })
    }

    /// Writes `rows` of `data`.
    ///
    /// # Errors
    /// The table cannot be written.
    pub fn write(&mut self, data: &RecordBatch, rows: &[u32], watermark: Timestamp, now: Timestamp) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let taken = take_record_batch(data, &UInt32Array::from(rows.to_vec()))
            .map_err(|error| Error::internal(format!("take late rows: {error}")))?;
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        self.encoder.encode(&taken, None, &mut bytes, &mut ends)?;
        let mut letters = Vec::with_capacity(ends.len());
        let mut start = 0;
        for end in ends {
            letters.push(self.letter(&bytes[start..end], watermark));
            start = end;
        }
        self.letters.write(&letters, now)
    }

    fn letter(&mut self, row: &[u8], watermark: Timestamp) -> DeadLetter {
        let kept = &row[..row.len().min(DEAD_LETTER_BYTES_MAX)];
        let offset = self.written;
        self.written += 1;
        DeadLetter {
            kind: "late",
            cause: format!("came after its windows had been given: the watermark was at {watermark}"),
            table: self.operator.clone(),
            split: self.place.clone(),
            offset,
            line: 0,
            column: 0,
            raw: kept.to_vec(),
            raw_length: row.len() as u64,
            raw_hash: (kept.len() < row.len()).then(|| xxh3_64(row)),
        }
    }

    /// Closes an epoch.
    ///
    /// # Errors
    /// The table cannot be written.
    pub fn barrier(&mut self, barrier: Barrier) -> Result<PreparedSink> {
        self.written = 0;
        self.letters.barrier(barrier)
    }

    /// Whether more letters may come.
    ///
    /// # Errors
    /// The table cannot be written.
    pub fn clear(&mut self) -> Result<bool> {
        self.letters.clear()
    }

    /// The epoch was decided.
    pub fn decided(&mut self, epoch: Epoch) {
        self.letters.decided(epoch);
    }
}
