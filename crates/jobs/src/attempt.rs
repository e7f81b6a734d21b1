//! One attempt to run a job: claim, decide what to restore, deploy, checkpoint after checkpoint, until it ends, stops or fails.
//!
//! The steps of a checkpoint follow the exactly-once protocol: rows prepared and state durable, decided, applied, complete. What to do is decided
//! by pure functions elsewhere (`weir_state::decide`); here it is carried out, in order, on one thread.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use tracing::{info, warn};
use weir_base::limits::STOP_TIMEOUT;
use weir_base::{Epoch, Error, Kind, Result, Rng, Timestamp, key_group_range};
use weir_connector::{Decider, Decision, Position, Source, SplitId};
use weir_ports::{Acknowledgement, Barrier, BarrierKind, Event, Run, SourcePositions, Totals};
use weir_state::{Claim, GraphShape, RunState, Snapshot, SubtaskState, Trigger, Written};

use crate::commit::Sinks;
use crate::monitor::{CheckpointShown, JobState};
use crate::start::{Started, shape_of};
use crate::totals::counters_of;
use crate::{Job, StopRequest};

/// How an attempt ended, when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The input has ended and all of it is visible.
    Finished,
    /// It was stopped with a last checkpoint.
    Suspended,
}

/// How often a waiting coordinator looks at its deadlines.
const POLL: Duration = Duration::from_millis(20);

/// How long a finished job waits for rows that a carried sink has not sent yet before it says so again.
const DRAIN_WAIT: Duration = Duration::from_secs(10);

/// A running attempt.
pub struct Attempt<'a> {
    job: &'a Job,
    stop: &'a StopRequest,
    run: Box<dyn Run>,
    claim: Claim,
    shape: GraphShape,
    sinks: Sinks,
    decider: Option<Box<dyn Decider>>,
    sources: BTreeMap<String, Arc<dyn Source>>,
    /// Totals of all runs before this one.
    base_totals: BTreeMap<String, Totals>,
    last_totals: BTreeMap<String, Totals>,
    next_epoch: Epoch,
    pending: Option<Pending>,
    trigger_at_us: u64,
    discover_at_us: u64,
    failures: u64,
    /// What the run is coming to.
    ending: Option<BarrierKind>,
}

/// A checkpoint on its way.
struct Pending {
    barrier: Barrier,
    since_us: u64,
    triggered: Timestamp,
    acknowledgements: Vec<Acknowledgement>,
}

/// What a complete barrier brought together.
struct Gathered {
    states: Vec<SubtaskState>,
    positions: Vec<SourcePositions>,
    totals: BTreeMap<String, Totals>,
}

impl<'a> Attempt<'a> {
    /// Takes over what was started.
    pub fn new(job: &'a Job, stop: &'a StopRequest, started: Started) -> Self {
        let interval = job.settings.checkpoint_interval.unwrap_or(Duration::MAX);
        let now_us = job.clock.monotonic_us();
        Self {
            job,
            stop,
            run: started.run,
            claim: started.claim,
            shape: shape_of(&job.graph),
            sinks: started.sinks,
            decider: started.decider,
            sources: started.sources,
            base_totals: started.totals,
            last_totals: BTreeMap::new(),
            next_epoch: started.first_epoch,
            pending: None,
            trigger_at_us: now_us.saturating_add(micros(interval)),
            discover_at_us: now_us,
            failures: 0,
            ending: None,
        }
    }

    /// Runs until the end.
    ///
    /// # Errors
    /// What failed the attempt; the restart strategy has the next word.
    pub fn run(mut self) -> Result<Outcome> {
        loop {
            match self.run.events().recv_timeout(POLL) {
                // Whoever is fenced must not start again, whatever else has failed: two processes would fence each other in turn.
                Ok(Event::Failed(error)) => return Err(self.claim.fence().check().err().unwrap_or(error)),
                Ok(Event::Acknowledged(acknowledgement)) => {
                    if let Some(kind) = self.acknowledged(*acknowledgement)? {
                        return self.end(kind);
                    }
                }
                Ok(Event::Exhausted) => self.ending = Some(BarrierKind::End),
                Ok(Event::WantsCheckpoint) => {
                    self.trigger_at_us = self.trigger_at_us.min(self.job.clock.monotonic_us())
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Error::internal("hear from the tasks of the job")),
            }
            self.look_at_the_clock()?;
        }
    }

    /// Stops the run and hands the store back.
    fn end(mut self, kind: BarrierKind) -> Result<Outcome> {
        self.run.cancel(STOP_TIMEOUT);
        if kind == BarrierKind::Stop {
            self.sinks.drain(Duration::from_secs(1))?;
            self.claim.end(RunState::Stopped)?;
            return Ok(Outcome::Suspended);
        }
        while !self.sinks.drain(DRAIN_WAIT)? {
            if self.stop.is_requested() {
                self.claim.end(RunState::Stopped)?;
                return Ok(Outcome::Suspended);
            }
            warn!(job = %self.job.id, "the job's input has ended; rows carried for a sink that does not take them are still waiting");
        }
        self.record_refused()?;
        self.claim.end(RunState::Finished)?;
        Ok(Outcome::Finished)
    }

    fn look_at_the_clock(&mut self) -> Result<()> {
        let now_us = self.job.clock.monotonic_us();
        if self.stop.is_requested() && self.ending.is_none() {
            self.job.monitor.enter(JobState::Stopping, self.job.clock.now());
            if self.stop.drains() {
                self.run.drain();
            } else {
                self.ending = Some(BarrierKind::Stop);
            }
        }
        if let Some(pending) = &self.pending {
            let timeout = micros(self.job.settings.checkpoint_timeout);
            if now_us.saturating_sub(pending.since_us) > timeout {
                let text = format!("complete checkpoint {} within its timeout", pending.barrier.epoch);
                self.checkpoint_failed(Error::new(Kind::Exhausted, text))?;
            }
        } else if let Some(kind) = self.ending {
            self.trigger(kind);
        } else if now_us >= self.trigger_at_us {
            self.trigger(BarrierKind::Periodic);
        }
        if now_us >= self.discover_at_us {
            let intervals = self.sources.values().filter_map(|source| source.discovery_interval());
            match intervals.min() {
                None => self.discover_at_us = u64::MAX,
                Some(interval) => {
                    self.discover_at_us = now_us.saturating_add(micros(interval));
                    self.run.discover()?;
                }
            }
        }
        Ok(())
    }

    fn trigger(&mut self, kind: BarrierKind) {
        let barrier = Barrier { epoch: self.next_epoch, kind };
        self.next_epoch = self.next_epoch.next();
        let since_us = self.job.clock.monotonic_us();
        let interval = self.job.settings.checkpoint_interval.unwrap_or(Duration::MAX);
        self.trigger_at_us = since_us.saturating_add(micros(interval));
        let triggered = self.job.clock.now();
        self.pending = Some(Pending { barrier, since_us, triggered, acknowledgements: Vec::new() });
        self.job.step("triggered");
        self.job.monitor.update(|shown| shown.checkpoints_triggered += 1);
        self.run.barrier(barrier);
    }

    /// One task has answered; gives the barrier's kind when that ended the run.
    fn acknowledged(&mut self, acknowledgement: Acknowledgement) -> Result<Option<BarrierKind>> {
        let Some(pending) = self.pending.as_mut().filter(|pending| pending.barrier.epoch == acknowledgement.epoch)
        else {
            // The late answer to an aborted barrier: what its sinks prepared still belongs to the next epoch.
            self.sinks.prepared(acknowledgement.prepared)?;
            return Ok(None);
        };
        let tasks = acknowledgement.tasks;
        pending.acknowledgements.push(acknowledgement);
        if pending.acknowledgements.len() < tasks {
            return Ok(None);
        }
        let Some(pending) = self.pending.take() else { return Ok(None) };
        let kind = pending.barrier.kind;
        match self.complete(pending) {
            Ok(()) => Ok((kind != BarrierKind::Periodic).then_some(kind)),
            Err(Failure::Checkpoint(error)) => {
                self.checkpoint_failed(error)?;
                Ok(None)
            }
            Err(Failure::Job(error)) => Err(error),
        }
    }

    /// Steps 1 to 4 for a barrier that all tasks have answered.
    fn complete(&mut self, pending: Pending) -> Result<(), Failure> {
        let epoch = pending.barrier.epoch;
        let sync_us = pending.acknowledgements.iter().map(|task| task.sync_us).max().unwrap_or(0);
        let gathered = self.gather(pending.acknowledgements).map_err(Failure::Checkpoint)?;
        self.job.step("prepare");
        self.sinks.collect_refused(epoch).map_err(Failure::Checkpoint)?;
        let changed = gathered.totals != self.last_totals;
        let decides_elsewhere = self.decider.as_ref().is_some_and(|decider| changed || decider.has_rows());
        let snapshot = Snapshot {
            epoch,
            decided_here: !decides_elsewhere,
            shape: self.shape.clone(),
            states: gathered.states,
            positions: gathered.positions.clone(),
            prepared: self.sinks.waiting().clone(),
            counters: counters_of(&gathered.totals),
            watermarks: Vec::new(),
            trigger: match pending.barrier.kind {
                BarrierKind::Periodic => Trigger::Interval,
                BarrierKind::Stop => Trigger::Stop,
                BarrierKind::End => Trigger::End,
            },
            triggered: pending.triggered,
        };
        if self.job.protocol.swapped {
            self.sinks.apply(epoch, &self.job.monitor.latency_us).map_err(Failure::Job)?;
        }
        self.job.step("write");
        let written = self.claim.write(snapshot).map_err(Failure::of_store)?;
        self.job.step("decide");
        if decides_elsewhere {
            self.decide(epoch, &gathered.positions).map_err(Failure::Job)?;
        }
        self.run.decided(epoch);
        self.job.step("apply");
        self.sinks.apply(epoch, &self.job.monitor.latency_us).map_err(Failure::Job)?;
        let retired = self.claim.complete(epoch).map_err(Failure::Job)?;
        for problem in retired.problems {
            warn!(job = %self.job.id, error = %problem, "an old checkpoint could not be deleted");
        }
        self.run.completed(epoch);
        self.job.step("completed");
        self.job.completed(&gathered.positions);
        for source in &gathered.positions {
            if let Some(connector) = self.sources.get(&source.uid) {
                connector.completed(&reached(source));
            }
        }
        self.last_totals = gathered.totals.clone();
        self.show(epoch, pending.since_us, sync_us, &written, gathered.totals);
        Ok(())
    }

    /// All that the tasks handed over, by what becomes of it.
    fn gather(&mut self, acknowledgements: Vec<Acknowledgement>) -> Result<Gathered> {
        let mut gathered = Gathered { states: Vec::new(), positions: Vec::new(), totals: self.base_totals.clone() };
        for acknowledgement in acknowledgements {
            for (uid, of_run) in &acknowledgement.totals {
                gathered.totals.entry(uid.clone()).or_default().add(of_run);
            }
            for (uid, frozen) in acknowledgement.frozen {
                let node = self.job.graph.nodes.iter().find(|node| node.uid == uid);
                let parallelism = node.map_or(1, |node| node.parallelism);
                let key_groups = key_group_range(acknowledgement.subtask, self.job.graph.max_parallelism, parallelism);
                gathered.states.push(SubtaskState { uid, key_groups, frozen });
            }
            gathered.positions.extend(acknowledgement.positions);
            self.sinks.prepared(acknowledgement.prepared)?;
        }
        Ok(gathered)
    }

    /// Step 3: the transaction's commit.
    fn decide(&mut self, epoch: Epoch, positions: &[SourcePositions]) -> Result<()> {
        let Some(decider) = &mut self.decider else { return Ok(()) };
        let offsets: Vec<_> =
            positions.iter().filter_map(|source| self.sources.get(&source.uid)?.offsets(&reached(source))).collect();
        match decider.decide(epoch, &offsets)? {
            Decision::Committed => Ok(()),
            Decision::Aborted(reason) => {
                self.claim.fence().check()?;
                let text = format!("commit the transaction of epoch {epoch}: it was aborted: {reason}");
                Err(Error::new(Kind::Closed, text))
            }
            Decision::Fenced(reason) => {
                self.claim.fence().check()?;
                Err(Error::new(Kind::Conflict, format!("commit the transaction of epoch {epoch}: {reason}")))
            }
            Decision::Unknown(reason) => {
                self.claim.fence().check()?;
                let text =
                    format!("commit the transaction of epoch {epoch}: nobody knows whether it happened: {reason}");
                Err(Error::new(Kind::Unavailable, text).hint("the job restarts and asks the broker"))
            }
        }
    }

    /// A checkpoint that did not come to be: its rows belong to the next one.
    fn checkpoint_failed(&mut self, error: Error) -> Result<()> {
        if let Some(pending) = self.pending.take() {
            for acknowledgement in pending.acknowledgements {
                self.sinks.prepared(acknowledgement.prepared)?;
            }
            // Sinks that hold back the next epoch let it flow: it shares the open transaction with this one.
            self.run.decided(pending.barrier.epoch);
        }
        self.failures += 1;
        self.job.monitor.update(|shown| shown.checkpoints_failed += 1);
        let tolerable = self.job.settings.checkpoint_failures_tolerable;
        if self.failures > tolerable {
            let bound =
                format!("'execution.checkpointing.tolerable-failed-checkpoints' allows {tolerable} failed checkpoints");
            let hint = error.hint_text().map_or_else(|| bound.clone(), |hint| format!("{hint}; {bound}"));
            return Err(error.hint(hint));
        }
        let (job, name) = (self.job.id, &self.job.graph.name);
        // Of the last one triggered.
        let span_id = self.span_of(Epoch(self.next_epoch.0.saturating_sub(1)));
        warn!(%job, name, event = "CheckpointEvent", status = "FAILED", span_id, %error, "checkpoint failed");
        Ok(())
    }

    /// Rows that a carried sink refused after the last checkpoint go to the dead letters before the job is called finished.
    fn record_refused(&mut self) -> Result<()> {
        let epoch = self.next_epoch;
        self.sinks.collect_refused(epoch)?;
        self.sinks.apply(epoch, &self.job.monitor.latency_us)
    }

    /// Shows a completed checkpoint; `sync_us`: for how long the slowest task processed no rows for it.
    fn show(&mut self, epoch: Epoch, since_us: u64, sync_us: u64, written: &Written, totals: BTreeMap<String, Totals>) {
        let (bytes, full_bytes) = (written.written_bytes, written.full_bytes);
        let duration_us = self.job.clock.monotonic_us().saturating_sub(since_us);
        let completed_at = self.job.clock.now();
        let duration_ms = duration_us / 1000;
        self.failures = 0;
        let pause = self.job.clock.monotonic_us().saturating_add(micros(self.job.settings.checkpoint_min_pause));
        self.trigger_at_us = self.trigger_at_us.max(pause);
        self.job.monitor.update(|shown| {
            shown.checkpoint = Some(CheckpointShown { epoch, completed_at, duration_ms, bytes, full_bytes });
            shown.checkpoints_completed += 1;
            shown.totals = totals;
        });
        let (job, name, event) = (self.job.id, &self.job.graph.name, "CheckpointEvent");
        let (status, span_id) = ("COMPLETED", self.span_of(epoch));
        info!(%job, name, event, status, span_id, epoch = epoch.0, duration_ms, sync_us, bytes, full_bytes, "completed checkpoint");
    }

    /// The span of a checkpoint within the trace of its attempt: 16 hexadecimal digits.
    fn span_of(&self, epoch: Epoch) -> String {
        let seed = self.claim.generation().0.rotate_left(32) ^ epoch.0;
        format!("{:016x}", Rng::new(seed).next_u64() | 1)
    }
}

/// What a failed step fails: the checkpoint alone, or the job.
enum Failure {
    Checkpoint(Error),
    Job(Error),
}

impl Failure {
    /// A manifest that could not be written fails its checkpoint; one that must not be written, because a newer generation runs, fails the job.
    fn of_store(error: Error) -> Self {
        if error.kind() == Kind::Conflict { Self::Job(error) } else { Self::Checkpoint(error) }
    }
}

/// The splits of a source that were begun, with their positions.
fn reached(source: &SourcePositions) -> Vec<(SplitId, Position)> {
    source.splits.iter().filter_map(|state| Some((state.split.clone(), state.position?))).collect()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
