//! `weir demo`: the telemetry example with embedded topics and tables, fed by a simulator of devices.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use weir_base::{Error, Thread, spawn};
use weir_jobs::StopRequest;
use weir_sim::{Feeder, FeederSettings, Simulation};
use weir_sql::Step;
use weir_state::Intention;

use super::Exit;
use crate::data_dir::DataDir;
use crate::program::{Script, ScriptArgs};
use crate::report::Face;
use crate::signals;
use crate::wire_up::{Runtime, RuntimeOptions};

/// The example, compiled in: the demo runs what ships.
const TELEMETRY: &str = include_str!("../../../../examples/telemetry/telemetry.sql");

/// The data directory, unless another one is given.
const DATA_DIR_DEFAULT: &str = "weir-data";

/// How long the demo waits for the job to read what the simulator has written, once that is all.
const CATCH_UP_POLL: Duration = Duration::from_millis(100);

/// Run the telemetry example with embedded topics and tables, fed by a simulator of devices.
///
/// Ctrl-C stops it with a last checkpoint; started again it goes on where it stopped.
#[derive(Debug, Args)]
pub struct DemoCommand {
    /// Events a second.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    rate: u64,

    /// Devices that send them.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    devices: u32,

    /// Stop after this long, such as 30s.
    #[arg(long, value_name = "TIME", value_parser = weir_config::parse_duration)]
    duration: Option<Duration>,

    /// Stop when this many more events have been sent, and all are processed.
    #[arg(long, value_name = "N")]
    events: Option<u64>,

    /// Keep topics, tables and checkpoints here.
    #[arg(long, value_name = "DIR", default_value = DATA_DIR_DEFAULT)]
    data_dir: PathBuf,
}

impl DemoCommand {
    /// Runs the simulator and the job until somebody or a bound stops them.
    pub fn run(self) -> Result<(), Exit> {
        crate::logging::start_quiet();
        let data_dir = DataDir::lock(&self.data_dir).map_err(Exit::refused)?;
        let script = self.script(&data_dir).map_err(Exit::refused)?;
        let settings = script.settings().map_err(Exit::refused)?;
        let program = script.compile(true)?;
        let stop = signals::stop_on_signals().map_err(Exit::refused)?;
        let options = RuntimeOptions { embedded: true, data_dir: data_dir.path().to_owned() };
        let runtime = Runtime::start(&settings, options).map_err(Exit::refused)?;
        let partitions = settings.number("weir.embedded.topic-partitions").map_err(Exit::refused)?;
        let feeder = Feeder::start(
            FeederSettings {
                data_dir: data_dir.path().to_owned(),
                topic: "raw_telemetry".to_owned(),
                partitions,
                rate: self.rate,
                events: self.events,
                simulation: Simulation {
                    seed: 1,
                    start: runtime.clock().now(),
                    events_per_second: self.rate,
                    devices: u64::from(self.devices),
                    sites: 40,
                },
            },
            Arc::clone(runtime.clock()),
        );
        let feeder = Arc::new(feeder.map_err(Exit::refused)?);
        for step in program.steps {
            let Step::Job { graph, settings } = step else { continue };
            let job = runtime.job(graph, &settings)?;
            let watcher = self.watch(&runtime, &job, &feeder, &stop).map_err(Exit::refused)?;
            let hint = self.hint();
            let ended = runtime.run(&job, Intention::Resume, &stop, Face::of_terminal().without_log(), hint);
            stop.stop();
            // The watcher only looks; it ends with the stop request.
            let _ = watcher.join();
            ended?;
        }
        match Arc::into_inner(feeder) {
            Some(feeder) => feeder.stop().map_err(Exit::failed),
            None => Ok(()),
        }
    }

    /// A query that can be copied to another terminal: with the binary as this one was called.
    fn hint(&self) -> String {
        let weir = std::env::args().next().unwrap_or_else(|| "weir".to_owned());
        let data_dir = match self.data_dir.to_str() {
            Some(DATA_DIR_DEFAULT) => String::new(),
            _ => format!(" --data-dir {}", self.data_dir.display()),
        };
        format!("next: {weir} query \"SELECT COUNT(*) FROM sensor_readings\"{data_dir}")
    }

    /// The example with the demo's own settings: one checkpoint a second, two subtasks, all data in one directory.
    fn script(&self, data_dir: &DataDir) -> Result<Script, Error> {
        let variable = |name: &str, value: String| (name.to_owned(), value);
        let args = ScriptArgs {
            file: PathBuf::from("telemetry.sql"),
            define: Vec::new(),
            parallelism: None,
            variables: vec![
                variable("FLINK_PARALLELISM", "2".to_owned()),
                variable("CHECKPOINT_INTERVAL_MS", "1000".to_owned()),
                variable("CHECKPOINT_DIR", data_dir.path().join("checkpoints").display().to_string()),
            ],
            config: None,
        };
        Script::new("telemetry".to_owned(), "telemetry.sql".to_owned(), TELEMETRY.to_owned(), &args)
    }

    /// Asks for the stop when the time is over, or when all events have been read.
    fn watch(
        &self,
        runtime: &Runtime,
        job: &weir_jobs::Job,
        feeder: &Arc<Feeder>,
        stop: &StopRequest,
    ) -> Result<Thread<()>, Error> {
        let clock = Arc::clone(runtime.clock());
        let (monitor, stop, feeder) = (job.monitor.clone(), stop.clone(), Arc::clone(feeder));
        let sources: Vec<String> = job
            .graph
            .nodes
            .iter()
            .filter(|node| matches!(node.operator, weir_plan::Operator::Source(_)))
            .map(|node| node.uid.clone())
            .collect();
        let duration = self.duration;
        let started_us = clock.monotonic_us();
        spawn("weir-demo", move || {
            while !stop.is_requested() {
                let elapsed = Duration::from_micros(clock.monotonic_us().saturating_sub(started_us));
                let over = duration.is_some_and(|duration| elapsed >= duration);
                let totals = monitor.shown().totals;
                let read: u64 = sources.iter().filter_map(|uid| totals.get(uid)).map(|totals| totals.rows_in).sum();
                if over || feeder.is_done() && read >= feeder.next() {
                    stop.stop();
                }
                clock.sleep(CATCH_UP_POLL);
            }
        })
    }
}
