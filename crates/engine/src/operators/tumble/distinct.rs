//! `DISTINCT` before any aggregate: each value of a key is taken once.
//!
//! The state holds the values themselves and is written whole when it changes: its size in a checkpoint is that of the changed keys' values.

use arrow_array::{Array, ArrayRef};
use hashbrown::HashSet;
use weir_base::Result;

use super::accumulator::Accumulator;
use super::fold::{Fixed, present, put_bytes, take_bytes};
use crate::keys::CanonicalColumn;

/// An aggregate over the distinct values of each key.
pub struct Distinct {
    plain: Box<dyn Accumulator>,
    /// Canonical bytes of the values seen, by key.
    seen: Vec<HashSet<Box<[u8]>>>,
    /// Bytes of all of them, counted as they come.
    value_bytes: usize,
    rows: Vec<u32>,
    keys: Vec<u32>,
}

/// Bytes of the values of one key.
fn bytes_of(seen: &HashSet<Box<[u8]>>) -> usize {
    seen.iter().map(|value| value.len()).sum()
}

impl Distinct {
    /// Distinct values for `plain`.
    pub fn new(plain: Box<dyn Accumulator>) -> Self {
        Self { plain, seen: Vec::new(), value_bytes: 0, rows: Vec::new(), keys: Vec::new() }
    }
}

impl Accumulator for Distinct {
    fn grow(&mut self, keys: usize) {
        self.plain.grow(keys);
        self.seen.resize_with(keys, HashSet::default);
    }

    fn update(&mut self, column: Option<&dyn Array>, rows: &[u32], keys: &[u32]) -> Result<()> {
        let values = CanonicalColumn::of(present(column)?)?;
        self.rows.clear();
        self.keys.clear();
        let mut value = Vec::new();
        for (row, key) in rows.iter().zip(keys) {
            value.clear();
            values.write(*row as usize, &mut value);
            let seen = &mut self.seen[*key as usize];
            if !values.is_null(*row as usize) && !seen.contains(value.as_slice()) {
                seen.insert(value.as_slice().into());
                self.value_bytes += value.len();
                self.rows.push(*row);
                self.keys.push(*key);
            }
        }
        self.plain.update(column, &self.rows, &self.keys)
    }

    fn gather(&self, keys: &[u32]) -> Box<dyn Accumulator> {
        let seen: Vec<_> = keys.iter().map(|key| self.seen[*key as usize].clone()).collect();
        let value_bytes = seen.iter().map(bytes_of).sum();
        Box::new(Self { plain: self.plain.gather(keys), seen, value_bytes, rows: Vec::new(), keys: Vec::new() })
    }

    fn write(&self, key: usize, out: &mut Vec<u8>) {
        self.plain.write(key, out);
        let seen = &self.seen[key];
        (seen.len() as u64).put(out);
        seen.iter().for_each(|value| put_bytes(value, out));
    }

    fn read(&mut self, key: usize, bytes: &mut &[u8]) -> Option<()> {
        self.plain.read(key, bytes)?;
        let count = u64::take(bytes)?;
        self.seen[key] = (0..count).map(|_| take_bytes(bytes).map(Box::from)).collect::<Option<_>>()?;
        self.value_bytes += bytes_of(&self.seen[key]);
        Some(())
    }

    fn finish(&self) -> ArrayRef {
        self.plain.finish()
    }

    fn bytes(&self) -> usize {
        let tables: usize = self.seen.iter().map(HashSet::allocation_size).sum();
        self.plain.bytes() + self.seen.capacity() * size_of::<HashSet<Box<[u8]>>>() + tables + self.value_bytes
    }

    fn empty(&self) -> Box<dyn Accumulator> {
        Box::new(Self::new(self.plain.empty()))
    }
}
