//! `cargo xtask bench keys`: deduplication with millions of live keys: what one takes, what a checkpoint writes when one percent is new, and for
//! how long processing stands still.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use super::options::Options;
use super::weir::{Weir, checkpoints};
use crate::failure::{Failure, Result};

/// What may stand behind the name.
pub const USAGE: &str = "[--keys N] [--core N]";

/// How long the first keys may take.
const LIMIT: Duration = Duration::from_secs(300);

/// Checkpoints of a hundredth of the keys each that are looked at.
const ROUNDS: u64 = 5;

/// Fills the state, then adds a hundredth at a time, and prints what the checkpoints say.
///
/// # Errors
/// Fails as the job does.
pub fn run(words: &[String]) -> Result<()> {
    let options = Options::read(words, USAGE, &["keys", "core"], &[])?;
    let (keys, core) = (options.number("keys", 10_000_000)?, options.number("core", 0)?.to_string());
    let weir = Weir::build("keys")?;
    let input = weir.folder().join("in");
    write(&input, 0, 1, 0)?;
    let script = format!(
        "SET 'execution.checkpointing.interval' = '1 s';
SET 'parallelism.default' = '1';
SET 'table.exec.state.ttl' = '1 h';
CREATE TABLE events (id STRING, seen AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json',
  'source.monitor-interval' = '200 ms');
CREATE TABLE firsts (id STRING) WITH ('connector' = 'blackhole');
INSERT INTO firsts SELECT id FROM (
  SELECT id, ROW_NUMBER() OVER (PARTITION BY id ORDER BY seen) AS n FROM events) WHERE n = 1;\n",
        input.display()
    );
    let mut running = weir.start(&core, &script, &[])?;
    running.wait_for_checkpoints(2, LIMIT)?;
    let before = memory(running.pid())?;
    write(&input, 1, keys, 1)?;
    wait_until_quiet(&mut running, keys)?;
    let bytes = memory(running.pid())?.saturating_sub(before);
    let filled = checkpoints(&running.said()).len();
    for round in 0..ROUNDS {
        let seen = checkpoints(&running.said()).len();
        write(&input, keys + round * (keys / 100) + 1, keys / 100, 2 + round)?;
        running.wait_for_checkpoints(seen + 3, LIMIT)?;
    }
    let (log, taken) = running.stop()?;
    let all = checkpoints(&log);
    let later: Vec<_> = all.iter().skip(filled).filter(|one| one.bytes > 50_000).collect();
    let slowest = all.iter().map(|one| one.sync_us).max().unwrap_or(0);
    let share = |one: &&super::weir::Checkpoint| one.bytes * 10_000 / one.full_bytes.max(1);
    let (least, most) = (later.iter().map(share).min().unwrap_or(0), later.iter().map(share).max().unwrap_or(0));
    println!("| {keys} keys | figure |\n| --- | --- |");
    println!("| memory a key, resident | {} bytes |", bytes / keys);
    println!("| peak memory | {} MB |", taken.peak_bytes / 1_000_000);
    println!("| the whole state in a checkpoint | {} MB |", all.last().map_or(0, |last| last.full_bytes) / 1_000_000);
    println!(
        "| written by a checkpoint after 1 % was new, of the whole | {}.{:02} to {}.{:02} % ({} checkpoints) |",
        least / 100,
        least % 100,
        most / 100,
        most % 100,
        later.len()
    );
    println!("| processing stood still for, the slowest of {} checkpoints | {slowest} us |", all.len());
    Ok(())
}

/// Waits until the job has taken `keys` keys: checkpoints of the whole state's size have become small again.
fn wait_until_quiet(running: &mut super::weir::Running, keys: u64) -> Result<()> {
    let mut seen = checkpoints(&running.said()).len();
    loop {
        running.wait_for_checkpoints(seen + 1, LIMIT)?;
        let all = checkpoints(&running.said());
        seen = all.len();
        // A key is at least 12 bytes in a checkpoint.
        if all.last().is_some_and(|last| last.full_bytes > keys * 12 && last.bytes < keys / 10) {
            return Ok(());
        }
    }
}

/// Writes `count` ids from `first` on as the file number `file`, under a name that the source skips until it is whole.
fn write(folder: &Path, first: u64, count: u64, file: u64) -> Result<()> {
    let (hidden, path) = (folder.join(format!(".{file:03}")), folder.join(format!("{file:03}.json")));
    let lines = || -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut out = BufWriter::with_capacity(1 << 20, fs::File::create(&hidden)?);
        for number in first..first + count {
            let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            writeln!(out, "{{\"id\":\"{mixed:016x}{number:016x}\"}}")?;
        }
        out.flush()?;
        fs::rename(&hidden, &path)
    };
    lines().map_err(|error| Failure::io(format_args!("write {}", path.display()), &error))
}

/// Resident bytes of the process `pid` now.
pub fn memory(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).map_err(|error| Failure::io(format_args!("read {path}"), &error))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.map(|kilobytes| kilobytes * 1024).ok_or_else(|| Failure::new(format!("find VmRSS in {path}")))
}
