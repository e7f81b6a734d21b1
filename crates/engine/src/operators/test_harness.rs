//! Drives an operator in tests: elements in, rows as text out, with checkpoints that succeed or fail, restarts and rescaling at any place.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use weir_base::{Epoch, Result, Rng, RowKind, Timestamp, key_group_range};
use weir_connector::Batch;
use weir_plan::Schema;
use weir_state::{Entries, Frozen, RestoredState};

use super::{Collector, Equation, Operator, Restore};
use crate::keys::Partitioner;

pub const MAX_PARALLELISM: u16 = 128;

/// What an operator is handed.
#[derive(Clone)]
pub enum Input {
    Rows(Batch),
    Watermark(Timestamp),
    Tick,
}

/// An input with the processing time at which it comes.
#[derive(Clone)]
pub struct Step {
    pub now: Timestamp,
    pub input: Input,
}

impl Step {
    pub fn rows(now: Timestamp, data: RecordBatch) -> Self {
        Self { now, input: Input::Rows(Batch::inserts(data, 0)) }
    }

    pub fn changes(now: Timestamp, data: RecordBatch, kinds: Vec<RowKind>) -> Self {
        Self { now, input: Input::Rows(Batch { data, kinds: Some(kinds.into()), fetched_us: 0 }) }
    }

    pub fn watermark(now: Timestamp, watermark: Timestamp) -> Self {
        Self { now, input: Input::Watermark(watermark) }
    }

    pub fn tick(now: Timestamp) -> Self {
        Self { now, input: Input::Tick }
    }
}

/// The rows that an operator gave, each as `+I a, b, c`, NULL as `NULL`.
#[derive(Default)]
pub struct Collected {
    pub rows: Vec<String>,
    pub batch_rows: Vec<usize>,
}

impl Collector for Collected {
    fn batch(&mut self, batch: Batch) -> Result<()> {
        self.batch_rows.push(batch.rows());
        self.rows.extend(rows_text(&batch));
        Ok(())
    }

    fn watermark(&mut self, _: Timestamp) -> Result<()> {
        Ok(())
    }
}

/// Each row of `batch` as text.
pub fn rows_text(batch: &Batch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<ArrayRef> = batch.data.columns().iter().map(without_zone).collect();
    let columns: Vec<_> = columns.iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    let row = |row: usize| {
        let values: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
        format!("{} {}", batch.kind(row), values.join(", "))
    };
    (0..batch.rows()).map(row).collect()
}

/// Times with a zone are shown in UTC.
fn without_zone(column: &ArrayRef) -> ArrayRef {
    match column.as_primitive_opt::<TimestampMillisecondType>() {
        Some(times) => Arc::new(times.clone().with_timezone_opt(None::<&str>)),
        None => Arc::clone(column),
    }
}

type Entry = (u16, Vec<u8>, Option<(Vec<u8>, Timestamp)>);

/// State as a checkpoint store keeps it: for each part the entries of all files, oldest first.
#[derive(Default, Clone)]
pub struct Chain {
    parts: BTreeMap<String, Vec<Entry>>,
}

struct Writing<'a>(&'a mut Vec<Entry>);

impl Entries for Writing<'_> {
    fn put(&mut self, key_group: u16, key: &[u8], value: &[u8], expires: Timestamp) -> Result<()> {
        self.0.push((key_group, key.to_vec(), Some((value.to_vec(), expires))));
        Ok(())
    }

    fn delete(&mut self, key_group: u16, key: &[u8]) -> Result<()> {
        self.0.push((key_group, key.to_vec(), None));
        Ok(())
    }
}

impl Chain {
    /// Adds what the subtasks froze at one barrier; gives the number of entries written.
    pub fn add(&mut self, frozen: Vec<Frozen>) -> usize {
        let mut count = 0;
        for part in frozen.into_iter().flat_map(|frozen| frozen.parts) {
            assert!(!part.full, "no operator here writes its state whole");
            let entries = self.parts.entry(part.name.to_owned()).or_default();
            let before = entries.len();
            (part.entries)(&mut Writing(entries)).unwrap();
            count += entries.len() - before;
        }
        count
    }

    /// Entries that are there, over all parts.
    pub fn live(&self, now: Timestamp) -> usize {
        self.parts
            .values()
            .map(|entries| {
                let newest: BTreeMap<_, _> = entries.iter().map(|(group, key, value)| ((group, key), value)).collect();
                newest.values().filter(|value| value.as_ref().is_some_and(|(_, expires)| *expires > now)).count()
            })
            .sum()
    }

    /// The state of the subtask that owns `key_groups`.
    pub fn of(&self, key_groups: Range<u16>) -> ChainOf {
        ChainOf { chain: self.clone(), key_groups }
    }
}

/// The state of one subtask.
pub struct ChainOf {
    chain: Chain,
    key_groups: Range<u16>,
}

impl RestoredState for ChainOf {
    fn visit(&self, part: &str, _: Timestamp, visit: &mut weir_ports::VisitEntry<'_>) -> Result<()> {
        for (group, key, value) in self.chain.parts.get(part).into_iter().flatten() {
            if self.key_groups.contains(group) {
                visit(*group, key, value.as_ref().map(|(value, expires)| (value.as_slice(), *expires)))?;
            }
        }
        Ok(())
    }
}

/// What happens between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    Nothing,
    /// A checkpoint that completes.
    Checkpoint,
    /// A checkpoint whose files are lost.
    FailedCheckpoint,
    /// A checkpoint, then a restart from it with this parallelism.
    Restart(u16),
}

/// Makes the operator that owns the given key groups.
pub type Make<'a> = &'a dyn Fn(Range<u16>) -> Box<dyn Operator>;

/// Runs steps through the subtasks of an operator.
pub struct Harness<'a> {
    pub make: Make<'a>,
    pub schema: &'a Schema,
    pub keys: &'a [usize],
    pub between: &'a dyn Fn(usize) -> Between,
}

/// What a run gave.
pub struct Outcome {
    pub rows: Vec<String>,
    pub batch_rows: Vec<usize>,
    /// Of the operators that lived at the end, added up.
    pub equation: Equation,
    pub chain: Chain,
    /// Entries written by each checkpoint that completed.
    pub written: Vec<usize>,
}

struct Subtasks {
    operators: Vec<Box<dyn Operator>>,
    partitioner: Partitioner,
}

impl Harness<'_> {
    fn start(&self, parallelism: u16, chain: Option<&Chain>, now: Timestamp) -> Subtasks {
        let operators = (0..parallelism)
            .map(|subtask| {
                let groups = key_group_range(subtask, MAX_PARALLELISM, parallelism);
                let mut operator = (self.make)(groups.clone());
                if let Some(chain) = chain {
                    operator.restore(&Restore { state: &chain.of(groups), now }).unwrap();
                }
                operator
            })
            .collect();
        let partitioner = Partitioner::new(self.keys, self.schema, MAX_PARALLELISM, parallelism).unwrap();
        Subtasks { operators, partitioner }
    }

    /// Runs `steps` from nothing, first with one subtask.
    pub fn run(&self, steps: &[Step]) -> Result<Outcome> {
        let mut subtasks = self.start(1, None, steps.first().map_or(0, |step| step.now));
        let mut collected = Collected::default();
        let mut chain = Chain::default();
        let mut written = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let between = (self.between)(index);
            if between != Between::Nothing {
                let epoch = Epoch(index as u64 + 1);
                let frozen = subtasks.operators.iter_mut().map(|operator| operator.freeze(epoch)).collect();
                if between == Between::FailedCheckpoint {
                    drop(frozen);
                } else {
                    written.push(chain.add(frozen));
                    subtasks.operators.iter_mut().for_each(|operator| operator.confirm(epoch));
                }
                if let Between::Restart(parallelism) = between {
                    subtasks = self.start(parallelism, Some(&chain), step.now);
                }
            }
            subtasks.step(step, &mut collected)?;
            for operator in &subtasks.operators {
                assert!(operator.equation().holds(), "{:?}", operator.equation());
            }
        }
        let equation = subtasks.operators.iter().map(|operator| operator.equation()).fold(Equation::default(), add);
        let frozen =
            subtasks.operators.iter_mut().map(|operator| operator.freeze(Epoch(steps.len() as u64 + 1))).collect();
        written.push(chain.add(frozen));
        Ok(Outcome { rows: collected.rows, batch_rows: collected.batch_rows, equation, chain, written })
    }
}

impl Subtasks {
    fn step(&mut self, step: &Step, out: &mut Collected) -> Result<()> {
        match &step.input {
            Input::Rows(batch) => {
                for (subtask, part) in self.partitioner.partition(batch)? {
                    self.operators[subtask].on_batch(part, step.now, out)?;
                }
                Ok(())
            }
            Input::Watermark(watermark) => {
                self.operators.iter_mut().try_for_each(|operator| operator.on_watermark(*watermark, step.now, out))
            }
            Input::Tick => self.operators.iter_mut().try_for_each(|operator| operator.on_tick(step.now, out)),
        }
    }
}

fn add(a: Equation, b: Equation) -> Equation {
    Equation {
        rows_in: a.rows_in + b.rows_in,
        passed: a.passed + b.passed,
        filtered: a.filtered + b.filtered,
        deduplicated: a.deduplicated + b.deduplicated,
        late: a.late + b.late,
        dead_lettered: a.dead_lettered + b.dead_lettered,
        held: a.held + b.held,
        restored: a.restored + b.restored,
    }
}

/// Runs `steps` plainly and checks that the rows stay the same in other ways of running: restarted before every step, with checkpoints that complete or
/// fail at random, cut into single rows, and (as a multiset) rescaled. Gives the plain outcome.
pub fn same_in_all_modes(make: Make<'_>, schema: &Schema, keys: &[usize], steps: &[Step]) -> Outcome {
    let run = |steps: &[Step], between: &dyn Fn(usize) -> Between| {
        Harness { make, schema, keys, between }.run(steps).unwrap()
    };
    let plain = run(steps, &|_| Between::Nothing);
    assert_eq!(run(steps, &|_| Between::Restart(1)).rows, plain.rows, "restarted before every step");
    let recut = recut(steps);
    assert_eq!(run(&recut, &|_| Between::Nothing).rows, plain.rows, "cut into single rows");
    for seed in 0..4 {
        let mut rng = Rng::new(seed);
        let kinds: Vec<Between> = (0..steps.len())
            .map(|_| match rng.next_u64() % 5 {
                0 => Between::Checkpoint,
                1 => Between::FailedCheckpoint,
                2 => Between::Restart(1),
                _ => Between::Nothing,
            })
            .collect();
        assert_eq!(run(steps, &|index| kinds[index]).rows, plain.rows, "checkpoints of seed {seed}");
    }
    let parallelisms = [2, 3, 1, 7];
    let mut rescaled = run(steps, &|index| match index % 3 {
        2 => Between::Restart(parallelisms[index / 3 % parallelisms.len()]),
        _ => Between::Nothing,
    })
    .rows;
    let mut sorted = plain.rows.clone();
    rescaled.sort();
    sorted.sort();
    assert_eq!(rescaled, sorted, "rescaled");
    plain
}

/// The same steps with each row in a batch of its own.
fn recut(steps: &[Step]) -> Vec<Step> {
    let cut = |step: &Step| match &step.input {
        Input::Rows(batch) => {
            let row = |row| Step::changes(step.now, batch.data.slice(row, 1), vec![batch.kind(row)]);
            (0..batch.rows()).map(row).collect::<Vec<_>>()
        }
        _ => vec![step.clone()],
    };
    steps.iter().flat_map(cut).collect()
}
