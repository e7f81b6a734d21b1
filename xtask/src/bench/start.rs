//! `cargo xtask bench start`: from the command to its first row, and what a job that waits for records takes.

use std::time::Duration;

use super::keys::memory;
use super::options::Options;
use super::weir::Weir;
use crate::clock;
use crate::failure::{Failure, Result};

/// What may stand behind the name.
pub const USAGE: &str = "[--runs N]";

/// How long the first row may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How long a job waits before its memory is looked at.
const IDLE: Duration = Duration::from_secs(5);

/// A job that never ends by itself and gives its first row at once.
const FIRST_ROW: &str = "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
CREATE TABLE shown (n BIGINT) WITH ('connector' = 'print', 'print-identifier' = 'row');
INSERT INTO shown SELECT n FROM numbers;\n";

/// A job whose topic stays empty.
const IDLE_JOB: &str = "CREATE TABLE waited (id STRING, seen AS PROCTIME()) WITH ('connector' = 'kafka', 'topic' = 'raw', 'format' = 'json',
  'properties.bootstrap.servers' = 'localhost:9092', 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE firsts (id STRING) WITH ('connector' = 'kafka', 'topic' = 'firsts', 'format' = 'json', 'properties.bootstrap.servers' = 'localhost:9092');
INSERT INTO firsts SELECT id FROM (
  SELECT id, ROW_NUMBER() OVER (PARTITION BY id ORDER BY seen) AS n FROM waited) WHERE n = 1;\n";

/// Starts both and prints the figures.
///
/// # Errors
/// Fails as the jobs do.
pub fn run(words: &[String]) -> Result<()> {
    let options = Options::read(words, USAGE, &["runs"], &[])?;
    let weir = Weir::build("start")?;
    let mut fastest = Duration::MAX;
    for _ in 0..options.number("runs", 5)? {
        weir.empty()?;
        let begun = clock::now();
        let running = weir.start("0", FIRST_ROW, &[])?;
        let seen = clock::wait_for(LIMIT, || running.said().contains("row> +I").then(|| begun.elapsed()));
        fastest = fastest.min(seen.ok_or_else(|| Failure::new("see a first row"))?);
        running.stop()?;
    }
    weir.empty()?;
    let running = weir.start("0-1", IDLE_JOB, &["--embedded"])?;
    clock::sleep(IDLE);
    let bytes = memory(running.pid())?;
    running.stop()?;
    println!("| | figure |\n| --- | --- |");
    println!("| start to first row | {} ms (looked at every 50 ms) |", fastest.as_millis());
    println!("| memory of a job that waits for records | {} MB |", bytes / 1_000_000);
    Ok(())
}
