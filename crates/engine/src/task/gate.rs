//! The way into a task that reads other tasks: merges channels, aligns barriers, takes the minimum of watermarks.

use std::sync::Arc;

use weir_base::{Epoch, Result, Timestamp};
use weir_ports::{Acknowledgement, Barrier};

use super::debloat::Debloater;
use super::latency::Latency;
use super::metrics::GateMetrics;
use super::next::{clear_all, fan_batch};
use super::stage::watermark_value;
use super::{Body, Next, RunShared};
use crate::channel::{Receiver, batch_bytes};
use crate::element::Element;
use crate::scheduler::Step;

/// Elements that a step takes at most before it lets other tasks run.
const ELEMENTS_PER_STEP: usize = 8;

/// One channel into a task.
pub struct GateInput {
    receiver: Receiver,
    watermark: Timestamp,
    idle: bool,
    aligned: bool,
}

/// The body of a task behind channels.
pub struct Gate {
    inputs: Vec<GateInput>,
    next: Vec<Next>,
    shared: Arc<RunShared>,
    task: usize,
    subtask: u16,
    turn: usize,
    watermark: Timestamp,
    idle: bool,
    alignment: Option<Alignment>,
    decided: Epoch,
    completed: Epoch,
    ticked: Timestamp,
    metrics: GateMetrics,
    debloater: Option<Debloater>,
    latency: Option<Latency>,
}

struct Alignment {
    barrier: Barrier,
    arrived: usize,
    since_us: u64,
}

impl GateInput {
    /// The input that `receiver` gives.
    pub fn new(receiver: Receiver) -> Self {
        Self { receiver, watermark: Timestamp::MIN, idle: false, aligned: false }
    }
}

impl Gate {
    /// Task number `task`, subtask `subtask`: `inputs` into `next`.
    pub fn new(
        task: usize,
        subtask: u16,
        inputs: Vec<GateInput>,
        next: Vec<Next>,
        shared: Arc<RunShared>,
        metrics: GateMetrics,
        debloater: Option<Debloater>,
    ) -> Self {
        Self {
            inputs,
            next,
            shared,
            task,
            subtask,
            turn: 0,
            watermark: Timestamp::MIN,
            idle: false,
            alignment: None,
            decided: Epoch(0),
            completed: Epoch(0),
            ticked: Timestamp::MIN,
            metrics,
            debloater,
            latency: None,
        }
    }

    /// The same, which tells how old its rows are.
    #[must_use]
    pub fn with_latency(self, latency: Option<Latency>) -> Self {
        Self { latency, ..self }
    }

    /// The next element of an input that has not brought the current barrier yet, each input in its turn.
    fn take(&mut self) -> Option<(usize, Element)> {
        let count = self.inputs.len();
        for offset in 0..count {
            let index = (self.turn + offset) % count;
            if self.inputs[index].aligned {
                continue;
            }
            if let Some(element) = self.inputs[index].receiver.pop() {
                self.turn = (index + 1) % count;
                return Some((index, element));
            }
        }
        None
    }

    fn accept(&mut self, index: usize, element: Element, now: Timestamp) -> Result<()> {
        match element {
            Element::Batch(batch) => {
                self.inputs[index].idle = false;
                self.metrics.io.rows_in.add(batch.rows() as u64);
                let bytes = batch_bytes(&batch);
                self.metrics.io.bytes_in.add(bytes as u64);
                if let Some(debloater) = &mut self.debloater {
                    debloater.worked(bytes);
                }
                if let Some(latency) = &mut self.latency {
                    latency.sees(batch.fetched_us);
                }
                fan_batch(&mut self.next, batch, now)
            }
            Element::Watermark(watermark) => {
                let input = &mut self.inputs[index];
                input.idle = false;
                input.watermark = input.watermark.max(watermark);
                self.merge_watermarks(now)
            }
            Element::Idle => {
                self.inputs[index].idle = true;
                self.merge_watermarks(now)
            }
            Element::Barrier(barrier) => self.align(index, barrier),
        }
    }

    fn merge_watermarks(&mut self, now: Timestamp) -> Result<()> {
        let active = self.inputs.iter().filter(|input| !input.idle);
        let Some(minimum) = active.map(|input| input.watermark).min() else {
            if !self.idle {
                self.idle = true;
                self.next.iter_mut().try_for_each(Next::idle)?;
            }
            return Ok(());
        };
        self.idle = false;
        if minimum > self.watermark {
            self.watermark = minimum;
            self.metrics.watermark.set(watermark_value(minimum));
            self.next.iter_mut().try_for_each(|next| next.watermark(minimum, now))?;
        }
        Ok(())
    }

    fn align(&mut self, index: usize, barrier: Barrier) -> Result<()> {
        let now_us = self.shared.clock.monotonic_us();
        let alignment = self.alignment.get_or_insert(Alignment { barrier, arrived: 0, since_us: now_us });
        if barrier.epoch < alignment.barrier.epoch {
            // The rest of an aborted barrier.
            return Ok(());
        }
        if alignment.barrier.epoch < barrier.epoch {
            // A newer barrier overtakes an aborted one: those who wait for the old one are let go.
            self.inputs.iter_mut().for_each(|input| input.aligned = false);
            *alignment = Alignment { barrier, arrived: 0, since_us: now_us };
        }
        self.inputs[index].aligned = true;
        alignment.arrived += 1;
        if alignment.arrived < self.inputs.len() {
            return Ok(());
        }
        let alignment_us = now_us.saturating_sub(alignment.since_us);
        #[expect(clippy::cast_precision_loss, reason = "a page shows doubles")]
        self.metrics.alignment.set(alignment_us.saturating_mul(1000) as f64);
        self.alignment = None;
        self.inputs.iter_mut().for_each(|input| input.aligned = false);
        let mut acknowledgement = Acknowledgement {
            epoch: barrier.epoch,
            task: self.task,
            tasks: self.shared.tasks,
            subtask: self.subtask,
            frozen: Vec::new(),
            positions: Vec::new(),
            prepared: Vec::new(),
            totals: Vec::new(),
            sync_us: 0,
        };
        // A barrier comes after the decision of the epoch before it, but maybe within one step: sinks must have heard of that first.
        self.hear();
        self.next.iter_mut().try_for_each(|next| next.barrier(barrier, &mut acknowledgement))?;
        acknowledgement.sync_us = self.shared.clock.monotonic_us().saturating_sub(now_us);
        self.shared.tell(weir_ports::Event::Acknowledged(Box::new(acknowledgement)));
        Ok(())
    }

    /// Takes and works off what has come.
    fn work(&mut self, now: Timestamp) -> Result<Step> {
        for _ in 0..ELEMENTS_PER_STEP {
            let Some((index, element)) = self.take() else { return Ok(Step::Idle) };
            self.accept(index, element, now)?;
            if !clear_all(&mut self.next)? {
                return Ok(Step::Blocked);
            }
        }
        Ok(Step::Progress)
    }

    fn hear(&mut self) {
        let (decided, completed) = (self.shared.decided(), self.shared.completed());
        if decided > self.decided {
            self.decided = decided;
            self.next.iter_mut().for_each(|next| next.decided(decided));
        }
        if completed > self.completed {
            self.completed = completed;
            self.next.iter_mut().for_each(|next| next.completed(completed));
        }
    }
}

impl Body for Gate {
    fn step(&mut self) -> Result<Step> {
        self.hear();
        if !clear_all(&mut self.next)? {
            return Ok(Step::Blocked);
        }
        let now = self.shared.clock.now();
        if now > self.ticked {
            self.ticked = now;
            self.next.iter_mut().try_for_each(|next| next.tick(now))?;
        }
        if let Some(debloater) = &mut self.debloater {
            debloater.begins();
        }
        let step = self.work(now)?;
        if let Some(bytes_max) = self.debloater.as_mut().and_then(Debloater::rests) {
            self.inputs.iter().for_each(|input| input.receiver.bound(bytes_max));
        }
        Ok(step)
    }

    fn wants_ticks(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel as events;

    use arrow_array::{Int64Array, RecordBatch};
    use weir_base::ManualClock;
    use weir_connector::{Batch, Flush, Prepared, Ready, Writer};
    use weir_metrics::Registry;
    use weir_plan::{ChangelogMode, DataType, Field, LogicalType, Schema, SinkSpec, TableOptions};
    use weir_ports::{BarrierKind, SinkConstraints};

    use super::*;
    use crate::channel::channel;
    use crate::task::metrics::TaskIo;
    use crate::task::{Constraints, SinkStage};

    /// A writer while whose first write another thread decides epoch 1; it notes what it is told.
    struct Noting {
        shared: Arc<RunShared>,
        noted: Arc<Mutex<Vec<String>>>,
    }

    impl Noting {
        fn note(&self, what: String) {
            self.noted.lock().unwrap().push(what);
        }
    }

    impl Writer for Noting {
        fn ready(&mut self) -> Result<Ready> {
            Ok(Ready::Yes)
        }

        fn write(&mut self, batch: &Batch) -> Result<()> {
            self.note(format!("{} rows", batch.rows()));
            self.shared.set_decided(Epoch(1));
            Ok(())
        }

        fn prepare(&mut self, epoch: Epoch) -> Result<(Prepared, Option<Flush>)> {
            self.note(format!("prepare {epoch}"));
            Ok((Prepared { subtask: 0, epoch, state: Vec::new() }, None))
        }

        fn decided(&mut self, epoch: Epoch) {
            self.note(format!("decided {epoch}"));
        }
    }

    #[test]
    fn a_sink_hears_of_a_decision_before_the_next_barrier_within_one_step() {
        let shared = Arc::new(RunShared::new(Arc::new(ManualClock::at(1_000)), 1, 0, events().0));
        let noted = Arc::new(Mutex::new(Vec::new()));
        let writer = Noting { shared: Arc::clone(&shared), noted: Arc::clone(&noted) };
        let physical = Schema::new(vec![Field::new("n", DataType::nullable(LogicalType::BigInt))]);
        let spec = SinkSpec {
            table: "t".to_owned(),
            connector: "noting".to_owned(),
            options: TableOptions::default(),
            physical: physical.clone(),
            metadata: Vec::new(),
            primary_key: Vec::new(),
            changelog: ChangelogMode::INSERT_ONLY,
        };
        let registry = Registry::default();
        let constraints = Constraints::new(&spec, SinkConstraints::default());
        let sink =
            SinkStage::new("sink".to_owned(), &spec, Box::new(writer), constraints, Arc::clone(&shared), &registry);
        let (sender, receiver) = channel();
        let metrics = GateMetrics::register(&registry, TaskIo::register(&registry));
        let next = vec![Next::Sink(Box::new(sink))];
        let mut gate = Gate::new(0, 0, vec![GateInput::new(receiver)], next, shared, metrics, None);
        let rows = RecordBatch::try_new(physical.arrow(), vec![Arc::new(Int64Array::from(vec![1, 2]))]).unwrap();
        let elements = [
            Element::Batch(Batch::inserts(rows, 0)),
            Element::Barrier(Barrier { epoch: Epoch(2), kind: BarrierKind::Periodic }),
        ];
        assert!(elements.into_iter().all(|element| sender.try_send(element).is_ok()));
        gate.step().unwrap();
        assert_eq!(*noted.lock().unwrap(), ["2 rows", "decided 1", "prepare 2"]);
    }
}
