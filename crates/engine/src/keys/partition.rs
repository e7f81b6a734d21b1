//! Splits batches by the subtask that owns each row's key; order and row kinds stay.

use std::sync::Arc;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_select::take::take_record_batch;
use weir_base::{Error, Result, RowKind, subtask_of_key_group};
use weir_connector::Batch;
use weir_plan::Schema;

use super::hash::{KeyHash, KeyHasher, key_group};

/// Splits batches by key group.
pub struct Partitioner {
    hasher: KeyHasher,
    /// The owning subtask of each key group.
    owners: Vec<u16>,
    max_parallelism: u16,
    hashes: Vec<KeyHash>,
    /// Rows by subtask; kept for their allocations.
    rows: Vec<Vec<u32>>,
    parts: Vec<(usize, Batch)>,
}

impl Partitioner {
    /// A partitioner by `columns` of batches with `schema`, for `parallelism` subtasks behind it.
    ///
    /// # Errors
    /// A column's type cannot be a key.
    pub fn new(columns: &[usize], schema: &Schema, max_parallelism: u16, parallelism: u16) -> Result<Self> {
        let owners =
            (0..max_parallelism).map(|group| subtask_of_key_group(group, max_parallelism, parallelism)).collect();
        Ok(Self {
            hasher: KeyHasher::new(columns, schema)?,
            owners,
            max_parallelism,
            hashes: Vec::new(),
            rows: vec![Vec::new(); usize::from(parallelism)],
            parts: Vec::new(),
        })
    }

    /// Gives the parts of `batch` with their subtasks; subtasks without rows are left out. A batch that goes to one subtask as a whole is passed untouched.
    ///
    /// # Errors
    /// A column has a type that cannot be a key.
    pub fn partition(&mut self, batch: &Batch) -> Result<std::vec::Drain<'_, (usize, Batch)>> {
        self.parts.clear();
        if batch.rows() > 0 && self.rows.len() == 1 {
            self.parts.push((0, batch.clone()));
        } else if batch.rows() > 0 {
            self.assign(&batch.data)?;
            for (subtask, rows) in self.rows.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
                let part = if rows.len() == batch.rows() { batch.clone() } else { take(batch, rows)? };
                self.parts.push((subtask, part));
            }
        }
        Ok(self.parts.drain(..))
    }

    fn assign(&mut self, data: &RecordBatch) -> Result<()> {
        let count = u32::try_from(data.num_rows()).expect("a batch has far fewer rows than a u32 counts");
        self.rows.iter_mut().for_each(Vec::clear);
        self.hasher.hash(data, &mut self.hashes)?;
        for (row, hash) in (0..count).zip(&self.hashes) {
            let owner = self.owners[usize::from(key_group(*hash, self.max_parallelism))];
            self.rows[usize::from(owner)].push(row);
        }
        Ok(())
    }
}

fn take(batch: &Batch, rows: &[u32]) -> Result<Batch> {
    let indices = UInt32Array::from(rows.to_vec());
    let data = take_record_batch(&batch.data, &indices)
        .map_err(|error| Error::internal(format!("split a batch by key: {error}")))?;
    let kinds =
        batch.kinds.as_ref().map(|_| rows.iter().map(|row| batch.kind(*row as usize)).collect::<Arc<[RowKind]>>());
    Ok(Batch { data, kinds, fetched_us: batch.fetched_us })
}
