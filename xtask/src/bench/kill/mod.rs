//! `cargo xtask bench kill`: rounds of SIGKILL over three scenarios, added to a ledger, and the ledger's sums.
//!
//! Owns which seeds come next and what the ledger comes to. The rounds themselves are those of `cargo test -p weir --test it`: the same harness, told by
//! `WEIR_KILL_SEEDS` which rounds to run and by `WEIR_KILL_LEDGER` where to write a line after each. It runs copies of the binaries, so that a build
//! meanwhile does not change what is measured.

mod ledger;
mod rounds;

use std::path::PathBuf;

use crate::command;
use crate::failure::{Failure, Result};

use ledger::Ledger;

/// What stands behind `kill` in the help.
pub const USAGE: &str = "[--continue] [--rounds N] [--scenario NAME]... [--ledger FILE]";

/// Rounds that are added to each scenario, unless `--rounds` says otherwise: as many as a test run has.
const ROUNDS_DEFAULT: u64 = 20;

/// A scenario: its name in the ledger, and the test that runs its rounds.
struct Scenario {
    name: &'static str,
    test: &'static str,
    /// Whether it needs Kafka and QuestDB.
    needs_servers: bool,
}

/// All scenarios, the cheap ones first.
const SCENARIOS: &[Scenario] = &[
    Scenario { name: "files", test: "kills::files_to_files_lose_and_double_nothing", needs_servers: false },
    Scenario {
        name: "embedded",
        test: "demo::embedded_topic_to_table_and_topic_lose_and_double_nothing",
        needs_servers: false,
    },
    Scenario { name: "kafka", test: "kafka::kafka_to_kafka_and_questdb_lose_and_double_nothing", needs_servers: true },
];

/// What the words ask for.
struct Asked {
    /// Whether rounds are added, rather than only summed up.
    goes_on: bool,
    rounds: u64,
    scenarios: Vec<&'static Scenario>,
    ledger: PathBuf,
}

/// Adds rounds where `--continue` is given, then prints what the ledger comes to.
///
/// # Errors
/// Fails when the words are not understood, a round lost or doubled a row, or the ledger cannot be read.
pub fn run(words: &[String]) -> Result<()> {
    let asked = Asked::read(words)?;
    let ran = if asked.goes_on { rounds::add(&asked) } else { Ok(()) };
    println!("{}", Ledger::read(&asked.ledger)?.sums());
    ran
}

impl Asked {
    fn read(words: &[String]) -> Result<Self> {
        let mut asked = Self {
            goes_on: false,
            rounds: ROUNDS_DEFAULT,
            scenarios: Vec::new(),
            ledger: command::root().join("ledgers/kills.csv"),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| usage(&format!("behind {word} something is missing")));
            match word.as_str() {
                "--continue" => asked.goes_on = true,
                "--rounds" => {
                    let text = value()?;
                    let count = text.parse().ok().filter(|count| *count > 0);
                    asked.rounds = count.ok_or_else(|| usage(&format!("'{text}' is no number of rounds")))?;
                }
                "--scenario" => {
                    let name = value()?;
                    let found = SCENARIOS.iter().find(|scenario| scenario.name == name);
                    asked.scenarios.push(found.ok_or_else(|| usage(&format!("there is no scenario '{name}'")))?);
                }
                "--ledger" => asked.ledger = std::path::absolute(value()?).unwrap_or_default(),
                other => return Err(usage(&format!("'{other}' is not known"))),
            }
        }
        if asked.scenarios.is_empty() {
            asked.scenarios = SCENARIOS.iter().collect();
        }
        Ok(asked)
    }
}

fn usage(wrong: &str) -> Failure {
    let names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
    Failure::usage(format!("read the arguments: {wrong}"))
        .hint(format!("cargo xtask bench kill {USAGE}, NAME in {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let all = Asked::read(&[]).unwrap();
        assert_eq!((all.goes_on, all.rounds, all.scenarios.len()), (false, ROUNDS_DEFAULT, SCENARIOS.len()));
        let one = Asked::read(&words("--rounds 7 --continue --scenario kafka --ledger /l.csv")).unwrap();
        assert_eq!((one.goes_on, one.rounds, one.ledger.to_str()), (true, 7, Some("/l.csv")));
        assert_eq!(one.scenarios.iter().map(|scenario| scenario.name).collect::<Vec<_>>(), ["kafka"]);
    }

    #[test]
    fn wrong_words_are_named_with_what_would_be_right() {
        let cases = [
            ("--rounds", "behind --rounds something is missing"),
            ("--rounds none", "'none' is no number of rounds"),
            ("--rounds 0", "'0' is no number of rounds"),
            ("--scenario disk", "there is no scenario 'disk'"),
            ("files", "'files' is not known"),
        ];
        for (text, wrong) in cases {
            let failure = Asked::read(&words(text)).err().unwrap();
            assert!(failure.is_usage());
            assert_eq!(
                failure.to_string(),
                format!(
                    "read the arguments: {wrong}\nhint: cargo xtask bench kill [--continue] [--rounds N] [--scenario NAME]... \
                     [--ledger FILE], NAME in files, embedded, kafka"
                )
            );
        }
    }
}
