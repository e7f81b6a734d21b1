//! The start of an attempt: a generation is claimed, recovery is decided, sinks are brought to the restored epoch, tasks are deployed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use tracing::info;
use weir_base::{Epoch, Error, Generation, Result};
use weir_connector::{Decider, Factory, JobContext, LastDecided, Prepared, Sink, Source, WriterContext};
use weir_plan::{NodeId, Operator};
use weir_ports::{DEAD_LETTERS_UID, Deployment, Restored, RestoredState, Run, SplitState, Totals, Workers};
use weir_state::{CheckpointStore, Decision, Facts, Intention, Manifest, decide};

use crate::Job;
use crate::commit::{LetterBox, Sinks};

/// A subtask number for the coordinator's own dead letters, past all others.
const COORDINATOR_SUBTASK: u16 = u16::MAX;

/// An attempt whose tasks run.
pub struct Started {
    /// The run.
    pub run: Box<dyn Run>,
    /// The checkpoints, under the claimed generation.
    pub store: CheckpointStore,
    /// The sinks, brought to the restored epoch.
    pub sinks: Sinks,
    /// The decider, if a sink needs one.
    pub decider: Option<Box<dyn Decider>>,
    /// Sources by uid.
    pub sources: BTreeMap<String, Arc<dyn Source>>,
    /// Totals at the restored epoch.
    pub totals: BTreeMap<String, Totals>,
    /// The epoch that comes next.
    pub first_epoch: Epoch,
}

/// The connectors of an attempt.
struct Made {
    sources: BTreeMap<NodeId, Arc<dyn Source>>,
    sinks: BTreeMap<NodeId, Arc<dyn Sink>>,
    dead_letters: Arc<dyn Sink>,
    decider: Option<Box<dyn Decider>>,
}

/// Starts an attempt.
///
/// # Errors
/// Recovery is refused, a connector refuses, or a state does not fit.
pub fn start(job: &Job, workers: &dyn Workers, intention: Intention) -> Result<Started> {
    let mut store =
        CheckpointStore::open(&job.settings.checkpoint_dir, job.id, &job.graph, job.settings.checkpoints_retained)?;
    store.check(intention)?;
    let generation = store.claim(job.clock.now())?;
    let context = context(job, generation);
    let mut made = make(job, &context)?;
    let last = match &mut made.decider {
        Some(decider) => Some(decider.claim(job.id, generation)?),
        None => None,
    };
    let manifest = recover(job, &mut store, intention, last)?;
    let restored_epoch = manifest.as_ref().map_or(store.last_epoch(), |manifest| manifest.epoch);
    let first_epoch = store.last_epoch().max(restored_epoch).next();
    let sinks = restore_sinks(job, &made, manifest.as_deref(), restored_epoch, first_epoch)?;
    if manifest.is_some() {
        store.complete(restored_epoch)?;
    }
    let totals = manifest.as_ref().map(|manifest| manifest.totals.clone()).unwrap_or_default();
    let uid = |node: &NodeId| job.graph.nodes[node.0].uid.clone();
    let sources = made.sources.iter().map(|(node, source)| (uid(node), Arc::clone(source))).collect();
    let restored =
        manifest.map(|manifest| -> Arc<dyn Restored> { Arc::new(FromManifest { store: store.reader(), manifest }) });
    let run = workers.deploy(Deployment {
        job: job.id.to_string(),
        graph: job.graph.clone(),
        sources: made.sources,
        sinks: made.sinks,
        dead_letters: made.dead_letters,
        restored,
        first_epoch,
        settings: job.settings.engine.clone(),
        clock: Arc::clone(&job.clock),
        metrics: job.metrics.clone(),
    })?;
    Ok(Started { run, store, sinks, decider: made.decider, sources, totals, first_epoch })
}

fn context(job: &Job, generation: Generation) -> JobContext {
    JobContext {
        job: job.id,
        name: job.graph.name.clone(),
        generation,
        checkpoint_interval: job.settings.checkpoint_interval,
        data_dir: job.settings.data_dir.clone(),
        carried_dir: CheckpointStore::carried_dir(&job.settings.checkpoint_dir, job.id),
        clock: Arc::clone(&job.clock),
        metrics: job.metrics.clone(),
    }
}

/// Makes all connectors that the graph names.
fn make(job: &Job, context: &JobContext) -> Result<Made> {
    let factories = job.connectors.factories();
    let factory = |identifier: &str| -> Result<&dyn Factory> {
        let found = factories.iter().find(|factory| factory.identifier() == identifier);
        found.map(Box::as_ref).ok_or_else(|| Error::internal(format!("find the connector '{identifier}'")))
    };
    let (mut sources, mut sinks) = (BTreeMap::new(), BTreeMap::new());
    for node in &job.graph.nodes {
        match &node.operator {
            Operator::Source(spec) => {
                let source = factory(&spec.connector)?.source(spec, context);
                let source = source.map_err(|error| error.within(format!("open the table '{}'", spec.table)))?;
                sources.insert(node.id, Arc::from(source));
            }
            Operator::Sink(spec) => {
                let sink = factory(&spec.connector)?.sink(spec, context);
                let sink = sink.map_err(|error| error.within(format!("open the table '{}'", spec.table)))?;
                sinks.insert(node.id, Arc::from(sink));
            }
            _ => {}
        }
    }
    let mut deciders = Vec::new();
    for factory in &factories {
        deciders.extend(factory.decider(context)?);
    }
    if deciders.len() > 1 {
        return Err(Error::invalid("decide one job's epochs by the transactions of two systems")
            .hint("set 'sink.delivery-guarantee' = 'at-least-once' on all tables but those of one cluster"));
    }
    let dead_letters = Arc::from(job.connectors.dead_letters(context)?);
    Ok(Made { sources, sinks, dead_letters, decider: deciders.pop() })
}

/// Carries out what the facts decide; `None`: the job starts from nothing.
fn recover(
    job: &Job,
    store: &mut CheckpointStore,
    intention: Intention,
    last: Option<LastDecided>,
) -> Result<Option<Arc<Manifest>>> {
    let facts: Facts = store.facts(intention, last)?;
    match decide(&facts) {
        Decision::Fresh => {
            store.begin_fresh()?;
            Ok(None)
        }
        Decision::Restore { generation, epoch, .. } => {
            let manifest = store.manifest(generation, epoch)?;
            manifest.check_fits(&job.graph)?;
            info!("Restoring job {} from Checkpoint {epoch} @ generation {generation}", job.id);
            job.monitor.update(|shown| shown.restored = Some(epoch));
            Ok(Some(Arc::new(manifest)))
        }
        Decision::Refuse(reason) => Err(Error::new(weir_base::Kind::Conflict, reason)),
    }
}

/// Cuts off what was never decided, and makes what was visible again.
fn restore_sinks(
    job: &Job,
    made: &Made,
    manifest: Option<&Manifest>,
    restored_epoch: Epoch,
    first_epoch: Epoch,
) -> Result<Sinks> {
    let mut committers = BTreeMap::new();
    let mut waiting: BTreeMap<String, Vec<Prepared>> = BTreeMap::new();
    let uid = |node: &NodeId| job.graph.nodes[node.0].uid.clone();
    let mut all: Vec<(String, &Arc<dyn Sink>)> = made.sinks.iter().map(|(node, sink)| (uid(node), sink)).collect();
    all.push((DEAD_LETTERS_UID.to_owned(), &made.dead_letters));
    for (uid, sink) in all {
        let prepared = manifest.map(|manifest| manifest.prepared_of(&uid)).unwrap_or_default();
        sink.recover(&prepared)?;
        committers.insert(uid.clone(), sink.committer()?);
        waiting.insert(uid, prepared);
    }
    let letters = LetterBox {
        job: job.id.to_string(),
        writer: made.dead_letters.writer(&WriterContext {
            subtask: COORDINATOR_SUBTASK,
            parallelism: 1,
            epoch: first_epoch,
            clock: Arc::clone(&job.clock),
            metrics: job.metrics.clone(),
        })?,
    };
    let mut sinks = Sinks::new(committers, waiting, restored_epoch, letters, Arc::clone(&job.clock));
    if manifest.is_some() {
        sinks.redo(restored_epoch)?;
    }
    Ok(sinks)
}

/// A manifest with the way to its files.
struct FromManifest {
    store: weir_state::StateReader,
    manifest: Arc<Manifest>,
}

impl Restored for FromManifest {
    fn state(&self, uid: &str, key_groups: Range<u16>) -> Result<Box<dyn RestoredState>> {
        self.store.restored_state(&self.manifest, uid, key_groups)
    }

    fn splits(&self, uid: &str) -> Vec<SplitState> {
        self.manifest.splits_of(uid)
    }
}
