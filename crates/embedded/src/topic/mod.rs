//! Embedded topics: `topics/<topic>/<partition>/`, one log a partition; a frame is a block of records with timestamps, keys and values.
//!
//! Sources read up to the mark. An exactly-once sink appends the rows of the running epoch behind the mark and moves it when the epoch was decided;
//! a plain producer moves it with each append.

mod block;
mod factory;
mod layout;
mod murmur;
mod needs;
mod open;
mod options;
mod query;
mod reader;
mod rows;
mod sink;
mod source;
mod writer;

pub use block::Record;
pub use factory::EmbeddedKafkaFactory;
pub use query::TopicReader;
pub use writer::TopicWriter;

pub(crate) use layout::topics;

/// Partitions of a topic that is made here, unless `SET 'weir.embedded.topic-partitions'` says otherwise.
pub const TOPIC_PARTITIONS_DEFAULT: u32 = 4;

/// Bytes of a block before it is appended although its epoch goes on: large enough to make the cost of a frame small, small enough to keep few in
/// memory.
const BLOCK_BYTES: usize = 256 << 10;

/// Bytes of a segment file before the next one is begun.
const SEGMENT_BYTES: u64 = 64 << 20;

/// Bytes of a partition that stay; older segments go once they are visible and no reader needs them: one of this process, or of a job that was stopped.
const RETENTION_BYTES: u64 = 2 << 30;

/// Bytes of a partition that stay at most, needed or not: a reader that stands still must not fill the disk.
const RETENTION_BYTES_MAX: u64 = 4 * RETENTION_BYTES;

const _: () = assert!(
    BLOCK_BYTES as u64 <= SEGMENT_BYTES && SEGMENT_BYTES <= RETENTION_BYTES,
    "a segment holds blocks, a log segments"
);

#[cfg(test)]
pub(crate) mod tests;
