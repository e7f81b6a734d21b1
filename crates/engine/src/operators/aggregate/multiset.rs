//! A collection of values with how often each is there, whose changes are known: what a checkpoint writes of it is what has changed.
//!
//! A value is bytes. A count below zero says that the value was taken back before it came.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::bytes::Fixed;
use super::elements::ElementSink;

/// A value of a collection.
pub type Value = Arc<[u8]>;

/// The value has changed since the last barrier.
const CHANGED: i64 = 1;
/// Some checkpoint may hold the value.
const WRITTEN: i64 = 2;
/// What one more counts.
const ONE: i64 = 4;

/// What values are kept in: by hash, or in order.
pub trait Table: Default + Clone + Send + Sync + 'static {
    /// The marked count of `value`.
    fn find(&mut self, value: &[u8]) -> Option<&mut i64>;
    /// Adds a value that is not there.
    fn add(&mut self, value: Value, count: i64);
    /// Takes a value away.
    fn take(&mut self, value: &[u8]) -> Option<Value>;
    /// All values with their marked counts.
    fn all(&self) -> impl Iterator<Item = (&Value, &i64)>;
    /// Bytes for each value beside the value.
    const ENTRY_BYTES: usize;
}

impl Table for HashMap<Value, i64> {
    fn find(&mut self, value: &[u8]) -> Option<&mut i64> {
        self.get_mut(value)
    }

    fn add(&mut self, value: Value, count: i64) {
        self.insert(value, count);
    }

    fn take(&mut self, value: &[u8]) -> Option<Value> {
        self.remove_entry(value).map(|(value, _)| value)
    }

    fn all(&self) -> impl Iterator<Item = (&Value, &i64)> {
        self.iter()
    }

    // A table is between half and seven eighths full.
    const ENTRY_BYTES: usize = (size_of::<(Value, i64)>() + 1) * 3 / 2;
}

impl Table for BTreeMap<Value, i64> {
    fn find(&mut self, value: &[u8]) -> Option<&mut i64> {
        self.get_mut(value)
    }

    fn add(&mut self, value: Value, count: i64) {
        self.insert(value, count);
    }

    fn take(&mut self, value: &[u8]) -> Option<Value> {
        self.remove_entry(value).map(|(value, _)| value)
    }

    fn all(&self) -> impl Iterator<Item = (&Value, &i64)> {
        self.iter()
    }

    // Nodes are between half full and full.
    const ENTRY_BYTES: usize = size_of::<(Value, i64)>() * 3 / 2;
}

/// Values with their counts.
#[derive(Debug, Clone, Default)]
pub struct Multiset<T> {
    table: T,
    /// Values that have come or whose count has changed since the last barrier.
    changed: Vec<Value>,
    /// Values that a checkpoint may hold and that have gone since the last barrier.
    gone: Vec<Value>,
}

/// Values found by their hash.
pub type HashedMultiset = Multiset<HashMap<Value, i64>>;
/// Values in the order of their bytes.
pub type OrderedMultiset = Multiset<BTreeMap<Value, i64>>;

impl<T: Table> Multiset<T> {
    /// Changes the count of `value` by `step`; gives the count before and after. `heap` counts the bytes taken.
    pub fn add(&mut self, value: &[u8], step: i64, heap: &mut usize) -> (i64, i64) {
        let Some(marked) = self.table.find(value) else {
            if step != 0 {
                let shared: Value = value.into();
                self.changed.push(Arc::clone(&shared));
                self.table.add(shared, (step * ONE) | CHANGED);
                *heap += Self::bytes_of(value);
            }
            return (0, step);
        };
        let before = *marked >> 2;
        let after = before.wrapping_add(step);
        if after != 0 {
            let first = *marked & CHANGED == 0;
            *marked = (after * ONE) | (*marked & WRITTEN) | CHANGED;
            if first {
                self.changed.push(value.into());
            }
            return (before, after);
        }
        let written = *marked & WRITTEN != 0;
        if let Some(value) = self.table.take(value) {
            *heap -= Self::bytes_of(&value);
            if written {
                self.gone.push(value);
            }
        }
        (before, 0)
    }

    /// Adds `value` if it is not there, once; gives whether it was not.
    pub fn insert(&mut self, value: &[u8], heap: &mut usize) -> bool {
        let new = self.table.find(value).is_none();
        if new {
            self.add(value, 1, heap);
        }
        new
    }

    /// All values with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (&Value, i64)> {
        self.table.all().map(|(value, marked)| (value, *marked >> 2))
    }

    /// Takes in what `other` holds.
    pub fn merge(&mut self, other: &Self, heap: &mut usize) {
        for (value, count) in other.iter() {
            self.add(value, count, heap);
        }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.table.all().map(|(value, _)| Self::bytes_of(value)).sum()
    }

    fn bytes_of(value: &[u8]) -> usize {
        2 * size_of::<usize>() + value.len() + T::ENTRY_BYTES
    }

    /// Gives what has changed since this was last called.
    pub fn freeze(&mut self, sink: &mut ElementSink<'_>) {
        self.gone.drain(..).for_each(|value| sink.delete(&value));
        let mut bytes = Vec::with_capacity(size_of::<i64>());
        for value in self.changed.drain(..) {
            // One that went again is no longer there; one that came twice is marked as written the second time.
            let Some(marked) = self.table.find(&value).filter(|marked| **marked & CHANGED != 0) else { continue };
            *marked = (*marked & !CHANGED) | WRITTEN;
            bytes.clear();
            (*marked >> 2).put(&mut bytes);
            sink.put(&value, &bytes);
        }
    }

    /// Gives all that some checkpoint may hold, as gone.
    pub fn forget(&self, sink: &mut ElementSink<'_>) {
        self.gone.iter().for_each(|value| sink.delete(value));
        for (value, _) in self.table.all().filter(|(_, marked)| **marked & WRITTEN != 0) {
            sink.delete(value);
        }
    }

    /// Takes a value back as `freeze` gave it.
    pub fn read(&mut self, value: &[u8], mut count: &[u8], heap: &mut usize) -> Option<()> {
        let count = i64::take(&mut count)?;
        self.table.add(value.into(), (count * ONE) | WRITTEN);
        *heap += Self::bytes_of(value);
        Some(())
    }
}

impl OrderedMultiset {
    /// The least value that is there.
    pub fn first(&self) -> Option<&Value> {
        self.table.iter().find(|(_, marked)| **marked >= ONE).map(|(value, _)| value)
    }

    /// The greatest value that is there.
    pub fn last(&self) -> Option<&Value> {
        self.table.iter().rev().find(|(_, marked)| **marked >= ONE).map(|(value, _)| value)
    }
}
