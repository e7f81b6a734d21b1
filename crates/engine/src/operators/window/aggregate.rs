//! `GROUP BY window_start, window_end`: aggregates of each key and window, given when the window fires.
//!
//! Any changelog in, inserts out. A row is taken once, into its slice (or back out of it); a window that overlaps others is put together from its
//! slices when it fires, and a window of
//! CUMULATE goes on where the one before it ended. A row is late, and left out, if the last of its windows has fired. Windows are given by their end, the keys
//! of a window in the order in which they were first seen. The columns given are the keys, the aggregates, the window's properties.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::SchemaRef;
use arrow_select::take::{take, take_arrays};
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Epoch, Error, Result, Timestamp};
use weir_connector::Batch;
use weir_plan::{RowWindows, Schema, TimeDomain, WindowAggregateSpec, WindowProperty};
use weir_state::{Frozen, Unconfirmed};

use super::counted::{aggregates_of, take as take_rows, with_rows};
use super::delta::{Delta, WINDOWS, corrupt, elements_part, part, read_key, read_value};
use super::properties::{Fired, with_properties};
use super::slice::Slice;
use super::windows::Windows;
use crate::keys::{KeyHash, KeyHasher, KeyReader};
use crate::operators::aggregate::{Aggregates, ELEMENTS, read_element_key};
use crate::operators::rows::{RowCodec, StoredRow};
use crate::operators::rowtime::{CurrentWatermark, rowtimes};
use crate::operators::{Collector, Equation, Operator, Restore};

/// What a windowed operator is built from, beside its specification.
#[derive(Debug, Clone)]
pub struct WindowContext<'a> {
    /// The columns of its input.
    pub input: &'a Schema,
    /// The columns it gives.
    pub output: &'a Schema,
    /// `table.local-time-zone`
    pub local_time_zone: &'a str,
    /// The key groups that this subtask owns.
    pub key_groups: Range<u16>,
    /// Key groups of the job.
    pub max_parallelism: u16,
}

/// The operator.
pub struct WindowAggregate {
    windows: Windows,
    rows: RowWindows,
    properties: Vec<WindowProperty>,
    prototype: Aggregates,
    retracts: bool,
    hasher: KeyHasher,
    codec: RowCodec,
    output: SchemaRef,
    mark: u32,
    max_parallelism: u16,
    key_groups: Range<u16>,
    /// The watermark; of processing time how far windows that share slices have fired.
    progress: CurrentWatermark,
    /// Slices by their end.
    open: BTreeMap<Timestamp, Slice>,
    /// Windows that will fire, by their end, with the time at which.
    due: BTreeMap<Timestamp, Timestamp>,
    delta: Delta,
    unconfirmed: Unconfirmed<Arc<Delta>>,
    scratch: Scratch,
    accepted: u64,
    late: u64,
    /// Rows that no window has: between windows of HOP whose slide is greater than their size.
    outside: u64,
}

/// Buffers of one batch, kept for their allocations.
#[derive(Default)]
struct Scratch {
    hashes: Vec<KeyHash>,
    /// The rows of each slice in the batch.
    parts: Vec<(Timestamp, Vec<u32>)>,
    key: Vec<u8>,
    numbers: Vec<u32>,
    late: Vec<u32>,
}

impl WindowAggregate {
    /// The operator of `spec`.
    ///
    /// # Errors
    /// A key cannot be a key, an aggregate is not there for its type, the window has an impossible size, or the time zone is not known.
    pub fn new(spec: &WindowAggregateSpec, context: &WindowContext<'_>) -> Result<Self> {
        let keys = Schema::new(spec.keys.iter().map(|key| context.input.fields[*key].clone()).collect());
        let (prototype, mark) = aggregates_of(&spec.aggregates, spec.retracts)?;
        Ok(Self {
            windows: Windows::new(&spec.window, context.local_time_zone)?,
            rows: spec.rows,
            properties: spec.properties.clone(),
            prototype,
            retracts: spec.retracts,
            hasher: KeyHasher::new(&spec.keys, context.input)?,
            codec: RowCodec::new(&keys)?,
            output: context.output.arrow(),
            mark,
            max_parallelism: context.max_parallelism,
            key_groups: context.key_groups.clone(),
            progress: CurrentWatermark::new(context.key_groups.clone()),
            open: BTreeMap::new(),
            due: BTreeMap::new(),
            delta: Delta::default(),
            unconfirmed: Unconfirmed::default(),
            scratch: Scratch::default(),
            accepted: 0,
            late: 0,
            outside: 0,
        })
    }

    fn is_event_time(&self) -> bool {
        self.rows != RowWindows::Time(TimeDomain::Processing)
    }

    /// Whether windows are put together from slices. A window that rows bring along is one of its own.
    fn shares(&self) -> bool {
        self.windows.share_slices() && matches!(self.rows, RowWindows::Time(_))
    }

    /// Sorts the rows of `data` by slice.
    fn assign(&mut self, data: &RecordBatch, now: Timestamp) -> Result<()> {
        let parts = &mut self.scratch.parts;
        parts.clear();
        let count = u32::try_from(data.num_rows()).expect("a batch has far fewer rows than a u32 counts");
        let mut last = 0;
        let mut add = |row: u32, end: Timestamp| {
            if parts.get(last).is_none_or(|(known, _)| *known != end) {
                last = parts.iter().position(|(known, _)| *known == end).unwrap_or_else(|| {
                    parts.push((end, Vec::new()));
                    parts.len() - 1
                });
            }
            parts[last].1.push(row);
        };
        match self.rows {
            RowWindows::Time(TimeDomain::Processing) => {
                parts.push((self.windows.slice_end(now), (0..count).collect()));
            }
            RowWindows::Time(TimeDomain::Event(column)) => {
                for (row, time) in (0..count).zip(rowtimes(data, column)?.values()) {
                    add(row, self.windows.slice_end(*time));
                }
            }
            RowWindows::End(column) => {
                (0..count).zip(rowtimes(data, column)?.values()).for_each(|(row, end)| add(row, *end));
            }
        }
        Ok(())
    }

    /// Where rows of the slice that ends at `end` go; `None`: nowhere any more, and they are counted.
    fn target(&mut self, end: Timestamp, rows: &[u32]) -> Option<Timestamp> {
        let last = if self.shares() { self.windows.last_window(end) } else { Some(end) };
        let Some(last) = last else {
            self.outside += rows.len() as u64;
            return None;
        };
        if !self.is_event_time() {
            return Some(end);
        }
        let progress = self.progress.get();
        if self.windows.fires_at(last) <= progress {
            self.late += rows.len() as u64;
            self.scratch.late.extend_from_slice(rows);
            return None;
        }
        let goes_on = self.shares() && self.windows.grow() && self.windows.fires_at(end) <= progress;
        Some(if goes_on { self.windows.first_slice(end) } else { end })
    }

    /// Makes sure that the first window of the slice that has not fired will fire.
    fn schedule(&mut self, slice_end: Timestamp) {
        let mut next = if self.shares() { self.windows.first_window(slice_end) } else { Some(slice_end) };
        while let Some(end) = next {
            let fires_at = self.windows.fires_at(end);
            if !self.shares() || fires_at > self.progress.get() {
                self.due.insert(end, fires_at);
                return;
            }
            next = self.windows.next_window(end);
        }
    }

    /// Takes rows into the slice that ends at `end`.
    fn accumulate(&mut self, end: Timestamp, rows: &[u32], batch: &Batch, keys: &KeyReader<'_>) -> Result<()> {
        let Some(end) = self.target(end, rows) else { return Ok(()) };
        if !self.open.contains_key(&end) {
            self.open.insert(end, Slice::new(&self.prototype));
            self.schedule(end);
        }
        let slice = self.open.get_mut(&end).expect("the slice was just made sure of");
        let Scratch { hashes, key, numbers, .. } = &mut self.scratch;
        numbers.clear();
        let mut new_rows: Vec<u32> = Vec::new();
        for row in rows {
            let before = slice.len();
            let hash = hashes[*row as usize];
            keys.read(*row as usize, hash, key);
            numbers.push(slice.number_of(hash, key));
            if slice.len() > before {
                new_rows.push(*row);
            }
        }
        if !new_rows.is_empty() {
            slice.add_rows(key_rows(&self.codec, self.hasher.columns(), &batch.data, new_rows)?);
            slice.grow();
        }
        take_rows(&mut slice.aggregates, batch, rows, numbers)?;
        self.accepted += rows.len() as u64;
        Ok(())
    }

    /// Gives the windows that fire at `progress` or before.
    fn fire(&mut self, progress: Timestamp, out: &mut dyn Collector) -> Result<()> {
        while let Some(first) = self.due.first_entry() {
            if *first.get() > progress {
                return Ok(());
            }
            let (end, fires_at) = first.remove_entry();
            if !self.shares() {
                if let Some(slice) = self.open.remove(&end) {
                    self.give(end, &slice, out)?;
                    self.delta.forget(slice, end);
                }
                continue;
            }
            if self.windows.grow() {
                self.fire_grown(end, out)?
            } else {
                self.fire_put_together(end, out)?
            }
            self.progress.advance(fires_at);
        }
        Ok(())
    }

    /// Gives a window that is the one before it and a slice more; it is kept in the place of the first slice.
    fn fire_grown(&mut self, end: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let first = self.windows.first_slice(end);
        let mut whole = self.open.remove(&first).unwrap_or_else(|| Slice::new(&self.prototype));
        if end != first
            && let Some(slice) = self.open.remove(&end)
        {
            whole.take_in(&slice)?;
            self.delta.forget(slice, end);
        }
        self.give(end, &whole, out)?;
        match self.windows.next_window(end) {
            Some(next) => {
                self.open.insert(first, whole);
                self.due.insert(next, self.windows.fires_at(next));
            }
            None => self.delta.forget(whole, first),
        }
        Ok(())
    }

    /// Gives a window that is put together from its slices.
    fn fire_put_together(&mut self, end: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let mut slices = self.open.range(self.windows.slices(end)).map(|(_, slice)| slice);
        match (slices.next(), slices.next()) {
            (None, _) => {}
            (Some(only), None) => self.give(end, only, out)?,
            (Some(first), Some(second)) => {
                let mut whole = Slice::new(&self.prototype);
                for slice in [first, second].into_iter().chain(slices) {
                    whole.take_in(slice)?;
                }
                self.give(end, &whole, out)?;
            }
        }
        let done: Vec<Timestamp> = self.open.range(self.windows.slices(end)).map(|(slice, _)| *slice).collect();
        for slice_end in done {
            if self.windows.last_window(slice_end).is_none_or(|last| last <= end)
                && let Some(slice) = self.open.remove(&slice_end)
            {
                self.delta.forget(slice, slice_end);
            }
        }
        if let Some(next) = self.windows.next_window(end)
            && self.open.range(self.windows.slices(next)).next().is_some()
        {
            self.due.insert(next, self.windows.fires_at(next));
        }
        Ok(())
    }

    fn give(&self, end: Timestamp, slice: &Slice, out: &mut dyn Collector) -> Result<()> {
        let mut results = slice.aggregates.finish()?;
        let kept = if self.retracts { with_rows(&mut results)? } else { None };
        let Some(kept) = kept else { return self.give_all(end, &slice.rows, &results, out) };
        let rows: Vec<StoredRow> =
            kept.values().iter().map(|key| StoredRow::clone(&slice.rows[*key as usize])).collect();
        let results = take_arrays(&results, &kept, None)
            .map_err(|error| Error::internal(format!("give the results of a window: {error}")))?;
        self.give_all(end, &rows, &results, out)
    }

    fn give_all(
        &self,
        end: Timestamp,
        rows: &[StoredRow],
        results: &[ArrayRef],
        out: &mut dyn Collector,
    ) -> Result<()> {
        for start in (0..rows.len()).step_by(BATCH_ROWS_MAX) {
            let count = BATCH_ROWS_MAX.min(rows.len() - start);
            let mut columns = match self.hasher.columns() {
                [] => Vec::new(),
                _ => self.codec.decode(&rows[start..start + count])?.columns().to_vec(),
            };
            columns.extend(results.iter().map(|result| result.slice(start, count)));
            let fired = Fired { start: self.windows.start_of(end), end, time: self.windows.time_of(end) };
            let data = with_properties(columns, &self.properties, &vec![fired; count], &self.output)?;
            out.batch(Batch::inserts(data, 0))?;
        }
        Ok(())
    }

    /// The newest entries of a part.
    fn newest(&self, restore: &Restore<'_>, part: &str) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        newest(restore, part, &self.key_groups)
    }

    fn restore_elements(&mut self, restore: &Restore<'_>) -> Result<()> {
        for (key, value) in &self.newest(restore, ELEMENTS)? {
            let element = read_element_key(key)?;
            let (end, key) = read_key(element.owner)?;
            let slice = self.open.get_mut(&end).ok_or_else(|| corrupt("an element has no window"))?;
            let number = slice.number_of(crate::keys::hash_of(key), key);
            if number as usize >= slice.rows.len() {
                return Err(corrupt("an element has no key"));
            }
            slice.aggregates.read_element(number, &element, value)?;
        }
        Ok(())
    }
}

/// The newest entries of a part of state, of the key groups that are owned.
///
/// # Errors
/// The state cannot be read.
pub fn newest(restore: &Restore<'_>, part: &str, owned: &Range<u16>) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut values = BTreeMap::new();
    restore.state.visit(part, restore.now, &mut |group, key, value| {
        match value {
            _ if !owned.contains(&group) => {}
            Some((value, _)) => {
                values.insert(key.to_vec(), value.to_vec());
            }
            None => {
                values.remove(key);
            }
        }
        Ok(())
    })?;
    Ok(values)
}

/// The key columns of some rows, as they are kept.
///
/// # Errors
/// The columns are not those of the codec.
pub fn key_rows(codec: &RowCodec, keys: &[usize], data: &RecordBatch, rows: Vec<u32>) -> Result<Vec<StoredRow>> {
    if keys.is_empty() {
        return Ok(vec![StoredRow::from([].as_slice()); rows.len()]);
    }
    let rows = UInt32Array::from(rows);
    let columns: Vec<ArrayRef> = keys
        .iter()
        .map(|key| take(data.column(*key), &rows, None))
        .collect::<Result<_, _>>()
        .map_err(|error| Error::internal(format!("take the keys of a window: {error}")))?;
    let encoded = codec.encode(&columns)?;
    Ok(encoded.iter().map(|row| codec.store(row, 0)).collect())
}

impl Operator for WindowAggregate {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        self.on_tick(now, out)?;
        if batch.rows() == 0 {
            return Ok(());
        }
        self.assign(&batch.data, now)?;
        self.hasher.hash(&batch.data, &mut self.scratch.hashes)?;
        let keys = KeyReader::new(self.hasher.columns(), &batch.data)?;
        let parts = std::mem::take(&mut self.scratch.parts);
        for (end, rows) in &parts {
            self.accumulate(*end, rows, &batch, &keys)?;
        }
        self.scratch.parts = parts;
        if !self.scratch.late.is_empty() {
            out.late(&batch.data, &self.scratch.late, self.progress.get())?;
            self.scratch.late.clear();
        }
        Ok(())
    }

    fn on_watermark(&mut self, watermark: Timestamp, _: Timestamp, out: &mut dyn Collector) -> Result<()> {
        if self.is_event_time() && watermark > self.progress.get() {
            self.fire(watermark, out)?;
            self.progress.advance(watermark);
        }
        // As in Flink, windows of processing time that are open when the input ends are not given.
        Ok(())
    }

    fn on_tick(&mut self, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        // A window fires after its last millisecond: until then rows may come.
        if self.is_event_time() { Ok(()) } else { self.fire(now - 1, out) }
    }

    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        let mut delta = std::mem::take(&mut self.delta);
        delta.changed = self.open.iter_mut().filter_map(|(end, slice)| slice.take_changes(*end)).collect();
        let deltas = self.unconfirmed.close(epoch, Arc::new(delta));
        let mut parts = Vec::new();
        if self.prototype.has_elements() {
            parts.push(elements_part(deltas.clone(), self.max_parallelism));
        }
        parts.push(part(deltas, self.mark, self.max_parallelism));
        if self.is_event_time() || self.shares() {
            parts.extend(self.progress.freeze(epoch));
        }
        Frozen { parts }
    }

    fn confirm(&mut self, epoch: Epoch) {
        self.unconfirmed.confirm(epoch);
        self.progress.confirm(epoch);
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        self.progress.restore(restore)?;
        let values = self.newest(restore, WINDOWS)?;
        let mut entries = Vec::with_capacity(values.len());
        for (key, value) in &values {
            let (end, key) = read_key(key)?;
            entries.push((end, read_value(value, self.mark)?, key));
        }
        entries.sort_by_key(|(end, entry, key)| (*end, entry.number, *key));
        for (end, entry, key) in entries {
            let slice = self.open.entry(end).or_insert_with(|| Slice::new(&self.prototype));
            let number = slice.number_of(crate::keys::hash_of(key), key);
            if !self.hasher.columns().is_empty() {
                self.codec.check(entry.row)?;
            }
            slice.add_rows([entry.row.into()]);
            slice.grow();
            slice.aggregates.read(number, entry.states)?;
        }
        if self.prototype.has_elements() {
            self.restore_elements(restore)?;
        }
        self.open.values_mut().for_each(Slice::restored);
        let ends: Vec<Timestamp> = self.open.keys().copied().collect();
        ends.into_iter().for_each(|end| self.schedule(end));
        Ok(())
    }

    fn state_bytes(&self) -> Option<usize> {
        Some(self.open.values().map(Slice::bytes).sum())
    }

    fn equation(&self) -> Equation {
        Equation {
            rows_in: self.accepted + self.late + self.outside,
            passed: self.accepted,
            late: self.late,
            filtered: self.outside,
            ..Equation::default()
        }
    }
}

#[cfg(test)]
#[path = "aggregate/tests.rs"]
mod tests;
