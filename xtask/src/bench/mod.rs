//! `cargo xtask bench`: measurements, one file each. Owns the command line: the first word names the measurement, the rest is the measurement's affair.
//!
//! A measurement is a line in [`MEASUREMENTS`] and a file beside this one with a `run`.

mod against_flink;
mod events;
mod flink;
mod jobs;
mod kill;
mod measured;
mod options;

use std::path::PathBuf;

use crate::command;
use crate::failure::{Failure, Result};

/// What a measurement is called, what may stand behind it, what it does in one line, and the function that does it.
struct Measurement {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<()>,
}

/// All measurements, in the order of the help.
const MEASUREMENTS: &[Measurement] = &[
    Measurement {
        name: "--against-flink",
        usage: against_flink::USAGE,
        about: "the same SQL over the same files on Weir and on Flink, one core",
        run: against_flink::run,
    },
    Measurement {
        name: "kill",
        usage: kill::USAGE,
        about: "rounds of kills into a ledger, and its sums",
        run: kill::run,
    },
];

/// Hands the words behind a measurement's name to it.
///
/// # Errors
/// Fails when there is no such measurement, or as the measurement does.
pub fn run(words: &[String]) -> Result<()> {
    let Some((name, rest)) = words.split_first() else {
        return Err(Failure::usage("read the arguments: a measurement is missing").hint(help()));
    };
    match MEASUREMENTS.iter().find(|measurement| measurement.name == name) {
        Some(measurement) => (measurement.run)(rest),
        None => Err(Failure::usage(format!("read the arguments: there is no measurement '{name}'")).hint(help())),
    }
}

/// One line a measurement.
fn help() -> String {
    let lines = MEASUREMENTS.iter().map(|measurement| {
        let call = format!("{} {}", measurement.name, measurement.usage);
        format!("  cargo xtask bench {:<60} {}", call.trim_end(), measurement.about)
    });
    format!("what is measured:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Builds the binary that is measured: the one that users get.
///
/// # Errors
/// Fails when it does not build.
fn release_binary() -> Result<PathBuf> {
    command::run(command::cargo().args(["build", "--release", "--package", "weir"]))?;
    Ok(command::target_dir().join("release/weir"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_measured_is_refused_with_what_is() {
        for (words, wrong) in [(&[][..], "a measurement is missing"), (&["sleep"], "there is no measurement 'sleep'")] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let failure = run(&words).unwrap_err();
            assert!(failure.is_usage());
            assert!(failure.to_string().starts_with(&format!("read the arguments: {wrong}\nhint: ")), "{failure}");
            for measurement in MEASUREMENTS {
                assert!(failure.to_string().contains(&format!("bench {}", measurement.name)), "{failure}");
            }
        }
    }
}
