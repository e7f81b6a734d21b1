//! A kill between two rows: what the case tests restore a job with, in builds with debug assertions only.
//!
//! `WEIR_KILL_AT_ROW=N` lets the sources of the process give N things, a thing being a record or the end of a split, one at a time, and then nothing. As soon
//! as a checkpoint that holds all of them is complete the process kills itself: what is visible then, and what is restored, is the same in every run.
//! `WEIR_KILL_POSITIONS=FILE` is told how far each split was read, so that the harness can take away what must not be read again.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use weir_base::{Clock, Result};
use weir_connector::{
    Decider, Factory, Fetch, JobContext, Payload, Position, Reader, ReaderContext, Sink, SinkOffsets, Source, SplitId,
};
use weir_format::{Oversized, RawRecords};
use weir_plan::{SinkSpec, SourceSpec};
use weir_ports::{SourcePositions, SplitState};

/// What the sources of the process may still give, and what they gave.
pub struct Budget {
    left: Mutex<Left>,
    positions: Option<PathBuf>,
}

struct Left {
    things: u64,
    /// Each split that a reader was handed, as a checkpoint must show it.
    given: Vec<SplitState>,
}

impl Budget {
    /// The budget that the environment asks for.
    pub fn of_environment() -> Option<Arc<Self>> {
        let things = std::env::var("WEIR_KILL_AT_ROW").ok()?.parse().ok()?;
        let positions = std::env::var_os("WEIR_KILL_POSITIONS").map(PathBuf::from);
        Some(Arc::new(Self { left: Mutex::new(Left { things, given: Vec::new() }), positions }))
    }

    /// A job starts: what the one before it in the script gave is done with.
    pub fn begin(&self) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).given.clear();
    }

    /// A reader's new split; gives its number.
    fn add(&self, split: SplitId, position: Option<Position>) -> usize {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.given.push(SplitState { split, position, finished: false });
        left.given.len() - 1
    }

    /// Whether `fetch` may be given; then it counts as given.
    fn take(&self, split: usize, fetch: &Fetch) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = matches!(fetch, Fetch::Records { first, next, .. } if first == next);
        if left.things == 0 && !empty {
            return false;
        }
        left.things -= u64::from(!empty);
        match fetch {
            Fetch::Records { next, .. } => left.given[split].position = Some(*next),
            Fetch::End(_) => left.given[split].finished = true,
            Fetch::Nothing => {}
        }
        true
    }

    /// A checkpoint with these positions is complete: kills the process if they are all that may be given.
    pub fn completed(&self, positions: &[SourcePositions]) {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held: Vec<&SplitState> = positions.iter().flat_map(|source| &source.splits).collect();
        let holds_all = left.given.iter().all(|given| {
            // Two sources of a job may read the same file.
            let found = held.iter().position(|state| *state == given);
            found.map(|index| held.swap_remove(index)).is_some()
        });
        if left.things > 0 || !holds_all {
            return;
        }
        if let Some(path) = &self.positions {
            let mut lines = String::new();
            for state in positions.iter().flat_map(|source| &source.splits) {
                let reached = state.position.unwrap_or_default().offset;
                let reached = if state.finished { "end".to_owned() } else { reached.to_string() };
                let _ = writeln!(lines, "{reached}\t{}", state.split);
            }
            // A harness that finds no file fails by itself.
            let _ = std::fs::write(path, lines);
        }
        let _ = signal_hook::low_level::raise(signal_hook::consts::SIGKILL);
    }
}

/// A connector whose sources keep to the budget.
pub struct Metered {
    /// The connector.
    pub factory: Box<dyn Factory>,
    /// The process's budget.
    pub budget: Arc<Budget>,
}

impl Factory for Metered {
    fn identifier(&self) -> &'static str {
        self.factory.identifier()
    }

    fn source(&self, spec: &SourceSpec, context: &JobContext) -> Result<Box<dyn Source>> {
        let source = self.factory.source(spec, context)?;
        Ok(Box::new(MeteredSource { source, budget: Arc::clone(&self.budget) }))
    }

    fn sink(&self, spec: &SinkSpec, context: &JobContext) -> Result<Box<dyn Sink>> {
        self.factory.sink(spec, context)
    }

    fn decider(&self, context: &JobContext) -> Result<Option<Box<dyn Decider>>> {
        self.factory.decider(context)
    }
}

struct MeteredSource {
    source: Box<dyn Source>,
    budget: Arc<Budget>,
}

impl Source for MeteredSource {
    fn splits(&self) -> Result<Vec<SplitId>> {
        self.source.splits()
    }

    fn discovery_interval(&self) -> Option<Duration> {
        self.source.discovery_interval()
    }

    fn is_bounded(&self) -> bool {
        self.source.is_bounded()
    }

    fn reads_in_turn(&self) -> bool {
        self.source.reads_in_turn()
    }

    fn reader(&self, context: &ReaderContext) -> Result<Box<dyn Reader>> {
        Ok(Box::new(MeteredReader {
            reader: self.source.reader(context)?,
            budget: Arc::clone(&self.budget),
            clock: Arc::clone(&context.clock),
            splits: Vec::new(),
            waiting: VecDeque::new(),
        }))
    }

    fn completed(&self, positions: &[(SplitId, Position)]) {
        self.source.completed(positions);
    }

    fn offsets(&self, positions: &[(SplitId, Position)]) -> Option<SinkOffsets> {
        self.source.offsets(positions)
    }
}

/// Gives what its reader fetched one record at a time.
struct MeteredReader {
    reader: Box<dyn Reader>,
    budget: Arc<Budget>,
    clock: Arc<dyn Clock>,
    /// Its splits with their numbers in the budget.
    splits: Vec<(SplitId, usize)>,
    waiting: VecDeque<Fetch>,
}

impl Reader for MeteredReader {
    fn add(&mut self, split: SplitId, from: Option<Position>) -> Result<()> {
        self.reader.add(split.clone(), from)?;
        let number = self.budget.add(split.clone(), from);
        self.splits.push((split, number));
        Ok(())
    }

    fn fetch(&mut self, wait: Duration) -> Result<Fetch> {
        if self.waiting.is_empty() {
            self.waiting = one_by_one(self.reader.fetch(wait)?);
        }
        let Some(fetch) = self.waiting.pop_front() else { return Ok(Fetch::Nothing) };
        let split = match &fetch {
            Fetch::Records { split, .. } | Fetch::End(split) => split,
            Fetch::Nothing => return Ok(Fetch::Nothing),
        };
        let number = self.splits.iter().find(|(known, _)| known == split).map(|(_, number)| *number);
        if number.is_some_and(|number| !self.budget.take(number, &fetch)) {
            self.waiting.push_front(fetch);
            self.clock.sleep(wait);
            return Ok(Fetch::Nothing);
        }
        Ok(fetch)
    }
}

/// The same records, each in a fetch of its own.
fn one_by_one(fetch: Fetch) -> VecDeque<Fetch> {
    let Fetch::Records { split, payload, metadata, first, next } = fetch else { return VecDeque::from([fetch]) };
    let count = match &payload {
        Payload::Raw(raw) => raw.len(),
        Payload::Columns(batch) => batch.num_rows(),
    };
    if count <= 1 {
        return VecDeque::from([Fetch::Records { split, payload, metadata, first, next }]);
    }
    // Where the record at `index` stands; behind the last one, where the fetch ends.
    let position = |index: usize| match &payload {
        _ if index == count => next,
        Payload::Raw(raw) => Position { offset: raw.records[index].offset, records: first.records + index as u64 },
        Payload::Columns(_) => Position { offset: first.offset + index as u64, records: first.records + index as u64 },
    };
    let one = |index: usize| Fetch::Records {
        split: split.clone(),
        payload: match &payload {
            Payload::Raw(raw) => Payload::Raw(record(raw, index)),
            Payload::Columns(batch) => Payload::Columns(batch.slice(index, 1)),
        },
        metadata: metadata.iter().map(|column| column.slice(index, 1)).collect(),
        first: position(index),
        next: position(index + 1),
    };
    (0..count).map(one).collect()
}

/// One record of many.
fn record(raw: &RawRecords, index: usize) -> RawRecords {
    let oversized = raw.oversized(index).map(|whole| Oversized { record: 0, ..whole });
    RawRecords {
        data: raw.data.clone(),
        records: vec![raw.records[index]],
        keys: raw.keys.as_ref().map(|keys| vec![keys[index].clone()]),
        timestamps: raw.timestamps.as_ref().map(|timestamps| vec![timestamps[index]]),
        oversized: oversized.into_iter().collect(),
    }
}
