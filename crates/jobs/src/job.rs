//! A job over all its attempts.

use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info, info_span, warn};
use weir_base::{Clock, JobId, Result, Rng};
use weir_connector::{Factory, JobContext, Sink};
use weir_metrics::Registry;
use weir_plan::JobGraph;
use weir_ports::{SourcePositions, Workers};
use weir_state::{DeciderFact, Intention, unfinished_run};

use crate::attempt::{Attempt, Outcome};
use crate::monitor::{JobState, Monitor};
use crate::restart::Restarts;
use crate::start::{open_store, start};
use crate::{JobSettings, StopRequest};

/// How often a job that waits for its restart looks whether it is to stop.
const POLL: Duration = Duration::from_millis(50);

/// Where a job's connectors come from: new ones for each attempt, since what they hold (a producer, a connection) ends with it.
pub trait Connectors: Send + Sync {
    /// One factory for each connector.
    fn factories(&self) -> Vec<Box<dyn Factory>>;

    /// The sink of the job's dead letters.
    ///
    /// # Errors
    /// It cannot be opened.
    fn dead_letters(&self, context: &JobContext) -> Result<Box<dyn Sink>>;
}

/// A job that can be run.
pub struct Job {
    /// Its identity.
    pub id: JobId,
    /// Its plan.
    pub graph: JobGraph,
    /// Its settings.
    pub settings: JobSettings,
    /// Its connectors.
    pub connectors: Arc<dyn Connectors>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Metrics with the job's labels.
    pub metrics: Registry,
    /// What it shows of itself.
    pub monitor: Monitor,
    /// Hooks of the kill harness; none in ordinary runs.
    pub protocol: Protocol,
}

/// Hooks into the steps of a checkpoint.
#[derive(Default)]
pub struct Protocol {
    /// Told when a step begins: `triggered`, `prepare`, `write`, `decide`, `apply`, `completed`.
    pub told: Option<StepTold>,
    /// Told the sources' positions of a checkpoint when it is complete.
    pub completed: Option<PositionsTold>,
    /// Makes rows visible before they are decided: wrong, and there to prove that the harness notices.
    pub swapped: bool,
}

/// Is told the name of a step.
pub type StepTold = Box<dyn Fn(&str) + Send + Sync>;

/// Is told where the sources stand.
pub type PositionsTold = Box<dyn Fn(&[SourcePositions]) + Send + Sync>;

impl Job {
    /// Tells that a step of the protocol begins.
    pub(crate) fn step(&self, step: &str) {
        if let Some(told) = &self.protocol.told {
            told(step);
        }
    }

    /// Tells that a checkpoint with these positions is complete.
    pub(crate) fn completed(&self, positions: &[SourcePositions]) {
        if let Some(told) = &self.protocol.completed {
            told(positions);
        }
    }
}

/// Whether `job` may be started with this intention, and what it comes to: a checkpoint that the settings name wins. Nothing is claimed, so a run that is
/// alive is not disturbed.
///
/// # Errors
/// An unfinished run is there and nobody said what to do with it; the folder of the checkpoints cannot be used; the named checkpoint is none.
pub fn check(job: &Job, intention: Intention) -> Result<Intention> {
    let store = open_store(job)?;
    let intention = match &job.settings.recovery_path {
        Some(path) => store.recovery_from(path)?,
        None => intention,
    };
    let facts = store.facts(intention, DeciderFact::Absent)?;
    unfinished_run(&facts).map_or(Ok(intention), |refusal| Err(refusal.into_error()))
}

/// Runs `job` to its end, to a stop, or until its restart strategy gives up.
///
/// # Errors
/// The last failure.
pub fn run(job: &Job, workers: &dyn Workers, intention: Intention, stop: &StopRequest) -> Result<Outcome> {
    let mut restarts = Restarts::new(job.settings.restart);
    let mut random = Rng::new(job.clock.monotonic_us());
    let mut intention = intention;
    let mut begun = false;
    crate::metrics::register(job);
    loop {
        // All that is logged from here on belongs to this attempt.
        let (trace, span) = ids(&mut random);
        let _attempt = info_span!("attempt", job = %job.id, trace_id = %trace, span_id = %span).entered();
        enter(job, JobState::Initializing);
        let metrics = job.metrics.group();
        let attempt = start(job, workers, intention, &metrics).and_then(|started| {
            // From here on the job has begun: whatever was asked for at first, a restart goes on from its checkpoints.
            intention = Intention::Resume;
            begun = true;
            enter(job, JobState::Running);
            Attempt::new(job, stop, started).run()
        });
        let failure = match attempt {
            Ok(outcome) => {
                let state = if outcome == Outcome::Finished { JobState::Finished } else { JobState::Suspended };
                enter(job, state);
                return Ok(outcome);
            }
            Err(failure) => failure,
        };
        let now = job.clock.now();
        // The next attempt counts anew: what this one has counted must not stand beside it.
        metrics.end_group();
        job.monitor.attempt_failed(failure.to_string());
        let fenced = failure.kind() == weir_base::Kind::Conflict;
        let delay = if begun && !fenced { restarts.failed(now, random.unit()) } else { None };
        let Some(delay) = delay.filter(|_| !stop.is_requested()) else {
            enter(job, JobState::Failed);
            let (id, name) = (job.id, &job.graph.name);
            error!(job = %id, name, event = "JobFailureEvent", canRestart = false, error = %failure, "job failed");
            return Err(failure);
        };
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        let (id, name, event) = (job.id, &job.graph.name, "JobFailureEvent");
        warn!(job = %id, name, event, canRestart = true, error = %failure, delay_ms, "job failed, restarting");
        job.monitor.update(|shown| shown.restarts += 1);
        enter(job, JobState::Restarting);
        wait(job, stop, delay);
    }
}

/// A trace's id and that of its first span, as W3C writes them: 32 and 16 hexadecimal digits, not all of them zeros.
fn ids(random: &mut Rng) -> (String, String) {
    let [high, low, span] = [(); 3].map(|()| random.next_u64() | 1);
    (format!("{high:016x}{low:016x}"), format!("{span:016x}"))
}

/// Moves the job to `state` and says so.
fn enter(job: &Job, state: JobState) {
    job.monitor.enter(state, job.clock.now());
    let (id, name, state) = (job.id, &job.graph.name, state.name());
    info!(job = %id, name, event = "JobStatusChangeEvent", newJobStatus = state, "job {name} is {state}");
}

/// Waits for `delay`, or until the job is to stop.
fn wait(job: &Job, stop: &StopRequest, delay: Duration) {
    let until = job.clock.monotonic_us().saturating_add(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX));
    while job.clock.monotonic_us() < until && !stop.is_requested() {
        job.clock.sleep(POLL.min(delay));
    }
}
