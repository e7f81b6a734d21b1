//! `TABLE(SESSION(...))` without aggregation: holds the rows of each session until it ends, then gives them with `window_start`, `window_end`, `window_time`.
//!
//! Rows of a session are given in the order in which they came; sessions by their end. A row without a time is left out, as is one that is late. In state each
//! held row is an entry; the sessions are formed anew from the rows.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Epoch, Error, Result, Timestamp};
use weir_connector::Batch;
use weir_plan::{TimeDomain, WindowKind, WindowSpec};
use weir_state::Frozen;

use super::aggregate::{WindowContext, newest};
use super::assign::{ADDED, with_time};
use super::delta::corrupt;
use super::properties::{Fired, with_properties};
use super::sessions::{Placed, Sessions};
use super::windows::Windows;
use crate::keys::{KeyHash, KeyHasher, KeyReader, StoredKey, check_stored, group_of, hash_of};
use crate::operators::aggregate::Fixed;
use crate::operators::changes::Changes;
use crate::operators::rows::{RowCodec, StoredRow, check_insert_only};
use crate::operators::rowtime::{CurrentWatermark, rowtimes};
use crate::operators::{Collector, Equation, Operator, Restore};

/// The part of state.
const ROWS: &str = "rows";

/// A row that waits for the end of its session.
struct Held {
    /// Rows are given in this order.
    number: u64,
    row: StoredRow,
}

/// The operator.
pub struct SessionAssign {
    windows: Windows,
    time: TimeDomain,
    sessions: Sessions,
    /// The rows of each slot.
    held: Vec<Vec<Held>>,
    held_bytes: usize,
    next: u64,
    hasher: KeyHasher,
    codec: RowCodec,
    output: SchemaRef,
    max_parallelism: u16,
    key_groups: Range<u16>,
    watermark: CurrentWatermark,
    changes: Changes,
    hashes: Vec<KeyHash>,
    balance: Equation,
}

impl SessionAssign {
    /// Sessions of `spec` over `time`, those of each key of `keys` for themselves.
    ///
    /// # Errors
    /// A column cannot be a key or be kept in state, or the time zone is not known.
    pub fn new(spec: &WindowSpec, time: TimeDomain, keys: &[usize], context: &WindowContext<'_>) -> Result<Self> {
        let WindowKind::Session { gap_ms } = spec.kind else {
            return Err(Error::internal("build sessions: the windows are others"));
        };
        Ok(Self {
            windows: Windows::new(spec, context.local_time_zone)?,
            time,
            sessions: Sessions::new(gap_ms),
            held: Vec::new(),
            held_bytes: 0,
            next: 0,
            hasher: KeyHasher::new(keys, context.input)?,
            codec: RowCodec::new(context.input)?,
            output: context.output.arrow(),
            max_parallelism: context.max_parallelism,
            key_groups: context.key_groups.clone(),
            watermark: CurrentWatermark::new(context.key_groups.clone()),
            changes: Changes::default(),
            hashes: Vec::new(),
            balance: Equation::default(),
        })
    }

    /// Adds a row to the session that it belongs to; `false`: it is late.
    fn hold(&mut self, key: &[u8], time: Timestamp, held: Held, may_be_late: bool) -> bool {
        let local = self.windows.local(time);
        let (windows, watermark) = (&self.windows, self.watermark.get());
        let placed =
            self.sessions.place(hash_of(key), key, local, |end| may_be_late && windows.fires_at(end) <= watermark);
        self.held.resize_with(self.sessions.capacity(), Vec::new);
        let slot = match placed {
            Placed::Late => return false,
            Placed::New(slot) | Placed::Known(slot) => slot,
            Placed::Merged { into, from, .. } => {
                let rows = std::mem::take(&mut self.held[from as usize]);
                self.held[into as usize].extend(rows);
                into
            }
        };
        self.held_bytes += bytes_of(&held);
        self.held[slot as usize].push(held);
        self.balance.held += 1;
        true
    }

    fn take(&mut self, data: &RecordBatch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        self.hasher.hash(data, &mut self.hashes)?;
        let keys = KeyReader::new(self.hasher.columns(), data)?;
        let encoded = self.codec.encode(data.columns())?;
        let (event, times) = match self.time {
            TimeDomain::Processing => (false, None),
            TimeDomain::Event(column) => (true, Some(rowtimes(data, column)?.values())),
        };
        let (mut key, mut entry_key, mut late) = (Vec::new(), Vec::new(), Vec::new());
        for (number_in_batch, row) in (0..).zip(0..data.num_rows()) {
            keys.read(row, self.hashes[row], &mut key);
            let time = times.map_or(now, |times| times[row]);
            let stored = self.codec.store(encoded.row(row), time);
            let number = self.next;
            if self.hold(&key, time, Held { number, row: StoredRow::clone(&stored) }, event) {
                self.next += 1;
                write_key(&key, number, &mut entry_key);
                let group = group_of(&key, self.max_parallelism);
                self.changes.put(group, entry_key.as_slice().into(), stored, Timestamp::MAX, false);
            } else {
                self.balance.late += 1;
                late.push(number_in_batch);
            }
        }
        out.late(data, &late, self.watermark.get())
    }

    /// Gives the rows of the sessions that end at `progress` or before.
    fn fire(&mut self, progress: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let windows = &self.windows;
        let ended = self.sessions.ended(|end| windows.fires_at(end) <= progress);
        let mut entry_key = Vec::new();
        for slot in ended {
            let session = self.sessions.get(slot);
            let key = StoredKey::clone(self.sessions.key(slot));
            let mut held = std::mem::take(&mut self.held[slot as usize]);
            held.sort_by_key(|held| held.number);
            let fired = Fired { start: session.start, end: session.end, time: self.windows.time_of(session.end) };
            for rows in held.chunks(BATCH_ROWS_MAX) {
                let columns = self.codec.decode(rows.iter().map(|held| &held.row))?.columns().to_vec();
                let data = with_properties(columns, &ADDED, &vec![fired; rows.len()], &self.output)?;
                out.batch(Batch::inserts(data, 0))?;
            }
            for held in &held {
                write_key(&key, held.number, &mut entry_key);
                self.changes.delete(group_of(&key, self.max_parallelism), entry_key.as_slice().into());
                self.held_bytes -= bytes_of(held);
            }
            self.balance.held -= held.len() as u64;
            self.balance.passed += held.len() as u64;
            self.sessions.end(slot);
        }
        Ok(())
    }
}

fn bytes_of(held: &Held) -> usize {
    size_of::<Held>() + 2 * size_of::<usize>() + held.row.len()
}

fn write_key(key: &[u8], number: u64, out: &mut Vec<u8>) {
    out.clear();
    number.put(out);
    out.extend_from_slice(key);
}

impl Operator for SessionAssign {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        check_insert_only(&batch, "assign sessions")?;
        self.on_tick(now, out)?;
        let before = batch.rows();
        let data = with_time(batch, self.time)?.data;
        self.balance.rows_in += before as u64;
        self.balance.filtered += (before - data.num_rows()) as u64;
        if data.num_rows() == 0 { Ok(()) } else { self.take(&data, now, out) }
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
        let mut parts = vec![self.changes.freeze(epoch, ROWS)];
        if matches!(self.time, TimeDomain::Event(_)) {
            parts.extend(self.watermark.freeze(epoch));
        }
        Frozen { parts }
    }

    fn confirm(&mut self, epoch: Epoch) {
        self.changes.confirm(epoch);
        self.watermark.confirm(epoch);
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        self.watermark.restore(restore)?;
        let mut rows = Vec::new();
        for (entry_key, row) in newest(restore, ROWS, &self.key_groups)? {
            let mut key = entry_key.as_slice();
            let number = u64::take(&mut key).ok_or_else(|| corrupt("its key is too short"))?;
            check_stored(key)?;
            rows.push((number, key.to_vec(), row));
        }
        rows.sort_unstable();
        for (number, key, row) in rows {
            let time = self.codec.check(&row)?;
            self.hold(&key, time, Held { number, row: row.into() }, false);
            self.next = self.next.max(number + 1);
            self.balance.restored += 1;
        }
        Ok(())
    }

    fn state_bytes(&self) -> Option<usize> {
        Some(self.sessions.bytes() + self.held_bytes + self.held.capacity() * size_of::<Vec<Held>>())
    }

    fn equation(&self) -> Equation {
        self.balance
    }
}
