//! How windows stand in state: an entry for each slice of time and key.
//!
//! The key of an entry is the slice's end (8 bytes) and the stored key; its value a mark of the aggregates, the key's number in its slice, the key columns
//! and the state of each aggregate. The elements of large states are entries of a part of their own.

use std::sync::Arc;

use weir_base::{Error, Kind, Result, Timestamp};
use weir_state::FrozenPart;

use super::slice::Slice;
use crate::keys::{StoredKey, check_stored, group_of};
use crate::operators::aggregate::{ELEMENTS, Fixed, FrozenAggregates, StoredElements, put_bytes, take_bytes};
use crate::operators::rows::StoredRow;

/// The part of state.
pub const WINDOWS: &str = "windows";

/// Changed keys of a slice, with their states as they were at a barrier.
pub struct SliceDelta {
    /// The slice's end.
    pub end: Timestamp,
    /// The keys.
    pub keys: Vec<StoredKey>,
    /// Their key columns.
    pub rows: Vec<StoredRow>,
    /// Their numbers in the slice.
    pub numbers: Vec<u32>,
    /// Their states.
    pub aggregates: FrozenAggregates,
}

/// A slice that has gone, with the keys that a checkpoint may hold.
pub struct FiredSlice {
    /// The slice's end.
    pub end: Timestamp,
    /// The keys.
    pub keys: Vec<StoredKey>,
    /// The elements of their aggregates, if those have any.
    pub elements: Vec<StoredElements>,
}

/// What happened between two barriers.
#[derive(Default)]
pub struct Delta {
    /// Slices that have gone.
    pub fired: Vec<FiredSlice>,
    /// Slices that changed.
    pub changed: Vec<SliceDelta>,
}

impl Delta {
    /// `slice`, which ended at `end`, has gone.
    pub fn forget(&mut self, slice: Slice, end: Timestamp) {
        let fired = slice.into_fired(end);
        if !fired.keys.is_empty() {
            self.fired.push(fired);
        }
    }
}

/// An entry as it comes back.
pub struct StoredWindowKey<'a> {
    /// The key's number in its slice.
    pub number: u32,
    /// Its key columns.
    pub row: &'a [u8],
    /// The states of the aggregates.
    pub states: &'a [u8],
}

/// The part that writes `deltas`, oldest first.
pub fn part(deltas: Vec<Arc<Delta>>, mark: u32, max_parallelism: u16) -> FrozenPart {
    FrozenPart {
        name: WINDOWS,
        full: false,
        entries: Box::new(move |entries| {
            let (mut entry_key, mut value) = (Vec::new(), Vec::new());
            for delta in &deltas {
                for fired in &delta.fired {
                    for key in &fired.keys {
                        write_key(fired.end, key, &mut entry_key);
                        entries.delete(group_of(key, max_parallelism), &entry_key)?;
                    }
                }
                for changed in &delta.changed {
                    for (index, key) in changed.keys.iter().enumerate() {
                        write_key(changed.end, key, &mut entry_key);
                        value.clear();
                        mark.put(&mut value);
                        changed.numbers[index].put(&mut value);
                        put_bytes(&changed.rows[index], &mut value);
                        value.extend_from_slice(changed.aggregates.state(index));
                        entries.put(group_of(key, max_parallelism), &entry_key, &value, Timestamp::MAX)?;
                    }
                }
            }
            Ok(())
        }),
    }
}

/// The part that writes the elements of the aggregates of `deltas`, oldest first.
pub fn elements_part(deltas: Vec<Arc<Delta>>, max_parallelism: u16) -> FrozenPart {
    FrozenPart {
        name: ELEMENTS,
        full: false,
        entries: Box::new(move |entries| {
            let mut owner = Vec::new();
            for delta in &deltas {
                for fired in &delta.fired {
                    for (key, elements) in fired.keys.iter().zip(&fired.elements).filter(|(_, some)| !some.is_empty()) {
                        write_key(fired.end, key, &mut owner);
                        elements.delete(entries, group_of(key, max_parallelism), &owner)?;
                    }
                }
                for changed in &delta.changed {
                    changed.aggregates.write_elements(entries, |index, owner| {
                        let key = &changed.keys[index];
                        write_key(changed.end, key, owner);
                        group_of(key, max_parallelism)
                    })?;
                }
            }
            Ok(())
        }),
    }
}

fn write_key(end: Timestamp, key: &[u8], out: &mut Vec<u8>) {
    out.clear();
    end.put(out);
    out.extend_from_slice(key);
}

/// The slice's end and the stored key of an entry.
///
/// # Errors
/// It is too short.
pub fn read_key(mut entry_key: &[u8]) -> Result<(Timestamp, &[u8])> {
    let end = i64::take(&mut entry_key).ok_or_else(|| corrupt("its key is too short"))?;
    check_stored(entry_key)?;
    Ok((end, entry_key))
}

/// The value of an entry.
///
/// # Errors
/// It is cut off, or of other aggregates.
pub fn read_value(mut value: &[u8], mark: u32) -> Result<StoredWindowKey<'_>> {
    let found = u32::take(&mut value).ok_or_else(|| corrupt("it is cut off"))?;
    if found != mark {
        return Err(Error::invalid("restore a window: the state was written with other aggregates")
            .hint("start with --fresh, or with the SQL that wrote it"));
    }
    let number = u32::take(&mut value).ok_or_else(|| corrupt("it is cut off"))?;
    let row = take_bytes(&mut value).ok_or_else(|| corrupt("it is cut off"))?;
    Ok(StoredWindowKey { number, row, states: value })
}

/// An entry that does not read back.
pub fn corrupt(what: &str) -> Error {
    Error::new(Kind::Corrupt, format!("read a window from state: {what}"))
}
