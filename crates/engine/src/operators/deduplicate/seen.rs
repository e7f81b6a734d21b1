//! New keys since the last completed checkpoint, ready to be frozen without a copy.
//!
//! Keys are collected in chunks by the time they expire; chunks that expire before any checkpoint takes them are dropped, so that what is held is bounded by
//! the live keys also where checkpoints are rare.

use std::collections::VecDeque;
use std::sync::Arc;

use weir_base::{Epoch, Result, Timestamp};
use weir_state::{FrozenPart, Unconfirmed};

/// Keys of a chunk at most.
const CHUNK_KEYS_MAX: usize = 65_536;

/// Keys that are written to a checkpoint as entries without a value.
pub trait SeenKey: Send + Sync + 'static {
    /// Hands key group and stored bytes to `give`.
    ///
    /// # Errors
    /// Whatever `give` says.
    fn stored(&self, max_parallelism: u16, give: &mut dyn FnMut(u16, &[u8]) -> Result<()>) -> Result<()>;
}

/// New keys of one chunk, in the order they came.
#[derive(Debug)]
struct Chunk<K> {
    keys: Vec<K>,
    /// Where in `keys` which expiry begins.
    runs: Vec<(usize, Timestamp)>,
}

impl<K> Chunk<K> {
    fn expires_last(&self) -> Timestamp {
        self.runs.iter().map(|(_, expires)| *expires).max().unwrap_or(Timestamp::MIN)
    }
}

/// The keys that no completed checkpoint holds yet.
#[derive(Debug)]
pub struct NewKeys<K> {
    open: VecDeque<Chunk<K>>,
    unconfirmed: Unconfirmed<Arc<VecDeque<Chunk<K>>>>,
}

impl<K> Default for NewKeys<K> {
    fn default() -> Self {
        Self { open: VecDeque::new(), unconfirmed: Unconfirmed::default() }
    }
}

impl<K: SeenKey> NewKeys<K> {
    /// Begins a batch at `now` whose new keys expire at `expires`.
    pub fn begin(&mut self, now: Timestamp, expires: Timestamp) {
        while self.open.front().is_some_and(|chunk| chunk.expires_last() <= now) {
            self.open.pop_front();
        }
        if self.open.back().is_none_or(|chunk| chunk.keys.len() >= CHUNK_KEYS_MAX) {
            self.open.push_back(Chunk { keys: Vec::new(), runs: Vec::new() });
        }
        let chunk = self.open.back_mut().expect("a chunk was just added where there was none");
        if chunk.runs.last().is_none_or(|(_, last)| *last != expires) {
            chunk.runs.push((chunk.keys.len(), expires));
        }
    }

    /// Adds a key that is new in the batch begun last.
    #[inline]
    pub fn push(&mut self, key: K) {
        self.open.back_mut().expect("a batch was begun").keys.push(key);
    }

    /// Closes the epoch and gives its part: all keys that no completed checkpoint holds.
    pub fn freeze(&mut self, epoch: Epoch, name: &'static str, max_parallelism: u16) -> FrozenPart {
        let deltas = self.unconfirmed.close(epoch, Arc::new(std::mem::take(&mut self.open)));
        FrozenPart {
            name,
            full: false,
            entries: Box::new(move |entries| {
                for chunk in deltas.iter().flat_map(|delta| delta.iter()) {
                    for (run, (start, expires)) in chunk.runs.iter().enumerate() {
                        let end = chunk.runs.get(run + 1).map_or(chunk.keys.len(), |(next, _)| *next);
                        for key in &chunk.keys[*start..end] {
                            key.stored(max_parallelism, &mut |group, bytes| entries.put(group, bytes, &[], *expires))?;
                        }
                    }
                }
                Ok(())
            }),
        }
    }

    /// Forgets what the completed checkpoint `epoch` holds.
    pub fn confirm(&mut self, epoch: Epoch) {
        self.unconfirmed.confirm(epoch);
    }

    /// Keys held for the epoch that is open.
    #[cfg(test)]
    pub fn open_keys(&self) -> usize {
        self.open.iter().map(|chunk| chunk.keys.len()).sum()
    }
}
