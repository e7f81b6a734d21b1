//! The rows that an aggregation gives for a batch: for each row taken the result before it and the one after it.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow_schema::SchemaRef;
use arrow_select::interleave::interleave;
use arrow_select::take::take;
use weir_base::{Error, Result, RowKind};
use weir_connector::Batch;

use super::equal::equal;

/// Where a result stands: a set of columns, and the row in it.
pub type Place = (u32, u32);

/// A row given.
struct Given {
    kind: RowKind,
    /// The row of the batch whose key columns it has.
    row: u32,
    place: Place,
}

/// Results that were computed while a batch was taken, and the rows made of them.
#[derive(Default)]
pub struct Output {
    sets: Vec<Vec<ArrayRef>>,
    given: Vec<Given>,
}

impl Output {
    /// Keeps results; gives the number of the set.
    pub fn keep(&mut self, results: Vec<ArrayRef>) -> u32 {
        self.sets.push(results);
        u32::try_from(self.sets.len() - 1).expect("a batch has far fewer rows than a u32 counts")
    }

    /// Adds a row.
    pub fn give(&mut self, kind: RowKind, row: u32, place: Place) {
        self.given.push(Given { kind, row, place });
    }

    /// Which of the changes from the first to the second place change nothing.
    ///
    /// # Errors
    /// Results of one aggregate are of different types.
    pub fn unchanged(&self, changes: &[(Place, Place)]) -> Result<Vec<bool>> {
        let mut unchanged = vec![true; changes.len()];
        if changes.is_empty() {
            return Ok(unchanged);
        }
        let columns = self.sets.first().map_or(0, Vec::len);
        let (before, after): (Vec<Place>, Vec<Place>) = changes.iter().copied().unzip();
        for column in 0..columns {
            let equal = equal(&self.collected(column, &before)?, &self.collected(column, &after)?)?;
            unchanged.iter_mut().zip(equal).for_each(|(unchanged, equal)| *unchanged &= equal);
        }
        Ok(unchanged)
    }

    fn collected(&self, column: usize, places: &[Place]) -> Result<ArrayRef> {
        let arrays: Vec<&dyn Array> = self.sets.iter().map(|set| set[column].as_ref()).collect();
        let places: Vec<(usize, usize)> = places.iter().map(|(set, row)| (*set as usize, *row as usize)).collect();
        interleave(&arrays, &places).map_err(|error| Error::internal(format!("collect results: {error}")))
    }

    /// The rows given as a batch: the `keys` of `data`, then the results. `None`: none.
    ///
    /// # Errors
    /// The columns are not those of `schema`.
    pub fn batch(
        self,
        data: &RecordBatch,
        keys: &[usize],
        schema: &SchemaRef,
        fetched_us: u64,
    ) -> Result<Option<Batch>> {
        if self.given.is_empty() {
            return Ok(None);
        }
        let rows = UInt32Array::from_iter_values(self.given.iter().map(|given| given.row));
        let failed = |error| Error::internal(format!("give the results of groups: {error}"));
        let mut columns = Vec::with_capacity(schema.fields().len());
        for key in keys {
            columns.push(take(data.column(*key), &rows, None).map_err(failed)?);
        }
        let places: Vec<Place> = self.given.iter().map(|given| given.place).collect();
        for column in 0..schema.fields().len() - keys.len() {
            columns.push(self.collected(column, &places)?);
        }
        let kinds: Arc<[RowKind]> = self.given.iter().map(|given| given.kind).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(kinds.len()));
        let data = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(failed)?;
        Ok(Some(Batch { data, kinds: Some(kinds), fetched_us }))
    }
}
