//! Keeps the last row of each key: `ROW_NUMBER() OVER (PARTITION BY key ORDER BY time DESC) = 1`.
//!
//! Insert-only in, updates out: `+I` for a new key, then `-U` with the former row (unless only an upsert sink reads it) and `+U`. By processing time every row
//! is the last; one that equals the former is not given again, unless keys expire (then downstream's state must be kept alive, too). By event time a row counts
//! that is not older than the former. The state is the last row of each key; its time to live begins anew whenever it is written.

use std::sync::Arc;

use arrow_select::interleave::interleave_record_batch;
use hashbrown::hash_table::Entry;
use weir_base::{Epoch, Error, Result, RowKind, Timestamp};
use weir_connector::Batch;
use weir_plan::Order;
use weir_state::Frozen;

use super::DeduplicateContext;
use super::table::{Kept, KeyTable, Slot, expires, shared_bytes};
use crate::keys::{KeyHash, KeyHasher, KeyReader, StoredKey, check_stored, group_of};
use crate::operators::changes::Changes;
use crate::operators::rows::check_insert_only;
use crate::operators::rows::{RowCodec, StoredRow};
use crate::operators::rowtime::rowtimes;
use crate::operators::{Collector, Equation, Operator, Restore};

/// The part of state.
const ROWS: &str = "rows";

/// The operator.
pub struct KeepLast {
    hasher: KeyHasher,
    codec: RowCodec,
    order: Order,
    ttl_ms: i64,
    update_before: bool,
    max_parallelism: u16,
    key_groups: std::ops::Range<u16>,
    table: KeyTable<Last>,
    changes: Changes,
    hashes: Vec<KeyHash>,
    scratch: Vec<u8>,
    rows_in: u64,
    passed: u64,
}

/// The last row of a key.
struct Last {
    row: StoredRow,
    /// Its rowtime; 0 by processing time.
    time: Timestamp,
}

impl Kept for Last {
    fn heap_bytes(&self) -> usize {
        shared_bytes(&self.row)
    }
}

/// What is to be given: rows of the batch and former rows, with their kinds.
#[derive(Default)]
struct Output {
    /// Batch 0 is the input, 1 the former rows; then the row in it.
    places: Vec<(usize, usize)>,
    kinds: Vec<RowKind>,
    former: Vec<StoredRow>,
}

impl Output {
    fn push(&mut self, row: usize, former: Option<StoredRow>, update_before: bool) {
        let kind = if former.is_some() { RowKind::UpdateAfter } else { RowKind::Insert };
        if let Some(former) = former.filter(|_| update_before) {
            self.places.push((1, self.former.len()));
            self.kinds.push(RowKind::UpdateBefore);
            self.former.push(former);
        }
        self.places.push((0, row));
        self.kinds.push(kind);
    }
}

impl KeepLast {
    /// The operator over `keys`.
    ///
    /// # Errors
    /// A column cannot be a key, or cannot be kept in state.
    pub fn new(keys: &[usize], order: Order, context: &DeduplicateContext<'_>) -> Result<Self> {
        Ok(Self {
            hasher: KeyHasher::new(keys, context.input)?,
            codec: RowCodec::new(context.input)?,
            order,
            ttl_ms: i64::try_from(context.state_ttl.as_millis()).unwrap_or(i64::MAX),
            update_before: context.update_before,
            max_parallelism: context.max_parallelism,
            key_groups: context.key_groups.clone(),
            table: KeyTable::new(),
            changes: Changes::default(),
            hashes: Vec::new(),
            scratch: Vec::new(),
            rows_in: 0,
            passed: 0,
        })
    }

    fn apply(&mut self, batch: &Batch, now: Timestamp) -> Result<Output> {
        let times = match self.order {
            Order::ProcTime => None,
            Order::RowTime(column) => Some(rowtimes(&batch.data, column)?),
        };
        self.hasher.hash(&batch.data, &mut self.hashes)?;
        let keys = KeyReader::new(self.hasher.columns(), &batch.data)?;
        let rows = self.codec.encode(batch.data.columns())?;
        let mut output = Output::default();
        for (index, hash) in self.hashes.iter().enumerate() {
            keys.read(index, *hash, &mut self.scratch);
            let time = times.map_or(0, |times| times.value(index));
            let stored = self.codec.store(rows.row(index), time);
            let last = Last { row: StoredRow::clone(&stored), time };
            let expires = expires(now, self.ttl_ms);
            let (key, known, former) = match self.table.entry(&self.scratch) {
                Entry::Vacant(vacant) => {
                    let key = StoredKey::from(self.scratch.as_slice());
                    vacant.insert(Slot { key: StoredKey::clone(&key), expires, value: last });
                    self.table.moved(shared_bytes(&key) + shared_bytes(&stored), 0);
                    (key, false, None)
                }
                Entry::Occupied(mut slot) => {
                    let slot = slot.get_mut();
                    let lives = slot.expires > now;
                    if lives && time < slot.value.time {
                        continue;
                    }
                    let former = std::mem::replace(&mut slot.value, last).row;
                    slot.expires = expires;
                    let key = StoredKey::clone(&slot.key);
                    self.table.moved(shared_bytes(&stored), shared_bytes(&former));
                    (key, true, lives.then_some(former))
                }
            };
            let same = former.as_ref().is_some_and(|former| *former == stored);
            let group = group_of(&key, self.max_parallelism);
            if !(same && self.ttl_ms == 0) {
                self.changes.put(group, key, stored, expires, known);
            }
            if !(same && self.ttl_ms == 0 && self.order == Order::ProcTime) {
                output.push(index, former, self.update_before);
                self.passed += 1;
            }
        }
        self.rows_in += batch.rows() as u64;
        Ok(output)
    }
}

impl Operator for KeepLast {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        check_insert_only(&batch, "deduplicate rows")?;
        let output = self.apply(&batch, now)?;
        if output.places.is_empty() {
            return Ok(());
        }
        let former = self.codec.decode(&output.former)?;
        let data = interleave_record_batch(&[&batch.data, &former], &output.places)
            .map_err(|error| Error::internal(format!("give the last rows of keys: {error}")))?;
        let kinds = Some(Arc::from(output.kinds));
        out.batch(Batch { data, kinds, fetched_us: batch.fetched_us })
    }

    fn on_tick(&mut self, now: Timestamp, _: &mut dyn Collector) -> Result<()> {
        let changes = &mut self.changes;
        self.table.sweep(now, |slot| changes.expire(&slot.key));
        Ok(())
    }

    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        Frozen { parts: vec![self.changes.freeze(epoch, ROWS)] }
    }

    fn confirm(&mut self, epoch: Epoch) {
        self.changes.confirm(epoch);
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        let (table, codec, owned) = (&mut self.table, &self.codec, self.key_groups.clone());
        restore.state.visit(ROWS, restore.now, &mut |group, key, value| {
            if !owned.contains(&group) {
                return Ok(());
            }
            check_stored(key)?;
            match value {
                Some((row, expires)) if expires > restore.now => {
                    table.put(key, Last { time: codec.check(row)?, row: row.into() }, expires);
                }
                _ => {
                    table.remove(key);
                }
            }
            Ok(())
        })
    }

    fn state_bytes(&self) -> Option<usize> {
        Some(self.table.bytes())
    }

    fn equation(&self) -> Equation {
        Equation {
            rows_in: self.rows_in,
            passed: self.passed,
            deduplicated: self.rows_in - self.passed,
            ..Equation::default()
        }
    }
}

#[cfg(test)]
#[path = "last/tests.rs"]
mod tests;
