//! An append-only log in a folder: segment files of checked frames, and a mark up to which they are visible.
//!
//! It knows bytes and counts of records, not what they mean. Positions are places: a byte in the whole log (never reused, also when old segments go)
//! together with the number of the record that follows.

mod frame;
mod mark;
mod reader;
mod segments;
mod writer;

pub(crate) use mark::{Mark, MarkReader};
pub(crate) use reader::LogReader;
pub(crate) use writer::{LogWriter, Unsynced};

use serde::{Deserialize, Serialize};

/// A position in a log: always between two frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Bytes of the log before it, counted since the log began.
    pub byte: u64,
    /// Number of the record that follows, from 0.
    pub next: u64,
}

#[cfg(test)]
mod tests;
