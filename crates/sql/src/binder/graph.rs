//! The job graph: one node for each relation, exchanges, parallelism, names as in Flink's dashboard, uids that stay.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use weir_base::limits::{MAX_PARALLELISM_DEFAULT, MAX_PARALLELISM_MAX};
use weir_plan::{
    ChangelogMode, Exchange, GroupAggregateSpec, InputEdge, JobGraph, Node, NodeId, Operator, Schema, SinkSpec,
    TableOptions, WindowKind,
};

use super::changelog::Inferred;
use super::ordered;
use super::refusal::refuse;
use super::rel::{Rel, RelId, RelOp, Window};
use crate::error::SqlError;
use crate::{Environment, Settings};

/// Lays out the relations.
///
/// # Errors
/// When a setting that the graph needs has a wrong value.
pub(super) fn lay_out(
    inferred: &Inferred,
    settings: &Settings,
    environment: &Environment<'_>,
) -> Result<JobGraph, SqlError> {
    let max_parallelism =
        bounded(settings, "pipeline.max-parallelism", MAX_PARALLELISM_MAX)?.unwrap_or(MAX_PARALLELISM_DEFAULT);
    let parallelism = match environment.parallelism {
        Some(parallelism) => parallelism,
        None => bounded(settings, "parallelism.default", MAX_PARALLELISM_MAX)?.unwrap_or(1),
    };
    if parallelism > max_parallelism {
        return Err(refuse(
            settings.span("parallelism.default"),
            format!("The parallelism {parallelism} is greater than the maximum parallelism {max_parallelism}"),
        )
        .hint("set 'pipeline.max-parallelism' higher: state is split into that many key groups"));
    }
    let time_zone = match settings.get("table.local-time-zone") {
        None | Some("default") => "UTC",
        Some(zone) => zone,
    };
    let mut layout = Layout {
        parallelism,
        state_ttl: settings.duration("table.exec.state.ttl")?.unwrap_or(Duration::ZERO),
        bundle_rows_max: mini_batch(settings)?,
        nodes: Vec::new(),
        places: Vec::new(),
        numbers: 0,
        uids: HashMap::new(),
    };
    for index in 0..inferred.dag.len() {
        let place = layout.place(RelId(index), inferred)?;
        layout.places.push(place);
    }
    Ok(JobGraph {
        name: settings.get("pipeline.name").unwrap_or(environment.job_name).to_owned(),
        max_parallelism,
        local_time_zone: time_zone.to_owned(),
        nodes: layout.nodes,
    })
}

/// The rows of a mini-batch; `None`: each row is taken by itself.
fn mini_batch(settings: &Settings) -> Result<Option<usize>, SqlError> {
    const ENABLED: &str = "table.exec.mini-batch.enabled";
    const LATENCY: &str = "table.exec.mini-batch.allow-latency";
    const SIZE: &str = "table.exec.mini-batch.size";
    if !settings.boolean(ENABLED)?.unwrap_or(false) {
        return Ok(None);
    }
    if settings.duration(LATENCY)?.unwrap_or(Duration::ZERO).is_zero() {
        return Err(refuse(settings.span(ENABLED), "MiniBatch Latency must be greater than 0 ms.")
            .hint(format!("SET '{LATENCY}' = '1 s', and '{SIZE}'")));
    }
    match settings.integer(SIZE)?.map(usize::try_from) {
        Some(Ok(size)) if size > 0 => Ok(Some(size)),
        _ => {
            let text = format!("Key: '{SIZE}' , default: -1 (fallback keys: []) must be > 0.");
            Err(refuse(settings.span(SIZE), text).hint("give it the number of rows of a mini-batch"))
        }
    }
}

/// A whole number from 1 to `most`.
fn bounded(settings: &Settings, key: &str, most: u16) -> Result<Option<u16>, SqlError> {
    let Some(value) = settings.integer(key)? else { return Ok(None) };
    match u16::try_from(value) {
        Ok(value) if (1..=most).contains(&value) => Ok(Some(value)),
        _ => Err(refuse(settings.span(key), format!("'{key}' must be from 1 to {most}, not {value}"))),
    }
}

/// The graph as far as it is laid out.
struct Layout {
    parallelism: u16,
    state_ttl: Duration,
    /// Rows of a mini-batch, where there are any.
    bundle_rows_max: Option<usize>,
    nodes: Vec<Node>,
    /// The node of each relation.
    places: Vec<NodeId>,
    /// Flink numbers nodes and exchanges together, from 1.
    numbers: usize,
    /// How often each uid was wanted.
    uids: HashMap<String, usize>,
}

impl Layout {
    fn place(&mut self, id: RelId, inferred: &Inferred) -> Result<NodeId, SqlError> {
        let rel = inferred.dag.get(id);
        let inputs: Vec<NodeId> = rel.inputs.iter().map(|input| self.places[input.0]).collect();
        let forward = |inputs: &[NodeId]| inputs.iter().map(|from| (*from, Exchange::Forward)).collect::<Vec<_>>();
        let schema = rel.schema();
        let changelog = inferred.modes[id.0];
        let parallelism = inputs.first().map_or(self.parallelism, |input| self.width_behind(*input));
        Ok(match &rel.op {
            RelOp::Scan(scan) => self.source(rel, scan, schema)?,
            RelOp::Calc { condition, projection } => {
                let operator = Operator::Calc { condition: condition.clone(), projection: projection.clone() };
                self.add("Calc", "calc".to_owned(), operator, forward(&inputs), schema, changelog, parallelism)
            }
            RelOp::Expand { projections } => {
                let operator = Operator::Expand { projections: projections.clone() };
                self.add("Expand", "expand".to_owned(), operator, forward(&inputs), schema, changelog, parallelism)
            }
            RelOp::Correlate(spec) => {
                let operator = Operator::Correlate(spec.clone());
                self.add(
                    "Correlate",
                    "correlate".to_owned(),
                    operator,
                    forward(&inputs),
                    schema,
                    changelog,
                    parallelism,
                )
            }
            RelOp::Union => {
                let uid = "union".to_owned();
                self.add("Union", uid, Operator::Union, forward(&inputs), schema, changelog, self.parallelism)
            }
            RelOp::Sink(spec) => self.sink(id, spec, inferred)?,
            RelOp::Deduplicate { .. } | RelOp::Window(_) | RelOp::WindowAggregate(_) | RelOp::GroupAggregate(_) => {
                self.place_keyed(id, inferred)
            }
            RelOp::Rank(_) | RelOp::WindowRank(_) | RelOp::Over(_) | RelOp::Sort(_) => {
                self.place_ordered(id, inferred)?
            }
        })
    }

    /// Relations that keep state by a key.
    fn place_keyed(&mut self, id: RelId, inferred: &Inferred) -> NodeId {
        let rel = inferred.dag.get(id);
        let input = self.places[rel.inputs[0].0];
        let hashed = |keys: &[usize]| vec![(input, Exchange::Hash(keys.to_vec()))];
        let (schema, changelog) = (rel.schema(), inferred.modes[id.0]);
        match &rel.op {
            RelOp::Deduplicate { keys, order, keep } => {
                let operator =
                    Operator::Deduplicate { keys: keys.clone(), order: *order, keep: *keep, state_ttl: self.state_ttl };
                let (uid, width) = ("deduplicate".to_owned(), self.parallelism);
                self.add("Deduplicate", uid, operator, hashed(keys), schema, changelog, width)
            }
            RelOp::Window(Window { spec, time, keys }) => {
                let operator = Operator::WindowAssign { window: *spec, time: *time, keys: keys.clone() };
                let uid = "window-table-function".to_owned();
                // Sessions are of a key, or of all rows together.
                let (edges, width) = match (spec.kind, keys.is_empty()) {
                    (WindowKind::Session { .. }, true) => (hashed(keys), 1),
                    (WindowKind::Session { .. }, false) => (hashed(keys), self.parallelism),
                    _ => (vec![(input, Exchange::Forward)], self.width_behind(input)),
                };
                self.add("WindowTableFunction", uid, operator, edges, schema, changelog, width)
            }
            RelOp::WindowAggregate(spec) => {
                let width = if spec.keys.is_empty() { 1 } else { self.parallelism };
                let (uid, edges) = ("global-window-aggregate".to_owned(), hashed(&spec.keys));
                let mut spec = spec.clone();
                spec.retracts = !inferred.modes[rel.inputs[0].0].is_insert_only();
                let operator = Operator::WindowAggregate(spec);
                self.add("GlobalWindowAggregate", uid, operator, edges, schema, changelog, width)
            }
            RelOp::GroupAggregate(aggregate) => {
                let width = if aggregate.keys.is_empty() { 1 } else { self.parallelism };
                let retracts = !inferred.modes[rel.inputs[0].0].is_insert_only();
                let spec = GroupAggregateSpec {
                    keys: aggregate.keys.clone(),
                    aggregates: aggregate.aggregates.clone(),
                    kept: if retracts { aggregate.kept.clone() } else { Vec::new() },
                    retracts,
                    bundle_rows_max: self.bundle_rows_max,
                    state_ttl: aggregate.state_ttl.unwrap_or(self.state_ttl),
                };
                let (uid, inputs) = ("group-aggregate".to_owned(), hashed(&aggregate.keys));
                let operator = Operator::GroupAggregate(Box::new(spec));
                self.add("GroupAggregate", uid, operator, inputs, schema, changelog, width)
            }
            _ => unreachable!("`place` hands only these on"),
        }
    }

    /// Relations that order the rows of a key.
    fn place_ordered(&mut self, id: RelId, inferred: &Inferred) -> Result<NodeId, SqlError> {
        let rel = inferred.dag.get(id);
        let input = self.places[rel.inputs[0].0];
        let hashed = |keys: &[usize]| vec![(input, Exchange::Hash(keys.to_vec()))];
        let (schema, changelog) = (rel.schema(), inferred.modes[id.0]);
        Ok(match &rel.op {
            RelOp::WindowRank(spec) => {
                let width = if spec.keys.is_empty() { 1 } else { self.parallelism };
                let (uid, inputs) = ("window-rank".to_owned(), hashed(&spec.keys));
                self.add("WindowRank", uid, Operator::WindowRank(spec.clone()), inputs, schema, changelog, width)
            }
            RelOp::Rank(ranking) => {
                let below = rel.inputs[0];
                let insert_only = inferred.modes[below.0].is_insert_only();
                let operator = ordered::rank(ranking, &inferred.dag.get(below).columns, insert_only, self.state_ttl);
                let width = if ranking.keys.is_empty() { 1 } else { self.parallelism };
                let (name, uid) = ordered::rank_name(ranking.kind);
                self.add(name, uid.to_owned(), operator, hashed(&ranking.keys), schema, changelog, width)
            }
            RelOp::Over(over) => {
                let operator = ordered::over(rel, over, &inferred.dag.get(rel.inputs[0]).columns, self.state_ttl)?;
                let width = if over.keys.is_empty() { 1 } else { self.parallelism };
                let uid = "over-aggregate".to_owned();
                self.add("OverAggregate", uid, operator, hashed(&over.keys), schema, changelog, width)
            }
            RelOp::Sort(order) => {
                let operator = Operator::TemporalSort { rowtime: order[0].column, order: order[1..].to_vec() };
                let uid = "temporal-sort".to_owned();
                self.add("TemporalSort", uid, operator, hashed(&[]), schema, changelog, 1)
            }
            _ => unreachable!("`place` hands only these on"),
        })
    }

    fn sink(&mut self, id: RelId, spec: &SinkSpec, inferred: &Inferred) -> Result<NodeId, SqlError> {
        let rel = inferred.dag.get(id);
        let input = self.places[rel.inputs[0].0];
        let (schema, changelog) = (rel.schema(), inferred.modes[id.0]);
        let parallelism = self.width_behind(input);
        let own = own_parallelism(&spec.options, "sink.parallelism")?;
        let width = own.unwrap_or(parallelism);
        // Updates of one primary key must reach one writer in order.
        let key: BTreeSet<usize> = spec.primary_key.iter().copied().collect();
        let keeps = |upsert: &BTreeSet<usize>| upsert.is_subset(&key);
        let by_key =
            changelog.is_insert_only() || (width == parallelism && inferred.keys[rel.inputs[0].0].iter().any(keeps));
        let moved = !by_key && !spec.primary_key.is_empty();
        let edges = if moved {
            vec![(input, Exchange::Hash(spec.primary_key.clone()))]
        } else {
            vec![(input, Exchange::Forward)]
        };
        let (name, uid) = (table_name(&spec.table), format!("sink-{}", spec.table));
        self.numbers += usize::from(moved);
        self.numbers += 1;
        let name = format!("{name}[{}]: Writer", self.numbers);
        Ok(self.push(name, uid, Operator::Sink(Box::new(spec.clone())), edges, schema, changelog, width))
    }

    /// The parallelism of what stands behind `input`: its own, but a source that was given one does not hand it on, as in Flink.
    fn width_behind(&self, input: NodeId) -> u16 {
        let node = &self.nodes[input.0];
        match &node.operator {
            Operator::Source(spec) if spec.options.get("scan.parallelism").is_some() => self.parallelism,
            _ => node.parallelism,
        }
    }

    /// A source, and behind it the watermark that the connector cannot make per split.
    fn source(&mut self, rel: &Rel, scan: &super::rel::Scan, schema: Schema) -> Result<NodeId, SqlError> {
        let mut spec = scan.spec.clone();
        let assigned = if scan.watermark_per_split { None } else { spec.watermark.take() };
        let parallelism = own_parallelism(&spec.options, "scan.parallelism")?.unwrap_or(self.parallelism);
        let (name, uid) = (table_name(&spec.table).to_owned(), format!("source-{}", spec.table));
        self.numbers += 1;
        let name = format!("Source: {name}[{}]", self.numbers);
        let operator = Operator::Source(Box::new(spec));
        let mode = ChangelogMode::INSERT_ONLY;
        let source = self.push(name, uid, operator, Vec::new(), schema.clone(), mode, parallelism);
        let Some(watermark) = assigned else { return Ok(source) };
        let uid = format!("watermark-assigner-{}", scan.spec.table);
        let operator = Operator::WatermarkAssigner(watermark);
        debug_assert!(rel.inputs.is_empty(), "a source reads no other relation");
        Ok(self.add("WatermarkAssigner", uid, operator, vec![(source, Exchange::Forward)], schema, mode, parallelism))
    }

    #[expect(clippy::too_many_arguments, reason = "these are a node's fields, in their order")]
    fn add(
        &mut self,
        kind: &str,
        uid: String,
        operator: Operator,
        edges: Vec<(NodeId, Exchange)>,
        schema: Schema,
        changelog: ChangelogMode,
        parallelism: u16,
    ) -> NodeId {
        let exchanges = edges.iter().filter(|(_, exchange)| *exchange != Exchange::Forward).count();
        self.numbers += exchanges + 1;
        let name = format!("{kind}[{}]", self.numbers);
        self.push(name, uid, operator, edges, schema, changelog, parallelism)
    }

    #[expect(clippy::too_many_arguments, reason = "these are a node's fields, in their order")]
    fn push(
        &mut self,
        name: String,
        uid: String,
        operator: Operator,
        edges: Vec<(NodeId, Exchange)>,
        schema: Schema,
        changelog: ChangelogMode,
        parallelism: u16,
    ) -> NodeId {
        let id = NodeId(self.nodes.len());
        let count = self.uids.entry(uid.clone()).or_insert(0);
        *count += 1;
        let uid = if *count == 1 { uid } else { format!("{uid}-{count}") };
        let inputs = edges.into_iter().map(|(from, exchange)| {
            let unequal = exchange == Exchange::Forward && self.nodes[from.0].parallelism != parallelism;
            InputEdge { from, exchange: if unequal { Exchange::Rebalance } else { exchange } }
        });
        let inputs = inputs.collect();
        self.nodes.push(Node { id, uid, name, operator, inputs, schema, changelog, parallelism });
        id
    }
}

/// The parallelism that a table's options ask for.
fn own_parallelism(options: &TableOptions, key: &str) -> Result<Option<u16>, SqlError> {
    let Some(text) = options.get(key) else { return Ok(None) };
    match text.trim().parse::<u16>() {
        Ok(value) if (1..=MAX_PARALLELISM_MAX).contains(&value) => Ok(Some(value)),
        _ => Err(refuse(options.span(key), format!("'{key}' must be from 1 to {MAX_PARALLELISM_MAX}, not '{text}'"))),
    }
}

/// The last part of a table's full name.
fn table_name(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}
