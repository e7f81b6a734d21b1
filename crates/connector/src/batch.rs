//! The batch: what flows between operators and into sinks.

use std::sync::Arc;

use arrow_array::RecordBatch;
use weir_base::RowKind;

/// Rows with their kinds.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The columns.
    pub data: RecordBatch,
    /// The kind of each row; all `+I` if absent.
    pub kinds: Option<Arc<[RowKind]>>,
    /// When the oldest of its records was fetched, microseconds of the clock's monotonic side; 0 if it comes from no fetch.
    pub fetched_us: u64,
}

impl Batch {
    /// A batch of inserts.
    pub fn inserts(data: RecordBatch, fetched_us: u64) -> Self {
        Self { data, kinds: None, fetched_us }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.data.num_rows()
    }

    /// The kind of row `index`.
    pub fn kind(&self, index: usize) -> RowKind {
        self.kinds.as_ref().map_or(RowKind::Insert, |kinds| kinds[index])
    }
}
