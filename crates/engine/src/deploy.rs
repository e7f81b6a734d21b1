//! From a job graph to tasks: which operators share a task, which channels join them, which splits each source subtask reads.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use weir_base::{Error, Kind, Result, key_group_range};
use weir_connector::{ReaderContext, SplitId, WriterContext};
use weir_metrics::Registry;
use weir_plan::{
    Exchange, InputEdge, JobGraph, Keep, Node, NodeId, Operator as Plan, Order, SinkSpec, SourceSpec, WindowKind,
};
use weir_ports::{Deployment, SplitState};

use crate::channel::{Fill, Receiver, Sender, channel};
use crate::expr::{CompileContext, OwnMetrics, Predicate};
use crate::keys::Partitioner;
use crate::operators::{self, BuildContext, Restore};
use crate::scheduler::Waker;
use crate::task::{
    Assigned, Body, Constraints, DeadLetters, Debloater, ExchangeOutput, Gate, GateInput, GateMetrics, HandOver,
    LateLetters, Latency, LatencyOf, Next, Route, RunShared, SinkStage, SourceBody, SourceIdentity, SourceRows, Stage,
    TaskIo, Watermarking, register_in_pool, register_out_pool, start_reader,
};

/// A task to be started.
pub struct Planned {
    /// Its id, of all its subtasks the same.
    pub id: String,
    /// As Flink names it: `Source: raw[1] -> Calc[2]`.
    pub name: String,
    /// Its metrics, labelled.
    pub metrics: Registry,
    /// What it does.
    pub body: Box<dyn Body>,
}

/// A source of the run, for the discovery of splits.
pub struct RunningSource {
    /// Its node.
    pub node: NodeId,
    /// The way to each subtask.
    pub assigned: Vec<Assigned>,
    /// Tasks of its subtasks.
    pub tasks: Vec<usize>,
    /// Splits that have been assigned.
    pub known: BTreeSet<SplitId>,
    /// The subtask that the next new split goes to.
    pub turn: usize,
}

/// Number of tasks and of source tasks of a graph.
pub fn task_counts(graph: &JobGraph) -> (usize, usize) {
    let heads = graph.nodes.iter().filter(|node| chained_to(graph, node).is_none());
    let count = |is_source: bool| {
        let counted = heads.clone().filter(|node| !is_source || matches!(node.operator, Plan::Source(_)));
        counted.map(|node| usize::from(node.parallelism)).sum()
    };
    (count(false), count(true))
}

/// The node that `node` shares a task with, right above it; `None` if it begins a task.
pub fn chained_to(graph: &JobGraph, node: &Node) -> Option<NodeId> {
    match node.inputs.as_slice() {
        [InputEdge { from, exchange: Exchange::Forward }] => {
            (graph.nodes[from.0].parallelism == node.parallelism).then_some(*from)
        }
        _ => None,
    }
}

/// The way out of a task while it is built: its account, and looks at the channels it sends into.
struct TaskOut {
    io: TaskIo,
    fills: Vec<Fill>,
}

/// Builds all tasks of a deployment.
pub struct Deployer<'a> {
    deployment: &'a Deployment,
    shared: Arc<RunShared>,
    wakers: &'a [Waker],
    /// First task of each head node.
    first_task: BTreeMap<NodeId, usize>,
    /// Channel ends by (reader node, input index, subtask).
    senders: HashMap<(usize, usize, u16), Vec<Sender>>,
    receivers: HashMap<(usize, u16), Vec<Receiver>>,
    compile: CompileContext,
    deterministic: bool,
    letter_writers: u16,
    /// The run's sources.
    pub sources: Vec<RunningSource>,
}

impl<'a> Deployer<'a> {
    /// Prepares the tasks' places and the channels between them; `wakers` has one for each task.
    pub fn new(
        deployment: &'a Deployment,
        shared: Arc<RunShared>,
        wakers: &'a [Waker],
        deterministic: bool,
    ) -> Result<Self> {
        let graph = &deployment.graph;
        let mut first_task = BTreeMap::new();
        let mut count = 0;
        for node in graph.nodes.iter().filter(|node| chained_to(graph, node).is_none()) {
            first_task.insert(node.id, count);
            count += usize::from(node.parallelism);
        }
        let compile = CompileContext::new(&graph.local_time_zone);
        let mut deployer = Self {
            deployment,
            shared,
            wakers,
            first_task,
            senders: HashMap::new(),
            receivers: HashMap::new(),
            compile,
            deterministic,
            letter_writers: 0,
            sources: Vec::new(),
        };
        deployer.lay_channels();
        Ok(deployer)
    }

    /// The tasks, in the order of their numbers.
    ///
    /// # Errors
    /// An operator cannot be built or restored; a connector refuses.
    pub fn tasks(&mut self) -> Result<Vec<Planned>> {
        let graph = &self.deployment.graph;
        let heads: Vec<NodeId> = self.first_task.keys().copied().collect();
        let mut tasks = Vec::new();
        for head in heads {
            let node = &graph.nodes[head.0];
            if let Plan::Source(_) = &node.operator {
                self.assign_splits(node)?;
            }
            for subtask in 0..node.parallelism {
                tasks.push(self.task(node, subtask)?);
            }
        }
        Ok(tasks)
    }

    fn lay_channels(&mut self) {
        let graph = &self.deployment.graph;
        for node in graph.nodes.iter().filter(|node| chained_to(graph, node).is_none()) {
            for (index, edge) in node.inputs.iter().enumerate() {
                let from = &graph.nodes[edge.from.0];
                let forward = edge.exchange == Exchange::Forward && from.parallelism == node.parallelism;
                for sending in 0..from.parallelism {
                    let targets = if forward { sending..sending + 1 } else { 0..node.parallelism };
                    for receiving in targets {
                        let (sender, receiver) = channel();
                        sender.set_waker(Arc::clone(&self.wakers[self.task_of(edge.from, sending)]));
                        receiver.set_waker(Arc::clone(&self.wakers[self.task_of(node.id, receiving)]));
                        self.senders.entry((node.id.0, index, sending)).or_default().push(sender);
                        self.receivers.entry((node.id.0, receiving)).or_default().push(receiver);
                    }
                }
            }
        }
    }

    /// The task that runs `node`'s subtask: that of the head of its chain.
    fn task_of(&self, node: NodeId, subtask: u16) -> usize {
        let graph = &self.deployment.graph;
        let mut head = node;
        while let Some(above) = chained_to(graph, &graph.nodes[head.0]) {
            head = above;
        }
        self.first_task[&head] + usize::from(subtask)
    }

    /// Restored and newly found splits, in order, to the subtasks in turn.
    fn assign_splits(&mut self, node: &Node) -> Result<()> {
        let source = self.source_of(node.id)?;
        let restored = self.deployment.restored.as_ref().map(|restored| restored.splits(&node.uid));
        let mut states = restored.unwrap_or_default();
        let mut known: BTreeSet<SplitId> = states.iter().map(|state| state.split.clone()).collect();
        let found = match source.splits() {
            // What was read to its end may be gone; what was not is asked for when it is opened.
            Err(error) if error.kind() == Kind::NotFound && source.is_bounded() && !states.is_empty() => Vec::new(),
            found => found?,
        };
        for split in found {
            if known.insert(split.clone()) {
                states.push(SplitState { split, position: None, finished: false });
            }
        }
        let count = usize::from(node.parallelism);
        let assigned: Vec<Assigned> = (0..count).map(|_| Assigned::default()).collect();
        let total = states.len();
        for (index, state) in states.into_iter().enumerate() {
            assigned[index % count].lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(state);
        }
        let first = self.first_task[&node.id];
        let tasks = (first..first + count).collect();
        self.sources.push(RunningSource { node: node.id, assigned, tasks, known, turn: total % count });
        Ok(())
    }

    fn source_of(&self, node: NodeId) -> Result<&'a Arc<dyn weir_connector::Source>> {
        self.deployment.sources.get(&node).ok_or_else(|| Error::internal(format!("find the source of node {}", node.0)))
    }

    fn task(&mut self, head: &Node, subtask: u16) -> Result<Planned> {
        let name = self.chain_name(head);
        let task = self.first_task[&head.id] + usize::from(subtask);
        let metrics = self.task_metrics(head, &name, subtask);
        let mut out = TaskOut { io: TaskIo::register(&metrics), fills: Vec::new() };
        let next = self.next_of(head, subtask, &metrics, &mut out)?;
        register_out_pool(&metrics, out.fills);
        let body: Box<dyn Body> = match &head.operator {
            Plan::Source(spec) => self.source(head, spec, task, subtask, next, &metrics, out.io)?,
            _ => {
                let first = self.place(head, subtask, next, &metrics)?;
                let receivers = self.receivers.remove(&(head.id.0, subtask)).unwrap_or_default();
                register_in_pool(&metrics, receivers.iter().map(Receiver::fill).collect());
                let inputs: Vec<_> = receivers.into_iter().map(GateInput::new).collect();
                let shared = Arc::clone(&self.shared);
                let shown = GateMetrics::register(&metrics, out.io);
                let debloater = self
                    .deployment
                    .settings
                    .debloat
                    .map(|settings| Debloater::new(settings, Arc::clone(&shared.clock), inputs.len(), &metrics));
                // A sink looks by itself.
                let is_sink = matches!(head.operator, Plan::Sink(_));
                let latency = if is_sink { None } else { self.latency(head, subtask, &metrics) };
                let gate = Gate::new(task, subtask, inputs, vec![first], shared, shown, debloater);
                Box::new(gate.with_latency(latency))
            }
        };
        let id = hashed(&head.uid);
        Ok(Planned { id, name: format!("{name} ({}/{})", subtask + 1, head.parallelism), metrics, body })
    }

    /// The job's metrics with the labels of a task.
    fn task_metrics(&self, head: &Node, name: &str, subtask: u16) -> Registry {
        let (job, attempt) = (&self.deployment.job, self.deployment.attempt);
        let id = hashed(&head.uid);
        self.deployment.metrics.with([
            ("task_id", id.clone()),
            ("task_attempt_id", format!("{job}_{id}_{subtask}_{attempt}")),
            ("task_name", name.to_owned()),
            ("task_attempt_num", attempt.to_string()),
            ("subtask_index", subtask.to_string()),
        ])
    }

    /// The names of a task's operators, as Flink joins them.
    fn chain_name(&self, head: &Node) -> String {
        let graph = &self.deployment.graph;
        let behind: Vec<String> = graph
            .nodes
            .iter()
            .filter(|node| chained_to(graph, node) == Some(head.id))
            .map(|node| self.chain_name(node))
            .collect();
        match behind.as_slice() {
            [] => head.name.clone(),
            [one] => format!("{} -> {one}", head.name),
            several => format!("{} -> ({})", head.name, several.join(", ")),
        }
    }

    /// What stands behind `node` in its task.
    fn next_of(&mut self, node: &Node, subtask: u16, metrics: &Registry, out: &mut TaskOut) -> Result<Vec<Next>> {
        let graph = &self.deployment.graph;
        let mut next = Vec::new();
        for reader in &graph.nodes {
            if chained_to(graph, reader) == Some(node.id) {
                let behind = self.next_of(reader, subtask, metrics, out)?;
                next.push(self.place(reader, subtask, behind, metrics)?);
                continue;
            }
            for (index, edge) in reader.inputs.iter().enumerate().filter(|(_, edge)| edge.from == node.id) {
                let senders = self.senders.remove(&(reader.id.0, index, subtask)).unwrap_or_default();
                out.fills.extend(senders.iter().map(Sender::fill));
                let route = match &edge.exchange {
                    Exchange::Hash(keys) => {
                        let fields = &node.schema;
                        let partitioner = Partitioner::new(keys, fields, graph.max_parallelism, reader.parallelism)?;
                        Route::Hash(Box::new(partitioner))
                    }
                    Exchange::Forward if senders.len() == 1 => Route::Forward,
                    Exchange::Forward | Exchange::Rebalance => Route::Rebalance(usize::from(subtask) % senders.len()),
                };
                let over = self.hand_over();
                next.push(Next::Exchange(Box::new(ExchangeOutput::new(route, senders, over, out.io.clone()))));
            }
        }
        Ok(next)
    }

    /// The latency of `node`, if it is asked for and its rows come from one source: a batch does not say from which of several.
    fn latency(&self, node: &Node, subtask: u16, task: &Registry) -> Option<Latency> {
        let interval = self.deployment.settings.latency_interval?;
        let mut sources = BTreeSet::new();
        let mut above = vec![node.id];
        while let Some(id) = above.pop() {
            let node = &self.deployment.graph.nodes[id.0];
            if matches!(node.operator, Plan::Source(_)) {
                sources.insert(id);
            }
            above.extend(node.inputs.iter().map(|edge| edge.from));
        }
        let source = sources.pop_first().filter(|_| sources.is_empty())?;
        let source = hashed(&self.deployment.graph.nodes[source.0].uid);
        let of = LatencyOf { source, operator: hashed(&node.uid), subtask };
        Some(Latency::register(task, of, interval, Arc::clone(&self.shared.clock)))
    }

    /// When rows go into channels.
    fn hand_over(&self) -> HandOver {
        let settings = &self.deployment.settings;
        let clock = Arc::clone(&self.shared.clock);
        HandOver { timeout: settings.buffer_timeout, rows_max: settings.batch_rows_max, clock }
    }

    /// `node` itself, in front of what stands behind it.
    fn place(&mut self, node: &Node, subtask: u16, next: Vec<Next>, task_metrics: &Registry) -> Result<Next> {
        let metrics = operator_metrics(task_metrics, node);
        if let Plan::Sink(spec) = &node.operator {
            return self.sink(node, spec, subtask, &metrics, self.latency(node, subtask, task_metrics));
        }
        let graph = &self.deployment.graph;
        let key_groups = key_group_range(subtask, graph.max_parallelism, node.parallelism);
        let input = node.inputs.first().map(|edge| &graph.nodes[edge.from.0].schema);
        let context = BuildContext {
            input: input.cloned().unwrap_or_default(),
            key_groups: key_groups.clone(),
            max_parallelism: graph.max_parallelism,
            compile: &self.compile.with_metrics(OwnMetrics::of(metrics.clone())),
            dedup_exact: self.deployment.settings.dedup_exact,
        };
        let mut operator = operators::build(node, &context)?;
        let columns = context.input;
        if let Some(restored) = &self.deployment.restored {
            let state = restored.state(&node.uid, key_groups)?;
            let restore = Restore { state: state.as_ref(), now: self.shared.clock.now() };
            operator
                .restore(&restore)
                .map_err(|error| error.within(format!("restore the operator '{}'", node.name)))?;
        }
        let drops_late = match &node.operator {
            Plan::WindowAggregate(_) | Plan::WindowRank(_) => true,
            Plan::WindowAssign { window, .. } => matches!(window.kind, WindowKind::Session { .. }),
            Plan::Deduplicate { order, keep, .. } => matches!(order, Order::RowTime(_)) && *keep == Keep::First,
            _ => false,
        };
        let late = if drops_late && self.deployment.settings.late_letters {
            let place = format!("{}-{subtask}", node.uid);
            Some(LateLetters::new(self.letters(&metrics)?, &columns, &node.name, place)?)
        } else {
            None
        };
        let stage = Stage::new(node.uid.clone(), operator, next, &metrics, drops_late);
        Ok(Next::Stage(Box::new(stage.with_late(late))))
    }

    fn sink(
        &self,
        node: &Node,
        spec: &SinkSpec,
        subtask: u16,
        metrics: &Registry,
        latency: Option<Latency>,
    ) -> Result<Next> {
        let sinks = &self.deployment.sinks;
        let sink =
            sinks.get(&node.id).ok_or_else(|| Error::internal(format!("find the sink of node {}", node.id.0)))?;
        let writer = sink.writer(&self.writer_context(subtask, node.parallelism, metrics))?;
        let constraints = Constraints::new(spec, self.deployment.settings.sink_constraints);
        let shared = Arc::clone(&self.shared);
        let stage = SinkStage::new(node.uid.clone(), spec, writer, constraints, shared, metrics);
        Ok(Next::Sink(Box::new(stage.with_latency(latency))))
    }

    /// A way to the dead letters.
    fn letters(&mut self, metrics: &Registry) -> Result<DeadLetters> {
        let writer = self.deployment.dead_letters.writer(&self.writer_context(self.letter_writers, 1, metrics))?;
        self.letter_writers += 1;
        Ok(DeadLetters::new(self.deployment.job.clone(), writer, self.deployment.first_epoch))
    }

    fn writer_context(&self, subtask: u16, parallelism: u16, metrics: &Registry) -> WriterContext {
        WriterContext {
            subtask,
            parallelism,
            epoch: self.deployment.first_epoch,
            clock: Arc::clone(&self.shared.clock),
            metrics: metrics.clone(),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a source task, each made by who knows how")]
    fn source(
        &mut self,
        node: &Node,
        spec: &SourceSpec,
        task: usize,
        subtask: u16,
        next: Vec<Next>,
        task_metrics: &Registry,
        io: TaskIo,
    ) -> Result<Box<dyn Body>> {
        let metrics = operator_metrics(task_metrics, node);
        let source = self.source_of(node.id)?;
        let reader = source.reader(&ReaderContext {
            subtask,
            parallelism: node.parallelism,
            clock: Arc::clone(&self.shared.clock),
            metrics: metrics.clone(),
            linger: self.deployment.settings.source_linger,
        })?;
        let waker = Arc::clone(&self.wakers[task]);
        let reader =
            start_reader(&format!("{}-{subtask}", node.id.0), reader, &self.shared, waker, self.deterministic)?;
        let compile = self.compile.with_metrics(OwnMetrics::of(metrics.clone()));
        let rows = SourceRows::new(spec, &node.schema, &compile)?;
        let condition = spec.condition.as_ref().map(|expr| Predicate::compile(expr, &compile)).transpose()?;
        let watermark = spec.watermark.as_ref().map(|spec| Watermarking::new(spec, &compile)).transpose()?;
        let letters = self.letters(&metrics)?;
        let running = self.sources.iter().find(|source| source.node == node.id);
        let assigned = running.map(|source| Arc::clone(&source.assigned[usize::from(subtask)])).unwrap_or_default();
        let identity = SourceIdentity {
            task,
            subtask,
            uid: node.uid.clone(),
            bounded: source.is_bounded(),
            reads_in_turn: source.reads_in_turn(),
            batch_rows_max: self.deployment.settings.batch_rows_max,
        };
        let shared = Arc::clone(&self.shared);
        let body = SourceBody::new(
            identity, reader, rows, condition, watermark, assigned, letters, next, shared, &metrics, io,
        );
        Ok(Box::new(body))
    }
}

/// The metrics of an operator within its task.
fn operator_metrics(task: &Registry, node: &Node) -> Registry {
    task.with([("operator_id", hashed(&node.uid)), ("operator_name", node.name.clone())])
}

/// An id of 32 hexadecimal digits, as Flink's are; the same for the same uid.
fn hashed(uid: &str) -> String {
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(uid.as_bytes()))
}
