//! Aggregates all rows of a key: `GROUP BY`, `SELECT DISTINCT`, aggregates over the whole stream.
//!
//! Each row gives the changed result of its group: `+I` for a group's first row, then `-U` (if who reads wants it) and `+U`, and `-D` when rows are taken back
//! until none is left. A result that stays as it is is not given again, unless groups expire: then downstream's state must be kept alive, too.
//!
//! With mini-batch a group gives one change for each batch that it is in: a batch is never older than the latency that may be waited, and ends before a
//! barrier and a watermark anyway.

use std::ops::Range;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use hashbrown::HashMap;
use weir_base::{Epoch, Result, RowKind, Timestamp};
use weir_connector::Batch;
use weir_plan::{GroupAggregateSpec, Schema};
use weir_state::Frozen;

use super::groups::{Effect, Groups};
use super::output::{Output, Place};
use super::steps::{Step, Steps};
use crate::keys::{KeyHash, KeyHasher, KeyReader};
use crate::operators::aggregate::{Aggregates, mark_of};
use crate::operators::{Collector, Equation, Operator, Restore};

/// What an aggregation is built from, beside its specification.
#[derive(Debug, Clone)]
pub struct GroupContext<'a> {
    /// The columns of its input.
    pub input: &'a Schema,
    /// The columns it gives.
    pub output: &'a Schema,
    /// Whether who reads wants `-U`.
    pub update_before: bool,
    /// The key groups that this subtask owns.
    pub key_groups: Range<u16>,
    /// Key groups of the job.
    pub max_parallelism: u16,
}

/// The operator.
pub struct GroupAggregate {
    hasher: KeyHasher,
    aggregates: Aggregates,
    groups: Groups,
    output: SchemaRef,
    retracts: bool,
    update_before: bool,
    /// A result that has not changed is given nevertheless.
    repeats: bool,
    bundle_rows_max: Option<usize>,
    key_groups: Range<u16>,
    hashes: Vec<KeyHash>,
    key: Vec<u8>,
    steps: Steps,
    /// By group, where its newest result of this batch stands.
    newest: Vec<Option<Place>>,
    accepted: u64,
    ignored: u64,
}

impl GroupAggregate {
    /// The operator of `spec`.
    ///
    /// # Errors
    /// A column cannot be a key, or an aggregate is not there for its type.
    pub fn new(spec: &GroupAggregateSpec, context: &GroupContext<'_>) -> Result<Self> {
        let ttl_ms = ttl_ms(spec.state_ttl);
        let mark = mark_of(&spec.aggregates, spec.retracts);
        Ok(Self {
            hasher: KeyHasher::new(&spec.keys, context.input)?,
            aggregates: Aggregates::keeping(&spec.aggregates, spec.retracts, &spec.kept)?,
            groups: Groups::new(ttl_ms, context.max_parallelism, mark),
            output: context.output.arrow(),
            retracts: spec.retracts,
            update_before: context.update_before,
            repeats: ttl_ms > 0,
            bundle_rows_max: spec.bundle_rows_max,
            key_groups: context.key_groups.clone(),
            hashes: Vec::new(),
            key: Vec::new(),
            steps: Steps::default(),
            newest: Vec::new(),
            accepted: 0,
            ignored: 0,
        })
    }

    /// Finds the groups of the batch's rows.
    fn find(&mut self, batch: &Batch, now: Timestamp) -> Result<()> {
        self.steps.clear();
        self.hasher.hash(&batch.data, &mut self.hashes)?;
        let keys = KeyReader::new(self.hasher.columns(), &batch.data)?;
        for (index, row) in (0..batch.rows()).zip(0_u32..) {
            keys.read(index, self.hashes[index], &mut self.key);
            let adds = batch.kind(index).adds();
            match self.groups.take(&self.key, adds, self.retracts, now, &mut self.aggregates) {
                Some((group, effect)) => self.steps.push(Step { row, group, adds, effect }),
                None => self.ignored += 1,
            }
        }
        self.accepted += self.steps.all.len() as u64;
        self.newest.resize(self.groups.numbers(), None);
        Ok(())
    }

    /// Takes the steps of a round; `changes` has an entry for each step of the batch.
    fn take_round(
        &mut self,
        round: usize,
        data: &RecordBatch,
        output: &mut Output,
        changes: &mut [Change],
    ) -> Result<()> {
        let all = &self.steps.all;
        let steps = || self.steps.rounds[round].iter().map(|at| (*at as usize, &all[*at as usize]));
        // What groups had before this batch.
        let unknown: Vec<u32> = steps()
            .filter(|(_, step)| step.effect != Effect::First && self.newest[step.group as usize].is_none())
            .map(|(_, step)| step.group)
            .collect();
        if !unknown.is_empty() {
            let set = output.keep(self.aggregates.finish_keys(&unknown)?);
            unknown.iter().zip(0..).for_each(|(group, row)| self.newest[*group as usize] = Some((set, row)));
        }
        let rows_of = |adds: bool| -> (Vec<u32>, Vec<u32>) {
            steps().filter(|(_, step)| step.adds == adds).map(|(_, step)| (step.row, step.group)).unzip()
        };
        let ((rows_in, groups_in), (rows_back, groups_back)) = (rows_of(true), rows_of(false));
        self.aggregates.update(data, &rows_in, &groups_in)?;
        if !rows_back.is_empty() {
            self.aggregates.retract(data, &rows_back, &groups_back)?;
        }
        let changed: Vec<u32> =
            steps().filter(|(_, step)| step.effect != Effect::Last).map(|(_, step)| step.group).collect();
        let set = if changed.is_empty() { 0 } else { output.keep(self.aggregates.finish_keys(&changed)?) };
        let mut row = 0;
        for at in &self.steps.rounds[round] {
            let step = &all[*at as usize];
            let newest = &mut self.newest[step.group as usize];
            let before = newest.take().filter(|_| step.effect != Effect::First);
            if step.effect == Effect::Last {
                self.groups.clear(step.group, &mut self.aggregates);
            } else {
                *newest = Some((set, row));
                row += 1;
            }
            let change = &mut changes[*at as usize];
            (change.before, change.after) = (before, *newest);
        }
        Ok(())
    }

    /// Turns results into rows, in the order of `changes`.
    fn give(&self, output: &mut Output, changes: &[Change]) -> Result<()> {
        let both: Vec<(Place, Place)> = if self.repeats {
            Vec::new()
        } else {
            changes.iter().filter_map(|change| change.before.zip(change.after)).collect()
        };
        let mut unchanged = output.unchanged(&both)?.into_iter();
        for Change { row, before, after } in changes {
            match (*before, *after) {
                (None, Some(after)) => output.give(RowKind::Insert, *row, after),
                (Some(before), None) => output.give(RowKind::Delete, *row, before),
                (Some(before), Some(after)) => {
                    if !self.repeats && unchanged.next() == Some(true) {
                        continue;
                    }
                    if self.update_before {
                        output.give(RowKind::UpdateBefore, *row, before);
                    }
                    output.give(RowKind::UpdateAfter, *row, after);
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// One change for each group from the changes of its rows: from what it was before the batch to what it is after.
    fn bundled(&self, changes: Vec<Change>) -> Vec<Change> {
        let mut bundled: Vec<Change> = Vec::new();
        let mut places: HashMap<u32, usize> = HashMap::new();
        for (step, change) in self.steps.all.iter().zip(changes) {
            match places.get(&step.group) {
                Some(place) => {
                    bundled[*place].row = change.row;
                    bundled[*place].after = change.after;
                }
                None => {
                    places.insert(step.group, bundled.len());
                    bundled.push(change);
                }
            }
        }
        bundled
    }

    fn take(&mut self, batch: &Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        self.find(batch, now)?;
        let mut output = Output::default();
        let mut changes: Vec<Change> =
            self.steps.all.iter().map(|step| Change { row: step.row, before: None, after: None }).collect();
        for round in 0..self.steps.rounds.len() {
            if self.steps.rounds[round].is_empty() {
                break;
            }
            self.take_round(round, &batch.data, &mut output, &mut changes)?;
        }
        if self.bundle_rows_max.is_some() {
            changes = self.bundled(changes);
        }
        self.give(&mut output, &changes)?;
        for step in &self.steps.all {
            self.newest[step.group as usize] = None;
            if step.effect == Effect::Last {
                self.groups.release(step.group);
            }
        }
        match output.batch(&batch.data, self.hasher.columns(), &self.output, batch.fetched_us)? {
            Some(batch) => out.batch(batch),
            None => Ok(()),
        }
    }
}

/// What a row changes: where the results of its group before and after it stand.
struct Change {
    row: u32,
    before: Option<Place>,
    after: Option<Place>,
}

/// Rows `from..to` of `batch`.
fn part(batch: &Batch, from: usize, to: usize) -> Batch {
    Batch {
        data: batch.data.slice(from, to - from),
        kinds: batch.kinds.as_ref().map(|kinds| kinds[from..to].into()),
        fetched_us: batch.fetched_us,
    }
}

/// A time to live in milliseconds; zero: for good.
fn ttl_ms(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX)
}

impl Operator for GroupAggregate {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let rows_max = self.bundle_rows_max.unwrap_or(usize::MAX).max(1);
        if batch.rows() <= rows_max {
            return self.take(&batch, now, out);
        }
        for from in (0..batch.rows()).step_by(rows_max) {
            self.take(&part(&batch, from, batch.rows().min(from + rows_max)), now, out)?;
        }
        Ok(())
    }

    fn on_tick(&mut self, now: Timestamp, _: &mut dyn Collector) -> Result<()> {
        self.groups.sweep(now, &mut self.aggregates);
        Ok(())
    }

    fn freeze(&mut self, epoch: Epoch) -> Frozen {
        Frozen { parts: self.groups.freeze(epoch, &mut self.aggregates) }
    }

    fn confirm(&mut self, epoch: Epoch) {
        self.groups.confirm(epoch);
    }

    fn restore(&mut self, restore: &Restore<'_>) -> Result<()> {
        let owned = self.key_groups.clone();
        self.groups.restore(restore, |group| owned.contains(&group), &mut self.aggregates)
    }

    fn state_bytes(&self) -> Option<usize> {
        Some(self.groups.bytes() + self.aggregates.bytes())
    }

    fn equation(&self) -> Equation {
        Equation {
            rows_in: self.accepted + self.ignored,
            passed: self.accepted,
            late: self.ignored,
            ..Equation::default()
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
