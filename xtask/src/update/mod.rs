//! `cargo xtask update`: writes what is derived. `--from-flink [CASE...]` runs the SQL of cases on a real Flink and
//! writes its rows as what the cases expect; `--compat` writes `COMPAT.md`, the page of what they prove.

mod case;
mod compat;
mod flink;
pub mod gateway;
pub mod statements;

use std::fs;
use std::path::{Path, PathBuf};

use crate::command;
use crate::failure::{Failure, Result};
use crate::servers;
use case::Case;
use flink::Flink;

/// The folder of all cases, from the root.
const CASES: &str = "cases";

/// The known differences, from the root.
const DEVIATIONS: &str = "deviations.txt";

/// The page of what the cases prove, from the root.
const COMPAT: &str = "COMPAT.md";

/// Reads the command line and does what it says.
///
/// # Errors
/// Fails on words that it does not know, when Flink does not run, and when a case is wrong or Flink refuses it.
pub fn run(args: &[String]) -> Result<()> {
    match args.split_first() {
        Some((flag, wanted)) if flag == "--from-flink" => from_flink(wanted),
        Some((flag, [])) if flag == "--compat" => compat(),
        _ => Err(Failure::usage("read the arguments: expected `--from-flink [CASE...]` or `--compat`")),
    }
}

/// Writes `COMPAT.md`.
fn compat() -> Result<()> {
    let path = command::root().join(COMPAT);
    let page = compat_page()?;
    fs::write(&path, page).map_err(|error| Failure::io(format_args!("write {}", path.display()), &error))
}

/// What `COMPAT.md` says when it is up to date.
fn compat_page() -> Result<String> {
    let cases: Vec<Case> = read_all(&[])?.into_iter().map(|(case, _)| case).collect();
    let path = command::root().join(DEVIATIONS);
    let text =
        fs::read_to_string(&path).map_err(|error| Failure::io(format_args!("read {}", path.display()), &error))?;
    Ok(compat::page(&cases, &compat::deviations(&text)))
}

/// Has Flink write the rows of the cases called `wanted`; of those that are missing or out of date, if none is named.
fn from_flink(wanted: &[String]) -> Result<()> {
    let mut cases = read_all(wanted)?;
    if wanted.is_empty() {
        cases.retain(|(case, expected)| !is_current(case, expected));
    }
    if cases.is_empty() {
        println!("update: all cases expect what Flink wrote for them");
        return Ok(());
    }
    let server = servers::KINDS.iter().find(|kind| kind.name == "flink");
    let server = server.ok_or_else(|| Failure::new("find the kind 'flink' among the servers"))?;
    let started = servers::start(server)?;
    let outcome = write_all(&cases, server);
    if started {
        servers::stop(server)?;
    }
    outcome
}

fn write_all(cases: &[(Case, PathBuf)], server: &'static servers::Server) -> Result<()> {
    let gateway = servers::env_of(server).into_iter().find(|(name, _)| *name == "WEIR_TEST_FLINK_GATEWAY");
    let (_, gateway) = gateway.ok_or_else(|| Failure::new("find Flink's SQL gateway: Flink is not up"))?;
    let run = command::root().join("servers/run/flink");
    let flink = Flink { gateway, log: run.join("taskmanager.log"), inputs: run.join("cases") };
    let mut failures = Vec::new();
    for (case, path) in cases {
        match flink.rows(case).and_then(|rows| write(case, path, &rows)) {
            Ok(count) => println!("{}: {count} rows", case.name),
            Err(failure) => failures.push(format!("{}: {failure}", case.name)),
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("have Flink write {} cases:\n  {}", failures.len(), failures.join("\n  "))))
}

/// The cases called `names` (all, if none is named), each with the path of its `.expected`.
fn read_all(names: &[String]) -> Result<Vec<(Case, PathBuf)>> {
    let folder = command::root().join(CASES);
    let listed = case::all(&folder).map_err(|error| Failure::io(format_args!("list {}", folder.display()), &error))?;
    if let Some(unknown) = names.iter().find(|name| !listed.iter().any(|(known, _)| known == *name)) {
        return Err(Failure::usage(format!("find the case '{unknown}' in {}", folder.display())));
    }
    let mut cases = Vec::new();
    for (name, path) in listed {
        if !names.is_empty() && !names.contains(&name) {
            continue;
        }
        let text =
            fs::read_to_string(&path).map_err(|error| Failure::io(format_args!("read {}", path.display()), &error))?;
        let case = Case::parse(&name, &text).map_err(|wrong| Failure::new(format!("read {name}: {wrong}")))?;
        cases.push((case, path.with_extension("expected")));
    }
    Ok(cases)
}

/// Whether what stands in `expected` is of this script and input.
fn is_current(case: &Case, expected: &Path) -> bool {
    fs::read_to_string(expected).is_ok_and(|text| text.lines().next() == Some(&case.expected_header()))
}

/// Writes the `.expected` of `case`; gives the number of rows.
fn write(case: &Case, expected: &Path, rows: &[String]) -> Result<usize> {
    if rows.is_empty() {
        return Err(Failure::new("find a row of it in the task manager's output: a case without rows proves nothing"));
    }
    let text: String = std::iter::once(&case.expected_header()).chain(rows).map(|line| format!("{line}\n")).collect();
    fs::write(expected, text).map_err(|error| Failure::io(format_args!("write {}", expected.display()), &error))?;
    Ok(rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_what_is_proven_is_up_to_date() {
        let page = fs::read_to_string(command::root().join(COMPAT)).unwrap();
        assert!(page == compat_page().unwrap(), "{COMPAT} is out of date: run `cargo xtask update --compat`");
    }

    #[test]
    fn wrong_words_are_named_with_what_would_be_right() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        for wrong in [&[][..], &["dedup/first"], &["--from-spark"]] {
            let failure = run(&words(wrong)).unwrap_err();
            assert!(failure.is_usage());
            assert_eq!(failure.to_string(), "read the arguments: expected `--from-flink [CASE...]` or `--compat`");
        }
    }
}
