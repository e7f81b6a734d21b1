//! The start of an attempt: a generation is claimed, recovery is decided, sinks are brought to the restored epoch, tasks are deployed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};
use weir_base::{Epoch, Error, Generation, Kind, Result};
use weir_connector::{Decider, Factory, JobContext, LastDecided, Prepared, Sink, Source, WriterContext};
use weir_metrics::Registry;
use weir_plan::{Field, JobGraph, LogicalType, Node, NodeId, Operator, Order, RowWindows, WindowKind, WindowSpec};
use weir_ports::{DEAD_LETTERS_UID, Deployment, Restored, Run, Totals, Workers};
use weir_state::{CheckpointStore, Claim, DeciderFact, GraphShape, Intention, Manifest, decide};

use crate::Job;
use crate::commit::{LetterBox, Sinks};
use crate::totals::totals_of;

/// A subtask number for the coordinator's own dead letters, past all others.
const COORDINATOR_SUBTASK: u16 = u16::MAX;

/// An attempt whose tasks run.
pub struct Started {
    /// The run.
    pub run: Box<dyn Run>,
    /// The right to write checkpoints, under the claimed generation.
    pub claim: Claim,
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

/// Starts an attempt whose metrics go to `metrics`: a group of the job's.
///
/// # Errors
/// Recovery is refused, a connector refuses, or a state does not fit.
pub fn start(job: &Job, workers: &dyn Workers, intention: Intention, metrics: &Registry) -> Result<Started> {
    let store = open_store(job)?;
    let mut claim = store.claim(Generation(0), job.settings.checkpoints_retained)?;
    let mut context = context(job, &store, claim.generation(), metrics);
    let mut made = make(job, &context)?;
    let mut decider = DeciderFact::Absent;
    if let Some(connector) = &mut made.decider {
        let said = connector.claim(job.id, claim.generation())?;
        if let LastDecided::Epoch(generation, _) = said
            && generation > claim.generation()
        {
            // Another directory's generations are ahead of ours: claim one that is newer than all of them.
            claim = store.claim(generation, job.settings.checkpoints_retained)?;
            context.generation = claim.generation();
            made = make(job, &context)?;
            if let Some(connector) = &mut made.decider {
                connector.claim(job.id, claim.generation())?;
            }
        }
        decider = DeciderFact::Said(said);
    }
    let decision = decide(&store.facts(intention, decider)?);
    let restored = claim.begin(&decision)?;
    let manifest = restored.as_ref().map(|restored| Arc::clone(restored.manifest()));
    if let Some(manifest) = &manifest {
        manifest.check_fits(&shape_of(&job.graph))?;
        let epoch = manifest.epoch;
        let (id, name, triggered) = (job.id, &job.graph.name, manifest.triggered);
        let event = "JobStatusChangeEvent";
        info!(job = %id, name, event, "Restoring job {id} from Checkpoint {epoch} @ {triggered} for {name}");
        let now = job.clock.now();
        job.monitor.update(|shown| {
            shown.restored = Some(epoch);
            shown.restored_at = Some(now);
        });
    }
    let first_epoch = claim.first_epoch();
    let sinks = restore_sinks(job, &made, manifest.as_deref(), first_epoch, metrics)?;
    if let Some(manifest) = &manifest {
        claim.complete(manifest.epoch)?;
    }
    let totals = manifest.as_ref().map(|manifest| totals_of(&manifest.counters)).unwrap_or_default();
    // What was counted before stands there from the start, not only after the first checkpoint.
    job.monitor.update(|shown| shown.totals = totals.clone());
    let uid = |node: &NodeId| job.graph.nodes[node.0].uid.clone();
    let sources = made.sources.iter().map(|(node, source)| (uid(node), Arc::clone(source))).collect();
    let run = workers.deploy(Deployment {
        job: job.id.to_string(),
        graph: job.graph.clone(),
        sources: made.sources,
        sinks: made.sinks,
        dead_letters: made.dead_letters,
        restored: restored.map(|restored| -> Arc<dyn Restored> { Arc::new(restored) }),
        attempt: job.monitor.shown().restarts,
        first_epoch,
        settings: job.settings.engine.clone(),
        clock: Arc::clone(&job.clock),
        metrics: metrics.clone(),
    })?;
    Ok(Started { run, claim, sinks, decider: made.decider, sources, totals, first_epoch })
}

/// The store of the job's checkpoints.
///
/// # Errors
/// Its folder cannot be used.
pub fn open_store(job: &Job) -> Result<CheckpointStore> {
    CheckpointStore::open(&job.settings.checkpoint_dir, &job.graph.name, Arc::clone(&job.clock))
}

/// What a checkpoint of `graph` must fit: its sources, its stateful operators and its sinks.
pub fn shape_of(graph: &JobGraph) -> GraphShape {
    let kind = |node: &Node| match &node.operator {
        Operator::Source(spec) => Some(format!("source {}", spec.connector)),
        Operator::Sink(spec) => Some(format!("sink {}", spec.connector)),
        // By names: a column that is added elsewhere moves the others, and changes nothing in the state.
        Operator::Deduplicate { keys, keep, order, .. } => {
            let keys = columns(input_of(graph, node), keys.iter().copied());
            let time = match order {
                Order::ProcTime => "processing time",
                Order::RowTime(_) => "event time",
            };
            Some(format!("deduplicate {keep:?} of {time} by {keys}"))
        }
        Operator::WindowAggregate(spec) => {
            let keys = columns(input_of(graph, node), spec.keys.iter().copied());
            let how = if matches!(spec.rows, RowWindows::End(_)) { " by the end in the row" } else { "" };
            Some(format!("aggregate in {}{how} by {keys}", windows(&spec.window)))
        }
        Operator::WindowRank(spec) => {
            let keys = columns(input_of(graph, node), spec.keys.iter().copied());
            Some(format!("first rows in {} by {keys}", windows(&spec.window)))
        }
        Operator::WindowAssign { window, keys, .. } if matches!(window.kind, WindowKind::Session { .. }) => {
            let keys = columns(input_of(graph, node), keys.iter().copied());
            Some(format!("rows in {} by {keys}", windows(window)))
        }
        _ => None,
    };
    let operators = graph.nodes.iter().filter_map(|node| Some((node.uid.clone(), kind(node)?))).collect();
    GraphShape { max_parallelism: graph.max_parallelism, operators }
}

/// Windows with their sizes.
fn windows(spec: &WindowSpec) -> String {
    let length = |ms: i64| Duration::from_millis(ms.unsigned_abs());
    let sizes = match spec.kind {
        WindowKind::Tumble { size_ms } => format!("{:?}", length(size_ms)),
        WindowKind::Hop { slide_ms, size_ms } => format!("{:?} each {:?}", length(size_ms), length(slide_ms)),
        WindowKind::Cumulate { step_ms, size_ms } => format!("{:?} by {:?}", length(size_ms), length(step_ms)),
        WindowKind::Session { gap_ms } => format!("{:?}", length(gap_ms)),
    };
    let offset = if spec.offset_ms == 0 { String::new() } else { format!(" shifted by {} ms", spec.offset_ms) };
    format!("{} of {sizes}{offset}", spec.kind.name())
}

/// The columns of a node's input.
fn input_of<'a>(graph: &'a JobGraph, node: &Node) -> &'a [Field] {
    node.inputs.first().map(|edge| graph.nodes[edge.from.0].schema.fields.as_slice()).unwrap_or_default()
}

/// Columns by name and type. All whole numbers are one type: as keys they have one form. (What rows and aggregates in state are of, they say themselves.)
fn columns(fields: &[Field], indices: impl Iterator<Item = usize>) -> String {
    let column = |field: &Field| match &field.data_type.logical {
        LogicalType::TinyInt | LogicalType::SmallInt | LogicalType::Int | LogicalType::BigInt => {
            format!("{} of whole numbers", field.name)
        }
        logical => format!("{} {logical}", field.name),
    };
    indices.filter_map(|index| fields.get(index)).map(column).collect::<Vec<_>>().join(", ")
}

fn context(job: &Job, store: &CheckpointStore, generation: Generation, metrics: &Registry) -> JobContext {
    JobContext {
        job: job.id,
        name: job.graph.name.clone(),
        generation,
        checkpoint_interval: job.settings.checkpoint_interval,
        data_dir: job.settings.data_dir.clone(),
        carried_dir: store.carried_dir(),
        carried_bytes_max: job.settings.carried_bytes_max,
        clock: Arc::clone(&job.clock),
        metrics: metrics.clone(),
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

/// Cuts off what was never decided, and makes what was visible again.
fn restore_sinks(
    job: &Job,
    made: &Made,
    manifest: Option<&Manifest>,
    first_epoch: Epoch,
    metrics: &Registry,
) -> Result<Sinks> {
    let mut committers = BTreeMap::new();
    let mut waiting: BTreeMap<String, Vec<Prepared>> = BTreeMap::new();
    let uid = |node: &NodeId| job.graph.nodes[node.0].uid.clone();
    let mut all: Vec<(String, &Arc<dyn Sink>)> = made.sinks.iter().map(|(node, sink)| (uid(node), sink)).collect();
    all.push((DEAD_LETTERS_UID.to_owned(), &made.dead_letters));
    for (uid, sink) in all {
        let mut prepared = manifest.and_then(|manifest| manifest.prepared.get(&uid).cloned()).unwrap_or_default();
        match sink.recover(&prepared) {
            // Letters stay in the data directory that they were written to; a job that goes on in another one begins anew there.
            Err(error) if uid == DEAD_LETTERS_UID && error.kind() == Kind::NotFound => {
                warn!(job = %job.id, %error, "earlier dead letters are in another data directory");
                prepared.clear();
                sink.recover(&prepared)?;
            }
            recovered => recovered?,
        }
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
            metrics: metrics.clone(),
        })?,
    };
    let handed = manifest.map_or(Epoch(0), |manifest| manifest.epoch);
    let mut sinks = Sinks::new(committers, waiting, handed, letters, Arc::clone(&job.clock));
    if manifest.is_some() {
        sinks.redo(handed)?;
    }
    Ok(sinks)
}
