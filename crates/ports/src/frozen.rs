//! The seam between operators and the checkpoint writer: what an operator's state is at a barrier, and how it gets it back.
//!
//! Entries are bytes by key group. An operator freezes what changed since the last *completed* checkpoint; the writer encodes it later, on its
//! own thread, and keeps the chain of files from which the state is restored.

use weir_base::{Epoch, Result, Timestamp};

/// An operator's state at a barrier.
#[derive(Default)]
pub struct Frozen {
    /// Its parts; a part that is missing here has not changed.
    pub parts: Vec<FrozenPart>,
}

/// One named table of an operator's state.
pub struct FrozenPart {
    /// Its name within the operator, stable across versions.
    pub name: &'static str,
    /// Whether the entries are the whole table rather than what changed since the last completed checkpoint.
    pub full: bool,
    /// Gives out the entries; called once, on the writer's thread.
    pub entries: GiveEntries,
}

/// Gives out a part's entries, once.
pub type GiveEntries = Box<dyn FnOnce(&mut dyn Entries) -> Result<()> + Send>;

/// Where a frozen part gives out its entries.
pub trait Entries {
    /// An entry that is there, until `expires` (processing time; `Timestamp::MAX`: for good).
    ///
    /// # Errors
    /// The file cannot be written.
    fn put(&mut self, key_group: u16, key: &[u8], value: &[u8], expires: Timestamp) -> Result<()>;

    /// An entry that has gone.
    ///
    /// # Errors
    /// The file cannot be written.
    fn delete(&mut self, key_group: u16, key: &[u8]) -> Result<()>;
}

/// An operator's restored state: the entries of the key groups that one subtask owns.
pub trait RestoredState: Send {
    /// Visits the entries of `part` from the oldest file to the newest; a later one replaces an earlier one with the same key, `None` takes it away.
    /// Entries that had expired at `now` may be left out.
    ///
    /// # Errors
    /// A file is gone or does not read back as it was written.
    fn visit(&self, part: &str, now: Timestamp, visit: &mut VisitEntry<'_>) -> Result<()>;
}

/// Is handed key group, key, and value with expiry, or `None` for an entry that has gone.
pub type VisitEntry<'a> = dyn FnMut(u16, &[u8], Option<(&[u8], Timestamp)>) -> Result<()> + 'a;

/// The dirty sets of an operator, by the epoch that will write them: kept until a checkpoint that holds them is completed.
#[derive(Debug)]
pub struct Unconfirmed<T> {
    epochs: std::collections::VecDeque<(Epoch, T)>,
}

impl<T> Default for Unconfirmed<T> {
    fn default() -> Self {
        Self { epochs: std::collections::VecDeque::new() }
    }
}

impl<T: Clone> Unconfirmed<T> {
    /// Adds the changes that the barrier of `epoch` closes and gives all that no completed checkpoint holds, oldest first.
    pub fn close(&mut self, epoch: Epoch, changes: T) -> Vec<T> {
        self.epochs.push_back((epoch, changes));
        self.epochs.iter().map(|(_, changes)| changes.clone()).collect()
    }

    /// Forgets what the completed checkpoint `epoch` holds.
    pub fn confirm(&mut self, epoch: Epoch) {
        while self.epochs.front().is_some_and(|(closed, _)| *closed <= epoch) {
            self.epochs.pop_front();
        }
    }
}
