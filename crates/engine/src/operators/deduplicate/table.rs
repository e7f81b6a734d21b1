//! A table by whole keys whose entries expire, in shards that grow and are swept one at a time.
//!
//! A stored key is its 16-byte hash followed by its canonical bytes: restoring hashes nothing, and no two keys are ever mixed up.

use std::sync::Arc;

use arrow_array::RecordBatch;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use weir_base::{Error, Kind, Result, Timestamp};

use crate::keys::{CanonicalColumn, KeyHash, key_group};

const SHARDS: usize = 256;
const HASH_BYTES: usize = size_of::<KeyHash>();

/// A stored key; shared by table and delta.
pub type StoredKey = Arc<[u8]>;

/// Values by key.
pub struct KeyTable<V> {
    shards: Vec<HashTable<Slot<V>>>,
    sweep_next: usize,
}

/// An entry of a table.
pub struct Slot<V> {
    /// Its key.
    pub key: StoredKey,
    /// When it expires, in processing time; `Timestamp::MAX`: never.
    pub expires: Timestamp,
    /// What is kept.
    pub value: V,
}

impl<V> KeyTable<V> {
    /// An empty table.
    pub fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| HashTable::new()).collect(), sweep_next: 0 }
    }

    /// The place of `key`.
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
        match self.entry(key) {
            Entry::Occupied(mut slot) => {
                slot.get_mut().value = value;
                slot.get_mut().expires = expires;
            }
            Entry::Vacant(vacant) => {
                vacant.insert(Slot { key: key.into(), expires, value });
            }
        }
    }

    /// Takes the entry of `key` out.
    pub fn remove(&mut self, key: &[u8]) -> Option<Slot<V>> {
        match self.entry(key) {
            Entry::Occupied(slot) => Some(slot.remove().0),
            Entry::Vacant(_) => None,
        }
    }

    /// Drops what has expired from the next shard, telling `gone`.
    pub fn sweep(&mut self, now: Timestamp, mut gone: impl FnMut(&Slot<V>)) {
        let shard = &mut self.shards[self.sweep_next];
        shard.retain(|slot| {
            let stays = slot.expires > now;
            if !stays {
                gone(slot);
            }
            stays
        });
        if shard.len() * 4 < shard.capacity() {
            shard.shrink_to(shard.len() * 2, |slot| table_hash(hash_of(&slot.key)));
        }
        self.sweep_next = (self.sweep_next + 1) % SHARDS;
    }

    /// Entries held, expired ones not yet swept among them.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.shards.iter().map(HashTable::len).sum()
    }
}

/// Writes the stored keys of a batch's rows.
pub struct KeyReader<'a> {
    columns: Vec<CanonicalColumn<'a>>,
}

impl<'a> KeyReader<'a> {
    /// Reads `columns` of `data`.
    ///
    /// # Errors
    /// A column cannot be a key.
    pub fn new(columns: &[usize], data: &'a RecordBatch) -> Result<Self> {
        let columns = columns.iter().map(|column| CanonicalColumn::of(data.column(*column))).collect::<Result<_>>()?;
        Ok(Self { columns })
    }

    /// Replaces `key` by the stored key of `row`, whose hash is `hash`.
    #[inline]
    pub fn read(&self, row: usize, hash: KeyHash, key: &mut Vec<u8>) {
        key.clear();
        key.extend(hash.to_be_bytes());
        self.columns.iter().for_each(|column| column.write(row, key));
    }
}

/// When what is written at `now` expires; a time to live of zero: never.
pub fn expires(now: Timestamp, ttl_ms: i64) -> Timestamp {
    if ttl_ms == 0 { Timestamp::MAX } else { now.saturating_add(ttl_ms) }
}

/// The key group of a stored key.
pub fn group_of(key: &[u8], max_parallelism: u16) -> u16 {
    key_group(hash_of(key), max_parallelism)
}

/// Checks a key that comes out of a checkpoint.
///
/// # Errors
/// It is too short to be one.
pub fn check_stored(key: &[u8]) -> Result<()> {
    if key.len() < HASH_BYTES {
        let length = key.len();
        return Err(Error::new(Kind::Corrupt, format!("read a key: it has {length} bytes, fewer than {HASH_BYTES}")));
    }
    Ok(())
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

/// The hash in front of a stored key.
#[inline]
fn hash_of(key: &[u8]) -> KeyHash {
    KeyHash::from_be_bytes(key[..HASH_BYTES].try_into().expect("a stored key begins with its hash"))
}
