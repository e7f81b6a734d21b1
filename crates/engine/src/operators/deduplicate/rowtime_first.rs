//! Keeps the first row of each key in event time: `ROW_NUMBER() OVER (PARTITION BY key ORDER BY rowtime ASC) = 1`.
//!
//! Insert-only in and out, as Flink 2.3 does it: the earliest row of a key (of equal times the one that came first) waits until the watermark reaches its time;
//! then it is given, in order of time, and the key takes no more rows. A row older than the watermark is late. Waiting rows do not expire; given keys are
//! forgotten `table.exec.state.ttl` after their row was given. Rows of the same time are given in the order of their keys' hashes: an order that neither a
//! restart nor rescaling changes.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Epoch, Result, Timestamp};
use weir_connector::Batch;
use weir_state::Frozen;

use super::DeduplicateContext;
use super::exact::ExactKeys;
use super::seen::NewKeys;
use super::table::{KeyTable, shared_bytes};
use crate::keys::{KeyHash, KeyHasher, KeyReader, StoredKey, check_stored, group_of};
use crate::operators::changes::Changes;
use crate::operators::rows::check_insert_only;
use crate::operators::rows::{RowCodec, StoredRow};
use crate::operators::rowtime::{CurrentWatermark, rowtimes};
use crate::operators::{Collector, Equation, Operator, Restore};

/// Names of the parts of state.
const WAITING: &str = "waiting";
const GIVEN: &str = "given";

/// The operator.
pub struct RowTimeFirst {
    hasher: KeyHasher,
    codec: RowCodec,
    rowtime: usize,
    max_parallelism: u16,
    key_groups: std::ops::Range<u16>,
    watermark: CurrentWatermark,
    /// The time of each waiting key's row.
    waiting: KeyTable<Timestamp>,
    /// The waiting rows in the order in which they will be given.
    order: BTreeMap<(Timestamp, StoredKey), Waiting>,
    /// Bytes of the waiting rows.
    waiting_bytes: usize,
    given: ExactKeys,
    waiting_changes: Changes,
    given_changes: NewKeys<StoredKey>,
    hashes: Vec<KeyHash>,
    scratch: Vec<u8>,
    balance: Equation,
}

struct Waiting {
    row: StoredRow,
    fetched_us: u64,
}

impl RowTimeFirst {
    /// The operator over `keys`, by the column `rowtime`.
    ///
    /// # Errors
    /// A column cannot be a key, or cannot be kept in state.
    pub fn new(keys: &[usize], rowtime: usize, context: &DeduplicateContext<'_>) -> Result<Self> {
        Ok(Self {
            hasher: KeyHasher::new(keys, context.input)?,
            codec: RowCodec::new(context.input)?,
            rowtime,
            max_parallelism: context.max_parallelism,
            key_groups: context.key_groups.clone(),
            watermark: CurrentWatermark::new(context.key_groups.clone()),
            waiting: KeyTable::new(),
            order: BTreeMap::new(),
            waiting_bytes: 0,
            given: ExactKeys::new(context.state_ttl),
            waiting_changes: Changes::default(),
            given_changes: NewKeys::default(),
            hashes: Vec::new(),
            scratch: Vec::new(),
            balance: Equation::default(),
        })
    }

    /// Lets a row of the key in `scratch` wait, instead of a later one.
    fn wait(&mut self, time: Timestamp, row: StoredRow, fetched_us: u64) {
        let former = self.waiting.find(&self.scratch).map(|slot| (slot.value, StoredKey::clone(&slot.key)));
        let key = match &former {
            Some((former_time, _)) if *former_time <= time => {
                self.balance.deduplicated += 1;
                return;
            }
            Some((former_time, key)) => {
                let replaced = self.order.remove(&(*former_time, StoredKey::clone(key)));
                self.waiting_bytes -= replaced.map_or(0, |waiting| shared_bytes(&waiting.row));
                self.balance.deduplicated += 1;
                StoredKey::clone(key)
            }
            None => StoredKey::from(self.scratch.as_slice()),
        };
        self.waiting.put(&key, time, Timestamp::MAX);
        let group = group_of(&key, self.max_parallelism);
        let known = former.is_some();
        self.waiting_changes.put(group, StoredKey::clone(&key), StoredRow::clone(&row), Timestamp::MAX, known);
        self.waiting_bytes += shared_bytes(&row);
        self.order.insert((time, key), Waiting { row, fetched_us });
    }

    /// Gives the rows whose time has come, in batches.
    fn give(&mut self, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        while let Some(batch) = self.next_batch(now)? {
            self.balance.passed += batch.rows() as u64;
            out.batch(batch)?;
        }
        Ok(())
    }

    fn next_batch(&mut self, now: Timestamp) -> Result<Option<Batch>> {
        let mut rows = Vec::new();
        let mut fetched_us = 0;
        self.given_changes.begin(now, self.given.expires(now));
        while rows.len() < BATCH_ROWS_MAX {
            let Some(first) = self.order.first_entry() else { break };
            if first.key().0 > self.watermark.get() {
                break;
            }
            let ((_, key), waiting) = first.remove_entry();
            self.waiting.remove(&key);
            self.waiting_bytes -= shared_bytes(&waiting.row);
            if let Some(given) = self.given.insert(&key, now) {
                self.given_changes.push(given);
            }
            self.waiting_changes.delete(group_of(&key, self.max_parallelism), key);
            fetched_us = oldest(fetched_us, waiting.fetched_us);
            rows.push(waiting.row);
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let data: RecordBatch = self.codec.decode(&rows)?;
        Ok(Some(Batch::inserts(data, fetched_us)))
    }
}

/// The older of two times of fetching, 0 being none.
fn oldest(a: u64, b: u64) -> u64 {
    match (a, b) {
        (0, other) | (other, 0) => other,
        (a, b) => a.min(b),
    }
}

impl Operator for RowTimeFirst {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, _: &mut dyn Collector) -> Result<()> {
        check_insert_only(&batch, "deduplicate rows")?;
        let times = rowtimes(&batch.data, self.rowtime)?;
        self.hasher.hash(&batch.data, &mut self.hashes)?;
        let keys = KeyReader::new(self.hasher.columns(), &batch.data)?;
        let rows = self.codec.encode(batch.data.columns())?;
        let hashes = std::mem::take(&mut self.hashes);
        for (index, hash) in hashes.iter().enumerate() {
            self.balance.rows_in += 1;
            let time = times.value(index);
            if time < self.watermark.get() {
                self.balance.late += 1;
                continue;
            }
            keys.read(index, *hash, &mut self.scratch);
            if self.given.contains(&self.scratch, now) {
                self.balance.deduplicated += 1;
                continue;
            }
            self.wait(time, self.codec.store(rows.row(index), time), batch.fetched_us);
        }
        self.hashes = hashes;
        Ok(())
    }

    fn on_watermark(&mut self, watermark: Timestamp, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        if self.watermark.advance(watermark) { self.give(now, out) } else { Ok(()) }
    }

    fn on_tick(&mut self, now: Timestamp, _: &mut dyn Collector) -> Result<()> {
        self.given.sweep(now);
        Ok(())
    }

    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        let mut parts = vec![
            self.waiting_changes.freeze(epoch, WAITING),
            self.given_changes.freeze(epoch, GIVEN, self.max_parallelism),
        ];
        parts.extend(self.watermark.freeze(epoch));
        Frozen { parts }
    }

    fn confirm(&mut self, epoch: Epoch) {
        self.waiting_changes.confirm(epoch);
        self.given_changes.confirm(epoch);
        self.watermark.confirm(epoch);
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        self.watermark.restore(restore)?;
        let owned = self.key_groups.clone();
        let given = &mut self.given;
        restore.state.visit(GIVEN, restore.now, &mut |group, key, value| match value {
            Some((_, expires)) if owned.contains(&group) && expires > restore.now => given.restore(key, expires),
            _ => Ok(()),
        })?;
        let mut rows: BTreeMap<StoredKey, StoredRow> = BTreeMap::new();
        restore.state.visit(WAITING, restore.now, &mut |group, key, value| {
            match value {
                _ if !owned.contains(&group) => {}
                Some((row, _)) => {
                    rows.insert(key.into(), row.into());
                }
                None => {
                    rows.remove(key);
                }
            }
            Ok(())
        })?;
        for (key, row) in rows {
            check_stored(&key)?;
            let time = self.codec.check(&row)?;
            self.waiting.put(&key, time, Timestamp::MAX);
            self.waiting_bytes += shared_bytes(&row);
            self.order.insert((time, key), Waiting { row, fetched_us: 0 });
        }
        self.balance.restored = self.order.len() as u64;
        Ok(())
    }

    fn state_bytes(&self) -> Option<usize> {
        let entry = size_of::<((Timestamp, StoredKey), Waiting)>();
        Some(self.waiting.bytes() + self.order.len() * entry + self.waiting_bytes + self.given.bytes())
    }

    fn equation(&self) -> Equation {
        Equation { held: self.order.len() as u64, ..self.balance }
    }
}

#[cfg(test)]
#[path = "rowtime_first/tests.rs"]
mod tests;
