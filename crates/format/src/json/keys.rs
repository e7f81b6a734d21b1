//! The names of an object's fields, and which one is likely to come next.
//!
//! Writers give their fields in the same order time after time, so each name remembers what followed it last: the next key is compared
//! with that one by wide loads and looked up only when it differs. Names that nobody asked for are learned too, up to a bound.

use std::collections::BTreeMap;

/// Stands for "no column": the value is skipped.
pub(crate) const SKIP: u32 = u32::MAX;

/// Unknown names that are learned at most: objects whose keys are data must not grow the table.
const LEARNED_MAX: usize = 64;

/// A name.
struct Key {
    /// The first 16 bytes of `"name":`.
    head: u128,
    /// The bits of `head` that count; 0 with a length of 0 for names that JSON must escape, which are never predicted.
    mask: u128,
    /// What follows the first 16 bytes.
    rest: Box<[u8]>,
    /// Bytes of `"name":`; 0 if it is never predicted.
    length: usize,
    /// Where its value goes, or `SKIP`.
    column: u32,
    /// The name that followed it last.
    next: u32,
}

/// The table of names; keys are known by their index in it.
pub(crate) struct Keys {
    keys: Vec<Key>,
    indices: BTreeMap<Box<[u8]>, u32>,
    first: u32,
    learned: usize,
}

impl Keys {
    /// A table of the fields called `names`: the column of each is its index. Of two equal names the later one counts.
    pub fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut table = Self { keys: Vec::new(), indices: BTreeMap::new(), first: 0, learned: 0 };
        for (column, name) in names.enumerate() {
            table.add(name.as_bytes(), u32::try_from(column).expect("columns are bounded far below 2^32"));
        }
        table
    }

    fn add(&mut self, name: &[u8], column: u32) -> u32 {
        let index = u32::try_from(self.keys.len()).expect("columns and learned names are bounded far below 2^32");
        let mut text = Vec::with_capacity(name.len() + 3);
        text.push(b'"');
        text.extend_from_slice(name);
        text.extend_from_slice(b"\":");
        let plain = !name.iter().any(|byte| matches!(byte, b'"' | b'\\'));
        let mut head = [0u8; 16];
        let count = text.len().min(16);
        head[..count].copy_from_slice(&text[..count]);
        self.keys.push(Key {
            head: u128::from_le_bytes(head),
            mask: if count == 16 { u128::MAX } else { (1 << (8 * count)) - 1 },
            rest: text.get(16..).unwrap_or_default().into(),
            length: if plain { text.len() } else { 0 },
            column,
            next: index + 1,
        });
        self.indices.insert(name.into(), index);
        index
    }

    /// The key that probably comes first in an object.
    #[inline]
    pub fn first(&self) -> u32 {
        self.first
    }

    /// The column of key `index`, and the key that probably comes after it.
    #[inline]
    pub fn column_and_next(&self, index: u32) -> (u32, u32) {
        let key = &self.keys[index as usize];
        (key.column, key.next)
    }

    /// Bytes of `"name":` if `data` has exactly that of the key `expected` at `at`.
    #[inline]
    pub fn matches(&self, expected: u32, data: &[u8], at: usize) -> Option<usize> {
        let key = self.keys.get(expected as usize)?;
        let chunk = data.get(at..at + 16)?;
        let chunk = u128::from_le_bytes(chunk.try_into().expect("the slice has 16 bytes"));
        if (chunk ^ key.head) & key.mask != 0 || key.length == 0 {
            return None;
        }
        if !key.rest.is_empty() && data.get(at + 16..at + key.length)? != &*key.rest {
            return None;
        }
        Some(key.length)
    }

    /// The key called `name` that came after `previous` (`None`: as the first), so that it is expected there from now on.
    pub fn look_up(&mut self, name: &[u8], previous: Option<u32>) -> Option<u32> {
        let index = match self.indices.get(name) {
            Some(index) => *index,
            None if self.learned < LEARNED_MAX && name.len() <= 64 => {
                self.learned += 1;
                self.add(name, SKIP)
            }
            None => return None,
        };
        match previous {
            None => self.first = index,
            Some(previous) => self.keys[previous as usize].next = index,
        }
        Some(index)
    }
}
