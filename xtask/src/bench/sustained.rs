//! `cargo xtask bench sustained`: the shipped telemetry job from Kafka to Kafka and QuestDB at a steady rate, everything on this machine's cores.

use std::fs;
use std::time::Duration;

use super::broker::{self, Broker};
use super::options::Options;
use super::weir::{Weir, checkpoints};
use crate::clock;
use crate::command;
use crate::failure::{Failure, Result};
use crate::servers;

/// What may stand behind the name.
pub const USAGE: &str = "[--rate N] [--seconds N] [--cores LIST]";

/// How often the metric page is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// How long the job may take until its first checkpoint.
const FIRST_CHECKPOINT: Duration = Duration::from_secs(30);

/// How long the job may go on after the last event.
const CATCH_UP: Duration = Duration::from_secs(120);

/// Where the metrics of job manager and task manager are asked for.
const PORTS: (u16, u16) = (29_870, 29_871);

/// What the job's output topic is called in the shipped script.
const OUTPUT: &str = "validated_telemetry";

/// Feeds the job for a while, looks at it, and prints whether it held.
///
/// # Errors
/// Fails when the job, a client or a server does.
pub fn run(words: &[String]) -> Result<()> {
    let options = Options::read(words, USAGE, &["rate", "seconds", "cores"], &[])?;
    let (rate, seconds) = (options.number("rate", 72_000)?, options.number("seconds", 600)?);
    let cores = options.text("cores").unwrap_or("0-1").to_owned();
    let weir = Weir::build("sustained")?;
    let broker = Broker::start(&cores)?;
    let questdb = broker::server("questdb")?;
    broker::up(questdb, &cores, "-Xmx1g -XX:TieredStopAtLevel=4")?;
    let outcome = held(&weir, &broker, questdb, rate, seconds, &cores);
    servers::stop(questdb)?;
    broker.stop()?;
    outcome
}

fn held(
    weir: &Weir,
    broker: &Broker,
    questdb: &'static servers::Server,
    rate: u64,
    seconds: u64,
    cores: &str,
) -> Result<()> {
    let path = command::root().join("examples/telemetry/telemetry.sql");
    let script =
        fs::read_to_string(&path).map_err(|error| Failure::io(format_args!("read {}", path.display()), &error))?;
    let port = |variable: &str| -> Result<String> {
        let address = broker::endpoint(questdb, variable)?;
        Ok(address.rsplit_once(':').map_or(address.clone(), |(_, port)| port.trim_end_matches('/').to_owned()))
    };
    let variables = [
        format!("KAFKA_BROKERS={}", broker.address),
        "QUESTDB_HOST=127.0.0.1".to_owned(),
        format!("QUESTDB_HTTP_PORT={}", port("WEIR_TEST_QUESTDB_HTTP")?),
        format!("QUESTDB_PORT={}", port("WEIR_TEST_QUESTDB_PG")?),
        "FLINK_PARALLELISM=2".to_owned(),
        "CHECKPOINT_INTERVAL_MS=1000".to_owned(),
        format!("CHECKPOINT_DIR={}", weir.folder().join("checkpoints").display()),
    ];
    let ports = format!("metrics.reporter.prom.port={}-{}", PORTS.0, PORTS.1);
    let mut more: Vec<&str> = variables.iter().flat_map(|variable| ["--var", variable]).collect();
    more.extend(["-D", &ports]);
    // The topic must be there: the job's source asks for it.
    broker.wire(cores, &["paced", "raw_telemetry", "100", "1"])?;
    let mut job = weir.start(cores, &script, &more)?;
    job.wait_for_checkpoints(1, FIRST_CHECKPOINT)?;
    let page = format!("http://127.0.0.1:{}/metrics", PORTS.1);
    let feed = broker.start_wire(&["paced", "raw_telemetry", &rate.to_string(), &seconds.to_string()])?;
    let (start, mut looks) = (clock::now(), Vec::new());
    while start.elapsed() < Duration::from_secs(seconds) {
        clock::sleep(LOOK);
        looks.push((back_pressure(&page)?, lag(&page)?));
    }
    let fed = feed.end()?;
    // Whether it held is told by how long it goes on after the last event.
    let late = clock::now();
    let caught_up = clock::wait_for(CATCH_UP, || lag(&page).is_ok_and(|lag| lag < 1.0).then(|| late.elapsed()));
    clock::sleep(LOOK);
    let (log, taken) = job.stop()?;
    let seen = broker.wire(cores, &["count", OUTPUT])?;
    let all = checkpoints(&log);
    let mut durations: Vec<u64> = all.iter().map(|one| one.duration_ms).collect();
    durations.sort_unstable();
    let share = |hundredths: usize| durations.get((durations.len() - 1) * hundredths / 100).copied().unwrap_or(0);
    let most = |of: fn(&(f64, f64)) -> f64| looks.iter().map(of).fold(0.0, f64::max);
    println!("| {rate} events/s for {seconds} s | figure |\n| --- | --- |");
    println!("| sent | {fed:?} |\n| committed in the output topic | {seen:?} |");
    println!("| caught up with the last event after | {} |", caught_up.map_or("never".to_owned(), clock::shown));
    println!("| back-pressure of the slowest task, at most in {} looks | {:.1} % |", looks.len(), most(|look| look.0));
    println!("| records behind, at most | {:.0} |", most(|look| look.1));
    println!("| checkpoints p50, p99, max | {}, {}, {} ms |", share(50), share(99), share(100));
    println!("| CPU of Weir | {:.0} % of a core |", taken.cpu() * 100.0 / start.elapsed().as_secs_f64());
    println!("| peak memory | {} MB |", taken.peak_bytes / 1_000_000);
    Ok(())
}

/// The highest share of its time that a task was held back, in percent.
fn back_pressure(page: &str) -> Result<f64> {
    highest(page, "flink_taskmanager_job_task_backPressuredTimeMsPerSecond").map(|millis| millis / 10.0)
}

fn lag(page: &str) -> Result<f64> {
    highest(page, "flink_taskmanager_job_task_operator_pendingRecords")
}

fn highest(page: &str, name: &str) -> Result<f64> {
    let failed = |error| Failure::new(format!("read {page}: {error}"));
    let text = ureq::get(page).call().and_then(|mut answer| answer.body_mut().read_to_string()).map_err(failed)?;
    let values = text.lines().filter(|line| line.starts_with(name)).filter_map(|line| line.rsplit_once(' '));
    Ok(values.filter_map(|(_, value)| value.parse::<f64>().ok()).fold(0.0, f64::max))
}
