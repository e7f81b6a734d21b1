//! Keeps the rows of each partition in their order and gives what changes in its range of places.
//!
//! A row of the state is an entry: its key is the partition's stored key and the row's number in it, its value the row. Sort keys are made anew from the rows
//! when they come back.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType as ArrowType, SchemaRef};
use hashbrown::hash_table::Entry;
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Epoch, Error, Kind, Result, RowKind, Timestamp};
use weir_connector::Batch;
use weir_plan::{RankEnd, RankRange, RankSpec, RankStrategy};
use weir_state::Frozen;

use super::output::{Output, Shown};
use super::partition::{Partition, Place, RankedRow};
use super::{RankContext, append, retract, update};
use crate::keys::{KeyHash, KeyHasher, KeyReader, StoredKey, check_stored, group_of};
use crate::operators::changes::Changes;
use crate::operators::deduplicate::table::{Kept, KeyTable, Slot, expires, shared_bytes};
use crate::operators::rows::{RowCodec, StoredRow};
use crate::operators::sort_key::SortKeys;
use crate::operators::{Collector, Equation, Operator, Restore};

/// The part of state that holds the rows.
const ROWS: &str = "rows";
/// The part of state that holds the last place of partitions that say it themselves.
const ENDS: &str = "ends";

/// The rows of a partition that says its last place itself which Flink keeps at most before a new row must stand before the last one.
const ROOM_OF_COLUMN: u64 = 100;

/// How a row changes its partition.
enum Strategy {
    TopOne,
    Append,
    /// The hasher makes the key of a row.
    Update(KeyHasher),
    Retract,
}

/// The operator.
pub struct TopN {
    hasher: KeyHasher,
    codec: RowCodec,
    sort_keys: SortKeys,
    strategy: Strategy,
    range: RankRange,
    /// Whether Flink's algorithm with places is needed: they are given, or do not begin at 1.
    told: bool,
    numbered: Option<SchemaRef>,
    update_before: bool,
    ttl_ms: i64,
    max_parallelism: u16,
    key_groups: Range<u16>,
    table: KeyTable<Partition>,
    rows: Changes,
    ends: Changes,
    output: Output,
    hashes: Vec<KeyHash>,
    scratch: Vec<u8>,
    rows_in: u64,
    passed: u64,
}

/// A row of a batch, ready for its partition.
struct Incoming {
    kind: RowKind,
    sort: crate::operators::sort_key::SortBytes,
    row: RankedRow,
}

impl TopN {
    /// The operator of `spec`.
    ///
    /// # Errors
    /// A column cannot be a key, has no order, or cannot be kept in state.
    pub fn new(spec: &RankSpec, context: &RankContext<'_>) -> Result<Self> {
        let top_one = spec.range == RankRange { start: 1, end: RankEnd::Constant(1) };
        let strategy = match &spec.strategy {
            RankStrategy::AppendFast | RankStrategy::UpdateFast(_) if top_one => Strategy::TopOne,
            RankStrategy::AppendFast => Strategy::Append,
            RankStrategy::UpdateFast(columns) => Strategy::Update(KeyHasher::new(columns, context.input)?),
            RankStrategy::Retract => Strategy::Retract,
            RankStrategy::FirstRows => return Err(Error::internal("rank the first rows: they are only counted")),
        };
        Ok(Self {
            hasher: KeyHasher::new(&spec.keys, context.input)?,
            codec: RowCodec::new(context.input)?,
            sort_keys: SortKeys::new(&spec.order, context.input)?,
            strategy,
            range: spec.range,
            told: spec.number || spec.range.start > 1,
            numbered: spec.number.then(|| context.output.arrow()),
            update_before: context.update_before,
            ttl_ms: i64::try_from(spec.state_ttl.as_millis()).unwrap_or(i64::MAX),
            max_parallelism: context.max_parallelism,
            key_groups: context.key_groups.clone(),
            table: KeyTable::new(),
            rows: Changes::default(),
            ends: Changes::default(),
            output: Output::default(),
            hashes: Vec::new(),
            scratch: Vec::new(),
            rows_in: 0,
            passed: 0,
        })
    }

    /// Takes one row into the partition whose stored key is in `scratch`. `end`: what the row says of its partition's last place.
    fn take(&mut self, incoming: Incoming, end: u64, now: Timestamp) {
        let expires = incoming.row.expires;
        let mut added = 0;
        let mut slot = match self.table.entry(&self.scratch) {
            Entry::Occupied(slot) => slot,
            Entry::Vacant(vacant) => {
                let key = StoredKey::from(self.scratch.as_slice());
                added += shared_bytes(&key);
                vacant.insert(Slot { key, expires, value: Partition::default() })
            }
        };
        let Slot { key, expires: slot_expires, value: partition } = slot.get_mut();
        let gone = partition.heap_bytes();
        let group = group_of(key, self.max_parallelism);
        if self.ttl_ms != 0 {
            let rows = &mut self.rows;
            partition.expire(now, |sequence| rows.expire(&entry_key(key, sequence)));
            if *slot_expires <= now {
                partition.end = None;
            }
        }
        let known_end = partition.end.is_some();
        let end = *partition.end.get_or_insert(end);
        if !known_end && matches!(self.range.end, RankEnd::Column(_)) {
            self.ends.put(group, StoredKey::clone(key), end.to_le_bytes().as_slice().into(), expires, true);
        }
        let shown = Shown { start: self.range.start, end, update_before: self.update_before };
        let room = match self.range.end {
            RankEnd::Constant(end) => end,
            RankEnd::Column(_) => ROOM_OF_COLUMN,
        };
        if applied(&self.strategy, partition, incoming, self.told, room, shown, &mut self.output) {
            self.passed += 1;
        }
        for changed in partition.changed.drain(..) {
            let entry = entry_key(key, changed.sequence);
            match changed.now {
                Some(row) => self.rows.put(group, entry, row, expires, changed.known),
                None => self.rows.delete(group, entry),
            }
        }
        *slot_expires = (*slot_expires).max(expires);
        added += partition.heap_bytes();
        self.table.moved(added, gone);
    }

    /// The row keys of a batch, where rows are updated by key.
    fn row_keys(&mut self, data: &RecordBatch) -> Result<Option<Vec<StoredKey>>> {
        let Strategy::Update(hasher) = &mut self.strategy else { return Ok(None) };
        let mut hashes = Vec::new();
        hasher.hash(data, &mut hashes)?;
        let reader = KeyReader::new(hasher.columns(), data)?;
        let mut scratch = Vec::new();
        let key = |(row, hash): (usize, &KeyHash)| {
            reader.read(row, *hash, &mut scratch);
            StoredKey::from(scratch.as_slice())
        };
        Ok(Some(hashes.iter().enumerate().map(key).collect()))
    }

    /// Puts rows back that came out of a checkpoint.
    fn restore_rows(&mut self, entries: &[(Vec<u8>, StoredRow, Timestamp)]) -> Result<()> {
        for (_, row, _) in entries {
            self.codec.check(row)?;
        }
        let data = self.codec.decode(entries.iter().map(|(_, row, _)| row))?;
        let sorts = self.sort_keys.of(&data)?;
        let keys = self.row_keys(&data)?;
        for (index, (entry, row, expires)) in entries.iter().enumerate() {
            let (key, sequence) = split_entry(entry)?;
            let place = Place { sort: sorts.get(index), sequence };
            let kept = RankedRow {
                row: StoredRow::clone(row),
                key: keys.as_ref().map(|keys| StoredKey::clone(&keys[index])),
                expires: *expires,
            };
            self.with_partition(key, *expires, |partition| partition.restore(place, kept));
        }
        Ok(())
    }

    fn with_partition(&mut self, key: &[u8], expires: Timestamp, change: impl FnOnce(&mut Partition)) {
        let mut added = 0;
        let mut slot = match self.table.entry(key) {
            Entry::Occupied(slot) => slot,
            Entry::Vacant(vacant) => {
                added += shared_bytes(key);
                vacant.insert(Slot { key: key.into(), expires, value: Partition::default() })
            }
        };
        let slot = slot.get_mut();
        let gone = slot.value.heap_bytes();
        slot.expires = slot.expires.max(expires);
        change(&mut slot.value);
        added += slot.value.heap_bytes();
        self.table.moved(added, gone);
    }
}

/// Whether the row has changed its partition.
fn applied(
    strategy: &Strategy,
    partition: &mut Partition,
    incoming: Incoming,
    told: bool,
    room: u64,
    shown: Shown,
    out: &mut Output,
) -> bool {
    let Incoming { kind, sort, row } = incoming;
    let adds = matches!(kind, RowKind::Insert | RowKind::UpdateAfter);
    match strategy {
        Strategy::TopOne => append::top_one(partition, sort, row, shown, out),
        Strategy::Append if !append::may_enter(partition, &sort, room) => false,
        Strategy::Append if told => {
            append::numbered(partition, sort, row, shown, out);
            true
        }
        Strategy::Append => {
            append::unnumbered(partition, sort, row, shown, out);
            true
        }
        Strategy::Update(_) => update::apply(partition, sort, row, told, room, shown, out),
        Strategy::Retract if adds => {
            retract::add(partition, sort, row, told, shown, out);
            true
        }
        Strategy::Retract => retract::take(partition, &sort, &row.row, told, shown, out),
    }
}

/// The last place that row `index` of `data` says; NULL is 0, as Flink reads it.
///
/// # Errors
/// The column holds no whole number.
pub fn read_end(end: RankEnd, data: &RecordBatch, index: usize) -> Result<u64> {
    let column = match end {
        RankEnd::Constant(end) => return Ok(end),
        RankEnd::Column(column) => data.column(column),
    };
    if column.is_null(index) {
        return Ok(0);
    }
    let value = match column.data_type() {
        ArrowType::Int8 => i64::from(column.as_primitive::<Int8Type>().value(index)),
        ArrowType::Int16 => i64::from(column.as_primitive::<Int16Type>().value(index)),
        ArrowType::Int32 => i64::from(column.as_primitive::<Int32Type>().value(index)),
        ArrowType::Int64 => column.as_primitive::<Int64Type>().value(index),
        other => return Err(Error::internal(format!("read the last place of a ranking from a column of {other}"))),
    };
    Ok(u64::try_from(value).unwrap_or(0))
}

fn entry_key(key: &[u8], sequence: u64) -> StoredKey {
    key.iter().copied().chain(sequence.to_be_bytes()).collect()
}

fn split_entry(entry: &[u8]) -> Result<(&[u8], u64)> {
    let Some((key, sequence)) = entry.split_last_chunk() else {
        return Err(Error::new(
            Kind::Corrupt,
            format!("read a ranked row from state: its key has {} bytes", entry.len()),
        ));
    };
    check_stored(key)?;
    Ok((key, u64::from_be_bytes(*sequence)))
}

impl Operator for TopN {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        self.hasher.hash(&batch.data, &mut self.hashes)?;
        let row_keys = self.row_keys(&batch.data)?;
        let sorts = self.sort_keys.of(&batch.data)?;
        let rows = self.codec.encode(batch.data.columns())?;
        let columns = self.hasher.columns().to_vec();
        let keys = KeyReader::new(&columns, &batch.data)?;
        let hashes = std::mem::take(&mut self.hashes);
        let expires = expires(now, self.ttl_ms);
        for (index, hash) in hashes.iter().enumerate() {
            self.rows_in += 1;
            keys.read(index, *hash, &mut self.scratch);
            let row = RankedRow {
                row: self.codec.store(rows.row(index), 0),
                key: row_keys.as_ref().map(|keys| StoredKey::clone(&keys[index])),
                expires,
            };
            let end = read_end(self.range.end, &batch.data, index)?;
            self.take(Incoming { kind: batch.kind(index), sort: sorts.get(index), row }, end, now);
            if self.output.is_full() {
                self.output.give(&self.codec, self.numbered.as_ref(), batch.fetched_us, out)?;
            }
        }
        self.hashes = hashes;
        self.output.give(&self.codec, self.numbered.as_ref(), batch.fetched_us, out)
    }

    fn on_tick(&mut self, now: Timestamp, _: &mut dyn Collector) -> Result<()> {
        let (rows, ends) = (&mut self.rows, &mut self.ends);
        self.table.sweep(now, |slot| {
            ends.expire(&slot.key);
            slot.value.iter().for_each(|(place, _)| rows.expire(&entry_key(&slot.key, place.sequence)));
        });
        Ok(())
    }

    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        let mut parts = vec![self.rows.freeze(epoch, ROWS)];
        if matches!(self.range.end, RankEnd::Column(_)) {
            parts.push(self.ends.freeze(epoch, ENDS));
        }
        Frozen { parts }
    }

    fn confirm(&mut self, epoch: Epoch) {
        self.rows.confirm(epoch);
        self.ends.confirm(epoch);
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        let owned = self.key_groups.clone();
        let mut entries = BTreeMap::new();
        restore.state.visit(ROWS, restore.now, &mut |group, key, value| {
            match value.filter(|(_, expires)| *expires > restore.now) {
                _ if !owned.contains(&group) => {}
                Some((row, expires)) => drop(entries.insert(key.to_vec(), (StoredRow::from(row), expires))),
                None => drop(entries.remove(key)),
            }
            Ok(())
        })?;
        let entries: Vec<_> = entries.into_iter().map(|(key, (row, expires))| (key, row, expires)).collect();
        entries.chunks(BATCH_ROWS_MAX).try_for_each(|chunk| self.restore_rows(chunk))?;
        let mut ends = BTreeMap::new();
        restore.state.visit(ENDS, restore.now, &mut |group, key, value| {
            if let Some((bytes, expires)) =
                value.filter(|(_, expires)| owned.contains(&group) && *expires > restore.now)
            {
                let corrupt =
                    || Error::new(Kind::Corrupt, format!("read a last place from state: {} bytes", bytes.len()));
                let end = bytes.first_chunk().map(|end| u64::from_le_bytes(*end)).ok_or_else(corrupt)?;
                check_stored(key)?;
                ends.insert(key.to_vec(), (end, expires));
            }
            Ok(())
        })?;
        for (key, (end, expires)) in ends {
            self.with_partition(&key, expires, |partition| partition.end = Some(end));
        }
        Ok(())
    }

    fn state_bytes(&self) -> Option<usize> {
        Some(self.table.bytes())
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
#[path = "top_n/tests.rs"]
mod tests;
