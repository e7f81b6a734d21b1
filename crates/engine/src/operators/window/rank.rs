//! The first rows of each key and window: `ROW_NUMBER() OVER (PARTITION BY window_start, window_end, k ORDER BY ...) <= n`, and deduplication in windows.
//!
//! Insert-only in and out: rows are given when their window ends, by the window's end, keys in the order of the oldest row they give. A row belongs
//! to the window
//! whose end it holds; it is late, and left out, if that window has fired. Of a key as many rows are kept as may be given.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::SchemaRef;
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Epoch, Error, Result, Timestamp};
use weir_connector::Batch;
use weir_plan::WindowRankSpec;
use weir_state::Frozen;

use super::aggregate::{WindowContext, newest};
use super::delta::corrupt;
use super::windows::Windows;
use crate::keys::{KeyHash, KeyHasher, KeyReader, StoredKey, check_stored, group_of};
use crate::operators::aggregate::Fixed;
use crate::operators::changes::Changes;
use crate::operators::rows::{RowCodec, StoredRow, check_insert_only};
use crate::operators::rowtime::{CurrentWatermark, rowtimes};
use crate::operators::sort_key::{SortBytes, SortKeys};
use crate::operators::{Collector, Equation, Operator, Restore};

/// The part of state.
const ROWS: &str = "rows";

/// A row that may be given.
struct Place {
    sort: SortBytes,
    /// Rows are numbered as they come.
    number: u64,
    row: StoredRow,
}

/// The rows of each key of a window, in their order.
type Ranked = hashbrown::HashMap<StoredKey, Vec<Place>>;

/// The operator.
pub struct WindowRank {
    windows: Windows,
    spec: WindowRankSpec,
    sort_keys: SortKeys,
    hasher: KeyHasher,
    codec: RowCodec,
    output: SchemaRef,
    max_parallelism: u16,
    key_groups: Range<u16>,
    watermark: CurrentWatermark,
    /// Windows by their end.
    open: BTreeMap<Timestamp, Ranked>,
    next: u64,
    held_bytes: usize,
    changes: Changes,
    hashes: Vec<KeyHash>,
    balance: Equation,
}

/// The name of a row's entry in state.
struct EntryKey {
    end: Timestamp,
    number: u64,
}

impl EntryKey {
    fn write(&self, key: &[u8]) -> Arc<[u8]> {
        let mut out = Vec::with_capacity(2 * size_of::<u64>() + key.len());
        self.end.put(&mut out);
        self.number.put(&mut out);
        out.extend_from_slice(key);
        out.into()
    }
}

impl WindowRank {
    /// The operator of `spec`.
    ///
    /// # Errors
    /// A column cannot be a key, be ordered by or be kept in state, or the time zone is not known.
    pub fn new(spec: &WindowRankSpec, context: &WindowContext<'_>) -> Result<Self> {
        Ok(Self {
            windows: Windows::new(&spec.window, context.local_time_zone)?,
            sort_keys: SortKeys::new(&spec.order, context.input)?,
            hasher: KeyHasher::new(&spec.keys, context.input)?,
            codec: RowCodec::new(context.input)?,
            output: context.output.arrow(),
            max_parallelism: context.max_parallelism,
            key_groups: context.key_groups.clone(),
            watermark: CurrentWatermark::new(context.key_groups.clone()),
            open: BTreeMap::new(),
            next: 0,
            held_bytes: 0,
            changes: Changes::default(),
            hashes: Vec::new(),
            balance: Equation::default(),
            spec: spec.clone(),
        })
    }

    /// Puts a row among the others of its key; gives back what falls out at the end, the row itself perhaps.
    fn rank(&mut self, end: Timestamp, key: &[u8], place: Place) -> Option<Place> {
        let most = usize::try_from(self.spec.last).unwrap_or(usize::MAX);
        let ranked = self.open.entry(end).or_default();
        if !ranked.contains_key(key) {
            self.held_bytes += key.len();
            ranked.insert(key.into(), Vec::new());
        }
        let places = ranked.get_mut(key).expect("the key was just made sure of");
        let at = match self.spec.newest_first {
            true => places.partition_point(|other| other.sort < place.sort),
            false => places.partition_point(|other| other.sort <= place.sort),
        };
        if at >= most {
            return Some(place);
        }
        self.held_bytes += bytes_of(&place);
        places.insert(at, place);
        let fallen = if places.len() > most { places.pop() } else { None };
        self.held_bytes -= fallen.as_ref().map_or(0, bytes_of);
        fallen
    }

    fn take(&mut self, data: &RecordBatch, out: &mut dyn Collector) -> Result<()> {
        self.hasher.hash(data, &mut self.hashes)?;
        let keys = KeyReader::new(self.hasher.columns(), data)?;
        let encoded = self.codec.encode(data.columns())?;
        let sort = self.sort_keys.of(data)?;
        let ends = rowtimes(data, self.spec.end)?.values();
        let (mut key, mut late) = (Vec::new(), Vec::new());
        for (number_in_batch, row) in (0..).zip(0..data.num_rows()) {
            let end = ends[row];
            if self.windows.fires_at(end) <= self.watermark.get() {
                self.balance.late += 1;
                late.push(number_in_batch);
                continue;
            }
            keys.read(row, self.hashes[row], &mut key);
            let (number, stored) = (self.next, self.codec.store(encoded.row(row), 0));
            self.next += 1;
            let place = Place { sort: sort.get(row), number, row: StoredRow::clone(&stored) };
            let group = group_of(&key, self.max_parallelism);
            match self.rank(end, &key, place) {
                Some(fallen) if fallen.number == number => {}
                fallen => {
                    let entry = EntryKey { end, number }.write(&key);
                    self.changes.put(group, entry, stored, Timestamp::MAX, false);
                    if let Some(fallen) = &fallen {
                        self.changes.delete(group, EntryKey { end, number: fallen.number }.write(&key));
                    } else {
                        self.balance.held += 1;
                        continue;
                    }
                }
            }
            self.balance.deduplicated += 1;
        }
        out.late(data, &late, self.watermark.get())
    }

    /// Gives the rows of the windows that fire at `progress` or before.
    fn fire(&mut self, progress: Timestamp, out: &mut dyn Collector) -> Result<()> {
        while let Some((end, _)) = self.open.first_key_value() {
            let end = *end;
            if self.windows.fires_at(end) > progress {
                return Ok(());
            }
            let mut ranked: Vec<(StoredKey, Vec<Place>)> =
                self.open.remove(&end).unwrap_or_default().into_iter().collect();
            ranked.sort_by_key(|(_, places)| places.iter().map(|place| place.number).min());
            let skipped = usize::try_from(self.spec.first.saturating_sub(1)).unwrap_or(usize::MAX);
            let (mut rows, mut numbers) = (Vec::new(), Vec::new());
            for (_, places) in &ranked {
                for (place, number) in places.iter().zip(1..).skip(skipped) {
                    rows.push(&place.row);
                    numbers.push(number);
                }
            }
            for (rows, numbers) in rows.chunks(BATCH_ROWS_MAX).zip(numbers.chunks(BATCH_ROWS_MAX)) {
                self.give(rows, numbers, out)?;
            }
            self.balance.passed += rows.len() as u64;
            for (key, places) in &ranked {
                self.held_bytes -= key.len();
                for place in places {
                    self.held_bytes -= bytes_of(place);
                    let entry = EntryKey { end, number: place.number }.write(key);
                    self.changes.delete(group_of(key, self.max_parallelism), entry);
                }
                self.balance.held -= places.len() as u64;
                self.balance.filtered += places.len().min(skipped) as u64;
            }
        }
        Ok(())
    }

    fn give(&self, rows: &[&StoredRow], numbers: &[i64], out: &mut dyn Collector) -> Result<()> {
        let mut columns: Vec<ArrayRef> = self.codec.decode(rows.iter().copied())?.columns().to_vec();
        if self.spec.number {
            columns.push(Arc::new(Int64Array::from(numbers.to_vec())));
        }
        let data = RecordBatch::try_new(Arc::clone(&self.output), columns)
            .map_err(|error| Error::internal(format!("give the first rows of a window: {error}")))?;
        out.batch(Batch::inserts(data, 0))
    }
}

fn bytes_of(place: &Place) -> usize {
    size_of::<Place>() + 4 * size_of::<usize>() + place.row.len() + place.sort.len()
}

impl Operator for WindowRank {
    fn on_batch(&mut self, batch: Batch, _: Timestamp, out: &mut dyn Collector) -> Result<()> {
        check_insert_only(&batch, "rank the rows of windows")?;
        self.balance.rows_in += batch.rows() as u64;
        if batch.rows() == 0 { Ok(()) } else { self.take(&batch.data, out) }
    }

    fn on_watermark(&mut self, watermark: Timestamp, _: Timestamp, out: &mut dyn Collector) -> Result<()> {
        if self.watermark.advance(watermark) { self.fire(watermark, out) } else { Ok(()) }
    }

    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        let mut parts = vec![self.changes.freeze(epoch, ROWS)];
        parts.extend(self.watermark.freeze(epoch));
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
            let short = || corrupt("its key is too short");
            let end = i64::take(&mut key).ok_or_else(short)?;
            let number = u64::take(&mut key).ok_or_else(short)?;
            check_stored(key)?;
            self.codec.check(&row)?;
            rows.push((number, end, key.to_vec(), StoredRow::from(row)));
        }
        rows.sort_unstable();
        for (number, end, key, row) in rows {
            let sort = self.sort_keys.of(&self.codec.decode([&row])?)?.get(0);
            self.rank(end, &key, Place { sort, number, row });
            self.next = self.next.max(number + 1);
            self.balance.restored += 1;
            self.balance.held += 1;
        }
        Ok(())
    }

    fn state_bytes(&self) -> Option<usize> {
        let tables: usize = self.open.values().map(Ranked::allocation_size).sum();
        Some(self.held_bytes + tables)
    }

    fn equation(&self) -> Equation {
        self.balance
    }
}

#[cfg(test)]
#[path = "rank/tests.rs"]
mod tests;
