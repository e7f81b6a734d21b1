//! How windows stand in state: an entry for each window and key.
//!
//! The key of an entry is the window's end (8 bytes) and the stored key; its value a mark of the aggregates, the key's number in its window, the key columns
//! and the state of each aggregate.

use std::sync::Arc;

use weir_base::{Error, Kind, Result, Timestamp};
use weir_plan::AggregateCall;
use weir_state::FrozenPart;
use xxhash_rust::xxh3::xxh3_64;

use super::accumulator::Accumulator;
use super::fold::{Fixed, put_bytes, take_bytes};
use crate::keys::{StoredKey, check_stored, group_of};
use crate::operators::rows::StoredRow;

/// The part of state.
pub const WINDOWS: &str = "windows";

/// Changed keys of a window, with their states as they were at a barrier.
pub struct WindowDelta {
    /// The window's end.
    pub end: Timestamp,
    /// The keys.
    pub keys: Vec<StoredKey>,
    /// Their key columns.
    pub rows: Vec<StoredRow>,
    /// Their numbers in the window.
    pub numbers: Vec<u32>,
    /// Their states.
    pub accumulators: Vec<Box<dyn Accumulator>>,
}

/// A window that has gone, with the keys that a checkpoint may hold.
pub struct FiredWindow {
    /// The window's end.
    pub end: Timestamp,
    /// The keys.
    pub keys: Vec<StoredKey>,
}

/// What happened between two barriers.
#[derive(Default)]
pub struct Delta {
    /// Windows that fired.
    pub fired: Vec<FiredWindow>,
    /// Windows that changed.
    pub changed: Vec<WindowDelta>,
}

/// An entry as it comes back.
pub struct StoredWindowKey<'a> {
    /// The key's number in its window.
    pub number: u32,
    /// Its key columns.
    pub row: &'a [u8],
    /// The states of the aggregates.
    pub states: &'a [u8],
}

/// A mark of the aggregates: states of others are never misread.
pub fn mark_of(aggregates: &[AggregateCall]) -> u32 {
    let text = |call: &AggregateCall| {
        let argument =
            call.argument_type.as_ref().map_or_else(|| "*".to_owned(), |argument| argument.logical.to_string());
        let distinct = if call.distinct { "DISTINCT " } else { "" };
        format!("{}({distinct}{argument})", call.function.name())
    };
    let texts: Vec<String> = aggregates.iter().map(text).collect();
    u32::try_from(xxh3_64(texts.join(", ").as_bytes()) >> 32).expect("the upper half of 64 bits")
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
                        changed.accumulators.iter().for_each(|accumulator| accumulator.write(index, &mut value));
                        entries.put(group_of(key, max_parallelism), &entry_key, &value, Timestamp::MAX)?;
                    }
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

/// The window's end and the stored key of an entry.
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
