//! What a format is to the engine: a decoder for sources, an encoder for sinks.

use arrow_array::RecordBatch;
use weir_base::{Result, RowKind};

use crate::RawRecords;

/// Turns raw records into columns. One for each source subtask; it may keep buffers between calls, never records.
pub trait Decoder: Send {
    /// Decodes all of `records`. A record gives one row, or none if it is bad as a whole (or is nothing: an empty line).
    ///
    /// # Errors
    /// Only for broken invariants: bad input is told in `Decoded::bad`.
    fn decode(&mut self, records: &RawRecords) -> Result<Decoded>;
}

/// What a decoder made of its records.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The rows, with the columns that the decoder was made for.
    pub batch: RecordBatch,
    /// For each row the index of its record; `None` when row `i` is record `i` throughout.
    pub rows: Option<Vec<u32>>,
    /// Records that gave no row, and fields that became NULL, in record order.
    pub bad: Vec<BadRecord>,
    /// Records that are nothing and count as nothing (empty lines).
    pub skipped: usize,
}

/// Why a record, or a field of it, could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// Index into the raw records.
    pub record: u32,
    /// Whether the whole record or one field is bad.
    pub kind: BadKind,
    /// What was wrong, a fragment: `expected ',' or '}' after a value`.
    pub cause: String,
    /// Byte in the record where it went wrong, from 1.
    pub column: u32,
}

/// How much of a record is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadKind {
    /// The record gave no row.
    Record,
    /// The row went on with NULL in one field.
    Field,
}

/// Turns rows into bytes. One for each sink subtask.
pub trait Encoder: Send {
    /// Appends each row of `batch` to `out` and the end of each to `ends` (offsets in `out`). `kinds` gives the rows' kinds, all `+I` if absent.
    ///
    /// # Errors
    /// A value that the format cannot write, or a row kind that it cannot express, with the row's index.
    fn encode(
        &mut self,
        batch: &RecordBatch,
        kinds: Option<&[RowKind]>,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<()>;
}
