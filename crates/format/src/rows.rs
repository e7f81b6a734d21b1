//! Which record each row came from, kept only once a record gave no row.

/// The records that gave a row.
#[derive(Default)]
pub(crate) struct RowMap {
    count: usize,
    records: Option<Vec<u32>>,
}

impl RowMap {
    /// Rows so far: the next row's position.
    #[inline]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The next row is that of `record`.
    #[inline]
    pub fn keep(&mut self, record: u32) {
        if let Some(records) = &mut self.records {
            records.push(record);
        }
        self.count += 1;
    }

    /// Record `index` gives no row.
    pub fn leave_out(&mut self, index: usize) {
        if self.records.is_none() {
            let records = (0..u32::try_from(index).expect("record indices fit in 32 bits")).collect();
            self.records = Some(records);
        }
    }

    /// The number of rows, and the record of each unless row `i` is record `i` throughout.
    pub fn finish(self) -> (usize, Option<Vec<u32>>) {
        (self.count, self.records)
    }
}
