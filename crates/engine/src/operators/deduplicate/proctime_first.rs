//! Keeps the first row of each key in order of arrival: `ROW_NUMBER() OVER (PARTITION BY key ORDER BY proctime ASC) = 1`.
//!
//! Insert-only in and out. The state is the set of seen keys, written once when a key is new; a key is forgotten `table.exec.state.ttl` after that.

use arrow_array::BooleanArray;
use arrow_buffer::BooleanBufferBuilder;
use arrow_select::filter::filter_record_batch;
use weir_base::{Epoch, Error, Kind, Result, Timestamp};
use weir_connector::Batch;
use weir_state::Frozen;

use super::DeduplicateContext;
use super::exact::ExactKeys;
use super::fingerprints::Fingerprints;
use super::seen::{NewKeys, SeenKey};
use crate::keys::{KeyHash, KeyHasher, KeyReader, StoredKey, key_group};
use crate::operators::rows::check_insert_only;
use crate::operators::{Collector, Equation, Operator, Restore};

/// Names of the parts of state.
const FINGERPRINTS: &str = "fingerprints";
const KEYS: &str = "keys";
/// Rows between asking for a slot and looking at it: as long as memory takes.
const PREFETCH_ROWS: usize = 16;
/// Bytes of a stored fingerprint: 96 bits.
const FINGERPRINT_BYTES: usize = 12;

/// The operator.
pub struct ProcTimeFirst {
    hasher: KeyHasher,
    seen: Seen,
    max_parallelism: u16,
    key_groups: std::ops::Range<u16>,
    hashes: Vec<KeyHash>,
    scratch: Vec<u8>,
    rows_in: u64,
    passed: u64,
}

enum Seen {
    Fingerprints(Box<Fingerprints>, NewKeys<Fingerprint>),
    Exact(Box<ExactKeys>, NewKeys<StoredKey>),
}

/// A seen key's hash, of which the upper 96 bits are stored.
#[derive(Debug, Clone, Copy)]
struct Fingerprint(KeyHash);

impl SeenKey for Fingerprint {
    fn stored(&self, max_parallelism: u16, give: &mut dyn FnMut(u16, &[u8]) -> Result<()>) -> Result<()> {
        give(key_group(self.0, max_parallelism), &self.0.to_be_bytes()[..FINGERPRINT_BYTES])
    }
}

impl ProcTimeFirst {
    /// The operator over `keys`.
    ///
    /// # Errors
    /// A column cannot be a key.
    pub fn new(keys: &[usize], context: &DeduplicateContext<'_>) -> Result<Self> {
        let seen = if context.exact {
            Seen::Exact(Box::new(ExactKeys::new(context.state_ttl)), NewKeys::default())
        } else {
            Seen::Fingerprints(Box::new(Fingerprints::new(context.state_ttl)), NewKeys::default())
        };
        Ok(Self {
            hasher: KeyHasher::new(keys, context.input)?,
            seen,
            max_parallelism: context.max_parallelism,
            key_groups: context.key_groups.clone(),
            hashes: Vec::new(),
            scratch: Vec::new(),
            rows_in: 0,
            passed: 0,
        })
    }

    /// Which rows of `batch` are the first of their key, and how many.
    fn select(&mut self, batch: &Batch, now: Timestamp) -> Result<(BooleanBufferBuilder, usize)> {
        let mut selected = BooleanBufferBuilder::new(batch.rows());
        let mut count = 0;
        match &mut self.seen {
            Seen::Fingerprints(table, new) => {
                let moment = table.moment(now);
                new.begin(now, moment.expires);
                self.hashes.iter().take(PREFETCH_ROWS).for_each(|hash| table.prefetch(*hash));
                for (row, hash) in self.hashes.iter().enumerate() {
                    if let Some(ahead) = self.hashes.get(row + PREFETCH_ROWS) {
                        table.prefetch(*ahead);
                    }
                    let first = table.insert(*hash, moment);
                    if first {
                        new.push(Fingerprint(*hash));
                        count += 1;
                    }
                    selected.append(first);
                }
            }
            Seen::Exact(table, new) => {
                new.begin(now, table.expires(now));
                let keys = KeyReader::new(self.hasher.columns(), &batch.data)?;
                for (row, hash) in self.hashes.iter().enumerate() {
                    keys.read(row, *hash, &mut self.scratch);
                    let key = table.insert(&self.scratch, now);
                    selected.append(key.is_some());
                    if let Some(key) = key {
                        new.push(key);
                        count += 1;
                    }
                }
            }
        }
        Ok((selected, count))
    }

    fn refuse_other_kind(restore: &Restore<'_>, part: &str, exact: bool) -> Result<()> {
        restore.state.visit(part, restore.now, &mut |_, _, _| {
            Err(Error::invalid(format!(
                "restore a deduplication: its state was written with weir.dedup.exact = {exact}"
            ))
            .hint(format!("SET 'weir.dedup.exact' = '{exact}', or start with --fresh")))
        })
    }
}

impl Operator for ProcTimeFirst {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        check_insert_only(&batch, "deduplicate rows")?;
        self.hasher.hash(&batch.data, &mut self.hashes)?;
        let (mut selected, count) = self.select(&batch, now)?;
        self.rows_in += batch.rows() as u64;
        self.passed += count as u64;
        if count == 0 {
            return Ok(());
        }
        if count == batch.rows() {
            return out.batch(batch);
        }
        let data = filter_record_batch(&batch.data, &BooleanArray::new(selected.finish(), None))
            .map_err(|error| Error::internal(format!("select the first rows of keys: {error}")))?;
        out.batch(Batch::inserts(data, batch.fetched_us))
    }

    fn on_tick(&mut self, now: Timestamp, _: &mut dyn Collector) -> Result<()> {
        if let Seen::Exact(table, _) = &mut self.seen {
            table.sweep(now);
        }
        Ok(())
    }

    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        let part = match &mut self.seen {
            Seen::Fingerprints(_, new) => new.freeze(epoch, FINGERPRINTS, self.max_parallelism),
            Seen::Exact(_, new) => new.freeze(epoch, KEYS, self.max_parallelism),
        };
        Frozen { parts: vec![part] }
    }

    fn confirm(&mut self, epoch: Epoch) {
        match &mut self.seen {
            Seen::Fingerprints(_, new) => new.confirm(epoch),
            Seen::Exact(_, new) => new.confirm(epoch),
        }
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        let owned = self.key_groups.clone();
        match &mut self.seen {
            Seen::Fingerprints(table, _) => {
                Self::refuse_other_kind(restore, KEYS, true)?;
                let moment = table.moment(restore.now);
                restore.state.visit(FINGERPRINTS, restore.now, &mut |group, key, value| {
                    if let Some((_, expires)) = value
                        && owned.contains(&group)
                        && expires > restore.now
                    {
                        table.restore(read_fingerprint(key)?, expires, moment);
                    }
                    Ok(())
                })
            }
            Seen::Exact(table, _) => {
                Self::refuse_other_kind(restore, FINGERPRINTS, false)?;
                restore.state.visit(KEYS, restore.now, &mut |group, key, value| {
                    if let Some((_, expires)) = value
                        && owned.contains(&group)
                        && expires > restore.now
                    {
                        table.restore(key, expires)?;
                    }
                    Ok(())
                })
            }
        }
    }

    fn state_bytes(&self) -> Option<usize> {
        Some(match &self.seen {
            Seen::Fingerprints(table, _) => table.bytes(),
            Seen::Exact(table, _) => table.bytes(),
        })
    }

    fn equation(&self) -> Equation {
        Equation {
            rows_in: self.rows_in,
            passed: self.passed,
            deduplicated: self.rows_in - self.passed,
            ..Equation::default()
        }
    }
}

fn read_fingerprint(stored: &[u8]) -> Result<KeyHash> {
    let upper: [u8; FINGERPRINT_BYTES] = stored.try_into().map_err(|_| {
        let length = stored.len();
        Error::new(Kind::Corrupt, format!("read a fingerprint: it has {length} bytes rather than {FINGERPRINT_BYTES}"))
    })?;
    let mut bytes = [0; size_of::<KeyHash>()];
    bytes[..FINGERPRINT_BYTES].copy_from_slice(&upper);
    Ok(KeyHash::from_be_bytes(bytes))
}

#[cfg(test)]
#[path = "proctime_first/tests.rs"]
mod tests;
