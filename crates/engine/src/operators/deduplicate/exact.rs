//! The table of seen keys that keeps them whole: `weir.dedup.exact = true`. No two keys are ever mixed up; it takes more memory than fingerprints.
//!
//! A stored key is its 16-byte hash followed by its canonical bytes, so that restoring hashes nothing. Expired keys are swept shard by shard.

use std::time::Duration;

use arrow_array::RecordBatch;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use weir_base::{Error, Kind, Result, Timestamp};

use super::seen::SeenKey;
use crate::keys::{CanonicalColumn, KeyHash, key_group};

const SHARDS: usize = 256;
const HASH_BYTES: usize = size_of::<KeyHash>();

/// A stored key; shared by table and delta.
pub type ExactKey = std::sync::Arc<[u8]>;

impl SeenKey for ExactKey {
    fn stored(&self, max_parallelism: u16, give: &mut dyn FnMut(u16, &[u8]) -> Result<()>) -> Result<()> {
        give(key_group(hash_of(self), max_parallelism), self)
    }
}

/// Whole keys that expire.
pub struct ExactKeys {
    columns: Vec<usize>,
    ttl_ms: i64,
    shards: Vec<HashTable<Seen>>,
    sweep_next: usize,
    scratch: Vec<u8>,
}

struct Seen {
    key: ExactKey,
    expires: Timestamp,
}

/// Adds the keys of one batch.
pub struct Reader<'a> {
    columns: Vec<CanonicalColumn<'a>>,
    shards: &'a mut [HashTable<Seen>],
    scratch: &'a mut Vec<u8>,
    ttl_ms: i64,
}

impl ExactKeys {
    /// An empty table of keys over `columns` that live for `ttl`; zero: for good.
    pub fn new(columns: &[usize], ttl: Duration) -> Self {
        Self {
            columns: columns.to_vec(),
            ttl_ms: i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX),
            shards: (0..SHARDS).map(|_| HashTable::new()).collect(),
            sweep_next: 0,
            scratch: Vec::new(),
        }
    }

    /// When a key that is new at `now` expires.
    pub fn expires(&self, now: Timestamp) -> Timestamp {
        expires(now, self.ttl_ms)
    }

    /// Adds keys of `data`.
    ///
    /// # Errors
    /// A column cannot be a key.
    pub fn reader<'a>(&'a mut self, data: &'a RecordBatch) -> Result<Reader<'a>> {
        let columns =
            self.columns.iter().map(|column| CanonicalColumn::of(data.column(*column))).collect::<Result<_>>()?;
        Ok(Reader { columns, shards: &mut self.shards, scratch: &mut self.scratch, ttl_ms: self.ttl_ms })
    }

    /// Puts back a stored key, replacing an earlier expiry.
    ///
    /// # Errors
    /// It is too short to be one.
    pub fn restore(&mut self, stored: &[u8], expires: Timestamp) -> Result<()> {
        if stored.len() < HASH_BYTES {
            let length = stored.len();
            return Err(Error::new(
                Kind::Corrupt,
                format!("read a key: it has {length} bytes, fewer than {HASH_BYTES}"),
            ));
        }
        let hash = hash_of(stored);
        match entry(&mut self.shards, hash, stored) {
            Entry::Occupied(mut seen) => seen.get_mut().expires = expires,
            Entry::Vacant(vacant) => {
                vacant.insert(Seen { key: stored.into(), expires });
            }
        }
        Ok(())
    }

    /// Drops what has expired from the next shard.
    pub fn sweep(&mut self, now: Timestamp) {
        let shard = &mut self.shards[self.sweep_next];
        shard.retain(|seen| seen.expires > now);
        if shard.len() * 4 < shard.capacity() {
            shard.shrink_to(shard.len() * 2, |seen| table_hash(hash_of(&seen.key)));
        }
        self.sweep_next = (self.sweep_next + 1) % SHARDS;
    }

    /// Keys held, expired ones not yet swept among them.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.shards.iter().map(HashTable::len).sum()
    }
}

impl Reader<'_> {
    /// Adds the key of `row`, whose hash is `hash`; gives it if it is new at `now`.
    pub fn insert(&mut self, row: usize, hash: KeyHash, now: Timestamp) -> Option<ExactKey> {
        self.scratch.clear();
        self.scratch.extend(hash.to_be_bytes());
        self.columns.iter().for_each(|column| column.write(row, self.scratch));
        let expires = expires(now, self.ttl_ms);
        match entry(self.shards, hash, self.scratch) {
            Entry::Occupied(mut seen) => {
                let seen = seen.get_mut();
                if seen.expires > now {
                    return None;
                }
                seen.expires = expires;
                Some(ExactKey::clone(&seen.key))
            }
            Entry::Vacant(vacant) => {
                let key = ExactKey::from(self.scratch.as_slice());
                vacant.insert(Seen { key: ExactKey::clone(&key), expires });
                Some(key)
            }
        }
    }
}

fn expires(now: Timestamp, ttl_ms: i64) -> Timestamp {
    if ttl_ms == 0 { Timestamp::MAX } else { now.saturating_add(ttl_ms) }
}

fn entry<'a>(shards: &'a mut [HashTable<Seen>], hash: KeyHash, stored: &[u8]) -> Entry<'a, Seen> {
    let shard = usize::try_from((hash >> 32) % SHARDS as u128).expect("below the number of shards");
    shards[shard].entry(table_hash(hash), |seen| *seen.key == *stored, |seen| table_hash(hash_of(&seen.key)))
}

/// The bits that a table uses: others than the shard's.
fn table_hash(hash: KeyHash) -> u64 {
    u64::try_from((hash >> 40) & u128::from(u64::MAX)).expect("masked to 64 bits")
}

/// The hash in front of a stored key.
fn hash_of(stored: &[u8]) -> KeyHash {
    let bytes = stored[..HASH_BYTES].try_into().expect("a stored key begins with its hash");
    KeyHash::from_be_bytes(bytes)
}
