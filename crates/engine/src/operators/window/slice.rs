//! The state of one slice of time: its keys in the order in which they were first seen, and a column of states for each aggregate.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use weir_base::{Result, Timestamp};

use super::delta::{FiredSlice, SliceDelta};
use crate::keys::{KeyHash, StoredKey, hash_of};
use crate::operators::aggregate::Aggregates;
use crate::operators::rows::StoredRow;

/// The key has changed since the last barrier.
const CHANGED: u8 = 1;
/// Some checkpoint may hold the key.
const WRITTEN: u8 = 2;

/// One slice: a window, or what several windows share.
pub struct Slice {
    /// The key columns of each key.
    pub rows: Vec<StoredRow>,
    /// The aggregates.
    pub aggregates: Aggregates,
    index: HashTable<(u64, u32)>,
    keys: Vec<StoredKey>,
    marks: Vec<u8>,
    changed: Vec<u32>,
    /// Bytes of keys and their rows, counted as they come: the size is asked for while rows are processed.
    key_bytes: usize,
}

impl Slice {
    /// An empty slice with aggregates like `prototype`.
    pub fn new(prototype: &Aggregates) -> Self {
        Self {
            rows: Vec::new(),
            aggregates: prototype.empty(),
            index: HashTable::new(),
            keys: Vec::new(),
            marks: Vec::new(),
            changed: Vec::new(),
            key_bytes: 0,
        }
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The number of `key`, added if it is new; the caller then adds its row and lets the aggregates grow.
    #[inline]
    pub fn number_of(&mut self, hash: KeyHash, key: &[u8]) -> u32 {
        let hash = u64::try_from(hash & u128::from(u64::MAX)).expect("masked to 64 bits");
        let keys = &self.keys;
        let entry = self.index.entry(
            hash,
            |(known, number)| *known == hash && *keys[*number as usize] == *key,
            |(known, _)| *known,
        );
        let number = match entry {
            Entry::Occupied(known) => known.get().1,
            Entry::Vacant(vacant) => {
                let number = u32::try_from(self.keys.len()).expect("a slice has fewer keys than a u32 counts");
                vacant.insert((hash, number));
                self.keys.push(key.into());
                self.key_bytes += size_of::<StoredKey>() + shared_bytes(key);
                self.marks.push(0);
                number
            }
        };
        let mark = &mut self.marks[number as usize];
        if *mark & CHANGED == 0 {
            *mark |= CHANGED;
            self.changed.push(number);
        }
        number
    }

    /// Bytes of memory that it takes.
    pub fn bytes(&self) -> usize {
        self.key_bytes + self.aggregates.bytes() + self.marks.capacity() + self.index.allocation_size()
    }

    /// Adds the rows of keys that were just numbered, in their order.
    pub fn add_rows(&mut self, rows: impl IntoIterator<Item = StoredRow>) {
        for row in rows {
            self.key_bytes += size_of::<StoredRow>() + shared_bytes(&row);
            self.rows.push(row);
        }
    }

    /// Lets the aggregates have a state for each key.
    pub fn grow(&mut self) {
        self.aggregates.grow(self.keys.len());
    }

    /// Takes in what `other` has seen, after what this one has.
    ///
    /// # Errors
    /// The aggregates are others.
    pub fn take_in(&mut self, other: &Self) -> Result<()> {
        let mut numbers = Vec::with_capacity(other.len());
        for (key, row) in other.keys.iter().zip(&other.rows) {
            let before = self.len();
            numbers.push(self.number_of(hash_of(key), key));
            if self.len() > before {
                self.add_rows([StoredRow::clone(row)]);
            }
        }
        self.grow();
        let count = u32::try_from(numbers.len()).expect("a slice has fewer keys than a u32 counts");
        let from: Vec<u32> = (0..count).collect();
        self.aggregates.merge(&other.aggregates, &from, &numbers)
    }

    /// All keys are as a checkpoint holds them.
    pub fn restored(&mut self) {
        self.changed.clear();
        self.marks.fill(WRITTEN);
    }

    /// What has changed since the last barrier; nothing if nothing has.
    pub fn take_changes(&mut self, end: Timestamp) -> Option<SliceDelta> {
        if self.changed.is_empty() {
            return None;
        }
        let numbers = std::mem::take(&mut self.changed);
        numbers.iter().for_each(|number| self.marks[*number as usize] = WRITTEN);
        Some(SliceDelta {
            end,
            keys: numbers.iter().map(|number| StoredKey::clone(&self.keys[*number as usize])).collect(),
            rows: numbers.iter().map(|number| StoredRow::clone(&self.rows[*number as usize])).collect(),
            aggregates: self.aggregates.freeze(&numbers),
            numbers,
        })
    }

    /// What a checkpoint may hold of it, now that it has gone.
    pub fn into_fired(self, end: Timestamp) -> FiredSlice {
        let has_elements = self.aggregates.has_elements();
        let written = (0..).zip(self.keys).zip(self.marks).filter(|(_, mark)| mark & WRITTEN != 0);
        let (mut keys, mut elements) = (Vec::new(), Vec::new());
        for ((number, key), _) in written {
            keys.push(key);
            if has_elements {
                elements.push(self.aggregates.forget(number));
            }
        }
        FiredSlice { end, keys, elements }
    }
}

/// Bytes of shared bytes on the heap: two counters stand before them.
fn shared_bytes(bytes: &[u8]) -> usize {
    2 * size_of::<usize>() + bytes.len()
}
