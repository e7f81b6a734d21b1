//! The states of partitions in checkpoints: an entry for each partition that has changed, and entries for the elements of large states.

use std::sync::Arc;

use hashbrown::HashSet;
use weir_base::{Epoch, Error, Kind, Result, Timestamp};
use weir_state::{FrozenPart, Unconfirmed};

use super::functions::Functions;
use crate::keys::{StoredKey, group_of};
use crate::operators::aggregate::{ELEMENTS, Fixed, FrozenAggregates, StoredElements, put_bytes, take_bytes};

/// The part of state.
pub const STATES: &str = "states";

/// What happened to states since the last completed checkpoint.
#[derive(Default)]
pub struct StateChanges {
    changed: HashSet<StoredKey>,
    gone: Vec<(StoredKey, StoredElements)>,
    unconfirmed: Unconfirmed<Arc<Delta>>,
}

/// What happened between two barriers: first some went, then others are as follows.
#[derive(Default)]
struct Delta {
    gone: Vec<(StoredKey, StoredElements)>,
    keys: Vec<StoredKey>,
    heads: Vec<(Vec<u8>, Timestamp)>,
    aggregates: FrozenAggregates,
}

/// What a partition has beside its aggregates.
pub struct Head {
    /// The number of its state.
    pub number: u32,
    /// What the operator keeps.
    pub bytes: Vec<u8>,
    /// When it is forgotten.
    pub expires: Timestamp,
}

impl StateChanges {
    /// The partition `key` has changed.
    pub fn put(&mut self, key: &StoredKey) {
        if !self.changed.contains(key) {
            self.changed.insert(StoredKey::clone(key));
        }
    }

    /// The partition `key` is forgotten; `elements` are those of its aggregates.
    pub fn delete(&mut self, key: &StoredKey, elements: StoredElements) {
        self.changed.remove(key);
        self.gone.push((StoredKey::clone(key), elements));
    }

    /// Closes the epoch and gives its parts; `head` says what a partition has.
    pub fn freeze(
        &mut self,
        epoch: Epoch,
        functions: &mut Functions,
        max_parallelism: u16,
        head: impl Fn(&StoredKey) -> Option<Head>,
    ) -> Vec<FrozenPart> {
        let mut delta = Delta { gone: std::mem::take(&mut self.gone), ..Delta::default() };
        let mut numbers = Vec::new();
        for key in self.changed.drain() {
            let Some(mut head) = head(&key) else { continue };
            let mut lags = Vec::new();
            functions.lags.iter().for_each(|lag| lag.write(head.number, &mut lags));
            let mut bytes = Vec::new();
            functions.mark.put(&mut bytes);
            put_bytes(&head.bytes, &mut bytes);
            put_bytes(&lags, &mut bytes);
            head.bytes = bytes;
            numbers.push(head.number);
            delta.keys.push(key);
            delta.heads.push((head.bytes, head.expires));
        }
        delta.aggregates = functions.aggregates.freeze(&numbers);
        let deltas = self.unconfirmed.close(epoch, Arc::new(delta));
        let mut parts = vec![states_part(deltas.clone(), max_parallelism)];
        if functions.aggregates.has_elements() {
            parts.push(elements_part(deltas, max_parallelism));
        }
        parts
    }

    /// Forgets what the completed checkpoint `epoch` holds.
    pub fn confirm(&mut self, epoch: Epoch) {
        self.unconfirmed.confirm(epoch);
    }
}

fn states_part(deltas: Vec<Arc<Delta>>, max_parallelism: u16) -> FrozenPart {
    FrozenPart {
        name: STATES,
        full: false,
        entries: Box::new(move |entries| {
            let mut value = Vec::new();
            for delta in &deltas {
                for (key, _) in &delta.gone {
                    entries.delete(group_of(key, max_parallelism), key)?;
                }
                for (index, (key, (head, expires))) in delta.keys.iter().zip(&delta.heads).enumerate() {
                    value.clear();
                    value.extend_from_slice(head);
                    value.extend_from_slice(delta.aggregates.state(index));
                    entries.put(group_of(key, max_parallelism), key, &value, *expires)?;
                }
            }
            Ok(())
        }),
    }
}

fn elements_part(deltas: Vec<Arc<Delta>>, max_parallelism: u16) -> FrozenPart {
    FrozenPart {
        name: ELEMENTS,
        full: false,
        entries: Box::new(move |entries| {
            for delta in &deltas {
                for (key, elements) in delta.gone.iter().filter(|(_, elements)| !elements.is_empty()) {
                    elements.delete(entries, group_of(key, max_parallelism), key)?;
                }
                delta.aggregates.write_elements(entries, |index, owner| {
                    owner.extend_from_slice(&delta.keys[index]);
                    group_of(&delta.keys[index], max_parallelism)
                })?;
            }
            Ok(())
        }),
    }
}

/// Takes the state of `key` back; gives what the operator keeps beside it.
///
/// # Errors
/// It is cut off, or of other functions.
pub fn read_state(functions: &mut Functions, key: u32, mut bytes: &[u8]) -> Result<Vec<u8>> {
    let found = u32::take(&mut bytes).ok_or_else(cut_off)?;
    if found != functions.mark {
        return Err(Error::invalid("restore an OVER aggregation: the state was written with other functions")
            .hint("start with --fresh, or with the SQL that wrote it"));
    }
    let head = take_bytes(&mut bytes).ok_or_else(cut_off)?.to_vec();
    let mut lags = take_bytes(&mut bytes).ok_or_else(cut_off)?;
    for lag in &mut functions.lags {
        lag.read(key, &mut lags).ok_or_else(cut_off)?;
    }
    functions.aggregates.read(key, bytes)?;
    Ok(head)
}

/// A state that does not read back.
pub fn cut_off() -> Error {
    Error::new(Kind::Corrupt, "read an OVER aggregation from state: it is cut off")
}
