//! The sessions of each key: which rows belong together, and which sessions have ended.
//!
//! It owns the intervals, not what they hold: a session has a slot, a number by which its owner finds the rest. Two sessions that a row brings together become
//! one, the earlier; its owner is told to merge what they hold.

use std::collections::BTreeSet;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use weir_base::Timestamp;

use crate::keys::{KeyHash, StoredKey, hash_of};

/// A session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The time of its first row.
    pub start: Timestamp,
    /// The time of its last row and the gap.
    pub end: Timestamp,
    /// Its number among all sessions ever begun: sessions of one end are given in this order.
    pub order: u64,
    /// The number of its key.
    pub key: u32,
}

/// Where a row went.
#[derive(Debug, PartialEq, Eq)]
pub enum Placed {
    /// Into the session of this slot, which is new.
    New(u32),
    /// Into a session that was there.
    Known(u32),
    /// Into the session of the slot `into`, which takes in the session of the slot `from`: that one is no more.
    Merged {
        /// The session that stays.
        into: u32,
        /// The one that it takes in.
        from: u32,
        /// The number that it was begun with.
        order: u64,
    },
    /// Nowhere: its session would have ended already.
    Late,
}

/// A key with its sessions.
struct Key {
    key: StoredKey,
    /// Slots of its sessions, by time.
    slots: Vec<u32>,
}

/// All sessions.
pub struct Sessions {
    gap: i64,
    index: HashTable<(u64, u32)>,
    keys: Vec<Option<Key>>,
    free_keys: Vec<u32>,
    slots: Vec<Option<Session>>,
    free_slots: Vec<u32>,
    /// Sessions by an end that they had: one that has grown since is looked at again at its real end.
    ends: BTreeSet<(Timestamp, u64, u32)>,
    begun: u64,
    key_bytes: usize,
}

impl Sessions {
    /// Sessions that end when no row has come for `gap` milliseconds.
    pub fn new(gap: i64) -> Self {
        Self {
            gap,
            index: HashTable::new(),
            keys: Vec::new(),
            free_keys: Vec::new(),
            slots: Vec::new(),
            free_slots: Vec::new(),
            ends: BTreeSet::new(),
            begun: 0,
            key_bytes: 0,
        }
    }

    /// Slots that are in use or free for use: their owner keeps room for so many.
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// The session of a slot in use.
    pub fn get(&self, slot: u32) -> Session {
        self.slots[slot as usize].expect("the owner asks for slots in use only")
    }

    /// The key of the session of a slot in use.
    pub fn key(&self, slot: u32) -> &StoredKey {
        let key = self.get(slot).key;
        &self.keys[key as usize].as_ref().expect("a session in use has a key").key
    }

    /// Places a row of `key` at the wall-clock time `time`; `is_late` says of an end whether it has passed.
    pub fn place(
        &mut self,
        hash: KeyHash,
        key: &[u8],
        time: Timestamp,
        mut is_late: impl FnMut(Timestamp) -> bool,
    ) -> Placed {
        let end = time.saturating_add(self.gap);
        let known = self.number_of(hash, key);
        let touching: Vec<u32> = match known.and_then(|number| self.keys[number as usize].as_ref()) {
            None => Vec::new(),
            Some(key) => {
                let touches =
                    |slot: &&u32| self.slots[**slot as usize].is_some_and(|of| of.start <= end && of.end >= time);
                key.slots.iter().filter(touches).copied().collect()
            }
        };
        match touching.as_slice() {
            [] if is_late(end) => Placed::Late,
            [] => {
                let number = known.unwrap_or_else(|| self.add_key(hash, key));
                let order = self.begun;
                self.begun += 1;
                Placed::New(self.begin(Session { start: time, end, order, key: number }))
            }
            [slot] => {
                let session = self.slots[*slot as usize].as_mut().expect("it was just seen");
                session.start = session.start.min(time);
                session.end = session.end.max(end);
                Placed::Known(*slot)
            }
            // A row touches two at most: sessions of a key lie further apart than the gap.
            [first, second, ..] => {
                let (from, into) = (self.get(*second), *first);
                let session = self.slots[into as usize].as_mut().expect("it was just seen");
                session.start = session.start.min(time);
                session.end = session.end.max(end).max(from.end);
                self.end(*second);
                Placed::Merged { into, from: *second, order: from.order }
            }
        }
    }

    /// Takes back a session that a checkpoint held.
    pub fn restore(&mut self, key: &[u8], start: Timestamp, end: Timestamp, order: u64) -> u32 {
        let hash = hash_of(key);
        let number = self.number_of(hash, key).unwrap_or_else(|| self.add_key(hash, key));
        self.begun = self.begun.max(order + 1);
        self.begin(Session { start, end, order, key: number })
    }

    /// Takes the sessions out that have ended, by their end; `has_ended` says so of an end. Their slots stay in use until `end`.
    pub fn ended(&mut self, mut has_ended: impl FnMut(Timestamp) -> bool) -> Vec<u32> {
        let mut ended = Vec::new();
        while let Some((end, order, slot)) = self.ends.first().copied() {
            if !has_ended(end) {
                break;
            }
            self.ends.pop_first();
            match self.slots[slot as usize] {
                Some(session) if session.order == order && session.end == end => ended.push(slot),
                // It has grown since.
                Some(session) if session.order == order => {
                    self.ends.insert((session.end, order, slot));
                }
                _ => {}
            }
        }
        ended
    }

    /// Lets go of the session of a slot, and of its key if it was the last.
    pub fn end(&mut self, slot: u32) {
        let Some(session) = self.slots[slot as usize].take() else { return };
        self.free_slots.push(slot);
        let Some(key) = self.keys[session.key as usize].as_mut() else { return };
        key.slots.retain(|other| *other != slot);
        if key.slots.is_empty() {
            let stored = StoredKey::clone(&key.key);
            let hash = short(hash_of(&stored));
            if let Ok(entry) = self.index.find_entry(hash, |(_, number)| *number == session.key) {
                entry.remove();
            }
            self.key_bytes -= bytes_of(&stored);
            self.keys[session.key as usize] = None;
            self.free_keys.push(session.key);
        }
    }

    /// Bytes of memory that it takes.
    pub fn bytes(&self) -> usize {
        self.index.allocation_size()
            + self.keys.capacity() * size_of::<Option<Key>>()
            + self.key_bytes
            + self.slots.capacity() * (size_of::<Option<Session>>() + size_of::<u32>())
            + self.ends.len() * size_of::<(Timestamp, u64, u32)>() * 2
    }

    fn number_of(&self, hash: KeyHash, key: &[u8]) -> Option<u32> {
        let hash = short(hash);
        let is = |(known, number): &(u64, u32)| {
            *known == hash && self.keys[*number as usize].as_ref().is_some_and(|known| *known.key == *key)
        };
        self.index.find(hash, is).map(|(_, number)| *number)
    }

    fn add_key(&mut self, hash: KeyHash, key: &[u8]) -> u32 {
        let hash = short(hash);
        let number = self.free_keys.pop().unwrap_or_else(|| {
            self.keys.push(None);
            u32::try_from(self.keys.len() - 1).expect("there are fewer keys than a u32 counts")
        });
        self.key_bytes += bytes_of(key);
        self.keys[number as usize] = Some(Key { key: key.into(), slots: Vec::new() });
        match self.index.entry(hash, |_| false, |(known, _)| *known) {
            Entry::Occupied(_) => {}
            Entry::Vacant(vacant) => {
                vacant.insert((hash, number));
            }
        }
        number
    }

    fn begin(&mut self, session: Session) -> u32 {
        let slot = self.free_slots.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("there are fewer sessions than a u32 counts")
        });
        self.slots[slot as usize] = Some(session);
        self.ends.insert((session.end, session.order, slot));
        let slots = &self.slots;
        let start_of = |slot: &u32| slots[*slot as usize].map_or(Timestamp::MIN, |session| session.start);
        if let Some(key) = self.keys[session.key as usize].as_mut() {
            let place = key.slots.partition_point(|other| start_of(other) < session.start);
            key.slots.insert(place, slot);
        }
        slot
    }
}

fn short(hash: KeyHash) -> u64 {
    u64::try_from(hash & u128::from(u64::MAX)).expect("masked to 64 bits")
}

/// Bytes of a shared key with its two counters, and of the list of its sessions.
fn bytes_of(key: &[u8]) -> usize {
    key.len() + 2 * size_of::<usize>() + size_of::<u32>()
}

#[cfg(test)]
#[path = "sessions/tests.rs"]
mod tests;
