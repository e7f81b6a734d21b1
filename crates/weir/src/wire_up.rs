//! Where parts meet: the one place that names concrete connectors, the engine's workers, clocks and registries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_base::{Clock, JobId, Result};
use weir_config::Settings;
use weir_connector::{Factory, JobContext, Sink};
use weir_engine::LocalWorkers;
use weir_jobs::{Connectors, Job, Monitor, Outcome, StopRequest};
use weir_metrics::{Gauge, Registry, Scope};
use weir_plan::{ConnectorSpec, JobGraph};
use weir_state::Intention;

use crate::commands::Exit;
use crate::job_settings::job_settings;
use crate::kill_points::KillPoints;
use crate::report::{Face, Reporter, RowFormat, RowPrinter, register_process_metrics};
use crate::signals;

/// What planning knows of the connectors there are.
pub fn connector_specs(embedded: bool) -> Vec<ConnectorSpec> {
    // An embedded topic or table takes the options of what it stands in for: the SQL stays as it is.
    let _ = embedded;
    vec![
        weir_blackhole::spec(),
        weir_datagen::spec(),
        weir_filesystem::spec(),
        weir_kafka::spec(),
        weir_print::collect_spec(),
        weir_print::spec(),
        weir_questdb::spec(),
        weir_sim::spec(),
    ]
}

/// How a process runs jobs.
pub struct RuntimeOptions {
    /// Embedded topics and tables in place of Kafka and QuestDB.
    pub embedded: bool,
    /// The data directory, locked.
    pub data_dir: PathBuf,
}

/// What all jobs of the process share.
pub struct Runtime {
    options: RuntimeOptions,
    clock: Arc<dyn Clock>,
    workers: LocalWorkers,
    registry: Registry,
    running: Gauge,
    topic_partitions: u32,
    kill_points: KillPoints,
    /// The metric pages; they end with it.
    pages: weir_api::MetricPages,
}

impl Runtime {
    /// Starts threads and the metric pages.
    ///
    /// # Errors
    /// A setting of the process is wrong; no thread or port is to be had.
    pub fn start(settings: &Settings, options: RuntimeOptions) -> Result<Self> {
        let clock = crate::moved_clock::clock();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = match settings.number::<usize>("weir.threads")? {
            0 => cores,
            given => given,
        };
        let seed = match settings.text("weir.scheduler.seed") {
            "" => None,
            _ => Some(settings.number("weir.scheduler.seed")?),
        };
        let registry = Registry::default();
        let workers = LocalWorkers::start(threads, seed, Arc::clone(&clock))?;
        register_process_metrics(&registry, &clock);
        let running = registry.gauge(Scope::JobManager, "numRunningJobs");
        // A slot is a thread that runs tasks.
        let slots = u32::try_from(threads).unwrap_or(u32::MAX);
        registry.gauge(Scope::JobManager, "taskSlotsTotal").set(f64::from(slots));
        let pages = weir_api::MetricPages::start(&registry, settings.text("metrics.reporter.prom.port"), &clock)?;
        let topic_partitions = settings.number("weir.embedded.topic-partitions")?;
        let kill_points = KillPoints::of_environment();
        Ok(Self { options, clock, workers, registry, running, topic_partitions, kill_points, pages })
    }

    /// Where the metric pages answer.
    pub fn metric_addresses(&self) -> [std::net::SocketAddr; 2] {
        self.pages.addresses()
    }

    /// Time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// A job of `graph` with what the script left in force.
    ///
    /// # Errors
    /// A setting is wrong.
    pub fn job(&self, graph: JobGraph, values: &BTreeMap<String, String>) -> std::result::Result<Job, Exit> {
        let settings = job_settings(values, &self.options.data_dir).map_err(Exit::refused)?;
        let connectors = Arc::new(ProcessConnectors {
            embedded: self.options.embedded,
            topic_partitions: self.topic_partitions,
            collected: None,
            kill_points: self.kill_points.clone(),
        });
        Ok(self.make_job(graph, settings, connectors))
    }

    fn make_job(&self, graph: JobGraph, settings: weir_jobs::JobSettings, connectors: Arc<dyn Connectors>) -> Job {
        let id = JobId::of_name(&absolute(&settings.checkpoint_dir), &graph.name);
        let metrics = self.registry.with([("job_id", id.to_string()), ("job_name", graph.name.clone())]);
        // Microseconds, shown as milliseconds.
        let latency = metrics.histogram(Scope::Job, "latency", 1e-3);
        let monitor = Monitor::new(self.clock.now(), latency);
        let clock = Arc::clone(&self.clock);
        let protocol = self.kill_points.protocol();
        Job { id, graph, settings, connectors, clock, metrics, monitor, protocol }
    }

    /// Runs a job to its end or its stop, showing how it goes.
    ///
    /// # Errors
    /// It cannot start (refused), or has failed.
    pub fn run(
        &self,
        job: &Job,
        intention: Intention,
        stop: &StopRequest,
        face: Face,
        hint: String,
    ) -> std::result::Result<Outcome, Exit> {
        let intention = weir_jobs::check(job, intention).map_err(Exit::refused)?;
        let reporter = Reporter::start(face, job, &self.registry, hint).map_err(Exit::refused)?;
        let ended = self.run_counted(job, intention, stop);
        reporter.end();
        job.metrics.retire();
        ended.map_err(Exit::failed)
    }

    /// Runs a job and counts it as running meanwhile; a process runs one at a time.
    fn run_counted(&self, job: &Job, intention: Intention, stop: &StopRequest) -> Result<Outcome> {
        signals::end_a_hanging_start(job.monitor.clone(), Arc::clone(&self.clock), stop.clone())?;
        self.running.set(1.0);
        let ended = weir_jobs::run(job, &self.workers, intention, stop);
        self.running.set(0.0);
        ended
    }

    /// Runs a bare query and prints its rows.
    ///
    /// # Errors
    /// As `run`.
    pub fn query(
        &self,
        graph: JobGraph,
        values: &BTreeMap<String, String>,
        format: RowFormat,
        stop: &StopRequest,
    ) -> std::result::Result<(), Exit> {
        let mut settings = job_settings(values, &self.options.data_dir).map_err(Exit::refused)?;
        // A query leaves nothing behind that could go on: its checkpoints live as long as it does.
        let scratch = std::env::temp_dir().join(format!("weir-query-{}", std::process::id()));
        settings.checkpoint_dir = scratch.display().to_string();
        let sink = graph.nodes.last().map(|node| node.schema.clone()).unwrap_or_default();
        let printer = Arc::new(RowPrinter::new(format, &sink).map_err(Exit::refused)?);
        let connectors = Arc::new(ProcessConnectors {
            embedded: self.options.embedded,
            topic_partitions: self.topic_partitions,
            collected: Some(printer),
            kill_points: self.kill_points.clone(),
        });
        let job = self.make_job(graph, settings, connectors);
        let ended = self.run_counted(&job, Intention::Fresh, stop);
        job.metrics.retire();
        // Nobody needs it any more; what cannot be removed is in the system's temporary folder.
        let _ = std::fs::remove_dir_all(scratch);
        ended.map(|_| ()).map_err(Exit::failed)
    }
}

/// The connectors of this process.
struct ProcessConnectors {
    embedded: bool,
    topic_partitions: u32,
    collected: Option<Arc<RowPrinter>>,
    kill_points: KillPoints,
}

impl Connectors for ProcessConnectors {
    fn factories(&self) -> Vec<Box<dyn Factory>> {
        let mut factories: Vec<Box<dyn Factory>> = vec![
            Box::new(weir_blackhole::Factory),
            Box::new(weir_datagen::Factory),
            Box::<weir_filesystem::Factory>::default(),
            Box::new(weir_print::Factory),
            Box::new(weir_sim::SimulatorFactory),
        ];
        if self.embedded {
            factories.push(Box::new(weir_embedded::EmbeddedKafkaFactory::new(self.topic_partitions)));
            factories.push(Box::<weir_embedded::EmbeddedTableFactory>::default());
        } else {
            factories.push(Box::new(weir_kafka::KafkaFactory::default()));
            factories.push(Box::new(weir_questdb::QuestDbFactory));
        }
        if let Some(printer) = &self.collected {
            let printer = Arc::clone(printer);
            factories.push(Box::new(weir_print::CollectFactory::new(move |batch| printer.print(batch))));
        }
        self.kill_points.metered(factories)
    }

    fn dead_letters(&self, context: &JobContext) -> Result<Box<dyn Sink>> {
        weir_embedded::dead_letters_sink(context)
    }
}

/// The checkpoint directory as an absolute path: a job is known by it wherever the process was started.
fn absolute(dir: &str) -> String {
    let path = dir.strip_prefix("file://").unwrap_or(dir);
    std::path::absolute(Path::new(path)).map_or_else(|_| path.to_owned(), |path| path.display().to_string())
}
