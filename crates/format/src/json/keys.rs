//! The names of an object's fields, and which one is likely to come next.
//!
//! Writers give their fields in the same order time after time, so each name remembers what followed it last: the next key is compared
//! with that one by wide loads and looked up only when it differs. Names that nobody asked for are learned too, up to a bound.

/// Stands for "no column": the value is skipped.
pub(crate) const SKIP: u32 = u32::MAX;

/// Unknown names that are learned at most: objects whose keys are data must not grow the table.
const LEARNED_MAX: usize = 64;

/// Bytes of an unknown name that is learned at most.
const LEARNED_BYTES_MAX: usize = 64;

/// A name.
struct Key {
    /// The name itself.
    name: Box<[u8]>,
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
    /// Indices by the hash of their names, open addressing, at most a quarter full; a power of two long.
    slots: Vec<u32>,
    first: u32,
    learned: usize,
}

/// Marks a slot that no key has.
const FREE: u32 = u32::MAX;

/// A hash of `data[start..end]`: of its first 16 bytes and its length.
#[inline]
fn hash(data: &[u8], start: usize, end: usize) -> usize {
    let length = end - start;
    let head = match data.get(start..start + 16) {
        Some(chunk) => {
            let chunk = u128::from_le_bytes(chunk.try_into().expect("the slice has 16 bytes"));
            if length < 16 { chunk & ((1 << (8 * length)) - 1) } else { chunk }
        }
        None => {
            let mut chunk = [0u8; 16];
            let count = length.min(16);
            chunk[..count].copy_from_slice(&data[start..start + count]);
            u128::from_le_bytes(chunk)
        }
    };
    let folded = (head ^ (head >> 61) ^ length as u128) & u128::from(u64::MAX);
    let mixed = folded.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    usize::try_from((mixed >> 40) & 0xFFFF_FFFF).unwrap_or_default()
}

impl Keys {
    /// A table of the fields called `names`: the column of each is its index. Of two equal names the later one counts.
    pub fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut table = Self { keys: Vec::new(), slots: vec![FREE; 16], first: 0, learned: 0 };
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
            name: name.into(),
            head: u128::from_le_bytes(head),
            mask: if count == 16 { u128::MAX } else { (1 << (8 * count)) - 1 },
            rest: text.get(16..).unwrap_or_default().into(),
            length: if plain { text.len() } else { 0 },
            column,
            next: index + 1,
        });
        if self.keys.len() * 4 > self.slots.len() {
            self.slots = vec![FREE; self.slots.len() * 2];
            for index in 0..index {
                self.enter(index);
            }
        }
        self.enter(index);
        index
    }

    /// Puts a key into the slots; of two equal names the later one stays.
    fn enter(&mut self, index: u32) {
        let name = &self.keys[index as usize].name;
        let mut slot = hash(name, 0, name.len()) & (self.slots.len() - 1);
        while self.slots[slot] != FREE && self.keys[self.slots[slot] as usize].name != *name {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.slots[slot] = index;
    }

    #[inline]
    fn find(&self, data: &[u8], start: usize, end: usize) -> Option<u32> {
        let mut slot = hash(data, start, end) & (self.slots.len() - 1);
        loop {
            let index = self.slots[slot];
            if index == FREE {
                return None;
            }
            if *self.keys[index as usize].name == data[start..end] {
                return Some(index);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
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

    /// The key called `data[start..end]` that came after `previous` (`None`: as the first), so that it is expected there from now on.
    #[inline]
    pub fn look_up(&mut self, data: &[u8], start: usize, end: usize, previous: Option<u32>) -> Option<u32> {
        let index = match self.find(data, start, end) {
            Some(index) => index,
            None => self.learn(&data[start..end])?,
        };
        match previous {
            None => self.first = index,
            Some(previous) => self.keys[previous as usize].next = index,
        }
        Some(index)
    }

    #[cold]
    fn learn(&mut self, name: &[u8]) -> Option<u32> {
        if self.learned == LEARNED_MAX || name.len() > LEARNED_BYTES_MAX {
            return None;
        }
        self.learned += 1;
        Some(self.add(name, SKIP))
    }
}
