//! Every bound of Weir, with its reason. What is unbounded in the world is bounded here.

use std::time::Duration;

/// Rows in a batch at most: larger ones leave the second-level cache, smaller ones pay more for each hand-over.
pub const BATCH_ROWS_MAX: usize = 8_192;

/// Bytes of raw input in one fetch at most, but for a single record that is larger.
pub const FETCH_BYTES_MAX: usize = 2 << 20;

/// Bytes of one record at most; a longer one goes to the dead letters (or fails the job) without being held in memory whole.
pub const RECORD_BYTES_MAX: usize = 64 << 20;

/// Bytes of a bad record that a dead letter keeps; of a longer one it keeps the length and a hash.
pub const DEAD_LETTER_BYTES_MAX: usize = 64 << 10;

/// Fetches that wait decoded for their task: one being decoded, one ready, one being filled.
pub const FETCH_QUEUE_MAX: usize = 2;

/// Batches that a channel between two tasks holds before its sender waits.
pub const CHANNEL_BATCHES_MAX: usize = 8;

/// Bytes that a channel between two tasks holds before its sender waits.
pub const CHANNEL_BYTES_MAX: usize = 8 << 20;

/// Bytes that buffer debloating leaves a channel at least: a batch is let in whatever its size, and fewer bytes would bring no barrier nearer.
pub const CHANNEL_BYTES_MIN: usize = 4 << 10;

/// How long a source waits for more records before it hands on the few it has.
pub const SOURCE_LINGER: Duration = Duration::from_millis(5);

/// Bytes of the next epoch that a transactional sink encodes while the last one commits.
pub const SINK_HELD_BYTES_MAX: usize = 32 << 20;

/// Bytes of carried rows (rows a follower could not be given yet) on disk before a job is held back, unless `weir.carried.bytes-max` says otherwise: an
/// hour of 10,000 events a second with room to spare.
pub const CARRIED_BYTES_MAX: u64 = 8 << 30;

/// Columns of a table at most.
pub const COLUMNS_MAX: usize = 4_096;

/// Nesting of an expression or a query at most.
pub const NESTING_MAX: usize = 64;

/// Operators in a row in an expression at most: each nests the syntax tree one deeper.
pub const EXPRESSION_OPERATORS_MAX: usize = 1_000;

/// Tables that a query may read once all its views are expanded.
pub const VIEW_EXPANSIONS_MAX: usize = 1_000;

/// Bytes of a SQL script at most.
pub const SCRIPT_BYTES_MAX: usize = 4 << 20;

/// Statements of a SQL script at most: each may be a plan.
pub const STATEMENTS_MAX: usize = 5_000;

/// Key groups of a job unless `pipeline.max-parallelism` says otherwise: Flink's lower bound.
pub const MAX_PARALLELISM_DEFAULT: u16 = 128;

/// Parallelism at most: Flink's upper bound of key groups.
pub const MAX_PARALLELISM_MAX: u16 = 32_768;

/// Deltas in a state's chain before the background writer compacts it.
pub const DELTAS_MAX: usize = 16;

/// Bytes of encoded state that the checkpoint writer gathers by key group before it writes them out: a full snapshot never lies in memory whole.
pub const DELTA_BUFFER_BYTES_MAX: usize = 32 << 20;

/// Time from a request to stop until the process ends at the latest.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(5);

const _: () =
    assert!(FETCH_BYTES_MAX <= RECORD_BYTES_MAX, "a fetch must be able to hold at least a record of its own size");
const _: () = assert!(DEAD_LETTER_BYTES_MAX <= RECORD_BYTES_MAX, "a dead letter keeps a part of a record, never more");
