//! A collection of values in the order of their arrival, whose changes are known: what a checkpoint writes of it is what has changed.
//!
//! A value is bytes and stands under a number that grows. Where values are taken back, an index says where equal ones stand: the first of them goes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hashbrown::HashMap;

use super::elements::ElementSink;
use super::multiset::Value;

/// Bytes for each value beside the value: nodes are between half full and full.
const ENTRY_BYTES: usize = size_of::<(u64, Value)>() * 3 / 2 + 2 * size_of::<usize>();
/// Bytes for each value in the index.
const PLACE_BYTES: usize = size_of::<(Value, VecDeque<u64>)>() * 3 / 2 + 4 * size_of::<u64>();

/// Values in the order of their arrival.
#[derive(Debug, Clone, Default)]
pub struct Sequence {
    items: BTreeMap<u64, Value>,
    /// The numbers of equal values, if values are taken back.
    places: HashMap<Value, VecDeque<u64>>,
    /// The number of the next value.
    next: u64,
    /// Values below it may stand in a checkpoint.
    written: u64,
    /// Such values that have gone since the last barrier.
    gone: Vec<u64>,
}

impl Sequence {
    /// Adds `value` at the end; `indexed`: it may be taken back. `heap` counts the bytes taken.
    pub fn push(&mut self, value: &[u8], indexed: bool, heap: &mut usize) {
        let number = self.next;
        self.next += 1;
        self.insert(number, value, indexed, heap);
    }

    fn insert(&mut self, number: u64, value: &[u8], indexed: bool, heap: &mut usize) {
        *heap += bytes_of(value, indexed);
        if !indexed {
            self.items.insert(number, value.into());
            return;
        }
        let value = match self.places.get_key_value(value) {
            Some((known, _)) => Arc::clone(known),
            None => value.into(),
        };
        self.places.entry(Arc::clone(&value)).or_default().push_back(number);
        self.items.insert(number, value);
    }

    /// Takes the first that equals `value` away, if there is one; all must have been pushed as `indexed`.
    pub fn remove(&mut self, value: &[u8], heap: &mut usize) {
        let Some(places) = self.places.get_mut(value) else { return };
        let number = places.pop_front();
        if places.is_empty() {
            self.places.remove(value);
        }
        let Some(number) = number else { return };
        self.items.remove(&number);
        *heap -= bytes_of(value, true);
        if number < self.written {
            self.gone.push(number);
        }
    }

    /// The values in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Value> {
        self.items.values()
    }

    /// The first value.
    pub fn first(&self) -> Option<&Value> {
        self.items.first_key_value().map(|(_, value)| value)
    }

    /// The last value.
    pub fn last(&self) -> Option<&Value> {
        self.items.last_key_value().map(|(_, value)| value)
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Adds what `other` holds.
    pub fn merge(&mut self, other: &Self, indexed: bool, heap: &mut usize) {
        other.iter().for_each(|value| self.push(value, indexed, heap));
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        let indexed = !self.places.is_empty();
        self.iter().map(|value| bytes_of(value, indexed)).sum()
    }

    /// Gives what has changed since this was last called.
    pub fn freeze(&mut self, sink: &mut ElementSink<'_>) {
        self.gone.drain(..).for_each(|number| sink.delete(&number.to_be_bytes()));
        for (number, value) in self.items.range(self.written..) {
            sink.put(&number.to_be_bytes(), value);
        }
        self.written = self.next;
    }

    /// Gives all that some checkpoint may hold, as gone.
    pub fn forget(&self, sink: &mut ElementSink<'_>) {
        self.gone.iter().for_each(|number| sink.delete(&number.to_be_bytes()));
        for number in self.items.range(..self.written).map(|(number, _)| number) {
            sink.delete(&number.to_be_bytes());
        }
    }

    /// Takes a value back as `freeze` gave it; in the order of the numbers.
    pub fn read(&mut self, number: &[u8], value: &[u8], indexed: bool, heap: &mut usize) -> Option<()> {
        let number = u64::from_be_bytes(number.try_into().ok()?);
        if number < self.next {
            return None;
        }
        self.insert(number, value, indexed, heap);
        self.next = number + 1;
        self.written = self.next;
        Some(())
    }
}

fn bytes_of(value: &[u8], indexed: bool) -> usize {
    value.len() + ENTRY_BYTES + if indexed { PLACE_BYTES } else { 0 }
}
