//! Entries that changed since the last completed checkpoint: each key once an epoch, with its newest value, so that freezing copies nothing.

use std::sync::Arc;

use hashbrown::HashMap;
use weir_base::{Epoch, Timestamp};
use weir_state::{FrozenPart, Unconfirmed};

/// The changes of one epoch: by key the group and the value with its expiry, or that it went.
type Epochal = HashMap<Arc<[u8]>, Change>;

#[derive(Debug)]
struct Change {
    key_group: u16,
    value: Option<(Arc<[u8]>, Timestamp)>,
    /// No earlier checkpoint holds the key: if it goes again in the same epoch, nobody need know.
    fresh: bool,
}

/// Changed entries that no completed checkpoint holds yet.
#[derive(Debug, Default)]
pub struct Changes {
    open: Epochal,
    unconfirmed: Unconfirmed<Arc<Epochal>>,
}

impl Changes {
    /// `key` has `value` now. `known`: the state had an entry with this key before.
    pub fn put(&mut self, key_group: u16, key: Arc<[u8]>, value: Arc<[u8]>, expires: Timestamp, known: bool) {
        let fresh = match self.open.get(&key) {
            Some(change) => change.fresh,
            None => !known,
        };
        self.open.insert(key, Change { key_group, value: Some((value, expires)), fresh });
    }

    /// `key` has gone.
    pub fn delete(&mut self, key_group: u16, key: Arc<[u8]>) {
        if self.open.get(&key).is_some_and(|change| change.fresh) {
            self.open.remove(&key);
        } else {
            self.open.insert(key, Change { key_group, value: None, fresh: false });
        }
    }

    /// `key` has expired, and so have all older values of it: there is nothing to write.
    pub fn expire(&mut self, key: &[u8]) {
        self.open.remove(key);
    }

    /// Closes the epoch and gives its part: all that no completed checkpoint holds.
    pub fn freeze(&mut self, epoch: Epoch, name: &'static str) -> FrozenPart {
        let deltas = self.unconfirmed.close(epoch, Arc::new(std::mem::take(&mut self.open)));
        FrozenPart {
            name,
            full: false,
            entries: Box::new(move |entries| {
                for (key, change) in deltas.iter().flat_map(|delta| delta.iter()) {
                    match &change.value {
                        Some((value, expires)) => entries.put(change.key_group, key, value, *expires)?,
                        None => entries.delete(change.key_group, key)?,
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
}
