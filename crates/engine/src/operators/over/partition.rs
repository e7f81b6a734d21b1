//! What an OVER aggregation by time keeps of a partition, beside the states of its functions.

use std::collections::{BTreeMap, BTreeSet};

use weir_base::Timestamp;
use weir_plan::OverFrame;

use crate::operators::aggregate::Fixed;
use crate::operators::rows::StoredRow;

/// A partition.
pub struct Partition {
    /// The number of its state.
    pub number: u32,
    /// Its rows by time, each with its number: those that wait, and those that may be taken back.
    pub rows: BTreeMap<Timestamp, Vec<(u64, StoredRow)>>,
    /// When something is due.
    pub timers: BTreeSet<Timestamp>,
    /// The time of the rows given last.
    pub last: Option<Timestamp>,
    /// Rows given, as far as the frame counts them.
    counted: u64,
    /// When it is forgotten, in the time of its order: RANGE over an interval.
    pub cleanup: Option<Timestamp>,
    /// Times of forgetting that come out of a checkpoint, for the operator to set.
    pub cleanups: Vec<Timestamp>,
    /// When it is forgotten, in processing time.
    pub expires: Timestamp,
}

impl Partition {
    /// Without rows.
    pub fn new(number: u32) -> Self {
        Self {
            number,
            rows: BTreeMap::new(),
            timers: BTreeSet::new(),
            last: None,
            counted: 0,
            cleanup: None,
            cleanups: Vec::new(),
            expires: Timestamp::MAX,
        }
    }

    /// Counts a row into a frame of `before` rows and the current one; whether the oldest must leave it.
    pub fn count_in(&mut self, before: u64) -> bool {
        let is_full = self.counted > before;
        self.counted += u64::from(!is_full);
        is_full
    }

    /// Takes the oldest row out.
    pub fn take_oldest(&mut self) -> Option<(u64, StoredRow)> {
        let mut first = self.rows.first_entry()?;
        let oldest = first.get_mut().remove(0);
        if first.get().is_empty() {
            first.remove();
        }
        Some(oldest)
    }

    /// Takes all rows before `time` out.
    pub fn take_before(&mut self, time: Timestamp) -> Vec<(u64, StoredRow)> {
        let kept = self.rows.split_off(&time);
        std::mem::replace(&mut self.rows, kept).into_values().flatten().collect()
    }

    /// A row of `time` has come: when the partition is to be forgotten, if that has changed.
    pub fn cleanup_after(&mut self, frame: OverFrame, time: Timestamp) -> Option<Timestamp> {
        let OverFrame::Range(Some(before)) = frame else { return None };
        let least = time.saturating_add_unsigned(before).saturating_add(1);
        if self.cleanup.is_some_and(|cleanup| cleanup >= least) {
            return None;
        }
        let most = time.saturating_add_unsigned(before.saturating_add(before / 2)).saturating_add(1);
        self.cleanup = Some(most);
        self.cleanup
    }

    /// Whether rows wait.
    pub fn waits(&self) -> bool {
        self.rows.last_key_value().is_some_and(|(time, _)| self.last.is_none_or(|last| *time > last))
    }

    /// Rows that wait.
    pub fn waiting(&self) -> u64 {
        let waits = self.rows.iter().filter(|(time, _)| self.last.is_none_or(|last| **time > last));
        waits.map(|(_, rows)| rows.len() as u64).sum()
    }

    /// Its bytes in a checkpoint.
    pub fn head(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_time(self.last, &mut bytes);
        self.counted.put(&mut bytes);
        put_time(self.cleanup, &mut bytes);
        if self.cleanup.is_some() {
            self.timers.iter().for_each(|time| time.put(&mut bytes));
        }
        bytes
    }

    /// Takes them back; `None`: they are cut off.
    pub fn read_head(&mut self, mut bytes: &[u8]) -> Option<()> {
        self.last = take_time(&mut bytes)?;
        self.counted = u64::take(&mut bytes)?;
        self.cleanup = take_time(&mut bytes)?;
        while !bytes.is_empty() {
            self.cleanups.push(i64::take(&mut bytes)?);
        }
        Some(())
    }

    /// Bytes of memory that it takes beside itself.
    pub fn bytes(&self) -> usize {
        let row = |row: &(u64, StoredRow)| row.1.len() + size_of::<(u64, StoredRow)>();
        self.rows.values().flatten().map(row).sum::<usize>() + self.timers.len() * size_of::<Timestamp>()
    }
}

/// Adds a time that may be there.
fn put_time(time: Option<Timestamp>, out: &mut Vec<u8>) {
    u8::from(time.is_some()).put(out);
    time.unwrap_or(0).put(out);
}

/// Takes what `put_time` wrote.
fn take_time(bytes: &mut &[u8]) -> Option<Option<Timestamp>> {
    let is_there = u8::take(bytes)? != 0;
    let time = i64::take(bytes)?;
    Some(is_there.then_some(time))
}
