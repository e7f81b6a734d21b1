//! What a ranking gives: rows with their kinds and places, in batches.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::SchemaRef;
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Error, Result, RowKind};
use weir_connector::Batch;

use crate::operators::Collector;
use crate::operators::rows::{RowCodec, StoredRow};

/// Rows to be given.
#[derive(Default)]
pub struct Output {
    rows: Vec<StoredRow>,
    kinds: Vec<RowKind>,
    numbers: Vec<i64>,
}

/// What of a row's change is given.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// The first place that is given.
    pub start: u64,
    /// The last place that is given.
    pub end: u64,
    /// Whether former rows are given.
    pub update_before: bool,
}

impl Output {
    /// Adds a row, whatever its place.
    pub fn push(&mut self, kind: RowKind, row: &StoredRow, number: u64) {
        self.rows.push(StoredRow::clone(row));
        self.kinds.push(kind);
        self.numbers.push(i64::try_from(number).expect("a place in a partition is far below i64's most"));
    }

    /// Adds a row at `number` if it is to be seen.
    pub fn at(&mut self, shown: Shown, kind: RowKind, row: &StoredRow, number: u64) {
        let kept = kind != RowKind::UpdateBefore || shown.update_before;
        if kept && (shown.start..=shown.end).contains(&number) {
            self.push(kind, row, number);
        }
    }

    /// Whether it is time to give what is there.
    pub fn is_full(&self) -> bool {
        self.rows.len() >= BATCH_ROWS_MAX
    }

    /// Gives what is there.
    ///
    /// # Errors
    /// An operator behind failed.
    pub fn give(
        &mut self,
        codec: &RowCodec,
        numbered: Option<&SchemaRef>,
        fetched_us: u64,
        out: &mut dyn Collector,
    ) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = codec.decode(&self.rows)?;
        self.rows.clear();
        let numbers = std::mem::take(&mut self.numbers);
        let data = match numbered {
            Some(schema) => with_numbers(&rows, numbers, schema)?,
            None => rows,
        };
        let kinds = Some(Arc::from(std::mem::take(&mut self.kinds)));
        out.batch(Batch { data, kinds, fetched_us })
    }
}

/// `rows` with their places as the last column.
///
/// # Errors
/// `schema` is not theirs.
pub fn with_numbers(rows: &RecordBatch, numbers: Vec<i64>, schema: &SchemaRef) -> Result<RecordBatch> {
    let mut columns = rows.columns().to_vec();
    columns.push(Arc::new(Int64Array::from(numbers)) as ArrayRef);
    RecordBatch::try_new(Arc::clone(schema), columns)
        .map_err(|error| Error::internal(format!("give the rows of a ranking: {error}")))
}
