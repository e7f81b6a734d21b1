//! OVER by any column, without a bound: a row that comes between others changes the results of those behind it, which are given again.
//!
//! The input may be any changelog. The state are the rows, each with its results. Nothing is given for rows whose functions' states stay as they were, and
//! nothing for those behind them, as in Flink.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use hashbrown::HashMap;
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Epoch, Error, Result, RowKind, Timestamp};
use weir_connector::Batch;
use weir_plan::{OverFrame, OverSpec, Schema, SortKey};
use weir_state::Frozen;

use super::OverContext;
use super::running::Running;
use super::states::cut_off;
use crate::keys::{KeyHash, KeyHasher, KeyReader, StoredKey, check_stored, group_of};
use crate::operators::aggregate::{put_bytes, take_bytes};
use crate::operators::changes::Changes;
use crate::operators::rows::{RowCodec, StoredRow};
use crate::operators::sort_key::{SortBytes, SortKeys};
use crate::operators::{Collector, Equation, Operator, Restore};

/// The part of state.
const ROWS: &str = "rows";

/// The operator.
pub struct SortedOver {
    hasher: KeyHasher,
    codec: RowCodec,
    results: RowCodec,
    sort_keys: SortKeys,
    by_rows: bool,
    running: Running,
    output: SchemaRef,
    ttl_ms: i64,
    max_parallelism: u16,
    key_groups: Range<u16>,
    partitions: HashMap<StoredKey, Partition>,
    changes: Changes,
    given: Given,
    sequence: u64,
    hashes: Vec<KeyHash>,
    rows_in: u64,
    passed: u64,
}

/// The rows of a partition in their order; equal sort keys in the order in which they came.
#[derive(Default)]
struct Partition {
    rows: BTreeMap<Place, Kept>,
    /// Rows that came or got other results, to be written to the next checkpoint.
    touched: Vec<Place>,
}

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    sort: SortBytes,
    sequence: u64,
}

/// A row with what was given for it.
#[derive(Debug, Clone)]
struct Kept {
    row: StoredRow,
    /// Its results.
    result: StoredRow,
    /// What the functions had seen then: what tells whether they have changed.
    seen: StoredRow,
    expires: Timestamp,
}

/// Rows to be given, with their results.
#[derive(Default)]
struct Given {
    rows: Vec<StoredRow>,
    results: Vec<StoredRow>,
    kinds: Vec<RowKind>,
}

impl Given {
    fn push(&mut self, kind: RowKind, row: &StoredRow, result: &StoredRow) {
        self.rows.push(StoredRow::clone(row));
        self.results.push(StoredRow::clone(result));
        self.kinds.push(kind);
    }

    fn update(&mut self, row: &StoredRow, former: &StoredRow, now: &StoredRow) {
        self.push(RowKind::UpdateBefore, row, former);
        self.push(RowKind::UpdateAfter, row, now);
    }
}

/// A row that comes or goes.
struct Change {
    kind: RowKind,
    sort: SortBytes,
    row: StoredRow,
    now: Timestamp,
}

impl SortedOver {
    /// The operator of `spec`, which orders by `key`.
    ///
    /// # Errors
    /// A column cannot be a key, has no order, or cannot be kept in state; a function is not there for its arguments' types.
    pub fn new(spec: &OverSpec, key: SortKey, context: &OverContext<'_>) -> Result<Self> {
        let results = Schema::new(context.output.fields[context.input.fields.len()..].to_vec());
        Ok(Self {
            hasher: KeyHasher::new(&spec.keys, context.input)?,
            codec: RowCodec::new(context.input)?,
            results: RowCodec::new(&results)?,
            sort_keys: SortKeys::new(&[key], context.input)?,
            by_rows: matches!(spec.frame, OverFrame::Rows(_)),
            running: Running::new(&spec.functions)?,
            output: context.output.arrow(),
            ttl_ms: i64::try_from(spec.state_ttl.as_millis()).unwrap_or(i64::MAX),
            max_parallelism: context.max_parallelism,
            key_groups: context.key_groups.clone(),
            partitions: HashMap::new(),
            changes: Changes::default(),
            given: Given::default(),
            sequence: 0,
            hashes: Vec::new(),
            rows_in: 0,
            passed: 0,
        })
    }

    fn expires(&self, now: Timestamp) -> Timestamp {
        if self.ttl_ms == 0 { Timestamp::MAX } else { now.saturating_add(self.ttl_ms) }
    }

    /// Takes a row into the partition or out of it.
    fn apply(&mut self, key: &StoredKey, change: Change) -> Result<()> {
        let mut partition = self.partitions.remove(key).unwrap_or_default();
        self.expire(key, &mut partition, change.now);
        let done = match change.kind {
            RowKind::Insert | RowKind::UpdateAfter => self.add(&mut partition, change),
            RowKind::Delete | RowKind::UpdateBefore => self.take(key, &mut partition, change),
        };
        self.write(key, &mut partition);
        if !partition.rows.is_empty() {
            self.partitions.insert(StoredKey::clone(key), partition);
        }
        done
    }

    /// Marks what has changed for the next checkpoint.
    fn write(&mut self, key: &StoredKey, partition: &mut Partition) {
        let group = group_of(key, self.max_parallelism);
        for place in std::mem::take(&mut partition.touched) {
            if let Some(kept) = partition.rows.get(&place) {
                self.changes.put(group, entry_key(key, place.sequence), kept.write(), kept.expires, true);
            }
        }
    }

    fn expire(&mut self, key: &StoredKey, partition: &mut Partition, now: Timestamp) {
        if self.ttl_ms == 0 {
            return;
        }
        let changes = &mut self.changes;
        partition.rows.retain(|place, kept| {
            let stays = kept.expires > now;
            if !stays {
                changes.expire(&entry_key(key, place.sequence));
            }
            stays
        });
    }

    fn add(&mut self, partition: &mut Partition, change: Change) -> Result<()> {
        let Change { kind, sort, row, now } = change;
        let place = Place { sort, sequence: self.sequence };
        self.sequence += 1;
        self.passed += 1;
        let expires = self.expires(now);
        let same: Vec<(Place, Kept)> = partition.group(&place.sort);
        self.start(partition, if self.by_rows { &place } else { same.first().map_or(&place, |(first, _)| first) })?;
        if !self.by_rows {
            self.running.take_in(&self.codec, same.iter().map(|(_, kept)| &kept.row))?;
        }
        self.running.take_in(&self.codec, [&row])?;
        let (result, seen) = self.running.results(&self.results)?;
        if !self.by_rows && same.first().is_some_and(|(_, kept)| kept.seen != seen) {
            for (at, kept) in &same {
                self.given.update(&kept.row, &kept.result, &result);
                partition.set(at, &result, &seen);
            }
        }
        self.given.push(kind, &row, &result);
        partition.rows.insert(place.clone(), Kept { row, result, seen, expires });
        partition.touched.push(place.clone());
        self.go_on(partition, &place)
    }

    fn take(&mut self, key: &StoredKey, partition: &mut Partition, change: Change) -> Result<()> {
        let Change { sort, row, .. } = change;
        let same = partition.group(&sort);
        // Flink takes the last of equal rows with RANGE, the first with ROWS.
        let mut equal = same.iter().filter(|(_, kept)| kept.row == row);
        let found = if self.by_rows { equal.next() } else { equal.next_back() };
        let Some((place, gone)) = found.cloned() else { return Ok(()) };
        self.passed += 1;
        partition.rows.remove(&place);
        self.changes.delete(group_of(key, self.max_parallelism), entry_key(key, place.sequence));
        if self.by_rows {
            self.given.push(RowKind::Delete, &gone.row, &gone.result);
            self.start(partition, &place)?;
            return self.go_on(partition, &place);
        }
        let first = same.first().map_or(&place, |(first, _)| first);
        self.start(partition, first)?;
        let others = same.iter().filter(|(_, kept)| kept.row != row).map(|(_, kept)| &kept.row);
        self.running.take_in(&self.codec, others)?;
        let (result, seen) = self.running.results(&self.results)?;
        let changed = seen != gone.seen;
        for (at, kept) in &same {
            if *at == place {
                self.given.push(RowKind::Delete, &kept.row, &kept.result);
            } else if changed {
                self.given.update(&kept.row, &kept.result, &result);
                partition.set(at, &result, &seen);
            }
        }
        let last = same.last().map_or(&place, |(last, _)| last).clone();
        self.go_on(partition, &last)
    }

    /// Makes the running functions see all rows before `place`.
    fn start(&mut self, partition: &Partition, place: &Place) -> Result<()> {
        let before = partition.rows.range(..place);
        match before.clone().next_back() {
            None => self.running.reset(),
            Some((_, kept)) if self.running.can_go_on() => self.running.go_on_from(&kept.seen)?,
            Some(_) => {
                self.running.reset();
                let rows: Vec<&StoredRow> = before.map(|(_, kept)| &kept.row).collect();
                for rows in rows.chunks(BATCH_ROWS_MAX) {
                    self.running.take_in(&self.codec, rows.iter().copied())?;
                }
            }
        }
        Ok(())
    }

    /// Gives what changes behind `place`, as far as anything does.
    fn go_on(&mut self, partition: &mut Partition, place: &Place) -> Result<()> {
        let behind: Vec<(Place, Kept)> = partition
            .rows
            .range((Bound::Excluded(place), Bound::Unbounded))
            .map(|(place, kept)| (place.clone(), kept.clone()))
            .collect();
        let groups = behind.chunk_by(|a, b| !self.by_rows && a.0.sort == b.0.sort);
        for group in groups {
            self.running.take_in(&self.codec, group.iter().map(|(_, kept)| &kept.row))?;
            let (result, seen) = self.running.results(&self.results)?;
            if group.first().is_some_and(|(_, kept)| kept.seen == seen) {
                return Ok(());
            }
            for (at, kept) in group {
                self.given.update(&kept.row, &kept.result, &result);
                partition.set(at, &result, &seen);
            }
        }
        Ok(())
    }

    fn give(&mut self, fetched_us: u64, out: &mut dyn Collector) -> Result<()> {
        let given = std::mem::take(&mut self.given);
        if given.rows.is_empty() {
            return Ok(());
        }
        let rows = self.codec.decode(&given.rows)?;
        let results = self.results.decode(&given.results)?;
        let columns = rows.columns().iter().chain(results.columns()).cloned().collect();
        let data = RecordBatch::try_new(SchemaRef::clone(&self.output), columns)
            .map_err(|error| Error::internal(format!("give the rows of an OVER aggregation: {error}")))?;
        out.batch(Batch { data, kinds: Some(given.kinds.into()), fetched_us })
    }
}

impl Kept {
    /// Its bytes in a checkpoint.
    fn write(&self) -> StoredRow {
        let mut bytes = Vec::new();
        [&self.row, &self.result, &self.seen].into_iter().for_each(|part| put_bytes(part, &mut bytes));
        bytes.into()
    }

    /// Takes them back; `None`: they are cut off.
    fn read(mut bytes: &[u8], expires: Timestamp) -> Option<Self> {
        let mut part = || take_bytes(&mut bytes).map(StoredRow::from);
        Some(Self { row: part()?, result: part()?, seen: part()?, expires })
    }
}

impl Partition {
    fn group(&self, sort: &SortBytes) -> Vec<(Place, Kept)> {
        let from = Place { sort: SortBytes::clone(sort), sequence: 0 };
        let same = self.rows.range(from..).take_while(|(place, _)| place.sort == *sort);
        same.map(|(place, kept)| (place.clone(), kept.clone())).collect()
    }

    fn set(&mut self, place: &Place, result: &StoredRow, seen: &StoredRow) {
        if let Some(kept) = self.rows.get_mut(place) {
            kept.result = StoredRow::clone(result);
            kept.seen = StoredRow::clone(seen);
            self.touched.push(place.clone());
        }
    }
}

fn entry_key(key: &[u8], sequence: u64) -> StoredKey {
    key.iter().copied().chain(sequence.to_be_bytes()).collect()
}

impl Operator for SortedOver {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        self.hasher.hash(&batch.data, &mut self.hashes)?;
        let columns = self.hasher.columns().to_vec();
        let keys = KeyReader::new(&columns, &batch.data)?;
        let sorts = self.sort_keys.of(&batch.data)?;
        let rows = self.codec.encode(batch.data.columns())?;
        let hashes = std::mem::take(&mut self.hashes);
        let mut scratch = Vec::new();
        for (index, hash) in hashes.iter().enumerate() {
            self.rows_in += 1;
            keys.read(index, *hash, &mut scratch);
            let row = self.codec.store(rows.row(index), 0);
            let change = Change { kind: batch.kind(index), sort: sorts.get(index), row, now };
            self.apply(&StoredKey::from(scratch.as_slice()), change)?;
            if self.given.rows.len() >= BATCH_ROWS_MAX {
                self.give(batch.fetched_us, out)?;
            }
        }
        self.hashes = hashes;
        self.give(batch.fetched_us, out)
    }

    fn on_tick(&mut self, now: Timestamp, _: &mut dyn Collector) -> Result<()> {
        if self.ttl_ms != 0 {
            let changes = &mut self.changes;
            self.partitions.retain(|key, partition| {
                let stays = partition.rows.values().any(|kept| kept.expires > now);
                if !stays {
                    partition.rows.keys().for_each(|place| changes.expire(&entry_key(key, place.sequence)));
                }
                stays
            });
        }
        Ok(())
    }

    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        Frozen { parts: vec![self.changes.freeze(epoch, ROWS)] }
    }

    fn confirm(&mut self, epoch: Epoch) {
        self.changes.confirm(epoch);
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        let owned = self.key_groups.clone();
        let mut entries: BTreeMap<Vec<u8>, Kept> = BTreeMap::new();
        restore.state.visit(ROWS, restore.now, &mut |group, key, value| {
            match value.filter(|(_, expires)| *expires > restore.now) {
                _ if !owned.contains(&group) => {}
                Some((bytes, expires)) => {
                    let kept = Kept::read(bytes, expires).ok_or_else(cut_off)?;
                    entries.insert(key.to_vec(), kept);
                }
                None => drop(entries.remove(key)),
            }
            Ok(())
        })?;
        let entries: Vec<(Vec<u8>, Kept)> = entries.into_iter().collect();
        for chunk in entries.chunks(BATCH_ROWS_MAX) {
            for (_, kept) in chunk {
                self.codec.check(&kept.row)?;
                self.results.check(&kept.result)?;
            }
            let data = self.codec.decode(chunk.iter().map(|(_, kept)| &kept.row))?;
            let sorts = self.sort_keys.of(&data)?;
            for (index, (entry, kept)) in chunk.iter().enumerate() {
                let Some((key, sequence)) = entry.split_last_chunk() else { return Err(cut_off()) };
                check_stored(key)?;
                let place = Place { sort: sorts.get(index), sequence: u64::from_be_bytes(*sequence) };
                self.sequence = self.sequence.max(place.sequence + 1);
                self.partitions.entry(key.into()).or_default().rows.insert(place, kept.clone());
            }
        }
        Ok(())
    }

    fn state_bytes(&self) -> Option<usize> {
        let kept = |(place, kept): (&Place, &Kept)| {
            place.sort.len() + kept.row.len() + kept.result.len() + kept.seen.len() + size_of::<(Place, Kept)>()
        };
        Some(self.partitions.values().map(|partition| partition.rows.iter().map(kept).sum::<usize>()).sum())
    }

    fn equation(&self) -> Equation {
        Equation {
            rows_in: self.rows_in,
            passed: self.passed,
            filtered: self.rows_in - self.passed,
            ..Equation::default()
        }
    }
}

#[cfg(test)]
#[path = "sorted/tests.rs"]
mod tests;
