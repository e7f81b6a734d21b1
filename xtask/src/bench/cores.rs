//! `cargo xtask bench cores`: the telemetry job over four files on one core, and with two subtasks on two.

use super::events::{self, Role, Shape};
use super::jobs::{self, Paths, Predicate};
use super::options::Options;
use super::weir::Weir;
use crate::failure::{Failure, Result};

/// What may stand behind the name.
pub const USAGE: &str = "[--events N] [--runs N] [--seed N]";

/// Files that the events are parted over.
const FILES: u64 = 4;

/// Runs both and prints how much faster two are.
///
/// # Errors
/// Fails as the job does.
pub fn run(words: &[String]) -> Result<()> {
    let options = Options::read(words, USAGE, &["events", "runs", "seed"], &[])?;
    let (events, runs, seed) =
        (options.number("events", 5_000_000)?, options.number("runs", 3)?, options.number("seed", 42)?);
    let weir = Weir::build("cores")?;
    let shape = Shape::telemetry();
    let input = weir.folder().with_file_name(format!("parted-{events}-{seed}"));
    let failed = |error| Failure::io(format_args!("write {}", input.display()), &error);
    events::write(&input.join("events.json"), &shape, events, seed, FILES).map_err(failed)?;
    let (output, checkpoints) = (weir.folder().join("out"), weir.folder().join("checkpoints"));
    let roles: Vec<Role> = shape.fields.iter().map(|(role, _)| *role).collect();
    let paths = Paths { input: &input, output: &output, checkpoints: &checkpoints };
    let script = jobs::telemetry(&shape, Predicate::Distance, &roles, paths);
    let fastest = |cores: &str, parallelism: &str| -> Result<f64> {
        let mut fastest = f64::INFINITY;
        for _ in 0..runs {
            weir.empty()?;
            fastest = fastest.min(weir.run(cores, &script, &["-p", parallelism])?.wall);
        }
        Ok(fastest)
    };
    let (one, two) = (fastest("0", "1")?, fastest("0-1", "2")?);
    println!("| {events} events in {FILES} files | seconds |\n| --- | --- |");
    println!("| one core | {one:.2} |\n| two cores, two subtasks | {two:.2} |\n| times faster | {:.2} |", one / two);
    Ok(())
}
