//! `cargo xtask bench kafka`: the telemetry job from topic to topic, exactly once, on Weir, on Flink, and what plain librdkafka needs to copy as much.
//!
//! The broker has a core of its own. Records that a `read_committed` consumer sees in the output are counted, with their ids.

use std::path::Path;

use super::broker::Broker;
use super::events::{self, Role, Shape, Written};
use super::flink::Flink;
use super::jobs::{self, Predicate};
use super::measured::Taken;
use super::options::Options;
use super::weir::Weir;
use crate::command;
use crate::failure::{Failure, Result};

/// What may stand behind the name.
pub const USAGE: &str =
    "[--events N] [--runs N] [--peer-runs N] [--seed N] [--core N] [--broker-core N] [--without-flink]";

/// The topic that is read.
const INPUT: &str = "raw_telemetry";

/// What one side took.
struct Side {
    name: &'static str,
    taken: Taken,
}

/// Everything that a run needs.
struct Bench {
    broker: Broker,
    weir: Weir,
    shape: Shape,
    written: Written,
    core: String,
    /// Numbers the output topics.
    run: u64,
}

/// Fills a topic, runs the three and prints the table.
///
/// # Errors
/// Fails when one of them fails, or when its records are not what they must be.
pub fn run(words: &[String]) -> Result<()> {
    let named = ["events", "runs", "peer-runs", "seed", "core", "broker-core"];
    let options = Options::read(words, USAGE, &named, &["without-flink"])?;
    let (events, runs, seed) =
        (options.number("events", 5_000_000)?, options.number("runs", 3)?, options.number("seed", 42)?);
    let weir = Weir::build("kafka")?;
    let broker = Broker::start(&options.number("broker-core", 1)?.to_string())?;
    let (shape, core) = (Shape::telemetry(), options.number("core", 0)?.to_string());
    let mut bench = Bench { broker, weir, shape, written: Written::default(), core, run: 0 };
    bench.fill(events, seed)?;
    let mut sides = Vec::new();
    for _ in 0..runs {
        sides.push(bench.plain()?);
        sides.push(bench.on_weir()?);
    }
    if !options.has("without-flink") {
        let flink = Flink::start(&bench.core)?;
        // The first run warms it up.
        for count in 0..=options.number("peer-runs", 1)? {
            let side = bench.on_flink(&flink)?;
            sides.extend((count > 0).then_some(side));
        }
        flink.stop()?;
    }
    bench.broker.stop()?;
    println!(
        "| Kafka to Kafka, exactly once, 1 s | records/s | CPU us a record | peak MB |\n| --- | --- | --- | --- |"
    );
    for name in ["plain librdkafka", "Weir", "Flink"] {
        let of_name = sides.iter().filter(|side| side.name == name).map(|side| side.taken);
        if let Some(best) = of_name.min_by(|one, other| one.cpu().total_cmp(&other.cpu())) {
            println!("{}", line(name, events, &best));
        }
    }
    Ok(())
}

impl Bench {
    /// Writes the events and has Weir put them into the topic as they are.
    fn fill(&mut self, events: u64, seed: u64) -> Result<()> {
        let path = command::target_dir().join(format!("bench/kafka-{events}-{seed}/events.json"));
        let failed = |error| Failure::io(format_args!("write {}", path.display()), &error);
        self.written = events::write(&path, &self.shape, events, seed, 1).map_err(failed)?;
        let script = format!(
            "CREATE TABLE lines (line STRING) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'raw');
CREATE TABLE topic (line STRING) WITH ('connector' = 'kafka', 'topic' = '{INPUT}', 'properties.bootstrap.servers' = '{}', 'format' = 'raw');
INSERT INTO topic SELECT line FROM lines;\n",
            path.display(),
            self.broker.address
        );
        self.weir.run(&self.core, &script, &["-p", "1"]).map(drop)
    }

    /// The job; its output topic is a new one each time.
    fn script(&mut self, side: &str, checkpoints: &Path) -> (String, String) {
        self.run += 1;
        let output = format!("validated-{side}-{}", self.run);
        let settings = jobs::settings(&output, 1_000, checkpoints);
        let topic = |name: &str| jobs::topic(&self.broker.address, name);
        let from = format!(
            "{}, 'properties.group.id' = '{output}', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'",
            topic(INPUT)
        );
        let to = format!(
            "{}, 'properties.linger.ms' = '20', 'properties.transaction.timeout.ms' = '600000',
  'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = '{output}'",
            topic(&output)
        );
        let roles: Vec<Role> = self.shape.fields.iter().map(|(role, _)| *role).collect();
        (jobs::between(&self.shape, Predicate::Distance, &roles, &settings, &from, &to), output)
    }

    fn plain(&mut self) -> Result<Side> {
        self.run += 1;
        let output = format!("copied-{}", self.run);
        let taken = self.broker.measured_wire(&self.core, &["copy", INPUT, &output])?;
        self.check(&output, self.written.lines)?;
        Ok(told(Side { name: "plain librdkafka", taken }))
    }

    fn on_weir(&mut self) -> Result<Side> {
        self.weir.empty()?;
        let checkpoints = self.weir.folder().join("checkpoints");
        let (script, output) = self.script("weir", &checkpoints);
        let taken = self.weir.run(&self.core, &script, &[])?;
        self.check(&output, self.written.unique)?;
        Ok(told(Side { name: "Weir", taken }))
    }

    fn on_flink(&mut self, flink: &Flink) -> Result<Side> {
        let checkpoints = command::target_dir().join("bench/flink-checkpoints");
        let (script, output) = self.script("flink", &checkpoints);
        let taken = flink.run(&script)?;
        self.check(&output, self.written.unique)?;
        Ok(told(Side { name: "Flink", taken }))
    }

    /// Whether a `read_committed` consumer sees `expected` records of as many ids as there are.
    fn check(&self, output: &str, expected: u64) -> Result<()> {
        let seen = self.broker.wire(&self.core, &["count", output])?;
        let (records, ids) = (seen.get("records").copied(), seen.get("ids").copied());
        let ids_wanted = expected == self.written.unique;
        if records != Some(expected) || (ids_wanted && ids != Some(expected)) {
            return Err(Failure::new(format!("find {expected} committed records in '{output}': there are {seen:?}")));
        }
        Ok(())
    }
}

fn told(side: Side) -> Side {
    println!("  {}: {:.2} s, {:.2} s of CPU", side.name, side.taken.wall, side.taken.cpu());
    side
}

#[expect(clippy::cast_precision_loss, reason = "a number of events is far below 2^52")]
fn line(name: &str, events: u64, taken: &Taken) -> String {
    let events = events as f64;
    let (rate, cost) = (events / taken.wall / 1_000.0, taken.cpu() * 1_000_000.0 / events);
    format!("| {name} | {rate:.0} k | {cost:.2} | {} |", taken.peak_bytes / 1_000_000)
}
