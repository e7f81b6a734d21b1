//! The elements of large states in checkpoints: each has an entry of its own, so that a checkpoint is as large as what has changed.
//!
//! A state of a collection (the values of a DISTINCT, of MIN where values are taken back, of ARRAY_AGG) is little itself; its elements stand in the part
//! `ELEMENTS`. The key of an element's entry is the key of the operator's own entry, the number of the aggregate, and the element.

use weir_base::{Error, Kind, Result, Timestamp};
use weir_state::Entries;

use super::bytes::{Fixed, put_bytes, take_bytes};

/// The part of state.
pub const ELEMENTS: &str = "elements";

/// A changed element.
#[derive(Debug)]
struct Element {
    /// The place of its key among those that were frozen.
    index: u32,
    /// The number of its aggregate and its own key.
    key: Box<[u8]>,
    /// `None`: it has gone.
    value: Option<Box<[u8]>>,
}

/// Takes changed elements of one key and aggregate.
pub struct ElementSink<'a> {
    elements: &'a mut Vec<Element>,
    index: u32,
    prefix: Vec<u8>,
}

impl ElementSink<'_> {
    /// `key` has `value` now.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.add(key, Some(value.into()));
    }

    /// `key` has gone.
    pub fn delete(&mut self, key: &[u8]) {
        self.add(key, None);
    }

    /// Calls `give` with keys that begin with `byte`: so that several collections of one state keep apart.
    pub fn within(&mut self, byte: u8, give: impl FnOnce(&mut ElementSink<'_>)) {
        self.prefix.push(byte);
        give(self);
        self.prefix.pop();
    }

    fn add(&mut self, key: &[u8], value: Option<Box<[u8]>>) {
        let key = [self.prefix.as_slice(), key].concat().into();
        self.elements.push(Element { index: self.index, key, value });
    }
}

/// States of some keys as they were at a barrier, with what has changed of their elements.
#[derive(Debug, Default)]
pub struct FrozenAggregates {
    states: Vec<u8>,
    ends: Vec<usize>,
    elements: Vec<Element>,
}

/// The elements of a key that has gone, which checkpoints may hold.
#[derive(Debug, Default)]
pub struct StoredElements {
    elements: Vec<Element>,
}

impl FrozenAggregates {
    /// Adds a key, whose state is what `write` adds.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.states);
        self.ends.push(self.states.len());
    }

    /// Where elements of aggregate `aggregate` of the key that was pushed last go.
    pub(super) fn sink(&mut self, aggregate: usize) -> ElementSink<'_> {
        let index = u32::try_from(self.ends.len() - 1).expect("keys are counted by a u32");
        ElementSink { elements: &mut self.elements, index, prefix: prefix_of(aggregate) }
    }

    /// The states of all aggregates of the key at `index`.
    pub fn state(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.states[start..self.ends[index]]
    }

    /// Writes the changed elements: `key_of` says the key group and the key of the operator's entry for the key at an index.
    ///
    /// # Errors
    /// The entries cannot be written.
    pub fn write_elements(
        &self,
        entries: &mut dyn Entries,
        mut key_of: impl FnMut(usize, &mut Vec<u8>) -> u16,
    ) -> Result<()> {
        let (mut owner, mut entry_key, mut of) = (Vec::new(), Vec::new(), None);
        for element in &self.elements {
            let group = match of {
                Some((index, group)) if index == element.index => group,
                _ => {
                    owner.clear();
                    let group = key_of(element.index as usize, &mut owner);
                    of = Some((element.index, group));
                    group
                }
            };
            write_element_key(&owner, &element.key, &mut entry_key);
            match &element.value {
                Some(value) => entries.put(group, &entry_key, value, Timestamp::MAX)?,
                None => entries.delete(group, &entry_key)?,
            }
        }
        Ok(())
    }
}

impl StoredElements {
    /// Where elements of aggregate `aggregate` go.
    pub(super) fn sink(&mut self, aggregate: usize) -> ElementSink<'_> {
        ElementSink { elements: &mut self.elements, index: 0, prefix: prefix_of(aggregate) }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Deletes them; `owner` is the key of the operator's entry.
    ///
    /// # Errors
    /// The entries cannot be written.
    pub fn delete(&self, entries: &mut dyn Entries, group: u16, owner: &[u8]) -> Result<()> {
        let mut entry_key = Vec::new();
        for element in &self.elements {
            write_element_key(owner, &element.key, &mut entry_key);
            entries.delete(group, &entry_key)?;
        }
        Ok(())
    }
}

fn prefix_of(aggregate: usize) -> Vec<u8> {
    u16::try_from(aggregate).expect("a SELECT has fewer aggregates than a u16 counts").to_le_bytes().to_vec()
}

fn write_element_key(owner: &[u8], element: &[u8], out: &mut Vec<u8>) {
    out.clear();
    put_bytes(owner, out);
    out.extend_from_slice(element);
}

/// The key of an element's entry, apart.
pub struct StoredElementKey<'a> {
    /// The key of the operator's entry.
    pub owner: &'a [u8],
    /// The number of the aggregate.
    pub aggregate: usize,
    /// The element.
    pub element: &'a [u8],
}

/// Takes the key of an element's entry apart.
///
/// # Errors
/// It is too short.
pub fn read_element_key(mut entry_key: &[u8]) -> Result<StoredElementKey<'_>> {
    let key = (|| {
        let owner = take_bytes(&mut entry_key)?;
        let aggregate = usize::from(u16::take(&mut entry_key)?);
        Some(StoredElementKey { owner, aggregate, element: entry_key })
    })();
    key.ok_or_else(|| corrupt("its key is too short"))
}

/// An element that does not read back.
pub fn corrupt(what: &str) -> Error {
    Error::new(Kind::Corrupt, format!("read an element of an aggregate from state: {what}"))
}
