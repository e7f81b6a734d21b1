//! Other programs, run from the checkout's root: finding them, running them, reading what they print.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Result};

/// The checkout's root: the folder above this crate's. Fixed when xtask is built: a test that calls it has variables of
/// another crate.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The folder that cargo builds into.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// Whether this is a CI run, where nothing may be skipped.
pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// `cargo` as the developer's shell would call it.
///
/// `cargo run` (and so `cargo xtask`) tells us about *our* package by variables; build scripts that watch them would
/// see another value than in a plain `cargo build`, and everything above them would be built again.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
        if ours.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// The command as one would type it, for messages.
pub fn typed(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Runs `command` with its output on ours; stdin is empty, so that nothing waits for an answer.
///
/// # Errors
/// Fails when it cannot be started or ends with another code than 0.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| not_started(command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("run `{}`: {status}", typed(command))))
}

/// Runs `command` and gives what it printed on stdout.
///
/// # Errors
/// Fails when it cannot be started or ends with another code than 0; the text holds the end of its stderr.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let both = [output.stdout, output.stderr].concat();
    let said = tail(&String::from_utf8_lossy(&both), 15);
    Err(Failure::new(format!("run `{}`: {}\n{said}", typed(command), output.status)))
}

/// The last `lines_max` lines of `text`.
pub fn tail(text: &str, lines_max: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines.get(lines.len().saturating_sub(lines_max)..).unwrap_or_default().join("\n")
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("start `{}`: {error}", typed(command))).hint("`cargo xtask doctor` names what is missing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_folder_of_the_workspace() {
        assert!(root().join("Cargo.lock").is_file(), "{}", root().display());
    }

    #[test]
    fn a_command_that_fails_gives_its_words() {
        let failure = output(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        assert_eq!(failure.to_string(), "run `sh -c echo why >&2; exit 3`: exit status: 3\nwhy");
    }

    #[test]
    fn the_tail_is_short_text_whole_and_long_text_cut() {
        assert_eq!(tail("", 2), "");
        assert_eq!(tail("a\nb\n", 2), "a\nb");
        assert_eq!(tail("a\nb\nc\n", 2), "b\nc");
    }
}
