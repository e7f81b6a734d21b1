//! Delta files: what one checkpoint adds to the state of all operators, in sections by part and key group.
//!
//! ```text
//! "WEIRDLT1"                                     8 bytes
//! sections, one after the other                  entries of one key group of one part
//! index: parts, each with its sections           varints; offset, length, entries, expiry and CRC32 of each section
//! index offset, its CRC32, "WEIRDEND"            8 + 4 + 8 bytes, little-endian
//! ```
//! One file a checkpoint, whatever the number of operators and subtasks: one fsync. A subtask that is restored reads the index and the sections of its
//! own key groups. Each byte is covered by a checksum that the manifest leads to: manifest -> index -> sections.

mod entry;
mod index;
mod reader;
mod writer;

pub use reader::DeltaFile;
pub use writer::{DeltaWriter, PartSummary};

#[cfg(test)]
mod tests;
