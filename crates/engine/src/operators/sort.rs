//! ORDER BY a time attribute: rows wait for the watermark and are given in the order of time, equal times by the other keys, then as they came.
//!
//! A row that is not behind the last one given is late and left out. All rows are one partition: the state is theirs.

use std::collections::BTreeMap;
use std::ops::Range;

use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Epoch, Error, Kind, Result, Timestamp};
use weir_connector::Batch;
use weir_plan::{Schema, SortKey};
use weir_state::Frozen;

use super::changes::Changes;
use super::rows::{RowCodec, StoredRow, check_insert_only};
use super::rowtime::rowtimes;
use super::sort_key::{SortBytes, SortKeys};
use super::{Collector, Equation, Operator, Restore};
use crate::keys::{KeyHasher, StoredKey, group_of};

/// The part of state that holds the rows.
const ROWS: &str = "rows";
/// The part of state that holds the time of the rows given last.
const LAST: &str = "last";

/// Where a row stands.
type Place = (Timestamp, SortBytes, u64);

/// The operator.
pub struct TemporalSort {
    rowtime: usize,
    sort_keys: SortKeys,
    codec: RowCodec,
    key: StoredKey,
    group: u16,
    key_groups: Range<u16>,
    rows: BTreeMap<Place, StoredRow>,
    last: Option<Timestamp>,
    sequence: u64,
    changes: Changes,
    marks: Changes,
    balance: Equation,
}

impl TemporalSort {
    /// The operator that orders by `rowtime`, then by `order`.
    ///
    /// # Errors
    /// A column has no order, or cannot be kept in state.
    pub fn new(
        rowtime: usize,
        order: &[SortKey],
        input: &Schema,
        key_groups: Range<u16>,
        max_parallelism: u16,
    ) -> Result<Self> {
        let mut hashes = Vec::new();
        let empty = arrow_array::RecordBatch::try_new_with_options(
            arrow_schema::SchemaRef::new(arrow_schema::Schema::empty()),
            Vec::new(),
            &arrow_array::RecordBatchOptions::new().with_row_count(Some(1)),
        )
        .map_err(|error| Error::internal(format!("make the key of no columns: {error}")))?;
        KeyHasher::new(&[], input)?.hash(&empty, &mut hashes)?;
        let key: StoredKey = hashes[0].to_be_bytes().as_slice().into();
        Ok(Self {
            rowtime,
            sort_keys: SortKeys::new(order, input)?,
            codec: RowCodec::new(input)?,
            group: group_of(&key, max_parallelism),
            key,
            key_groups,
            rows: BTreeMap::new(),
            last: None,
            sequence: 0,
            changes: Changes::default(),
            marks: Changes::default(),
            balance: Equation::default(),
        })
    }

    fn entry_key(&self, sequence: u64) -> StoredKey {
        self.key.iter().copied().chain(sequence.to_be_bytes()).collect()
    }

    /// The rows that are due until `watermark`, a batch of them at most.
    fn due(&mut self, watermark: Timestamp) -> Vec<StoredRow> {
        let mut due = Vec::new();
        while due.len() < BATCH_ROWS_MAX {
            let Some(first) = self.rows.first_entry().filter(|first| first.key().0 <= watermark) else { break };
            let ((time, _, sequence), row) = first.remove_entry();
            self.last = Some(time);
            let entry = self.entry_key(sequence);
            self.changes.delete(self.group, entry);
            due.push(row);
        }
        due
    }
}

impl Operator for TemporalSort {
    fn on_batch(&mut self, batch: Batch, _: Timestamp, _: &mut dyn Collector) -> Result<()> {
        check_insert_only(&batch, "order rows by time")?;
        let times = rowtimes(&batch.data, self.rowtime)?;
        let sorts = self.sort_keys.of(&batch.data)?;
        let rows = self.codec.encode(batch.data.columns())?;
        for index in 0..batch.rows() {
            self.balance.rows_in += 1;
            let time = times.value(index);
            if self.last.is_some_and(|last| time <= last) {
                self.balance.late += 1;
                continue;
            }
            let row = self.codec.store(rows.row(index), time);
            let entry = self.entry_key(self.sequence);
            self.changes.put(self.group, entry, StoredRow::clone(&row), Timestamp::MAX, false);
            self.rows.insert((time, sorts.get(index), self.sequence), row);
            self.sequence += 1;
        }
        Ok(())
    }

    fn on_watermark(&mut self, watermark: Timestamp, _: Timestamp, out: &mut dyn Collector) -> Result<()> {
        loop {
            let due = self.due(watermark);
            if due.is_empty() {
                return Ok(());
            }
            self.balance.passed += due.len() as u64;
            let last = self.last.unwrap_or(Timestamp::MIN);
            let key = StoredKey::clone(&self.key);
            self.marks.put(self.group, key, last.to_le_bytes().as_slice().into(), Timestamp::MAX, true);
            out.batch(Batch::inserts(self.codec.decode(&due)?, 0))?;
        }
    }

    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        Frozen { parts: vec![self.changes.freeze(epoch, ROWS), self.marks.freeze(epoch, LAST)] }
    }

    fn confirm(&mut self, epoch: Epoch) {
        self.changes.confirm(epoch);
        self.marks.confirm(epoch);
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        let corrupt = |bytes: &[u8]| {
            Error::new(Kind::Corrupt, format!("read an ordered row from state: it has {} bytes", bytes.len()))
        };
        let owned = self.key_groups.clone();
        let mut rows: BTreeMap<u64, StoredRow> = BTreeMap::new();
        restore.state.visit(ROWS, restore.now, &mut |group, key, value| {
            let sequence =
                key.last_chunk().map(|sequence| u64::from_be_bytes(*sequence)).ok_or_else(|| corrupt(key))?;
            match value {
                _ if !owned.contains(&group) => {}
                Some((row, _)) => drop(rows.insert(sequence, row.into())),
                None => drop(rows.remove(&sequence)),
            }
            Ok(())
        })?;
        let last = &mut self.last;
        restore.state.visit(LAST, restore.now, &mut |group, _, value| {
            if let Some((bytes, _)) = value.filter(|_| owned.contains(&group)) {
                let time = bytes.first_chunk().map(|time| Timestamp::from_le_bytes(*time));
                *last = Some(time.ok_or_else(|| corrupt(bytes))?);
            }
            Ok(())
        })?;
        let rows: Vec<(u64, StoredRow)> = rows.into_iter().collect();
        for chunk in rows.chunks(BATCH_ROWS_MAX) {
            let times = chunk.iter().map(|(_, row)| self.codec.check(row)).collect::<Result<Vec<_>>>()?;
            let sorts = self.sort_keys.of(&self.codec.decode(chunk.iter().map(|(_, row)| row))?)?;
            for (index, ((sequence, row), time)) in chunk.iter().zip(times).enumerate() {
                self.rows.insert((time, sorts.get(index), *sequence), StoredRow::clone(row));
                self.sequence = self.sequence.max(sequence + 1);
            }
        }
        self.balance.restored = self.rows.len() as u64;
        Ok(())
    }

    fn state_bytes(&self) -> Option<usize> {
        let row = |(place, row): (&Place, &StoredRow)| place.1.len() + row.len() + size_of::<(Place, StoredRow)>();
        Some(self.rows.iter().map(row).sum())
    }

    fn equation(&self) -> Equation {
        Equation { held: self.rows.len() as u64, ..self.balance }
    }
}

#[cfg(test)]
#[path = "sort/tests.rs"]
mod tests;
