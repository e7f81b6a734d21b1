//! Reading rowtime columns, and keeping the watermark over a restart.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array, PrimitiveArray, RecordBatch};
use weir_base::{Epoch, Error, Kind, Result, Timestamp};
use weir_state::FrozenPart;

use super::Restore;

/// The part of state that holds the watermark.
const WATERMARK: &str = "watermark";

/// The rowtime column of `data`; no value is NULL.
///
/// # Errors
/// A value is NULL (in Flink's words), or the column is no rowtime.
pub fn rowtimes(data: &RecordBatch, column: usize) -> Result<&PrimitiveArray<TimestampMillisecondType>> {
    let times = rowtimes_or_null(data, column)?;
    if times.null_count() > 0 {
        return Err(Error::invalid("RowTime field should not be null, please convert it to a non-null long value."));
    }
    Ok(times)
}

/// The rowtime column of `data`.
///
/// # Errors
/// The column is no rowtime.
pub fn rowtimes_or_null(data: &RecordBatch, column: usize) -> Result<&PrimitiveArray<TimestampMillisecondType>> {
    let times = data.column(column);
    times.as_primitive_opt().ok_or_else(|| {
        let found = times.data_type();
        Error::internal(format!("read the rowtime of column {column}: it is {found}, not a time in milliseconds"))
    })
}

/// The watermark of an operator, kept in its state so that what was late before a restart is late after it.
///
/// One entry for each key group: whoever owns a group after rescaling finds it.
#[derive(Debug)]
pub struct CurrentWatermark {
    current: Timestamp,
    /// What the last completed checkpoint holds.
    written: Timestamp,
    unconfirmed: Vec<(Epoch, Timestamp)>,
    key_groups: Range<u16>,
}

impl CurrentWatermark {
    /// None has come yet.
    pub fn new(key_groups: Range<u16>) -> Self {
        Self { current: Timestamp::MIN, written: Timestamp::MIN, unconfirmed: Vec::new(), key_groups }
    }

    /// The last one; `Timestamp::MIN`: none has come.
    pub fn get(&self) -> Timestamp {
        self.current
    }

    /// Takes a watermark; whether event time has moved.
    pub fn advance(&mut self, watermark: Timestamp) -> bool {
        let moves = watermark > self.current;
        self.current = self.current.max(watermark);
        moves
    }

    /// Its part of the state; nothing where it stands still since the last completed checkpoint.
    pub fn freeze(&mut self, epoch: Epoch) -> Option<FrozenPart> {
        self.unconfirmed.push((epoch, self.current));
        let (current, key_groups) = (self.current, self.key_groups.clone());
        (current != self.written).then(|| FrozenPart {
            name: WATERMARK,
            full: false,
            entries: Box::new(move |entries| {
                for key_group in key_groups {
                    entries.put(key_group, &[], &current.to_le_bytes(), Timestamp::MAX)?;
                }
                Ok(())
            }),
        })
    }

    /// The checkpoint of `epoch` is complete.
    pub fn confirm(&mut self, epoch: Epoch) {
        while self.unconfirmed.first().is_some_and(|(closed, _)| *closed <= epoch) {
            self.written = self.unconfirmed.remove(0).1;
        }
    }

    /// Takes it back: the lowest of the groups that are owned.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        let mut by_group = std::collections::BTreeMap::new();
        restore.state.visit(WATERMARK, restore.now, &mut |group, _, value| {
            if let Some((value, _)) = value.filter(|_| self.key_groups.contains(&group)) {
                let bytes = value.try_into().map_err(|_| {
                    Error::new(Kind::Corrupt, format!("read a watermark from state: it has {} bytes", value.len()))
                })?;
                by_group.insert(group, Timestamp::from_le_bytes(bytes));
            }
            Ok(())
        })?;
        if let Some(lowest) = by_group.values().min() {
            self.current = *lowest;
        }
        Ok(())
    }
}
