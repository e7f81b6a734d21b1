//! The set of seen keys that keeps them whole: `weir.dedup.exact = true`, and deduplication by event time. It takes more memory than fingerprints.

use std::time::Duration;

use hashbrown::hash_table::Entry;
use weir_base::{Result, Timestamp};

use super::seen::SeenKey;
use super::table::{KeyTable, Slot, expires, shared_bytes};
use crate::keys::{StoredKey, check_stored, group_of};

impl SeenKey for StoredKey {
    fn stored(&self, max_parallelism: u16, give: &mut dyn FnMut(u16, &[u8]) -> Result<()>) -> Result<()> {
        give(group_of(self, max_parallelism), self)
    }
}

/// Whole keys that expire.
pub struct ExactKeys {
    ttl_ms: i64,
    table: KeyTable<()>,
}

impl ExactKeys {
    /// An empty set of keys that live for `ttl`; zero: for good.
    pub fn new(ttl: Duration) -> Self {
        Self { ttl_ms: i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX), table: KeyTable::new() }
    }

    /// When a key that is new at `now` expires.
    pub fn expires(&self, now: Timestamp) -> Timestamp {
        expires(now, self.ttl_ms)
    }

    /// Whether `key` is there at `now`.
    pub fn contains(&self, key: &[u8], now: Timestamp) -> bool {
        self.table.find(key).is_some_and(|slot| slot.expires > now)
    }

    /// Adds `key`; gives it if it is new at `now`, that is not there or expired.
    pub fn insert(&mut self, key: &[u8], now: Timestamp) -> Option<StoredKey> {
        let expires = self.expires(now);
        match self.table.entry(key) {
            Entry::Occupied(mut slot) => {
                let slot = slot.get_mut();
                if slot.expires > now {
                    return None;
                }
                slot.expires = expires;
                Some(StoredKey::clone(&slot.key))
            }
            Entry::Vacant(vacant) => {
                let stored = StoredKey::from(key);
                vacant.insert(Slot { key: StoredKey::clone(&stored), expires, value: () });
                self.table.moved(shared_bytes(&stored), 0);
                Some(stored)
            }
        }
    }

    /// Puts back a stored key, replacing an earlier expiry.
    ///
    /// # Errors
    /// It is too short to be one.
    pub fn restore(&mut self, stored: &[u8], expires: Timestamp) -> Result<()> {
        check_stored(stored)?;
        self.table.put(stored, (), expires);
        Ok(())
    }

    /// Drops some of what has expired.
    pub fn sweep(&mut self, now: Timestamp) {
        self.table.sweep(now, |_| {});
    }

    /// Bytes of memory that they take.
    pub fn bytes(&self) -> usize {
        self.table.bytes()
    }

    /// Keys held, expired ones not yet swept among them.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.table.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Vec<u8> {
        let mut key = xxhash_rust::xxh3::xxh3_128(&number.to_le_bytes()).to_be_bytes().to_vec();
        key.extend(number.to_le_bytes());
        key
    }

    #[test]
    fn expired_keys_are_swept_in_a_round_of_ticks() {
        let mut keys = ExactKeys::new(Duration::from_secs(1));
        (0..5_000).for_each(|number| assert!(keys.insert(&key(number), 0).is_some()));
        assert!(keys.contains(&key(1), 999) && !keys.contains(&key(1), 1000));
        (0..256).for_each(|_| keys.sweep(999));
        assert_eq!(keys.len(), 5_000);
        // 24 bytes of key and 16 before them; a slot of 24, at half to seven eighths of its table.
        let bytes = keys.bytes() / 5_000;
        assert!((40 + 24..40 + 60).contains(&bytes), "{bytes} bytes a key");
        (0..256).for_each(|_| keys.sweep(1000));
        assert_eq!((keys.len(), keys.bytes()), (0, 0));
    }

    #[test]
    fn a_stored_key_without_its_hash_is_corrupt() {
        let error = ExactKeys::new(Duration::ZERO).restore(&[1; 15], 0).unwrap_err();
        assert_eq!(error.to_string(), "read a key: it has 15 bytes, fewer than 16");
    }
}
