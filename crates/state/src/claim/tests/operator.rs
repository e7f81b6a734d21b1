//! A stand-in for an operator with keyed state: a table, with what changed since the last completed checkpoint.

use std::collections::BTreeMap;

use weir_base::{Epoch, Result, Timestamp, key_group_range};
use weir_ports::{Entries, Frozen, FrozenPart, Restored, Unconfirmed};

use super::{MAX_PARALLELISM, PART, UID};
use crate::claim::SubtaskState;
use crate::restored::RestoredCheckpoint;

type Key = (u16, Vec<u8>);
type Value = Option<(Vec<u8>, Timestamp)>;

/// The state of all subtasks of one operator.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub entries: BTreeMap<Key, (Vec<u8>, Timestamp)>,
    changes: Vec<(Key, Value)>,
    unconfirmed: Unconfirmed<Vec<(Key, Value)>>,
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl Table {
    pub fn put(&mut self, group: u16, key: &[u8], value: &[u8], expires: Timestamp) {
        let value = (value.to_vec(), expires);
        self.entries.insert((group, key.to_vec()), value.clone());
        self.changes.push(((group, key.to_vec()), Some(value)));
    }

    pub fn delete(&mut self, group: u16, key: &[u8]) {
        self.entries.remove(&(group, key.to_vec()));
        self.changes.push(((group, key.to_vec()), None));
    }

    /// Its entries that had not expired at `now`.
    pub fn alive(&self, now: Timestamp) -> Self {
        let alive = self.entries.iter().filter(|(_, (_, expires))| *expires > now);
        Self { entries: alive.map(|(key, value)| (key.clone(), value.clone())).collect(), ..Self::default() }
    }

    /// What `parallelism` subtasks freeze at the barrier of `epoch`: all of it, or what changed.
    pub fn freeze(&mut self, epoch: Epoch, parallelism: u16, full: bool) -> Vec<SubtaskState> {
        let changes = self.unconfirmed.close(epoch, std::mem::take(&mut self.changes)).concat();
        let all: Vec<(Key, Value)> =
            self.entries.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
        let subtask = |subtask| {
            let key_groups = key_group_range(subtask, MAX_PARALLELISM, parallelism);
            let mut own = if full { all.clone() } else { changes.clone() };
            own.retain(|((group, _), _)| key_groups.contains(group));
            let parts = if own.is_empty() && !full { Vec::new() } else { vec![part(own, full)] };
            SubtaskState { uid: UID.to_owned(), key_groups, frozen: Frozen { parts } }
        };
        (0..parallelism).map(subtask).collect()
    }

    pub fn confirm(&mut self, epoch: Epoch) {
        self.unconfirmed.confirm(epoch);
    }

    /// What `parallelism` subtasks are given back.
    pub fn read(restored: &RestoredCheckpoint, now: Timestamp, parallelism: u16) -> Result<Self> {
        let mut table = Self::default();
        for subtask in 0..parallelism {
            let range = key_group_range(subtask, MAX_PARALLELISM, parallelism);
            let state = restored.state(UID, range.clone())?;
            let mut visit = |group: u16, key: &[u8], value: Option<(&[u8], Timestamp)>| {
                assert!(range.contains(&group), "{group} in {range:?}");
                match value {
                    Some((value, expires)) => table.entries.insert((group, key.to_vec()), (value.to_vec(), expires)),
                    None => table.entries.remove(&(group, key.to_vec())),
                };
                Ok(())
            };
            state.visit(PART, now, &mut visit)?;
        }
        Ok(table)
    }
}

fn part(entries: Vec<(Key, Value)>, full: bool) -> FrozenPart {
    let give = move |out: &mut dyn Entries| {
        entries.iter().try_for_each(|((group, key), value)| match value {
            Some((value, expires)) => out.put(*group, key, value, *expires),
            None => out.delete(*group, key),
        })
    };
    FrozenPart { name: PART, full, entries: Box::new(give) }
}
