//! The body of a source task: takes what its reader fetched, decodes it, makes watermarks, and answers barriers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array, RecordBatch};
use weir_base::{Clock, Epoch, Error, Result, Timestamp};
use weir_connector::{Batch, Fetch, Payload, SplitId};
use weir_metrics::{Counter, Gauge, Registry, Scope};
use weir_plan::WatermarkSpec;
use weir_ports::{Acknowledgement, Barrier, BarrierKind, Event, SourcePositions, SplitState, Totals};

use super::dead_letters::DeadLetters;
use super::metrics::{TaskIo, watermark_gauge};
use super::next::{clear_all, fan_batch};
use super::reader::Fetched;
use super::source_rows::{Rows, SourceRows};
use super::split_watermarks::{Moved, SplitWatermarks};
use super::stage::watermark_value;
use super::{Body, Next, ReaderHandle, RunShared};
use crate::expr::{CompileContext, Evaluator, Predicate};
use crate::operators::keep_rows;
use crate::scheduler::Step;

/// Fetches that a step takes at most before it lets other tasks run.
const FETCHES_PER_STEP: usize = 2;

/// Splits on their way to a source task.
pub type Assigned = Arc<Mutex<Vec<SplitState>>>;

/// Who a source task is.
pub struct SourceIdentity {
    /// Its number within the run.
    pub task: usize,
    /// Its subtask.
    pub subtask: u16,
    /// The source's uid.
    pub uid: String,
    /// Whether it ends when its splits have.
    pub bounded: bool,
    /// See `Source::reads_in_turn`.
    pub reads_in_turn: bool,
    /// Rows in a batch at most.
    pub batch_rows_max: usize,
}

/// The body of a source task.
pub struct SourceBody {
    identity: SourceIdentity,
    reader: ReaderHandle,
    rows: SourceRows,
    condition: Option<Predicate>,
    watermark: Option<Watermarking>,
    assigned: Assigned,
    splits: BTreeMap<SplitId, SplitState>,
    letters: DeadLetters,
    next: Vec<Next>,
    shared: Arc<RunShared>,
    barrier: Epoch,
    decided: Epoch,
    completed: Epoch,
    ticked: Timestamp,
    stopped: bool,
    exhausted: bool,
    totals: Totals,
    metrics: SourceMetrics,
}

/// How the source makes watermarks.
pub struct Watermarking {
    candidate: Evaluator,
    rowtime: usize,
    splits: SplitWatermarks,
}

struct SourceMetrics {
    records_in: Counter,
    bytes_in: Counter,
    records_out: Counter,
    errors: Counter,
    watermark: Gauge,
    /// The last one but the end's: `watermarkLag` is told from it.
    emitted: Option<Gauge>,
    /// The task's account, of which a source is the input.
    task: TaskIo,
    registry: Registry,
}

impl Watermarking {
    /// Watermarks by `spec`.
    ///
    /// # Errors
    /// The expression cannot be compiled.
    pub fn new(spec: &WatermarkSpec, context: &CompileContext) -> Result<Self> {
        Ok(Self {
            candidate: Evaluator::compile(&spec.expression, context)?,
            rowtime: spec.column,
            splits: SplitWatermarks::new(spec.interval, spec.idle_timeout),
        })
    }

    /// The candidates of a batch's rows.
    fn candidates(&self, batch: &RecordBatch, now: Timestamp) -> Result<Vec<Option<Timestamp>>> {
        if batch.column(self.rowtime).null_count() > 0 {
            return Err(Error::invalid(
                "make a watermark: RowTime field should not be null, please convert it to a non-null long value.",
            ));
        }
        let values = self.candidate.evaluate(batch.columns(), batch.num_rows(), now)?;
        Ok(values.as_primitive::<TimestampMillisecondType>().iter().collect())
    }
}

impl SourceMetrics {
    fn register(metrics: &Registry, task: TaskIo) -> Self {
        Self {
            records_in: metrics.counter_with_rate(Scope::Operator, "numRecordsIn"),
            bytes_in: metrics.counter_with_rate(Scope::Operator, "numBytesIn"),
            records_out: metrics.counter_with_rate(Scope::Operator, "numRecordsOut"),
            errors: metrics.counter(Scope::Operator, "numRecordsInErrors"),
            watermark: watermark_gauge(metrics, Scope::Operator, "currentOutputWatermark"),
            emitted: None,
            task,
            registry: metrics.clone(),
        }
    }

    fn took(&self, records: u64, payload: &Payload) {
        let bytes = match payload {
            Payload::Raw(raw) => raw.data.len() as u64,
            Payload::Columns(_) => 0,
        };
        for (counter, count) in [
            (&self.records_in, records),
            (&self.task.rows_in, records),
            (&self.bytes_in, bytes),
            (&self.task.bytes_in, bytes),
        ] {
            counter.add(count);
        }
    }

    /// Shows a watermark that goes out. Its lag is shown from the first one on, and the end's has none, as in Flink.
    fn emits(&mut self, watermark: Timestamp, clock: &Arc<dyn Clock>) {
        self.watermark.set(watermark_value(watermark));
        if watermark == Timestamp::MAX {
            return;
        }
        let emitted = self.emitted.get_or_insert_with(|| {
            let (emitted, clock) = (Gauge::default(), Arc::clone(clock));
            let last = emitted.clone();
            self.registry.computed(Scope::Operator, "watermarkLag", move || watermark_value(clock.now()) - last.get());
            emitted
        });
        emitted.set(watermark_value(watermark));
    }
}

impl SourceBody {
    /// A source task; `metrics` carries the operator's labels, `task` is the task's account.
    #[expect(clippy::too_many_arguments, reason = "the parts of a source, each made by who knows how")]
    pub fn new(
        identity: SourceIdentity,
        reader: ReaderHandle,
        rows: SourceRows,
        condition: Option<Predicate>,
        watermark: Option<Watermarking>,
        assigned: Assigned,
        letters: DeadLetters,
        next: Vec<Next>,
        shared: Arc<RunShared>,
        metrics: &Registry,
        task: TaskIo,
    ) -> Self {
        Self {
            identity,
            reader,
            rows,
            condition,
            watermark,
            assigned,
            splits: BTreeMap::new(),
            letters,
            next,
            shared,
            barrier: Epoch(0),
            decided: Epoch(0),
            completed: Epoch(0),
            ticked: Timestamp::MIN,
            stopped: false,
            exhausted: false,
            totals: Totals::default(),
            metrics: SourceMetrics::register(metrics, task),
        }
    }

    fn take_assigned(&mut self) -> Result<()> {
        let assigned = std::mem::take(&mut *self.assigned.lock().unwrap_or_else(PoisonError::into_inner));
        for state in assigned {
            if !state.finished {
                if let Some(watermark) = self.watermark.as_mut().filter(|_| !self.identity.reads_in_turn) {
                    watermark.splits.add(state.split.clone(), self.shared.clock.monotonic_us());
                }
                self.reader.add(state.split.clone(), state.position)?;
            }
            self.splits.insert(state.split.clone(), state);
        }
        Ok(())
    }

    fn take_fetch(&mut self, fetched: Fetched, now: Timestamp) -> Result<()> {
        match fetched.fetch? {
            Fetch::Nothing => Ok(()),
            Fetch::End(split) => {
                if let Some(state) = self.splits.get_mut(&split) {
                    state.finished = true;
                }
                let moved = self.watermark.as_mut().and_then(|watermark| watermark.splits.remove(&split));
                self.give_watermark(moved, now)
            }
            Fetch::Records { split, payload, metadata, first, next } => {
                let records = next.records.saturating_sub(first.records);
                self.metrics.took(records, &payload);
                let rows = self.rows.rows(&split, payload, &metadata, first, now)?;
                self.letters.write(&rows.letters, now)?;
                self.metrics.errors.add(rows.letters.len() as u64);
                self.give_rows(&split, rows, fetched.at_us, now)?;
                if let Some(state) = self.splits.get_mut(&split) {
                    state.position = Some(next);
                }
                Ok(())
            }
        }
    }

    /// Gives rows on, cut where a watermark falls between them.
    fn give_rows(&mut self, split: &SplitId, rows: Rows, at_us: u64, now: Timestamp) -> Result<()> {
        let batch = rows.batch;
        self.totals.rows_in += batch.num_rows() as u64 + rows.lost;
        self.totals.dead_lettered += rows.lost;
        let candidates = match &self.watermark {
            None => None,
            Some(watermark) => Some(watermark.candidates(&batch, now)?),
        };
        let mut from = 0;
        while from < batch.num_rows() {
            let most = (batch.num_rows() - from).min(self.identity.batch_rows_max);
            let (length, moved) = match (&mut self.watermark, &candidates) {
                (Some(watermark), Some(candidates)) => {
                    let window = candidates[from..from + most].iter().copied();
                    watermark.splits.rows(split, window, at_us)
                }
                _ => (most, None),
            };
            self.give(batch.slice(from, length), at_us, now)?;
            self.give_watermark(moved, now)?;
            from += length;
        }
        Ok(())
    }

    fn give(&mut self, batch: RecordBatch, at_us: u64, now: Timestamp) -> Result<()> {
        let rows = batch.num_rows();
        let batch = match &self.condition {
            None => batch,
            Some(condition) => keep_rows(condition, &Batch::inserts(batch, at_us), now)?.data,
        };
        self.totals.filtered += (rows - batch.num_rows()) as u64;
        self.totals.rows_out += batch.num_rows() as u64;
        self.metrics.records_out.add(batch.num_rows() as u64);
        if batch.num_rows() == 0 {
            return Ok(());
        }
        fan_batch(&mut self.next, Batch::inserts(batch, at_us), now)
    }

    fn give_watermark(&mut self, moved: Option<Moved>, now: Timestamp) -> Result<()> {
        match moved {
            None => Ok(()),
            Some(Moved::Idle) => self.next.iter_mut().try_for_each(Next::idle),
            Some(Moved::To(watermark)) => {
                self.metrics.emits(watermark, &self.shared.clock);
                self.next.iter_mut().try_for_each(|next| next.watermark(watermark, now))
            }
        }
    }

    fn answer(&mut self, barrier: Barrier) -> Result<()> {
        // The request comes after the decision of the epoch before it, but maybe within one step: sinks must have heard of that first.
        self.hear();
        let begun_us = self.shared.clock.monotonic_us();
        self.barrier = barrier.epoch;
        self.stopped |= barrier.kind != BarrierKind::Periodic;
        let balance = self.totals;
        debug_assert_eq!(
            balance.rows_in,
            balance.rows_out + balance.filtered + balance.dead_lettered,
            "records were lost at the source {}",
            self.identity.uid
        );
        let positions =
            SourcePositions { uid: self.identity.uid.clone(), splits: self.splits.values().cloned().collect() };
        let mut acknowledgement = Acknowledgement {
            epoch: barrier.epoch,
            task: self.identity.task,
            tasks: self.shared.tasks,
            subtask: self.identity.subtask,
            frozen: Vec::new(),
            positions: vec![positions],
            prepared: vec![self.letters.barrier(barrier)?],
            totals: vec![(self.identity.uid.clone(), self.totals)],
            sync_us: 0,
        };
        self.next.iter_mut().try_for_each(|next| next.barrier(barrier, &mut acknowledgement))?;
        acknowledgement.sync_us = self.shared.clock.monotonic_us().saturating_sub(begun_us);
        self.shared.tell(Event::Acknowledged(Box::new(acknowledgement)));
        Ok(())
    }

    /// Whether every split that there is was read to its end.
    fn has_read_all(&self) -> bool {
        let all_read = self.identity.bounded && self.splits.values().all(|state| state.finished);
        all_read && self.assigned.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether no record can come any more; then the last watermark goes out, once.
    fn look_for_the_end(&mut self, now: Timestamp) -> Result<()> {
        if !self.exhausted && (self.shared.is_draining() || self.has_read_all()) {
            self.exhausted = true;
            self.give_watermark(Some(Moved::To(Timestamp::MAX)), now)?;
            self.shared.source_exhausted();
        }
        Ok(())
    }

    fn hear(&mut self) {
        let (decided, completed) = (self.shared.decided(), self.shared.completed());
        if decided > self.decided {
            self.decided = decided;
            self.letters.decided(decided);
            self.next.iter_mut().for_each(|next| next.decided(decided));
        }
        if completed > self.completed {
            self.completed = completed;
            self.next.iter_mut().for_each(|next| next.completed(completed));
        }
    }
}

impl Body for SourceBody {
    fn step(&mut self) -> Result<Step> {
        self.hear();
        if !clear_all(&mut self.next)? || !self.letters.clear()? {
            return Ok(Step::Blocked);
        }
        let now = self.shared.clock.now();
        if now > self.ticked {
            self.ticked = now;
            self.next.iter_mut().try_for_each(|next| next.tick(now))?;
            let at_us = self.shared.clock.monotonic_us();
            let moved = self.watermark.as_mut().and_then(|watermark| watermark.splits.silence(at_us));
            self.give_watermark(moved, now)?;
        }
        self.take_assigned()?;
        if !self.stopped && self.has_read_all() {
            // No checkpoint comes between the end of the last split and the last watermark: one that holds the end holds what the end gives.
            self.look_for_the_end(now)?;
        }
        if let Some(barrier) = self.shared.requested(self.barrier) {
            self.answer(barrier)?;
            return Ok(Step::Progress);
        }
        if self.stopped || self.exhausted {
            return Ok(Step::Idle);
        }
        for _ in 0..FETCHES_PER_STEP {
            let Some(fetched) = self.reader.poll() else {
                self.look_for_the_end(now)?;
                return Ok(Step::Idle);
            };
            self.take_fetch(fetched, now)?;
            if !clear_all(&mut self.next)? {
                return Ok(Step::Blocked);
            }
        }
        Ok(Step::Progress)
    }

    fn wants_ticks(&self) -> bool {
        true
    }
}
