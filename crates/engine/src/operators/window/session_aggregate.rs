//! Aggregation in sessions: aggregates of each key and session, given when the session ends.
//!
//! Any changelog in, inserts out. A row opens a session, extends one, or makes two one: their states are merged. It is late, and left out, if its
//! own session would
//! have ended and it belongs to none that goes on. Sessions are given by their end, those of one end in the order in which they were begun.
//!
//! In state each session is an entry: its key is the stored key of the session and the number it was begun with, its value a mark of the aggregates, start and
//! end, the key columns and the states.

use std::ops::Range;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use arrow_select::take::take_arrays;
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Epoch, Error, Result, Timestamp};
use weir_connector::Batch;
use weir_plan::{RowWindows, Schema, TimeDomain, WindowAggregateSpec, WindowKind, WindowProperty};
use weir_state::{Frozen, FrozenPart, Unconfirmed};

use super::aggregate::{WindowContext, key_rows, newest};
use super::counted::{aggregates_of, take as take_rows, with_rows};
use super::delta::corrupt;
use super::properties::{Fired, with_properties};
use super::sessions::{Placed, Sessions};
use super::windows::Windows;
use crate::keys::{KeyHash, KeyHasher, KeyReader, StoredKey, check_stored, group_of};
use crate::operators::aggregate::{
    Aggregates, ELEMENTS, Fixed, FrozenAggregates, StoredElements, put_bytes, read_element_key, take_bytes,
};
use crate::operators::rows::{RowCodec, StoredRow};
use crate::operators::rowtime::{CurrentWatermark, rowtimes};
use crate::operators::{Collector, Equation, Operator, Restore};

/// The part of state.
const SESSIONS: &str = "sessions";

/// The session has changed since the last barrier.
const CHANGED: u8 = 1;
/// Some checkpoint may hold the session.
const WRITTEN: u8 = 2;

/// The operator.
pub struct SessionAggregate {
    windows: Windows,
    time: TimeDomain,
    properties: Vec<WindowProperty>,
    sessions: Sessions,
    aggregates: Aggregates,
    retracts: bool,
    /// The key columns of each slot.
    rows: Vec<StoredRow>,
    marks: Vec<u8>,
    changed: Vec<u32>,
    row_bytes: usize,
    hasher: KeyHasher,
    codec: RowCodec,
    output: SchemaRef,
    mark: u32,
    max_parallelism: u16,
    key_groups: Range<u16>,
    watermark: CurrentWatermark,
    delta: Delta,
    unconfirmed: Unconfirmed<Arc<Delta>>,
    hashes: Vec<KeyHash>,
    accepted: u64,
    late: u64,
}

/// What happened between two barriers.
#[derive(Default)]
struct Delta {
    /// Sessions that ended, or went into others.
    gone: Vec<(StoredKey, u64, StoredElements)>,
    changed: Vec<Changed>,
    states: FrozenAggregates,
}

/// A changed session as it was at a barrier.
struct Changed {
    key: StoredKey,
    order: u64,
    start: Timestamp,
    end: Timestamp,
    row: StoredRow,
}

impl SessionAggregate {
    /// The operator of `spec`, whose windows are sessions by time.
    ///
    /// # Errors
    /// As `WindowAggregate::new`.
    pub fn new(spec: &WindowAggregateSpec, context: &WindowContext<'_>) -> Result<Self> {
        let (WindowKind::Session { gap_ms }, RowWindows::Time(time)) = (spec.window.kind, spec.rows) else {
            return Err(Error::internal("build sessions: the windows are others"));
        };
        let keys = Schema::new(spec.keys.iter().map(|key| context.input.fields[*key].clone()).collect());
        let (aggregates, mark) = aggregates_of(&spec.aggregates, spec.retracts)?;
        Ok(Self {
            windows: Windows::new(&spec.window, context.local_time_zone)?,
            time,
            properties: spec.properties.clone(),
            sessions: Sessions::new(gap_ms),
            aggregates,
            retracts: spec.retracts,
            rows: Vec::new(),
            marks: Vec::new(),
            changed: Vec::new(),
            row_bytes: 0,
            hasher: KeyHasher::new(&spec.keys, context.input)?,
            codec: RowCodec::new(&keys)?,
            output: context.output.arrow(),
            mark,
            max_parallelism: context.max_parallelism,
            key_groups: context.key_groups.clone(),
            watermark: CurrentWatermark::new(context.key_groups.clone()),
            delta: Delta::default(),
            unconfirmed: Unconfirmed::default(),
            hashes: Vec::new(),
            accepted: 0,
            late: 0,
        })
    }

    /// Makes room for the session of `slot`, which begins.
    fn open(&mut self, slot: u32, row: StoredRow) {
        let capacity = self.sessions.capacity();
        self.rows.resize(capacity, StoredRow::from([].as_slice()));
        self.marks.resize(capacity, 0);
        self.aggregates.grow(capacity);
        self.row_bytes += row.len();
        self.rows[slot as usize] = row;
        self.marks[slot as usize] = 0;
    }

    fn change(&mut self, slot: u32) {
        let mark = &mut self.marks[slot as usize];
        if *mark & CHANGED == 0 {
            *mark |= CHANGED;
            self.changed.push(slot);
        }
    }

    /// Forgets what the session of `slot`, which was that of `key` begun as `order`, held.
    fn close(&mut self, slot: u32, key: StoredKey, order: u64) {
        if self.marks[slot as usize] & WRITTEN != 0 {
            self.delta.gone.push((key, order, self.aggregates.forget(slot)));
        }
        self.aggregates.reset(&[slot]);
        self.marks[slot as usize] = 0;
        let row = std::mem::replace(&mut self.rows[slot as usize], StoredRow::from([].as_slice()));
        self.row_bytes -= row.len();
    }

    /// Places the rows of `data` one after the other, and aggregates them in as large steps as merging allows.
    fn accumulate(&mut self, batch: &Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let data = &batch.data;
        self.hasher.hash(data, &mut self.hashes)?;
        let keys = KeyReader::new(self.hasher.columns(), data)?;
        let times = match self.time {
            TimeDomain::Processing => None,
            TimeDomain::Event(column) => Some(rowtimes(data, column)?.values()),
        };
        let count = u32::try_from(data.num_rows()).expect("a batch has far fewer rows than a u32 counts");
        let (mut rows, mut slots, mut key, mut late) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for row in 0..count {
            let hash = self.hashes[row as usize];
            keys.read(row as usize, hash, &mut key);
            let time = self.windows.local(times.map_or(now, |times| times[row as usize]));
            let (windows, watermark) = (&self.windows, self.watermark.get());
            let event = matches!(self.time, TimeDomain::Event(_));
            let placed = self.sessions.place(hash, &key, time, |end| event && windows.fires_at(end) <= watermark);
            let slot = match placed {
                Placed::Late => {
                    self.late += 1;
                    late.push(row);
                    continue;
                }
                Placed::New(slot) => {
                    let stored = key_rows(&self.codec, self.hasher.columns(), data, vec![row])?;
                    self.open(slot, stored.into_iter().next().unwrap_or_else(|| StoredRow::from([].as_slice())));
                    slot
                }
                Placed::Known(slot) => slot,
                Placed::Merged { into, from, order } => {
                    take_rows(&mut self.aggregates, batch, &rows, &slots)?;
                    rows.clear();
                    slots.clear();
                    let taken = self.aggregates.gather(&[from]);
                    self.aggregates.merge(&taken, &[0], &[into])?;
                    self.close(from, key.as_slice().into(), order);
                    into
                }
            };
            self.change(slot);
            rows.push(row);
            slots.push(slot);
            self.accepted += 1;
        }
        take_rows(&mut self.aggregates, batch, &rows, &slots)?;
        out.late(data, &late, self.watermark.get())
    }

    /// Gives the sessions that end at `progress` or before.
    fn fire(&mut self, progress: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let windows = &self.windows;
        let ended = self.sessions.ended(|end| windows.fires_at(end) <= progress);
        for slots in ended.chunks(BATCH_ROWS_MAX) {
            self.give(slots, out)?;
        }
        for slot in ended {
            let (key, order) = (StoredKey::clone(self.sessions.key(slot)), self.sessions.get(slot).order);
            self.close(slot, key, order);
            self.sessions.end(slot);
        }
        Ok(())
    }

    fn give(&self, slots: &[u32], out: &mut dyn Collector) -> Result<()> {
        let mut results = self.aggregates.finish_keys(slots)?;
        let mut slots = slots.to_vec();
        if self.retracts
            && let Some(kept) = with_rows(&mut results)?
        {
            slots = kept.values().iter().map(|place| slots[*place as usize]).collect();
            results = take_arrays(&results, &kept, None)
                .map_err(|error| Error::internal(format!("give the results of sessions: {error}")))?;
        }
        let mut columns = match self.hasher.columns() {
            [] => Vec::new(),
            _ => self.codec.decode(slots.iter().map(|slot| &self.rows[*slot as usize]))?.columns().to_vec(),
        };
        columns.extend(results);
        let fired: Vec<Fired> = slots.iter().map(|slot| self.fired(*slot)).collect();
        out.batch(Batch::inserts(with_properties(columns, &self.properties, &fired, &self.output)?, 0))
    }

    fn fired(&self, slot: u32) -> Fired {
        let session = self.sessions.get(slot);
        Fired { start: session.start, end: session.end, time: self.windows.time_of(session.end) }
    }

    fn take_changes(&mut self) -> Delta {
        let mut delta = std::mem::take(&mut self.delta);
        // A slot may have gone, and begun anew, since it was noted.
        let mut slots = std::mem::take(&mut self.changed);
        slots.sort_unstable();
        slots.dedup();
        slots.retain(|slot| self.marks[*slot as usize] & CHANGED != 0);
        for slot in &slots {
            self.marks[*slot as usize] = WRITTEN;
            let session = self.sessions.get(*slot);
            delta.changed.push(Changed {
                key: StoredKey::clone(self.sessions.key(*slot)),
                order: session.order,
                start: session.start,
                end: session.end,
                row: StoredRow::clone(&self.rows[*slot as usize]),
            });
        }
        delta.states = self.aggregates.freeze(&slots);
        delta
    }

    fn restore_elements(
        &mut self,
        restore: &Restore<'_>,
        slots: &std::collections::BTreeMap<Vec<u8>, u32>,
    ) -> Result<()> {
        for (key, value) in &newest(restore, ELEMENTS, &self.key_groups)? {
            let element = read_element_key(key)?;
            let slot = slots.get(element.owner).ok_or_else(|| corrupt("an element has no session"))?;
            self.aggregates.read_element(*slot, &element, value)?;
        }
        Ok(())
    }
}

impl Changed {
    fn write(&self, mark: u32, states: &[u8], out: &mut Vec<u8>) {
        out.clear();
        mark.put(out);
        self.start.put(out);
        self.end.put(out);
        put_bytes(&self.row, out);
        out.extend_from_slice(states);
    }
}

/// The key of a session's entry.
fn write_key(key: &[u8], order: u64, out: &mut Vec<u8>) {
    out.clear();
    order.put(out);
    out.extend_from_slice(key);
}

/// The part that writes `deltas`, oldest first.
fn part(deltas: Vec<Arc<Delta>>, mark: u32, max_parallelism: u16) -> FrozenPart {
    FrozenPart {
        name: SESSIONS,
        full: false,
        entries: Box::new(move |entries| {
            let (mut entry_key, mut value) = (Vec::new(), Vec::new());
            for delta in &deltas {
                for (key, order, _) in &delta.gone {
                    write_key(key, *order, &mut entry_key);
                    entries.delete(group_of(key, max_parallelism), &entry_key)?;
                }
                for (index, changed) in delta.changed.iter().enumerate() {
                    write_key(&changed.key, changed.order, &mut entry_key);
                    changed.write(mark, delta.states.state(index), &mut value);
                    entries.put(group_of(&changed.key, max_parallelism), &entry_key, &value, Timestamp::MAX)?;
                }
            }
            Ok(())
        }),
    }
}

/// The part that writes the elements of the aggregates of `deltas`, oldest first.
fn elements_part(deltas: Vec<Arc<Delta>>, max_parallelism: u16) -> FrozenPart {
    FrozenPart {
        name: ELEMENTS,
        full: false,
        entries: Box::new(move |entries| {
            let mut owner = Vec::new();
            for delta in &deltas {
                for (key, order, elements) in delta.gone.iter().filter(|(_, _, elements)| !elements.is_empty()) {
                    write_key(key, *order, &mut owner);
                    elements.delete(entries, group_of(key, max_parallelism), &owner)?;
                }
                delta.states.write_elements(entries, |index, owner| {
                    let changed = &delta.changed[index];
                    write_key(&changed.key, changed.order, owner);
                    group_of(&changed.key, max_parallelism)
                })?;
            }
            Ok(())
        }),
    }
}

impl Operator for SessionAggregate {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        self.on_tick(now, out)?;
        if batch.rows() == 0 { Ok(()) } else { self.accumulate(&batch, now, out) }
    }

    fn on_watermark(&mut self, watermark: Timestamp, _: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let moves = self.watermark.advance(watermark);
        // As in Flink, sessions of processing time that are open when the input ends are not given.
        if moves && matches!(self.time, TimeDomain::Event(_)) { self.fire(watermark, out) } else { Ok(()) }
    }

    fn on_tick(&mut self, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        match self.time {
            TimeDomain::Event(_) => Ok(()),
            // A session fires after its last millisecond: until then rows may come.
            TimeDomain::Processing => self.fire(now - 1, out),
        }
    }

    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        let delta = self.take_changes();
        let deltas = self.unconfirmed.close(epoch, Arc::new(delta));
        let mut parts = Vec::new();
        if self.aggregates.has_elements() {
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
        let mut slots = std::collections::BTreeMap::new();
        for (entry_key, value) in newest(restore, SESSIONS, &self.key_groups)? {
            let mut key = entry_key.as_slice();
            let order = u64::take(&mut key).ok_or_else(|| corrupt("its key is too short"))?;
            check_stored(key)?;
            let mut value = value.as_slice();
            let cut_off = || corrupt("it is cut off");
            if u32::take(&mut value).ok_or_else(cut_off)? != self.mark {
                return Err(Error::invalid("restore a session: the state was written with other aggregates")
                    .hint("start with --fresh, or with the SQL that wrote it"));
            }
            let start = i64::take(&mut value).ok_or_else(cut_off)?;
            let end = i64::take(&mut value).ok_or_else(cut_off)?;
            let row = take_bytes(&mut value).ok_or_else(cut_off)?;
            if !self.hasher.columns().is_empty() {
                self.codec.check(row)?;
            }
            let slot = self.sessions.restore(key, start, end, order);
            self.open(slot, row.into());
            self.aggregates.read(slot, value)?;
            self.marks[slot as usize] = WRITTEN;
            slots.insert(entry_key, slot);
        }
        if self.aggregates.has_elements() { self.restore_elements(restore, &slots) } else { Ok(()) }
    }

    fn state_bytes(&self) -> Option<usize> {
        let columns = self.rows.capacity() * size_of::<StoredRow>() + self.marks.capacity();
        Some(self.sessions.bytes() + self.aggregates.bytes() + self.row_bytes + columns)
    }

    fn equation(&self) -> Equation {
        Equation { rows_in: self.accepted + self.late, passed: self.accepted, late: self.late, ..Equation::default() }
    }
}
