//! `cargo xtask bench latency`: from a producer to a `read_committed` consumer behind the telemetry job, exactly once.

use std::time::Duration;

use super::broker::Broker;
use super::events::{Role, Shape};
use super::jobs::{self, Predicate};
use super::options::Options;
use super::weir::Weir;
use crate::failure::Result;

/// What may stand behind the name.
pub const USAGE: &str = "[--rate N] [--seconds N] [--core N] [--broker-core N]";

/// Checkpoint intervals that are measured, in milliseconds.
const INTERVALS: [u64; 2] = [1_000, 100];

/// How long the job may take until its first checkpoint.
const FIRST_CHECKPOINT: Duration = Duration::from_secs(30);

/// Runs the job once for each interval and prints what the consumer saw.
///
/// # Errors
/// Fails when the job or a client does.
pub fn run(words: &[String]) -> Result<()> {
    let options = Options::read(words, USAGE, &["rate", "seconds", "core", "broker-core"], &[])?;
    let (rate, seconds) = (options.number("rate", 10_000)?, options.number("seconds", 60)?);
    let core = options.number("core", 0)?.to_string();
    let weir = Weir::build("latency")?;
    let broker = Broker::start(&options.number("broker-core", 1)?.to_string())?;
    println!("| {rate} events/s, checkpoint every | p50 | p99 | p99.9 | max ms | CPU of a core |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for interval in INTERVALS {
        weir.empty()?;
        let output = format!("validated-{interval}");
        // The topic must be there: the job's source asks for it.
        broker.wire(&core, &["paced", &input(&output), "100", "1"])?;
        let mut job = weir.start(&core, &script(&broker.address, &output, interval, &weir), &[])?;
        job.wait_for_checkpoints(1, FIRST_CHECKPOINT)?;
        let watch = broker.start_wire(&["latency", &output, &seconds.to_string()])?;
        let feed = broker.start_wire(&["paced", &input(&output), &rate.to_string(), &(seconds + 3).to_string()])?;
        let (seen, _) = (watch.end()?, feed.end()?);
        let (_, taken) = job.stop()?;
        let figure = |name: &str| seen.get(name).copied().unwrap_or(0);
        println!(
            "| {interval} ms | {} | {} | {} | {} | {:.0} % |",
            figure("p50"),
            figure("p99"),
            figure("p999"),
            figure("max"),
            taken.cpu() * 100.0 / Duration::from_secs(seconds).as_secs_f64()
        );
    }
    broker.stop()
}

/// The topic that the job of `output` reads.
fn input(output: &str) -> String {
    format!("raw-{output}")
}

fn script(servers: &str, output: &str, interval: u64, weir: &Weir) -> String {
    let shape = Shape::telemetry();
    let settings = jobs::settings(output, interval, &weir.folder().join("checkpoints"));
    let topic = |name: &str| jobs::topic(servers, name);
    let from = format!(
        "{}, 'properties.group.id' = '{output}', 'scan.startup.mode' = 'earliest-offset'",
        topic(&input(output))
    );
    let to = format!(
        "{}, 'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = '{output}'",
        topic(output)
    );
    let roles: Vec<Role> = shape.fields.iter().map(|(role, _)| *role).collect();
    jobs::between(&shape, Predicate::Between, &roles, &settings, &from, &to)
}
