//! OVER by a time attribute: each row is given once, with functions over its partition up to it.
//!
//! By event time rows wait for the watermark and are given in the order of time; by processing time at once, but with RANGE over an interval, where the rows
//! of a millisecond are given together when it is over. What Flink holds to be late depends on the frame and is kept: without a bound a row behind the
//! watermark, with one a row that is not behind the last one given of its partition.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use hashbrown::HashMap;
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Epoch, Error, Kind, Result, Timestamp};
use weir_connector::Batch;
use weir_plan::{OverFrame, OverSpec, TimeDomain};
use weir_state::Frozen;

use super::OverContext;
use super::clock::Retention;
use super::functions::Functions;
use super::partition::Partition;
use super::states::{Head, STATES, StateChanges, cut_off, read_state};
use super::units::{Unit, results};
use crate::keys::{KeyHash, KeyHasher, KeyReader, StoredKey, check_stored, group_of};
use crate::operators::aggregate::{ELEMENTS, read_element_key};
use crate::operators::changes::Changes;
use crate::operators::rows::{RowCodec, StoredRow, check_insert_only};
use crate::operators::rowtime::{CurrentWatermark, rowtimes};
use crate::operators::{Collector, Equation, Operator, Restore};

/// The part of state that holds rows.
const ROWS: &str = "rows";

/// The operator.
pub struct TimeOver {
    hasher: KeyHasher,
    codec: RowCodec,
    /// The rowtime column; `None`: processing time.
    rowtime: Option<usize>,
    frame: OverFrame,
    functions: Functions,
    output: SchemaRef,
    retention: Retention,
    max_parallelism: u16,
    key_groups: Range<u16>,
    watermark: CurrentWatermark,
    partitions: HashMap<StoredKey, Partition>,
    /// What is due when, equal times in the order in which they were set.
    timers: BTreeMap<(Timestamp, u64), StoredKey>,
    /// Counts rows and timers.
    sequence: u64,
    rows: Changes,
    states: StateChanges,
    pending: Pending,
    hashes: Vec<KeyHash>,
    scratch: Vec<u8>,
    balance: Equation,
    fetched_us: u64,
}

/// Units whose results are not made yet.
#[derive(Default)]
struct Pending {
    units: Vec<Unit>,
    rows: Vec<StoredRow>,
    back: Vec<StoredRow>,
}

fn count(rows: &[StoredRow]) -> u32 {
    u32::try_from(rows.len()).expect("far fewer rows are pending than a u32 counts")
}

impl Pending {
    fn push(&mut self, key: u32, back: Vec<StoredRow>, rows: impl IntoIterator<Item = StoredRow>) {
        let (back_start, start) = (count(&self.back), count(&self.rows));
        self.back.extend(back);
        self.rows.extend(rows);
        self.units.push(Unit { key, back: back_start..count(&self.back), rows: start..count(&self.rows) });
    }
}

impl TimeOver {
    /// The operator of `spec`, which orders by `domain`.
    ///
    /// # Errors
    /// A column cannot be a key, or cannot be kept in state; a function is not there for its arguments' types.
    pub fn new(spec: &OverSpec, domain: TimeDomain, context: &OverContext<'_>) -> Result<Self> {
        let retracts = matches!(spec.frame, OverFrame::Rows(Some(_)) | OverFrame::Range(Some(_)));
        Ok(Self {
            hasher: KeyHasher::new(&spec.keys, context.input)?,
            codec: RowCodec::new(context.input)?,
            rowtime: match domain {
                TimeDomain::Event(column) => Some(column),
                TimeDomain::Processing => None,
            },
            frame: spec.frame,
            functions: Functions::new(&spec.functions, retracts)?,
            output: context.output.arrow(),
            retention: Retention { ttl_ms: i64::try_from(spec.state_ttl.as_millis()).unwrap_or(i64::MAX) },
            max_parallelism: context.max_parallelism,
            key_groups: context.key_groups.clone(),
            watermark: CurrentWatermark::new(context.key_groups.clone()),
            partitions: HashMap::new(),
            timers: BTreeMap::new(),
            sequence: 0,
            rows: Changes::default(),
            states: StateChanges::default(),
            pending: Pending::default(),
            hashes: Vec::new(),
            scratch: Vec::new(),
            balance: Equation::default(),
            fetched_us: 0,
        })
    }

    /// Range over an interval has its own rule of forgetting, by the time of its order.
    fn retains(&self) -> bool {
        !matches!(self.frame, OverFrame::Range(Some(_)))
    }

    fn partition(&mut self, key: &StoredKey) -> &mut Partition {
        let functions = &mut self.functions;
        self.partitions.entry(StoredKey::clone(key)).or_insert_with(|| Partition::new(functions.add_key()))
    }

    /// Takes a row in that waits for its time.
    fn wait(&mut self, key: &StoredKey, time: Timestamp, due: Timestamp, row: StoredRow) {
        let sequence = self.sequence;
        self.sequence += 1;
        let group = group_of(key, self.max_parallelism);
        self.rows.put(group, entry_key(key, sequence), StoredRow::clone(&row), Timestamp::MAX, false);
        let frame = self.frame;
        let partition = self.partition(key);
        partition.rows.entry(time).or_default().push((sequence, row));
        let cleanup = partition.cleanup_after(frame, time);
        self.set_timer(key, due, sequence);
        if let Some(cleanup) = cleanup {
            self.set_timer(key, cleanup, sequence);
            self.states.put(key);
        }
    }

    fn set_timer(&mut self, key: &StoredKey, due: Timestamp, sequence: u64) {
        let partition = self.partition(key);
        if partition.timers.insert(due) {
            self.timers.insert((due, sequence), StoredKey::clone(key));
        }
    }

    /// Gives a row at once: by processing time, but for RANGE over an interval.
    fn give_now(&mut self, key: &StoredKey, now: Timestamp, row: StoredRow) {
        let OverFrame::Rows(Some(before)) = self.frame else {
            let number = self.partition(key).number;
            self.pending.push(number, Vec::new(), [row]);
            return;
        };
        let sequence = self.sequence;
        self.sequence += 1;
        let group = group_of(key, self.max_parallelism);
        self.rows.put(group, entry_key(key, sequence), StoredRow::clone(&row), Timestamp::MAX, false);
        let partition = self.partition(key);
        let number = partition.number;
        let back = partition.count_in(before).then(|| partition.take_oldest()).flatten();
        partition.rows.entry(now).or_default().push((sequence, StoredRow::clone(&row)));
        if let Some((gone, _)) = &back {
            self.rows.delete(group, entry_key(key, *gone));
        }
        self.pending.push(number, back.into_iter().map(|(_, row)| row).collect(), [row]);
    }

    /// What is due at `time` in the partition `key`.
    fn fire(&mut self, key: &StoredKey, time: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let Some(partition) = self.partitions.get_mut(key) else { return Ok(()) };
        if partition.cleanup.is_some_and(|cleanup| cleanup <= time) {
            self.flush(out)?;
            self.clear(key);
            return Ok(());
        }
        let group = group_of(key, self.max_parallelism);
        // By processing time the rows of a millisecond are given one later.
        let rows_time = if self.rowtime.is_some() { time } else { time - 1 };
        let number = partition.number;
        let due: Vec<(u64, StoredRow)> = partition.rows.get(&rows_time).cloned().unwrap_or_default();
        match self.frame {
            OverFrame::Rows(None) | OverFrame::Range(None) => {
                partition.rows.remove(&rows_time);
                due.iter().for_each(|(sequence, _)| self.rows.delete(group, entry_key(key, *sequence)));
                let rows = due.iter().map(|(_, row)| StoredRow::clone(row));
                if self.frame == OverFrame::Range(None) {
                    self.pending.push(number, Vec::new(), rows);
                } else {
                    rows.for_each(|row| self.pending.push(number, Vec::new(), [row]));
                }
            }
            OverFrame::Rows(Some(before)) => {
                for (_, row) in &due {
                    let back = partition.count_in(before).then(|| partition.take_oldest()).flatten();
                    if let Some((gone, _)) = &back {
                        self.rows.delete(group, entry_key(key, *gone));
                    }
                    let back = back.into_iter().map(|(_, row)| row).collect();
                    self.pending.push(number, back, [StoredRow::clone(row)]);
                }
            }
            OverFrame::Range(Some(before)) => {
                if !due.is_empty() {
                    let back = partition.take_before(rows_time.saturating_sub_unsigned(before));
                    back.iter().for_each(|(gone, _)| self.rows.delete(group, entry_key(key, *gone)));
                    let back = back.into_iter().map(|(_, row)| row).collect();
                    self.pending.push(number, back, due.iter().map(|(_, row)| StoredRow::clone(row)));
                }
            }
        }
        partition.last = Some(rows_time);
        self.balance.passed += due.len() as u64;
        self.states.put(key);
        if self.pending.rows.len() >= BATCH_ROWS_MAX { self.flush(out) } else { Ok(()) }
    }

    /// Fires all that is due until `time`.
    fn fire_until(&mut self, time: Timestamp, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        while let Some(first) = self.timers.first_entry().filter(|first| first.key().0 <= time) {
            let ((due, _), key) = first.remove_entry();
            if let Some(partition) = self.partitions.get_mut(&key) {
                partition.timers.remove(&due);
            }
            self.fire(&key, due, out)?;
            self.touch(&key, now);
        }
        self.flush(out)
    }

    /// A partition was used: it lives on.
    fn touch(&mut self, key: &StoredKey, now: Timestamp) {
        if !self.retains() {
            return;
        }
        let retention = self.retention;
        let Some(partition) = self.partitions.get_mut(key) else { return };
        let expires = retention.touched(partition.expires, now);
        if expires != partition.expires {
            partition.expires = expires;
            self.states.put(key);
        }
    }

    /// Forgets the partition `key` where its time has come and no row of it waits.
    fn expire(&mut self, key: &StoredKey, now: Timestamp) {
        let Some(partition) = self.partitions.get(key).filter(|partition| partition.expires <= now) else { return };
        if self.rowtime.is_some() && partition.waits() {
            self.touch(key, now);
        } else {
            self.clear(key);
        }
    }

    /// Forgets a partition: its rows, its state.
    fn clear(&mut self, key: &StoredKey) {
        let Some(partition) = self.partitions.remove(key) else { return };
        let group = group_of(key, self.max_parallelism);
        for (sequence, _) in partition.rows.values().flatten() {
            self.rows.delete(group, entry_key(key, *sequence));
        }
        if !self.gives_at_once() {
            self.balance.passed += partition.waiting();
        }
        self.states.delete(key, self.functions.aggregates.forget(partition.number));
        self.functions.free_key(partition.number);
    }

    /// Makes the results of what is pending and gives it.
    fn flush(&mut self, out: &mut dyn Collector) -> Result<()> {
        if self.pending.units.is_empty() {
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending);
        let data = self.codec.decode(&pending.rows)?;
        let back = self.codec.decode(&pending.back)?;
        let results = results(&mut self.functions, &pending.units, &data, &back)?;
        let fetched_us = std::mem::take(&mut self.fetched_us);
        out.batch(Batch::inserts(self.with_results(&data, results)?, fetched_us))
    }

    fn with_results(&self, data: &RecordBatch, results: Vec<ArrayRef>) -> Result<RecordBatch> {
        let columns = data.columns().iter().cloned().chain(results).collect();
        RecordBatch::try_new(SchemaRef::clone(&self.output), columns)
            .map_err(|error| Error::internal(format!("give the rows of an OVER aggregation: {error}")))
    }

    /// Takes one row in.
    fn take(&mut self, key: &StoredKey, time: Option<Timestamp>, row: StoredRow, now: Timestamp) {
        if self.retains() {
            self.expire(key, now);
            self.partition(key);
            self.touch(key, now);
        }
        let Some(time) = time else {
            if matches!(self.frame, OverFrame::Range(Some(_))) {
                self.wait(key, now, now + 1, row);
            } else {
                self.give_now(key, now, row);
                self.states.put(key);
                self.balance.passed += 1;
            }
            return;
        };
        let unbounded = matches!(self.frame, OverFrame::Rows(None) | OverFrame::Range(None));
        let last = self.partitions.get(key).and_then(|partition| partition.last).unwrap_or(0);
        if time <= if unbounded { self.watermark.get() } else { last } {
            self.balance.late += 1;
        } else {
            self.wait(key, time, time, row);
        }
    }

    fn restore_states(&mut self, restore: &Restore<'_>) -> Result<()> {
        for (key, (bytes, expires)) in newest(restore, STATES, &self.key_groups)? {
            check_stored(&key)?;
            let key = StoredKey::from(key.as_slice());
            let number = self.partition(&key).number;
            let head = read_state(&mut self.functions, number, &bytes)?;
            let partition = self.partition(&key);
            partition.read_head(&head).ok_or_else(cut_off)?;
            partition.expires = expires;
            for cleanup in std::mem::take(&mut partition.cleanups) {
                self.set_timer(&key, cleanup, self.sequence);
                self.sequence += 1;
            }
        }
        for (key, (value, _)) in newest(restore, ELEMENTS, &self.key_groups)? {
            let element = read_element_key(&key)?;
            if let Some(partition) = self.partitions.get(element.owner) {
                self.functions.aggregates.read_element(partition.number, &element, &value)?;
            }
        }
        Ok(())
    }
}

fn entry_key(key: &[u8], sequence: u64) -> StoredKey {
    key.iter().copied().chain(sequence.to_be_bytes()).collect()
}

/// Values with when they expire, by their keys.
type Entries = BTreeMap<Vec<u8>, (Vec<u8>, Timestamp)>;

/// The newest entries of a part that are there.
fn newest(restore: &Restore<'_>, part: &str, owned: &Range<u16>) -> Result<Entries> {
    let mut entries = Entries::new();
    restore.state.visit(part, restore.now, &mut |group, key, value| {
        match value.filter(|(_, expires)| *expires > restore.now) {
            _ if !owned.contains(&group) => {}
            Some((value, expires)) => drop(entries.insert(key.to_vec(), (value.to_vec(), expires))),
            None => drop(entries.remove(key)),
        }
        Ok(())
    })?;
    Ok(entries)
}

impl Operator for TimeOver {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        check_insert_only(&batch, "aggregate OVER a time attribute")?;
        let times = self.rowtime.map(|column| rowtimes(&batch.data, column)).transpose()?;
        self.hasher.hash(&batch.data, &mut self.hashes)?;
        let columns = self.hasher.columns().to_vec();
        let keys = KeyReader::new(&columns, &batch.data)?;
        let rows = self.codec.encode(batch.data.columns())?;
        let hashes = std::mem::take(&mut self.hashes);
        self.fetched_us = batch.fetched_us;
        for (index, hash) in hashes.iter().enumerate() {
            self.balance.rows_in += 1;
            keys.read(index, *hash, &mut self.scratch);
            let key = match self.partitions.get_key_value(self.scratch.as_slice()) {
                Some((key, _)) => StoredKey::clone(key),
                None => StoredKey::from(self.scratch.as_slice()),
            };
            let time = times.map(|times| times.value(index));
            self.take(&key, time, self.codec.store(rows.row(index), time.unwrap_or(now)), now);
        }
        self.hashes = hashes;
        self.flush(out)
    }

    fn on_watermark(&mut self, watermark: Timestamp, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        if self.watermark.advance(watermark) && self.rowtime.is_some() {
            self.fire_until(watermark, now, out)?;
        }
        Ok(())
    }

    fn on_tick(&mut self, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        if self.rowtime.is_none() {
            self.fire_until(now, now, out)?;
        }
        if self.retains() && self.retention.ttl_ms != 0 {
            let due = self.partitions.iter().filter(|(_, partition)| partition.expires <= now);
            let due: Vec<StoredKey> = due.map(|(key, _)| StoredKey::clone(key)).collect();
            due.iter().for_each(|key| self.expire(key, now));
        }
        Ok(())
    }

    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        let partitions = &self.partitions;
        let head = |key: &StoredKey| {
            let partition = partitions.get(key)?;
            Some(Head { number: partition.number, bytes: partition.head(), expires: partition.expires })
        };
        let mut parts = self.states.freeze(epoch, &mut self.functions, self.max_parallelism, head);
        parts.push(self.rows.freeze(epoch, ROWS));
        parts.extend(self.watermark.freeze(epoch));
        Frozen { parts }
    }

    fn confirm(&mut self, epoch: Epoch) {
        self.states.confirm(epoch);
        self.rows.confirm(epoch);
        self.watermark.confirm(epoch);
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        self.watermark.restore(restore)?;
        self.restore_states(restore)?;
        let mut rows: Vec<(u64, StoredKey, StoredRow)> = Vec::new();
        for (entry, (row, _)) in newest(restore, ROWS, &self.key_groups)? {
            let Some((key, sequence)) = entry.split_last_chunk() else {
                return Err(Error::new(Kind::Corrupt, "read a row from state: its key is too short"));
            };
            check_stored(key)?;
            rows.push((u64::from_be_bytes(*sequence), key.into(), row.as_slice().into()));
        }
        rows.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        for (sequence, key, row) in rows {
            let time = self.codec.check(&row)?;
            let partition = self.partition(&key);
            let waits = partition.last.is_none_or(|last| time > last);
            partition.rows.entry(time).or_default().push((sequence, row));
            self.sequence = self.sequence.max(sequence + 1);
            let by_rows_now = self.rowtime.is_none() && !matches!(self.frame, OverFrame::Range(Some(_)));
            if waits && !by_rows_now {
                let due = if self.rowtime.is_some() { time } else { time + 1 };
                self.set_timer(&key, due, sequence);
                self.balance.restored += 1;
            }
        }
        Ok(())
    }

    fn state_bytes(&self) -> Option<usize> {
        let partition = |partition: &Partition| partition.bytes() + size_of::<(StoredKey, Partition)>();
        let timers = self.timers.len() * size_of::<((Timestamp, u64), StoredKey)>();
        Some(self.functions.bytes() + timers + self.partitions.values().map(partition).sum::<usize>())
    }

    fn equation(&self) -> Equation {
        let waits = |partition: &Partition| if self.gives_at_once() { 0 } else { partition.waiting() };
        Equation { held: self.partitions.values().map(waits).sum(), ..self.balance }
    }
}

impl TimeOver {
    fn gives_at_once(&self) -> bool {
        self.rowtime.is_none() && !matches!(self.frame, OverFrame::Range(Some(_)))
    }
}

#[cfg(test)]
#[path = "time/tests.rs"]
mod tests;
