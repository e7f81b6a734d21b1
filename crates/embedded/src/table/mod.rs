//! Embedded tables: `tables/<table>/`, one log (lane) for each writer of a job; a frame is a batch of rows as an Arrow IPC stream.
//!
//! Lanes need no order among each other while they are written: each is cut and made visible by itself. Where the table has a primary key, reading finds
//! the newest row of each key, by the run of the sink, then epoch, then place.

mod columns;
mod compaction;
mod factory;
mod lanes;
mod layout;
mod reader;
mod schema;
mod sink;

pub use factory::{EmbeddedTableFactory, dead_letters_sink};
pub use reader::TableReader;

pub(crate) use layout::tables;

/// Bytes of a segment file before the next one is begun.
const SEGMENT_BYTES: u64 = 64 << 20;

/// Bytes of a frame's payload before its rows: run and epoch.
const HEAD_BYTES: usize = 16;

/// Bytes of rows before they are appended although their epoch goes on.
const FRAME_BYTES: usize = 4 << 20;

#[cfg(test)]
mod tests;
