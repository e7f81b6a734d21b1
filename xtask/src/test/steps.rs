//! The steps of `cargo xtask test`, in the order of their price: the cheap ones fail first.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::{readme, servers};
use crate::command;
use crate::failure::{Failure, Result};
use crate::{layers, tidy};

/// One step.
pub struct Step {
    /// Its name, for `--only`.
    pub name: &'static str,
    /// What it checks.
    pub about: &'static str,
    /// Does it.
    pub run: fn() -> Result<Outcome>,
}

/// What a step that did not fail has to say.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Whether it had nothing to check.
    pub is_skipped: bool,
    /// For its row of the table.
    pub note: String,
    /// Lines to repeat below the table.
    pub lines: Vec<String>,
}

impl Outcome {
    /// A step that had nothing to check, and why.
    pub fn skipped(why: &str) -> Self {
        Self { is_skipped: true, note: why.to_owned(), lines: Vec::new() }
    }
}

/// All steps. What a build needs is shared: one target folder, one profile.
pub const STEPS: &[Step] = &[
    Step { name: "format", about: "cargo fmt --all --check", run: format },
    Step { name: "tidy", about: "the rules of style", run: || tidy::run(&[]).map(|()| Outcome::default()) },
    Step { name: "layers", about: "which crate may use which", run: || layers::run(&[]).map(|()| Outcome::default()) },
    Step { name: "clippy", about: "cargo clippy on all targets, warnings are errors", run: clippy },
    Step { name: "tests", about: "unit tests, cases, kills and doc tests, with real servers", run: tests },
    Step { name: "readme", about: "the README's commands", run: readme::run },
];

fn format() -> Result<Outcome> {
    let check = command::run(command::cargo().args(["fmt", "--all", "--check"]));
    check.map(|()| Outcome::default()).map_err(|failure| failure.hint("`cargo fmt --all` repairs it"))
}

fn clippy() -> Result<Outcome> {
    let mut cargo = command::cargo();
    cargo.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    command::run(&mut cargo).map(|()| Outcome::default())
}

/// Builds first, so that no server stands idle for minutes, then brings the servers up and runs the tests.
fn tests() -> Result<Outcome> {
    command::run(command::cargo().args(["test", "--workspace", "--no-run"]))?;
    let group = servers::Group::start(servers::WANTED)?;
    let mut cargo = command::cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast"]).envs(group.env());
    let outcome = counted(&mut cargo);
    group.stop()?;
    outcome
}

/// Runs `cargo test`, handing its output on, and keeps its `test result:` lines.
fn counted(cargo: &mut Command) -> Result<Outcome> {
    let typed = command::typed(cargo);
    let failed = |error| Failure::io(format_args!("run `{typed}`"), &error);
    let mut child = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut lines = Vec::new();
    let mut failures = Vec::new();
    let output = child.stdout.take().map(BufReader::new);
    for bytes in output.into_iter().flat_map(|output| output.split(b'\n')).map_while(std::result::Result::ok) {
        let line = String::from_utf8_lossy(&bytes).into_owned();
        println!("{line}");
        if line.starts_with("test result:") {
            lines.push(line);
        } else if line.starts_with("test ") && line.ends_with("... FAILED") {
            failures.push(line);
        }
    }
    let status = child.wait().map_err(|error| Failure::io("wait for cargo test", &error))?;
    let note = sum(&lines);
    if status.success() {
        return Ok(Outcome { is_skipped: false, note, lines });
    }
    Err(Failure::new(format!("pass the tests: {note}\n{}\n{}", lines.join("\n"), failures.join("\n"))))
}

/// `12 passed, 0 failed` over all `test result:` lines.
fn sum(lines: &[String]) -> String {
    let count = |what: &str| -> usize {
        let counts = lines.iter().filter_map(|line| {
            let (before, _) = line.split_once(&format!(" {what};"))?;
            before.rsplit([' ', '.']).next()?.parse::<usize>().ok()
        });
        counts.sum()
    };
    format!("{} passed, {} failed", count("passed"), count("failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up() {
        let lines = [
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.02s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.02s",
        ];
        assert_eq!(sum(&lines.map(str::to_owned)), "15 passed, 2 failed");
        assert_eq!(sum(&[]), "0 passed, 0 failed");
    }

    #[test]
    fn output_is_kept_and_a_failure_tells_it() {
        let script = "echo 'test a ... FAILED'; echo 'test result: FAILED. 0 passed; 1 failed; 0 ignored'; exit 101";
        let failure = counted(Command::new("sh").args(["-c", script])).unwrap_err();
        let expected = "pass the tests: 0 passed, 1 failed\n\
                        test result: FAILED. 0 passed; 1 failed; 0 ignored\ntest a ... FAILED";
        assert_eq!(failure.to_string(), expected);
        let outcome = counted(Command::new("echo").arg("test result: ok. 1 passed; 0 failed; 0 ignored")).unwrap();
        assert_eq!((outcome.note.as_str(), outcome.lines.len()), ("1 passed, 0 failed", 1));
    }
}
