//! What flows through a channel between two tasks.

use weir_base::Timestamp;
use weir_connector::Batch;
use weir_ports::Barrier;

/// An element of a stream.
#[derive(Debug, Clone)]
pub enum Element {
    /// Rows.
    Batch(Batch),
    /// No row with an earlier event time is expected any more.
    Watermark(Timestamp),
    /// The sender has nothing for the time being and holds no watermark back; the next batch or watermark ends that.
    Idle,
    /// Everything before belongs to the barrier's epoch.
    Barrier(Barrier),
}
