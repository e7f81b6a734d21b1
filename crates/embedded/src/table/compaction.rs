//! Compaction: a full segment of a keyed table loses the rows that later rows of the same segment replace.
//!
//! It happens when an epoch becomes visible, for one segment of a lane at a time, and only where it pays: a sample of the keys says which share of the rows
//! is replaced. Deletes stay, for other segments and lanes may hold older rows of their keys.

use std::collections::VecDeque;

use arrow_array::BooleanArray;
use arrow_select::filter::filter_record_batch;
use hashbrown::{HashMap, HashSet};
use weir_base::{Error, Result};

use super::HEAD_BYTES;
use super::columns::{decode, encode, key_hashes};
use crate::log::{LogReader, LogWriter, Place};

/// Hashes of keys up to here are sampled: one key of 64 (all of the few in a test).
const SAMPLED_MAX: u128 = if cfg!(test) { u128::MAX - 1 } else { u128::MAX / 64 };

/// A segment is rewritten if of its sampled rows at least one in so many is replaced.
const REPLACED_SHARE: u64 = 4;

/// What a lane knows of its segments.
pub(super) struct Compaction {
    /// Sampled rows since the last segment was full, and their keys.
    rows: u64,
    keys: HashSet<u128>,
    /// Segments that are full and worth it.
    waiting: VecDeque<Place>,
    /// Full segments seen so far.
    segments: usize,
}

impl Compaction {
    /// Of a lane that was just opened: its full segments are left alone.
    pub fn new(log: &LogWriter) -> Self {
        let segments = log.sealed().count();
        Self { rows: 0, keys: HashSet::new(), waiting: VecDeque::new(), segments }
    }

    /// Notes the keys of a frame.
    pub fn appended(&mut self, keys: &[u128]) {
        let sampled = keys.iter().filter(|key| **key <= SAMPLED_MAX);
        for key in sampled {
            self.rows += 1;
            self.keys.insert(*key);
        }
    }

    /// After the mark moved to `visible`: rewrites one segment, if one is full, visible and worth it.
    ///
    /// # Errors
    /// The disk fails.
    pub fn run(&mut self, log: &mut LogWriter, visible: Place, primary_key: &[usize]) -> Result<()> {
        if primary_key.is_empty() {
            return Ok(());
        }
        let sealed: Vec<(Place, Place)> = log.sealed().collect();
        if sealed.len() > self.segments {
            let replaced = self.rows - self.keys.len() as u64;
            let pays = self.rows > 0 && replaced * REPLACED_SHARE >= self.rows;
            let full = sealed[self.segments..].iter().map(|(start, _)| *start);
            self.waiting.extend(full.filter(|_| pays));
            (self.segments, self.rows) = (sealed.len(), 0);
            self.keys.clear();
        }
        let Some(start) = self.waiting.front().copied() else { return Ok(()) };
        let Some((_, end)) = sealed.iter().find(|(known, _)| *known == start).copied() else {
            self.waiting.pop_front();
            return Ok(());
        };
        if end.byte > visible.byte {
            return Ok(());
        }
        self.waiting.pop_front();
        let frames = newest(log, start, end, primary_key)?;
        let bytes: usize = frames.iter().map(|(_, payload)| payload.len()).sum();
        // The sample may have been wrong: a segment that hardly shrinks stays.
        if (bytes as u64) < (end.byte - start.byte) / 8 * 7 {
            log.rewrite(start, end, &frames)?;
        }
        Ok(())
    }
}

/// The frames of a segment without the rows that later ones replace.
fn newest(log: &LogWriter, start: Place, end: Place, primary_key: &[usize]) -> Result<Vec<(u32, Vec<u8>)>> {
    let internal = |error: arrow_schema::ArrowError| Error::internal(format!("compact a table: {error}"));
    let mut reader = LogReader::at(log.dir(), start);
    let (mut payloads, mut newest) = (Vec::new(), HashMap::new());
    let mut payload = Vec::new();
    while reader.next(end, &mut payload)?.is_some() {
        let payload = std::mem::take(&mut payload);
        let batch = decode(&payload[HEAD_BYTES..], None)?;
        let keys = batch.project(primary_key).map_err(internal)?;
        for (row, hash) in key_hashes(keys.columns(), keys.num_rows()).into_iter().enumerate() {
            newest.insert(hash, (payloads.len(), row));
        }
        payloads.push((payload, batch));
    }
    let mut keep: Vec<Vec<bool>> = payloads.iter().map(|(_, batch)| vec![false; batch.num_rows()]).collect();
    newest.into_values().for_each(|(frame, row)| keep[frame][row] = true);
    let mut frames = Vec::new();
    for ((payload, batch), keep) in payloads.into_iter().zip(keep) {
        let rows = filter_record_batch(&batch, &BooleanArray::from(keep)).map_err(internal)?;
        if rows.num_rows() == 0 {
            continue;
        }
        let columns = rows.columns().iter().map(super::columns::compact).collect();
        let rows = super::columns::under(&rows.schema(), columns, rows.num_rows())?;
        let mut out = payload[..HEAD_BYTES].to_vec();
        encode(&rows, &mut out)?;
        let count = u32::try_from(rows.num_rows()).map_err(|_| Error::internal("compact a frame of over 2^32 rows"))?;
        frames.push((count, out));
    }
    Ok(frames)
}
