//! The figures of a run: totals that add up, rates, latency, checkpoint, back-pressure, process.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use weir_base::Clock;
use weir_jobs::{Job, Monitor, Shown};
use weir_metrics::{Registry, Scope, Value};
use weir_plan::{JobGraph, Operator};
use weir_ports::Totals;

use super::process::{Process, Usage};

/// Samples that a sparkline shows.
const HISTORY: usize = 30;

/// Looks at a job again and again.
pub struct Watch {
    id: String,
    graph: JobGraph,
    monitor: Monitor,
    registry: Registry,
    clock: Arc<dyn Clock>,
    process: Process,
    hint: String,
    last: Option<(u64, u64, u64)>,
    rates_in: VecDeque<u64>,
    rates_out: VecDeque<u64>,
}

/// A moment of a run.
pub struct Figures {
    /// The job's id.
    pub id: String,
    /// The job's name.
    pub job: String,
    /// Its state and last checkpoint.
    pub shown: Shown,
    /// Time of the figures.
    pub now: i64,
    /// Rows by fate over all runs, at the last checkpoint.
    pub fate: Fate,
    /// Rows written by table.
    pub written: Vec<(String, u64)>,
    /// Records a second read, and rows a second written, newest last.
    pub rates_in: Vec<u64>,
    /// See there.
    pub rates_out: Vec<u64>,
    /// Milliseconds from fetch to visible: p50, p99; `None` while nothing is visible.
    pub latency_ms: Option<(u64, u64)>,
    /// The highest back-pressure of a task, percent.
    pub back_pressure: u64,
    /// CPU and memory of the process.
    pub usage: Usage,
    /// The next useful command.
    pub hint: String,
}

/// Where the records that were read went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fate {
    /// Records read.
    pub read: u64,
    /// Rows left out by conditions.
    pub filtered: u64,
    /// Duplicates.
    pub duplicates: u64,
    /// Records set aside.
    pub dead: u64,
    /// Rows too late for their window.
    pub late: u64,
    /// Rows written, where every sink is given the same ones; else rows of all sinks.
    pub out: u64,
    /// Whether `read` is the sum of the others: only a chain without aggregates adds up so.
    pub adds_up: bool,
}

impl Watch {
    /// Looks at `job`.
    pub fn new(job: &Job, registry: Registry, hint: String) -> Self {
        Self {
            id: job.id.to_string(),
            graph: job.graph.clone(),
            monitor: job.monitor.clone(),
            registry,
            clock: Arc::clone(&job.clock),
            process: Process::default(),
            hint,
            last: None,
            rates_in: VecDeque::new(),
            rates_out: VecDeque::new(),
        }
    }

    /// The figures now.
    pub fn look(&mut self) -> Figures {
        let shown = self.monitor.shown();
        let now_us = self.clock.monotonic_us();
        let (read, sent) = (self.sum("numRecordsIn", true), self.sum("numRecordsSend", false));
        if let Some((then_us, then_read, then_sent)) = self.last {
            let elapsed = now_us.saturating_sub(then_us).max(1);
            let rate = |now: u64, then: u64| now.saturating_sub(then).saturating_mul(1_000_000) / elapsed;
            push(&mut self.rates_in, rate(read, then_read));
            push(&mut self.rates_out, rate(sent, then_sent));
        }
        self.last = Some((now_us, read, sent));
        let written = self.written(&shown.totals);
        let latency = &self.monitor.latency_us;
        let quantile = |quantile| latency.quantile(quantile) / 1000;
        Figures {
            id: self.id.clone(),
            job: self.graph.name.clone(),
            now: self.clock.now(),
            fate: self.fate(&shown.totals, &written),
            written,
            rates_in: self.rates_in.iter().copied().collect(),
            rates_out: self.rates_out.iter().copied().collect(),
            latency_ms: (latency.count() > 0).then(|| (quantile(0.5), quantile(0.99))),
            back_pressure: self.back_pressure(),
            usage: self.process.usage(now_us),
            hint: self.hint.clone(),
            shown,
        }
    }

    /// A counter summed over operators: those of sources only, or all.
    fn sum(&self, name: &str, of_sources: bool) -> u64 {
        let metrics = self.registry.metrics();
        let of_operator = metrics.iter().filter(|metric| metric.scope == Scope::Operator && metric.name == name);
        of_operator
            .filter(|metric| {
                let operator = metric.labels.iter().find(|(label, _)| *label == "operator_name");
                !of_sources || operator.is_some_and(|(_, value)| value.starts_with("Source"))
            })
            .map(|metric| if let Value::Counter(counter) = &metric.value { counter.get() } else { 0 })
            .sum()
    }

    fn written(&self, totals: &BTreeMap<String, Totals>) -> Vec<(String, u64)> {
        let sinks = self.graph.nodes.iter().filter_map(|node| match &node.operator {
            Operator::Sink(spec) => Some((spec.table.rsplit('.').next().unwrap_or_default().to_owned(), node)),
            _ => None,
        });
        sinks.map(|(table, node)| (table, totals.get(&node.uid).map_or(0, |totals| totals.rows_out))).collect()
    }

    fn fate(&self, totals: &BTreeMap<String, Totals>, written: &[(String, u64)]) -> Fate {
        let mut fate = Fate::default();
        for node in &self.graph.nodes {
            let Some(totals) = totals.get(&node.uid) else { continue };
            if matches!(node.operator, Operator::Source(_)) {
                fate.read += totals.rows_in;
            }
            fate.filtered += totals.filtered;
            fate.duplicates += totals.deduplicated;
            fate.dead += totals.dead_lettered;
            fate.late += totals.late;
        }
        let first = written.first().map_or(0, |(_, rows)| *rows);
        let same = written.iter().all(|(_, rows)| *rows == first);
        fate.out = if same { first } else { written.iter().map(|(_, rows)| rows).sum() };
        fate.adds_up = fate.read == fate.filtered + fate.duplicates + fate.dead + fate.late + fate.out;
        fate
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a percentage from 0 to 100")]
    fn back_pressure(&self) -> u64 {
        let metrics = self.registry.metrics();
        let shares = metrics.iter().filter(|metric| metric.name == "backPressuredTimeMsPerSecond");
        let highest = shares.map(|metric| if let Value::Meter(meter) = &metric.value { meter.rate() } else { 0.0 });
        (highest.fold(0.0, f64::max) / 10.0).clamp(0.0, 100.0) as u64
    }
}

fn push(history: &mut VecDeque<u64>, value: u64) {
    history.push_back(value);
    if history.len() > HISTORY {
        history.pop_front();
    }
}
