//! `cargo xtask bench --against-flink`: the same SQL over the same files on Weir and on a real Flink, one after the other on one core.
//!
//! What comes out is counted against what the events are known to hold, on both sides: a fast wrong answer is no answer. Flink's seconds are those
//! for which its vertices were running; Weir's are those of the whole process, start and last checkpoint included.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::events::{self, Dice, Role, Shape, Written};
use super::flink::Flink;
use super::jobs::{self, Paths, Predicate};
use super::measured::{self, Taken};
use super::options::Options;
use crate::command;
use crate::failure::{Failure, Result};

/// What may stand behind the name.
pub const USAGE: &str = "[--events N] [--runs N] [--peer-runs N] [--seed N] [--core N] [--only WORK] [--without-flink]";

/// A job to measure.
struct Work {
    name: &'static str,
    script: fn(&Inputs, Paths<'_>) -> String,
    /// Which of the inputs it reads.
    input: fn(&Inputs) -> &Input,
    /// Rows that must come out; `None` where the sink keeps none.
    rows: fn(&Written) -> Option<u64>,
    /// Whether Flink runs it as well; else it is Weir's against Weir's own first.
    has_peer: bool,
}

/// All of them; the first is what the variants are held against.
const WORKS: [Work; 5] = [
    Work {
        name: "telemetry",
        script: |inputs, paths| {
            let shape = &inputs.plain.shape;
            jobs::telemetry(shape, Predicate::Distance, &roles(shape), paths)
        },
        input: |inputs| &inputs.plain,
        rows: |written| Some(written.unique),
        has_peer: true,
    },
    Work {
        name: "telemetry, other fields",
        script: |inputs, paths| {
            let shape = &inputs.other.shape;
            jobs::telemetry(shape, Predicate::Distance, &roles(shape), paths)
        },
        input: |inputs| &inputs.other,
        rows: |written| Some(written.unique),
        has_peer: false,
    },
    Work {
        name: "telemetry, chosen query",
        script: |inputs, paths| {
            let shape = &inputs.other.shape;
            let (predicate, roles) = jobs::chosen(shape, &mut Dice::new(inputs.seed));
            jobs::telemetry(shape, predicate, &roles, paths)
        },
        input: |inputs| &inputs.other,
        rows: |written| Some(written.unique),
        has_peer: false,
    },
    Work {
        name: "parse + validate",
        script: |inputs, paths| jobs::validate(&inputs.plain.shape, paths),
        input: |inputs| &inputs.plain,
        rows: |_| None,
        has_peer: true,
    },
    Work {
        name: "tumble 10 s",
        script: |inputs, paths| jobs::tumble(&inputs.plain.shape, paths),
        input: |inputs| &inputs.plain,
        rows: |_| None,
        has_peer: true,
    },
];

/// The events, in two shapes.
struct Inputs {
    plain: Input,
    other: Input,
    seed: u64,
}

struct Input {
    shape: Shape,
    path: PathBuf,
    written: Written,
}

/// What one side made of a work.
struct Side {
    taken: Taken,
    rows: u64,
}

fn roles(shape: &Shape) -> Vec<Role> {
    shape.fields.iter().map(|(role, _)| *role).collect()
}

/// Builds Weir, writes the events, runs all works on both sides and prints the table.
///
/// # Errors
/// Fails when a side fails, or when its rows are not what they must be.
pub fn run(words: &[String]) -> Result<()> {
    let named = ["events", "runs", "peer-runs", "seed", "core", "only"];
    let options = Options::read(words, USAGE, &named, &["without-flink"])?;
    let (events, runs, seed) =
        (options.number("events", 5_000_000)?, options.number("runs", 3)?.max(1), options.number("seed", 42)?);
    let core = options.number("core", 0)?.to_string();
    let weir = super::release_binary("weir", "weir")?;
    let folder = command::target_dir().join("bench");
    let inputs = write_inputs(&folder, events, seed)?;
    let wanted = |work: &&Work| options.text("only").is_none_or(|only| work.name == only);
    let works: Vec<&Work> = WORKS.iter().filter(wanted).collect();
    if works.is_empty() {
        let known: Vec<&str> = WORKS.iter().map(|work| work.name).collect();
        return Err(Failure::usage("find the work named by --only").hint(format!("one of: {}", known.join("; "))));
    }
    println!("{}", head(&inputs));
    let ours = works
        .iter()
        .map(|work| best(runs, || on_weir(&weir, &core, work, &inputs, &folder)))
        .collect::<Result<Vec<_>>>()?;
    let theirs = if options.has("without-flink") {
        works.iter().map(|_| None).collect()
    } else {
        peers(&works, options.number("peer-runs", 1)?.max(1), &core, &inputs, &folder)?
    };
    println!("| work | Weir events/s | Weir CPU s | peak MB | Flink events/s | Flink CPU s | ratio | ratio by CPU |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for ((work, ours), theirs) in works.iter().zip(&ours).zip(&theirs) {
        println!("{}", line(work, &inputs, ours, theirs.as_ref()));
    }
    Ok(())
}

fn write_inputs(folder: &Path, events: u64, seed: u64) -> Result<Inputs> {
    let input = |name: &str, shape: Shape| -> Result<Input> {
        let path = folder.join(format!("{name}-{events}-{seed}")).join("events.json");
        let failed = |error| Failure::io(format_args!("write {}", path.display()), &error);
        let written = events::write(&path, &shape, events, seed, 1).map_err(failed)?;
        Ok(Input { shape, path, written })
    };
    let other = Shape::other(&mut Dice::new(seed));
    Ok(Inputs { plain: input("plain", Shape::telemetry())?, other: input("other", other)?, seed })
}

fn head(inputs: &Inputs) -> String {
    let about = |name: &str, written: &Written| {
        format!(
            "{name}: {} events of {} bytes, {} valid, {} of them different",
            written.lines,
            written.bytes / written.lines.max(1),
            written.valid,
            written.unique
        )
    };
    let (predicate, roles) = jobs::chosen(&inputs.other.shape, &mut Dice::new(inputs.seed));
    let names: Vec<&str> = roles.iter().map(|role| inputs.other.shape.name(*role)).collect();
    format!(
        "{}\n{}\nchosen query of seed {}: {predicate:?}, {}\n",
        about("plain", &inputs.plain.written),
        about("other", &inputs.other.written),
        inputs.seed,
        names.join(", ")
    )
}

/// The run of `runs` that took the least CPU: what else the machine does only ever adds.
fn best(runs: u64, mut once: impl FnMut() -> Result<Side>) -> Result<Side> {
    let mut best: Option<Side> = None;
    for _ in 0..runs {
        let side = once()?;
        if best.as_ref().is_none_or(|best| side.taken.cpu() < best.taken.cpu()) {
            best = Some(side);
        }
    }
    best.ok_or_else(|| Failure::new("measure without a run"))
}

/// Runs `run` with fresh folders for what the job writes, and counts its rows.
fn once(
    side: &str,
    work: &Work,
    inputs: &Inputs,
    folder: &Path,
    run: impl FnOnce(String) -> Result<Taken>,
) -> Result<Side> {
    let folder = folder.join(side);
    // There is none at the first time.
    let _ = fs::remove_dir_all(&folder);
    let (output, checkpoints) = (folder.join("out"), folder.join("checkpoints"));
    let failed = |error| Failure::io(format_args!("make {}", folder.display()), &error);
    fs::create_dir_all(&checkpoints).map_err(failed)?;
    let input = (work.input)(inputs);
    let taken = run((work.script)(inputs, Paths { input: &input.path, output: &output, checkpoints: &checkpoints }))?;
    let rows = lines_below(&output)?;
    println!("  {side}, {}: {:.2} s, {:.2} s of CPU, {rows} rows", work.name, taken.wall, taken.cpu());
    match (work.rows)(&input.written) {
        Some(expected) if expected != rows => {
            Err(Failure::new(format!("find {expected} rows written by {side} ({}): there are {rows}", work.name)))
        }
        _ => Ok(Side { taken, rows }),
    }
}

fn on_weir(weir: &Path, core: &str, work: &Work, inputs: &Inputs, folder: &Path) -> Result<Side> {
    once("weir", work, inputs, folder, |script| {
        let folder = folder.join("weir");
        let file = folder.join("job.sql");
        fs::write(&file, script).map_err(|error| Failure::io(format_args!("write {}", file.display()), &error))?;
        let mut command = measured::pinned(core, weir);
        command.arg("run").arg(&file).arg("--fresh").arg("--data-dir").arg(folder.join("data"));
        measured::run(&mut command, &folder.join("weir.log"))
    })
}

/// What Flink makes of the works that it runs; a first run of each warms it up and does not count.
fn peers(works: &[&Work], runs: u64, core: &str, inputs: &Inputs, folder: &Path) -> Result<Vec<Option<Side>>> {
    let flink = Flink::start(core)?;
    let side = |work: &&Work| -> Result<Option<Side>> {
        if !work.has_peer {
            return Ok(None);
        }
        let once = || once("flink", work, inputs, folder, |script| flink.run(&script));
        once()?;
        best(runs, once).map(Some)
    };
    let sides = works.iter().map(side).collect::<Result<Vec<_>>>();
    flink.stop()?;
    sides
}

/// Lines in all files below `folder` that are visible: neither hidden nor in progress.
fn lines_below(folder: &Path) -> Result<u64> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(0) };
    let mut lines = 0;
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(['.', '_']) {
            continue;
        }
        lines += if path.is_dir() { lines_below(&path)? } else { lines_of(&path)? };
    }
    Ok(lines)
}

fn lines_of(path: &Path) -> Result<u64> {
    let failed = |error| Failure::io(format_args!("read {}", path.display()), &error);
    let mut file = BufReader::with_capacity(1 << 20, fs::File::open(path).map_err(failed)?);
    let mut lines: u64 = 0;
    loop {
        let block = file.fill_buf().map_err(failed)?;
        if block.is_empty() {
            return Ok(lines);
        }
        lines += block.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        let length = block.len();
        file.consume(length);
    }
}

/// A line of the table.
fn line(work: &Work, inputs: &Inputs, ours: &Side, theirs: Option<&Side>) -> String {
    let events = (work.input)(inputs).written.lines;
    let rate = |taken: &Taken| thousands(events, taken.wall);
    let peer = theirs.map_or_else(
        || "| | | | |".to_owned(),
        |theirs| {
            let (wall, cpu) = (theirs.taken.wall / ours.taken.wall, theirs.taken.cpu() / ours.taken.cpu());
            let same = if theirs.rows == ours.rows { "" } else { " (ROWS DIFFER)" };
            format!("| {} | {:.1} | {wall:.1}{same} | {cpu:.1} |", rate(&theirs.taken), theirs.taken.cpu())
        },
    );
    let megabytes = ours.taken.peak_bytes / 1_000_000;
    format!("| {} | {} | {:.2} | {megabytes} {peer}", work.name, rate(&ours.taken), ours.taken.cpu())
}

/// Events a second, in thousands.
#[expect(clippy::cast_precision_loss, reason = "a number of events is far below 2^52")]
fn thousands(events: u64, seconds: f64) -> String {
    format!("{:.0} k", events as f64 / seconds / 1_000.0)
}
