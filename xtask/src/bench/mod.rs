//! `cargo xtask bench`: measurements, one file each. Owns the command line: the first word names the measurement, the rest is the measurement's affair.
//!
//! A measurement is a line in [`MEASUREMENTS`] and a file beside this one with a `run`.

mod against_flink;
mod broker;
mod cores;
mod events;
mod flink;
mod jobs;
mod kafka;
mod keys;
mod kill;
mod latency;
mod measured;
mod options;
mod start;
mod sustained;
mod weir;

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
        name: "kafka",
        usage: kafka::USAGE,
        about: "the telemetry job from topic to topic on Weir, on Flink, and plain librdkafka",
        run: kafka::run,
    },
    Measurement {
        name: "latency",
        usage: latency::USAGE,
        about: "from a producer to a read_committed consumer",
        run: latency::run,
    },
    Measurement {
        name: "sustained",
        usage: sustained::USAGE,
        about: "the shipped job from Kafka to Kafka and QuestDB at a steady rate",
        run: sustained::run,
    },
    Measurement {
        name: "keys",
        usage: keys::USAGE,
        about: "deduplication with millions of keys: memory, checkpoints, standstill",
        run: keys::run,
    },
    Measurement { name: "cores", usage: cores::USAGE, about: "one core over four files against two", run: cores::run },
    Measurement { name: "start", usage: start::USAGE, about: "start to first result, idle memory", run: start::run },
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

/// Builds the program `binary` of `package` as users get it.
///
/// # Errors
/// Fails when it does not build.
fn release_binary(package: &str, binary: &str) -> Result<PathBuf> {
    command::run(command::cargo().args(["build", "--release", "--package", package]))?;
    Ok(command::target_dir().join("release").join(binary))
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
