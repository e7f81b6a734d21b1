//! The first rows of each partition as they come: `ORDER BY proctime`, and `LIMIT` over insert-only input. The state is a count for each partition.

use std::ops::Range;

use arrow_array::UInt32Array;
use arrow_schema::SchemaRef;
use arrow_select::take::take_record_batch;
use weir_base::{Epoch, Error, Kind, Result, Timestamp};
use weir_connector::Batch;
use weir_plan::{RankEnd, RankSpec};
use weir_state::Frozen;

use super::RankContext;
use super::output::with_numbers;
use super::top_n::read_end;
use crate::keys::{KeyHash, KeyHasher, KeyReader, StoredKey, check_stored, group_of};
use crate::operators::changes::Changes;
use crate::operators::deduplicate::table::{Kept, KeyTable, expires};
use crate::operators::rows::check_insert_only;
use crate::operators::{Collector, Equation, Operator, Restore};

/// The part of state.
const COUNTS: &str = "counts";

/// Bytes of a count in state: how many came, how many may come.
const COUNT_BYTES: usize = 16;

/// The operator.
pub struct FirstRows {
    hasher: KeyHasher,
    start: u64,
    end: RankEnd,
    numbered: Option<SchemaRef>,
    ttl_ms: i64,
    max_parallelism: u16,
    key_groups: Range<u16>,
    table: KeyTable<Count>,
    changes: Changes,
    hashes: Vec<KeyHash>,
    scratch: Vec<u8>,
    rows_in: u64,
    passed: u64,
}

/// The rows of a partition.
#[derive(Debug, Clone, Copy)]
struct Count {
    /// Those that came.
    came: u64,
    /// Those that may come.
    end: u64,
}

impl Kept for Count {}

impl Count {
    fn bytes(self) -> [u8; COUNT_BYTES] {
        let mut bytes = [0; COUNT_BYTES];
        bytes[..8].copy_from_slice(&self.came.to_le_bytes());
        bytes[8..].copy_from_slice(&self.end.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        let Some((came, end)) = bytes.split_first_chunk().and_then(|(came, end)| Some((came, end.first_chunk()?)))
        else {
            return Err(Error::new(Kind::Corrupt, format!("read a count from state: it has {} bytes", bytes.len())));
        };
        Ok(Self { came: u64::from_le_bytes(*came), end: u64::from_le_bytes(*end) })
    }
}

impl FirstRows {
    /// The operator of `spec`.
    ///
    /// # Errors
    /// A column cannot be a key.
    pub fn new(spec: &RankSpec, context: &RankContext<'_>) -> Result<Self> {
        Ok(Self {
            hasher: KeyHasher::new(&spec.keys, context.input)?,
            start: spec.range.start,
            end: spec.range.end,
            numbered: spec.number.then(|| context.output.arrow()),
            ttl_ms: i64::try_from(spec.state_ttl.as_millis()).unwrap_or(i64::MAX),
            max_parallelism: context.max_parallelism,
            key_groups: context.key_groups.clone(),
            table: KeyTable::new(),
            changes: Changes::default(),
            hashes: Vec::new(),
            scratch: Vec::new(),
            rows_in: 0,
            passed: 0,
        })
    }

    /// The rows of `batch` that are given, with their numbers.
    fn chosen(&mut self, batch: &Batch, now: Timestamp) -> Result<(Vec<u32>, Vec<i64>)> {
        self.hasher.hash(&batch.data, &mut self.hashes)?;
        let keys = KeyReader::new(self.hasher.columns(), &batch.data)?;
        let (mut rows, mut numbers) = (Vec::new(), Vec::new());
        let expires = expires(now, self.ttl_ms);
        for (row, hash) in (0_u32..).zip(&self.hashes) {
            let index = row as usize;
            keys.read(index, *hash, &mut self.scratch);
            let (known, mut count) = match self.table.find(&self.scratch) {
                Some(slot) if slot.expires > now => (true, slot.value),
                Some(_) => (true, Count { came: 0, end: read_end(self.end, &batch.data, index)? }),
                None => (false, Count { came: 0, end: read_end(self.end, &batch.data, index)? }),
            };
            if count.came >= count.end {
                continue;
            }
            count.came += 1;
            self.table.put(&self.scratch, count, expires);
            let key = StoredKey::from(self.scratch.as_slice());
            let group = group_of(&key, self.max_parallelism);
            self.changes.put(group, key, count.bytes().as_slice().into(), expires, known);
            if count.came >= self.start {
                rows.push(row);
                numbers.push(i64::try_from(count.came).unwrap_or(i64::MAX));
            }
        }
        Ok((rows, numbers))
    }
}

impl Operator for FirstRows {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        check_insert_only(&batch, "take the first rows")?;
        let (rows, numbers) = self.chosen(&batch, now)?;
        self.rows_in += batch.rows() as u64;
        self.passed += rows.len() as u64;
        if rows.is_empty() {
            return Ok(());
        }
        let data = take_record_batch(&batch.data, &UInt32Array::from(rows))
            .map_err(|error| Error::internal(format!("take the first rows: {error}")))?;
        let data = match &self.numbered {
            Some(schema) => with_numbers(&data, numbers, schema)?,
            None => data,
        };
        out.batch(Batch::inserts(data, batch.fetched_us))
    }

    fn on_tick(&mut self, now: Timestamp, _: &mut dyn Collector) -> Result<()> {
        let changes = &mut self.changes;
        self.table.sweep(now, |slot| changes.expire(&slot.key));
        Ok(())
    }

    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        Frozen { parts: vec![self.changes.freeze(epoch, COUNTS)] }
    }

    fn confirm(&mut self, epoch: Epoch) {
        self.changes.confirm(epoch);
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        let (table, owned) = (&mut self.table, self.key_groups.clone());
        restore.state.visit(COUNTS, restore.now, &mut |group, key, value| {
            if !owned.contains(&group) {
                return Ok(());
            }
            check_stored(key)?;
            match value {
                Some((bytes, expires)) if expires > restore.now => table.put(key, Count::read(bytes)?, expires),
                _ => drop(table.remove(key)),
            }
            Ok(())
        })
    }

    fn state_bytes(&self) -> Option<usize> {
        Some(self.table.bytes())
    }

    fn equation(&self) -> Equation {
        Equation {
            rows_in: self.rows_in,
            passed: self.passed,
            filtered: self.rows_in - self.passed,
            ..Equation::default()
        }
    }
}
