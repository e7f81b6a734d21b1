//! A table by whole keys whose entries expire, in shards that grow and are swept one at a time.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use weir_base::Timestamp;

use crate::keys::{KeyHash, StoredKey, hash_of};

const SHARDS: usize = 256;

/// Values by key.
pub struct KeyTable<V> {
    shards: Vec<HashTable<Slot<V>>>,
    sweep_next: usize,
    /// Bytes of the keys and values that lie outside the shards.
    heap_bytes: usize,
}

/// A value that a table keeps.
pub trait Kept {
    /// Bytes that it takes outside its slot.
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl Kept for () {}

impl Kept for Timestamp {}

/// An entry of a table.
pub struct Slot<V> {
    /// Its key.
    pub key: StoredKey,
    /// When it expires, in processing time; `Timestamp::MAX`: never.
    pub expires: Timestamp,
    /// What is kept.
    pub value: V,
}

impl<V: Kept> Slot<V> {
    fn heap_bytes(&self) -> usize {
        shared_bytes(&self.key) + self.value.heap_bytes()
    }
}

/// Bytes of shared bytes: two counters stand before them.
pub fn shared_bytes(bytes: &[u8]) -> usize {
    2 * size_of::<usize>() + bytes.len()
}

impl<V: Kept> KeyTable<V> {
    /// An empty table.
    pub fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| HashTable::new()).collect(), sweep_next: 0, heap_bytes: 0 }
    }

    /// Bytes of the table with its keys and values.
    pub fn bytes(&self) -> usize {
        self.heap_bytes + self.shards.iter().map(HashTable::allocation_size).sum::<usize>()
    }

    /// Told what a caller of `entry` has put in and taken out, in bytes outside the slots.
    pub fn moved(&mut self, added: usize, gone: usize) {
        self.heap_bytes = (self.heap_bytes + added).saturating_sub(gone);
    }

    /// The place of `key`; who changes what is there tells `moved`.
    #[inline]
    pub fn entry(&mut self, key: &[u8]) -> Entry<'_, Slot<V>> {
        let hash = hash_of(key);
        self.shards[shard_of(hash)].entry(
            table_hash(hash),
            |slot| *slot.key == *key,
            |slot| table_hash(hash_of(&slot.key)),
        )
    }

    /// The entry of `key`, expired or not.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<&Slot<V>> {
        let hash = hash_of(key);
        self.shards[shard_of(hash)].find(table_hash(hash), |slot| *slot.key == *key)
    }

    /// Puts `value` in the place of `key`.
    pub fn put(&mut self, key: &[u8], value: V, expires: Timestamp) {
        let (added, gone) = match self.entry(key) {
            Entry::Occupied(mut slot) => {
                let slot = slot.get_mut();
                let former = std::mem::replace(&mut slot.value, value);
                slot.expires = expires;
                (slot.value.heap_bytes(), former.heap_bytes())
            }
            Entry::Vacant(vacant) => (vacant.insert(Slot { key: key.into(), expires, value }).get().heap_bytes(), 0),
        };
        self.moved(added, gone);
    }

    /// Takes the entry of `key` out.
    pub fn remove(&mut self, key: &[u8]) -> Option<Slot<V>> {
        let Entry::Occupied(slot) = self.entry(key) else { return None };
        let slot = slot.remove().0;
        self.moved(0, slot.heap_bytes());
        Some(slot)
    }

    /// Drops what has expired from the next shard, telling `gone`.
    pub fn sweep(&mut self, now: Timestamp, mut gone: impl FnMut(&Slot<V>)) {
        let shard = &mut self.shards[self.sweep_next];
        let mut swept = 0;
        shard.retain(|slot| {
            let stays = slot.expires > now;
            if !stays {
                gone(slot);
                swept += slot.heap_bytes();
            }
            stays
        });
        if shard.len() * 4 < shard.capacity() {
            shard.shrink_to(shard.len() * 2, |slot| table_hash(hash_of(&slot.key)));
        }
        self.sweep_next = (self.sweep_next + 1) % SHARDS;
        self.moved(0, swept);
    }

    /// Entries held, expired ones not yet swept among them.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.shards.iter().map(HashTable::len).sum()
    }
}

/// When what is written at `now` expires; a time to live of zero: never.
pub fn expires(now: Timestamp, ttl_ms: i64) -> Timestamp {
    if ttl_ms == 0 { Timestamp::MAX } else { now.saturating_add(ttl_ms) }
}

#[inline]
fn shard_of(hash: KeyHash) -> usize {
    usize::try_from((hash >> 32) % SHARDS as u128).expect("below the number of shards")
}

/// The bits that a shard uses: others than those that choose it.
#[inline]
fn table_hash(hash: KeyHash) -> u64 {
    u64::try_from((hash >> 40) & u128::from(u64::MAX)).expect("masked to 64 bits")
}
