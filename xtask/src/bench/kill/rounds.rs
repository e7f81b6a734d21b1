//! Running rounds: builds the test binary, copies it and Weir aside, brings servers up, and runs a scenario's test with the seeds that come next.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ledger::Ledger;
use super::{Asked, Scenario};
use crate::command;
use crate::failure::{Failure, Result};
use crate::test::Group;

/// The servers that rounds on real servers need.
const SERVERS: &[&str] = &["kafka", "questdb"];

/// Adds the rounds that were asked for; a scenario whose rounds were bad does not keep the next one from running.
///
/// # Errors
/// Fails when something cannot be built or started, or a round was bad.
pub fn add(asked: &Asked) -> Result<()> {
    let binaries = Binaries::build()?;
    let needs_servers = asked.scenarios.iter().any(|scenario| scenario.needs_servers);
    let group = Group::start(if needs_servers { SERVERS } else { &[] })?;
    let mut bad = Vec::new();
    for scenario in &asked.scenarios {
        if let Err(failure) = binaries.run(asked, scenario, &group) {
            eprintln!("{}: failed to {failure}", scenario.name);
            bad.push(scenario.name);
        }
    }
    group.stop()?;
    if bad.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("get through all rounds of {}", bad.join(", "))).hint("the ledger says which were bad"))
}

/// The copies that the rounds run.
struct Binaries {
    test: PathBuf,
    weir: PathBuf,
    /// The day and the commit that they were built from, `+` for changes on top of it.
    build: String,
}

impl Binaries {
    fn build() -> Result<Self> {
        let mut cargo = command::cargo();
        cargo.args(["test", "-p", "weir", "--test", "it", "--no-run", "--message-format", "json"]);
        let built = executable(&command::output(&mut cargo)?)
            .ok_or_else(|| Failure::new("find the test binary: cargo does not name it"))?;
        let folder = command::target_dir().join("kill");
        fs::create_dir_all(&folder).map_err(|error| Failure::io(format_args!("make {}", folder.display()), &error))?;
        let (test, weir) = (folder.join("it"), folder.join("weir"));
        for (from, to) in [(&built, &test), (&command::target_dir().join("debug/weir"), &weir)] {
            copy(from, to)?;
        }
        Ok(Self { test, weir, build: build_name()? })
    }

    /// Runs the next rounds of `scenario`; the harness writes their lines.
    fn run(&self, asked: &Asked, scenario: &Scenario, group: &Group) -> Result<()> {
        let first = Ledger::read(&asked.ledger)?.next_seed(scenario.name);
        let last = first + asked.rounds - 1;
        println!("{}: rounds {first} to {last} into {}", scenario.name, asked.ledger.display());
        let mut test = Command::new(&self.test);
        test.args(["--exact", scenario.test, "--nocapture"])
            .current_dir(command::root().join("crates/weir"))
            .envs(group.env())
            .env("WEIR_TEST_BINARY", &self.weir)
            .env("WEIR_KILL_SEEDS", format!("{first}-{last}"))
            .env("WEIR_KILL_LEDGER", &asked.ledger)
            .env("WEIR_KILL_BUILD", &self.build);
        if scenario.needs_servers {
            // What cannot run must not look as if it had.
            test.env("CI", "true");
        }
        command::run(&mut test)
    }
}

/// Copies an executable beside its place first: one that runs cannot be written to.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let part = to.with_extension("part");
    let copied = fs::copy(from, &part).and_then(|_| fs::rename(&part, to));
    copied.map_err(|error| Failure::io(format_args!("copy {} to {}", from.display(), to.display()), &error))
}

/// The executable that cargo's messages name.
fn executable(messages: &str) -> Option<PathBuf> {
    let values = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let is_test = |value: &serde_json::Value| value["target"]["name"] == "it" && value["executable"].is_string();
    values.filter(is_test).filter_map(|value| value["executable"].as_str().map(PathBuf::from)).next_back()
}

/// `2026-11-21 d776d89+`
fn build_name() -> Result<String> {
    let day = command::output(Command::new("date").arg("+%F"))?;
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty=+", "--exclude=*"]).current_dir(command::root());
    // An unpacked archive has no history.
    let commit = command::output(&mut git).unwrap_or_else(|_| "unknown".to_owned());
    Ok(format!("{} {}", day.trim(), commit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_binary_is_found_among_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"weir"},"executable":"/t/weir"}
{"reason":"compiler-artifact","target":{"name":"it"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"it"},"executable":"/t/deps/it-1"}
no json"#;
        assert_eq!(executable(messages), Some(PathBuf::from("/t/deps/it-1")));
        assert_eq!(executable("{}"), None);
    }
}
