//! The README's commands, tried: the first two are there, and the demo does what the README says with the development
//! build. The blocks are read from the page, so that it cannot promise what nobody tried.

use std::fs;
use std::process::Command;

use super::steps::Outcome;
use crate::command;
use crate::failure::{Failure, Result};

/// The commands that a newcomer types first; the README must show them.
const FIRST: &[&str] = &["cargo run --release -- demo", "cargo xtask test"];
/// How many events the tried demo runs through.
const EVENTS: &str = "20000";

/// Checks the README, if there is one.
///
/// # Errors
/// Fails when a command is missing on the page, does not parse, or the demo fails.
pub fn run() -> Result<Outcome> {
    let Ok(page) = fs::read_to_string(command::root().join("README.md")) else {
        return Ok(Outcome::skipped("there is no README.md yet"));
    };
    let commands = commands(&page);
    let missing: Vec<&str> =
        FIRST.iter().copied().filter(|first| !commands.iter().any(|line| line.starts_with(first))).collect();
    if !missing.is_empty() {
        let what = format!("find `{}` in the ```sh blocks of README.md", missing.join("`, `"));
        return Err(Failure::new(what).hint("a newcomer types these first"));
    }
    command::run(command::cargo().args(["build", "--workspace", "--bin", "weir"]))?;
    let folder = std::env::temp_dir().join(format!("weir-readme-{}", std::process::id()));
    let tried = try_all(&commands, &folder);
    let removed = fs::remove_dir_all(&folder);
    let count = tried?;
    removed.map_err(|error| Failure::io(format_args!("remove {}", folder.display()), &error))?;
    Ok(Outcome { note: format!("{count} commands tried"), ..Outcome::default() })
}

/// Runs the demo for a while, then the README's `weir query` lines on what it left.
fn try_all(commands: &[String], folder: &std::path::Path) -> Result<usize> {
    let weir = command::target_dir().join("debug/weir");
    let mut demo = Command::new(&weir);
    command::run(demo.args(["demo", "--events", EVENTS, "--data-dir"]).arg(folder))?;
    let mut count = 1;
    for query in commands.iter().filter_map(|line| query_of(line)) {
        let mut weir = Command::new(&weir);
        command::run(weir.arg("query").arg(query).arg("--data-dir").arg(folder))?;
        count += 1;
    }
    Ok(count)
}

/// The SQL of a line `weir query "..."`, however `weir` is called and whatever options follow.
fn query_of(line: &str) -> Option<&str> {
    let (_, behind) =
        line.split_once("query \"").filter(|(before, _)| before.contains("weir") || before.contains("--"))?;
    behind.split_once('"').map(|(sql, _)| sql)
}

/// The lines of the page's ```sh blocks, without comments, prompts and what is said at their end.
fn commands(page: &str) -> Vec<String> {
    let mut is_shell = false;
    let mut is_fenced = false;
    let mut commands = Vec::new();
    for line in page.lines().map(str::trim) {
        if let Some(language) = line.strip_prefix("```") {
            is_shell = !is_fenced && language.split_whitespace().next() == Some("sh");
            is_fenced = !is_fenced;
        } else if is_shell {
            let line = line.strip_prefix("$ ").unwrap_or(line);
            let line = line.split_once(" # ").map_or(line, |(before, _)| before).trim();
            if !line.is_empty() && !line.starts_with('#') {
                commands.push(line.to_owned());
            }
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_blocks_are_read_and_others_left() {
        let page = "# W\n```sh\n# first\n$ cargo run --release -- demo   # starts\n\nweir query \"SELECT 1\"\n```\n\
                    ```\ncargo publish\n```\ncargo no\n```sql\nSELECT 1;\n```\n```sh\nlast\n```\n";
        let expected = ["cargo run --release -- demo", "weir query \"SELECT 1\"", "last"];
        assert_eq!(commands(page), expected);
    }

    #[test]
    fn queries_are_found_however_weir_is_called() {
        let cases = [
            ("target/release/weir query \"SELECT 1\" --data-dir x", Some("SELECT 1")),
            ("cargo run --release -- query \"SELECT 2\"", Some("SELECT 2")),
            ("weir run a.sql", None),
            ("psql query \"SELECT 3\"", None),
        ];
        for (line, sql) in cases {
            assert_eq!(query_of(line), sql, "{line}");
        }
    }
}
