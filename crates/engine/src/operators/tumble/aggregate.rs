//! `GROUP BY TUMBLE`: aggregates of each key and window, given when the window fires.
//!
//! Insert-only in and out. A row belongs to one window; it is late, and left out, if that window has fired. Windows are given by their end, the keys of a
//! window in the order in which they were first seen. The columns given are the keys, the aggregates, the window's properties.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, TimestampMillisecondArray, UInt32Array};
use arrow_schema::{DataType as ArrowType, SchemaRef};
use arrow_select::take::take;
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Epoch, Error, Result, Timestamp};
use weir_connector::Batch;
use weir_plan::{Schema, TimeDomain, TumbleSpec, WindowProperty};
use weir_state::{Frozen, Unconfirmed};

use super::delta::{Delta, WINDOWS, corrupt, elements_part, part, read_key, read_value};
use super::window::Window;
use super::windows::Windows;
use crate::expr::Zone;
use crate::keys::{KeyHash, KeyHasher, KeyReader};
use crate::operators::aggregate::{Aggregates, ELEMENTS, mark_of, read_element_key};
use crate::operators::rows::{RowCodec, StoredRow, check_insert_only};
use crate::operators::rowtime::{CurrentWatermark, rowtimes};
use crate::operators::{Collector, Equation, Operator, Restore};

/// What a windowed aggregation is built from, beside its specification.
#[derive(Debug, Clone)]
pub struct TumbleContext<'a> {
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
pub struct TumbleAggregate {
    windows: Windows,
    time: TimeDomain,
    properties: Vec<WindowProperty>,
    prototype: Aggregates,
    hasher: KeyHasher,
    codec: RowCodec,
    output: SchemaRef,
    mark: u32,
    max_parallelism: u16,
    key_groups: Range<u16>,
    watermark: CurrentWatermark,
    open: BTreeMap<Timestamp, Window>,
    delta: Delta,
    unconfirmed: Unconfirmed<Arc<Delta>>,
    scratch: Scratch,
    accepted: u64,
    late: u64,
}

/// Buffers of one batch, kept for their allocations.
#[derive(Default)]
struct Scratch {
    hashes: Vec<KeyHash>,
    /// The rows of each window in the batch.
    parts: Vec<(Timestamp, Vec<u32>)>,
    key: Vec<u8>,
    numbers: Vec<u32>,
}

impl TumbleAggregate {
    /// The operator of `spec`.
    ///
    /// # Errors
    /// A key cannot be a key, an aggregate is not there for its type, the window has an impossible size, or the time zone is not known.
    pub fn new(spec: &TumbleSpec, context: &TumbleContext<'_>) -> Result<Self> {
        let zone = spec.local_time.then(|| Zone::parse(context.local_time_zone)).transpose()?;
        let keys = Schema::new(spec.keys.iter().map(|key| context.input.fields[*key].clone()).collect());
        Ok(Self {
            windows: Windows::new(spec.size, spec.offset_ms, zone)?,
            time: spec.time,
            properties: spec.properties.clone(),
            prototype: Aggregates::new(&spec.aggregates, false)?,
            hasher: KeyHasher::new(&spec.keys, context.input)?,
            codec: RowCodec::new(&keys)?,
            output: context.output.arrow(),
            mark: mark_of(&spec.aggregates, false),
            max_parallelism: context.max_parallelism,
            key_groups: context.key_groups.clone(),
            watermark: CurrentWatermark::new(context.key_groups.clone()),
            open: BTreeMap::new(),
            delta: Delta::default(),
            unconfirmed: Unconfirmed::default(),
            scratch: Scratch::default(),
            accepted: 0,
            late: 0,
        })
    }

    /// Sorts the rows of `data` by window.
    fn assign(&mut self, data: &RecordBatch, now: Timestamp) -> Result<()> {
        let parts = &mut self.scratch.parts;
        parts.clear();
        let count = u32::try_from(data.num_rows()).expect("a batch has far fewer rows than a u32 counts");
        match self.time {
            TimeDomain::Processing => parts.push((self.windows.end_of(now), (0..count).collect())),
            TimeDomain::Event(column) => {
                let mut last = 0;
                for (row, time) in (0..count).zip(rowtimes(data, column)?.values()) {
                    let end = self.windows.end_of(*time);
                    if parts.get(last).is_none_or(|(known, _)| *known != end) {
                        last = parts.iter().position(|(known, _)| *known == end).unwrap_or_else(|| {
                            parts.push((end, Vec::new()));
                            parts.len() - 1
                        });
                    }
                    parts[last].1.push(row);
                }
            }
        }
        Ok(())
    }

    /// Takes rows into the window that ends at `end`.
    fn accumulate(&mut self, end: Timestamp, rows: &[u32], data: &RecordBatch, keys: &KeyReader<'_>) -> Result<()> {
        let fires_at = self.windows.fires_at(end);
        if matches!(self.time, TimeDomain::Event(_)) && fires_at <= self.watermark.get() {
            self.late += rows.len() as u64;
            return Ok(());
        }
        let window = self.open.entry(end).or_insert_with(|| Window::new(fires_at, &self.prototype));
        let Scratch { hashes, key, numbers, .. } = &mut self.scratch;
        numbers.clear();
        let mut new_rows: Vec<u32> = Vec::new();
        for row in rows {
            let before = window.len();
            let hash = hashes[*row as usize];
            keys.read(*row as usize, hash, key);
            numbers.push(window.number_of(hash, key));
            if window.len() > before {
                new_rows.push(*row);
            }
        }
        if !new_rows.is_empty() {
            window.add_rows(key_rows(&self.codec, self.hasher.columns(), data, new_rows)?);
            window.grow();
        }
        window.aggregates.update(data, rows, numbers)?;
        self.accepted += rows.len() as u64;
        Ok(())
    }

    /// Gives the windows that fire at `progress` or before.
    fn fire(&mut self, progress: Timestamp, out: &mut dyn Collector) -> Result<()> {
        while let Some(first) = self.open.first_entry() {
            if first.get().fires_at > progress {
                return Ok(());
            }
            let (end, window) = first.remove_entry();
            self.give(end, &window, out)?;
            let fired = window.into_fired(end);
            if !fired.keys.is_empty() {
                self.delta.fired.push(fired);
            }
        }
        Ok(())
    }

    fn give(&self, end: Timestamp, window: &Window, out: &mut dyn Collector) -> Result<()> {
        let results = window.aggregates.finish()?;
        for start in (0..window.len()).step_by(BATCH_ROWS_MAX) {
            let count = BATCH_ROWS_MAX.min(window.len() - start);
            let mut columns = match self.hasher.columns() {
                [] => Vec::new(),
                _ => self.codec.decode(&window.rows[start..start + count])?.columns().to_vec(),
            };
            columns.extend(results.iter().map(|result| result.slice(start, count)));
            for property in &self.properties {
                let output = self.output.field(columns.len()).data_type();
                columns.push(self.property(*property, end, count, output));
            }
            let options = RecordBatchOptions::new().with_row_count(Some(count));
            let data = RecordBatch::try_new_with_options(Arc::clone(&self.output), columns, &options)
                .map_err(|error| Error::internal(format!("give the results of a window: {error}")))?;
            out.batch(Batch::inserts(data, 0))?;
        }
        Ok(())
    }

    /// The newest entries of a part.
    fn newest(&self, restore: &Restore<'_>, part: &str) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        let owned = self.key_groups.clone();
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

    fn restore_elements(&mut self, restore: &Restore<'_>) -> Result<()> {
        for (key, value) in &self.newest(restore, ELEMENTS)? {
            let element = read_element_key(key)?;
            let (end, key) = read_key(element.owner)?;
            let window = self.open.get_mut(&end).ok_or_else(|| corrupt("an element has no window"))?;
            let number = window.number_of(crate::keys::hash_of(key), key);
            if number as usize >= window.rows.len() {
                return Err(corrupt("an element has no key"));
            }
            window.aggregates.read_element(number, &element, value)?;
        }
        Ok(())
    }

    fn property(&self, property: WindowProperty, end: Timestamp, count: usize, output: &ArrowType) -> ArrayRef {
        let time = match property {
            WindowProperty::Start => self.windows.start_of(end),
            WindowProperty::End => end,
            WindowProperty::Time => self.windows.time_of(end),
        };
        Arc::new(TimestampMillisecondArray::from_value(time, count).with_data_type(output.clone()))
    }
}

/// The key columns of some rows, as they are kept.
fn key_rows(codec: &RowCodec, keys: &[usize], data: &RecordBatch, rows: Vec<u32>) -> Result<Vec<StoredRow>> {
    if keys.is_empty() {
        return Ok(vec![StoredRow::from([].as_slice()); rows.len()]);
    }
    let rows = UInt32Array::from(rows);
    let columns = keys
        .iter()
        .map(|key| take(data.column(*key), &rows, None))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::internal(format!("take the keys of a window: {error}")))?;
    let encoded = codec.encode(&columns)?;
    Ok(encoded.iter().map(|row| codec.store(row, 0)).collect())
}

impl Operator for TumbleAggregate {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        check_insert_only(&batch, "aggregate windows")?;
        self.on_tick(now, out)?;
        if batch.rows() == 0 {
            return Ok(());
        }
        self.assign(&batch.data, now)?;
        self.hasher.hash(&batch.data, &mut self.scratch.hashes)?;
        let keys = KeyReader::new(self.hasher.columns(), &batch.data)?;
        let parts = std::mem::take(&mut self.scratch.parts);
        for (end, rows) in &parts {
            self.accumulate(*end, rows, &batch.data, &keys)?;
        }
        self.scratch.parts = parts;
        Ok(())
    }

    fn on_watermark(&mut self, watermark: Timestamp, _: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let moves = self.watermark.advance(watermark);
        // Windows of processing time end with the input, too: what they hold is not lost.
        let fires = matches!(self.time, TimeDomain::Event(_)) || watermark == Timestamp::MAX;
        if moves && fires { self.fire(watermark, out) } else { Ok(()) }
    }

    fn on_tick(&mut self, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        match self.time {
            TimeDomain::Event(_) => Ok(()),
            // A window fires after its last millisecond: until then rows may come.
            TimeDomain::Processing => self.fire(now - 1, out),
        }
    }

    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        let mut delta = std::mem::take(&mut self.delta);
        delta.changed = self.open.iter_mut().filter_map(|(end, window)| window.take_changes(*end)).collect();
        let deltas = self.unconfirmed.close(epoch, Arc::new(delta));
        let mut parts = Vec::new();
        if self.prototype.has_elements() {
            parts.push(elements_part(deltas.clone(), self.max_parallelism));
        }
        parts.push(part(deltas, self.mark, self.max_parallelism));
        if matches!(self.time, TimeDomain::Event(_)) {
            parts.extend(self.watermark.freeze(epoch));
        }
        Frozen { parts }
    }

    fn confirm(&mut self, epoch: Epoch) {
        self.unconfirmed.confirm(epoch);
        self.watermark.confirm(epoch);
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        self.watermark.restore(restore)?;
        let values = self.newest(restore, WINDOWS)?;
        let mut entries = Vec::with_capacity(values.len());
        for (key, value) in &values {
            let (end, key) = read_key(key)?;
            entries.push((end, read_value(value, self.mark)?, key));
        }
        entries.sort_by_key(|(end, entry, key)| (*end, entry.number, *key));
        for (end, entry, key) in entries {
            let fires_at = self.windows.fires_at(end);
            let window = self.open.entry(end).or_insert_with(|| Window::new(fires_at, &self.prototype));
            let number = window.number_of(crate::keys::hash_of(key), key);
            if !self.hasher.columns().is_empty() {
                self.codec.check(entry.row)?;
            }
            window.add_rows([entry.row.into()]);
            window.grow();
            window.aggregates.read(number, entry.states)?;
        }
        if self.prototype.has_elements() {
            self.restore_elements(restore)?;
        }
        self.open.values_mut().for_each(Window::restored);
        Ok(())
    }

    fn state_bytes(&self) -> Option<usize> {
        Some(self.open.values().map(Window::bytes).sum())
    }

    fn equation(&self) -> Equation {
        Equation { rows_in: self.accepted + self.late, passed: self.accepted, late: self.late, ..Equation::default() }
    }
}

#[cfg(test)]
#[path = "aggregate/tests.rs"]
mod tests;
