//! `cargo xtask update`: writes what is derived. `--from-flink [CASE...]` runs the SQL of cases on a real Flink and
//! writes its rows as what the cases expect; `--compat` writes `COMPAT.md`, the page of what they prove.

mod answers;
mod case;
mod compat;
mod flink;
pub mod gateway;
mod refused;
pub mod statements;

use std::fs;
use std::path::{Path, PathBuf};

use crate::command;
use crate::failure::{Failure, Result};
use crate::servers;
use answers::Answers;
use case::Case;
use flink::Flink;
use refused::Refusals;

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
    write_text(&path, &compat_page()?)
}

/// What `COMPAT.md` says when it is up to date.
fn compat_page() -> Result<String> {
    let folder = command::root().join(compat::TESTS);
    let mut tests = Vec::new();
    for entry in
        fs::read_dir(&folder).map_err(|error| Failure::io(format_args!("list {}", folder.display()), &error))?
    {
        let path = entry.map_err(|error| Failure::io("list the tests", &error))?.path();
        if path.extension().is_some_and(|end| end == "rs") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            tests.push((format!("{}/{name}", compat::TESTS), read_text(&path)?));
        }
    }
    tests.sort();
    let sources = compat::Sources {
        features: read_text(&command::root().join(CASES).join("features.txt"))?,
        cases: read_all(&[])?.into_iter().map(|(case, _)| case).collect(),
        refusals: read_refusals(&[])?.into_iter().map(|(refusals, _)| refusals).collect(),
        answers: read_answers(&[])?.into_iter().map(|(answers, _)| answers).collect(),
        deviations: compat::deviations(&read_text(&command::root().join(DEVIATIONS))?),
        tests,
    };
    sources.page()
}

/// Has Flink write what the cases and refusals called `wanted` expect; those that are missing or out of date, if none is named.
fn from_flink(wanted: &[String]) -> Result<()> {
    check_names(wanted)?;
    let mut cases = read_all(wanted)?;
    let mut refusals = read_refusals(wanted)?;
    let mut answers = read_answers(wanted)?;
    if wanted.is_empty() {
        cases.retain(|(case, expected)| !is_current(case, expected));
        refusals.retain(|(refusals, _)| !refusals.is_current());
        answers.retain(|(answers, _)| !answers.is_current());
    }
    if cases.is_empty() && refusals.is_empty() && answers.is_empty() {
        println!("update: all cases expect what Flink wrote for them");
        return Ok(());
    }
    let server = servers::KINDS.iter().find(|kind| kind.name == "flink");
    let server = server.ok_or_else(|| Failure::new("find the kind 'flink' among the servers"))?;
    let started = servers::start(server)?;
    let outcome = write_all(&cases, &mut refusals, &mut answers, server);
    if started {
        servers::stop(server)?;
    }
    outcome
}

fn write_all(
    cases: &[(Case, PathBuf)],
    refusals: &mut [(Refusals, PathBuf)],
    answers: &mut [(Answers, PathBuf)],
    server: &'static servers::Server,
) -> Result<()> {
    let gateway = servers::env_of(server).into_iter().find(|(name, _)| *name == "WEIR_TEST_FLINK_GATEWAY");
    let (_, gateway) = gateway.ok_or_else(|| Failure::new("find Flink's SQL gateway: Flink is not up"))?;
    let run = servers::Place::of(server.name).run;
    let flink = Flink { gateway, log: run.join("taskmanager.log"), inputs: run.join("cases") };
    let mut failures = Vec::new();
    for (case, path) in cases {
        match flink.rows(case).and_then(|rows| write(case, path, &rows)) {
            Ok(count) => println!("{}: {count} rows", case.name),
            Err(failure) => failures.push(format!("{}: {failure}", case.name)),
        }
    }
    for (refusals, path) in refusals {
        let written = flink.refuse(refusals).and_then(|()| write_text(path, &refusals.print()));
        match written {
            Ok(()) => println!("{}: {} refusals", refusals.name, refusals.refusals.len()),
            Err(failure) => failures.push(format!("{}: {failure}", refusals.name)),
        }
    }
    for (answers, path) in answers {
        match flink.answer(answers).and_then(|()| write_text(path, &answers.print())) {
            Ok(()) => println!("{}: answered", answers.name),
            Err(failure) => failures.push(format!("{}: {failure}", answers.name)),
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("have Flink write {} cases:\n  {}", failures.len(), failures.join("\n  "))))
}

fn write_text(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| Failure::io(format_args!("write {}", path.display()), &error))
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Failure::io(format_args!("read {}", path.display()), &error))
}

/// Names with their files.
type Files = Vec<(String, PathBuf)>;

/// All files of a kind, as `list` finds them.
fn listed(list: fn(&Path) -> std::io::Result<Files>) -> Result<Files> {
    let folder = command::root().join(CASES);
    list(&folder).map_err(|error| Failure::io(format_args!("list {}", folder.display()), &error))
}

/// Fails on a name that is neither a case nor a file of refusals or answers.
fn check_names(names: &[String]) -> Result<()> {
    let known = [listed(case::all)?, listed(refused::all)?, listed(answers::all)?].concat();
    match names.iter().find(|name| !known.iter().any(|(known, _)| known == *name)) {
        Some(unknown) => Err(Failure::usage(format!("find the case '{unknown}' in {CASES}"))),
        None => Ok(()),
    }
}

/// The refusals called `names` (all, if none is named), each with its file.
fn read_refusals(names: &[String]) -> Result<Vec<(Refusals, PathBuf)>> {
    let wanted = listed(refused::all)?.into_iter().filter(|(name, _)| names.is_empty() || names.contains(name));
    let read = wanted.map(|(name, path)| {
        let refusals = Refusals::parse(&name, &read_text(&path)?);
        refusals.map(|refusals| (refusals, path)).map_err(|wrong| Failure::new(format!("read {name}: {wrong}")))
    });
    read.collect()
}

/// The answers called `names` (all, if none is named), each with its file.
fn read_answers(names: &[String]) -> Result<Vec<(Answers, PathBuf)>> {
    let wanted = listed(answers::all)?.into_iter().filter(|(name, _)| names.is_empty() || names.contains(name));
    let read = wanted.map(|(name, path)| {
        let answers = Answers::parse(&name, &read_text(&path)?);
        answers.map(|answers| (answers, path)).map_err(|wrong| Failure::new(format!("read {name}: {wrong}")))
    });
    read.collect()
}

/// The cases called `names` (all, if none is named), each with the path of its `.expected`.
fn read_all(names: &[String]) -> Result<Vec<(Case, PathBuf)>> {
    let wanted = listed(case::all)?.into_iter().filter(|(name, _)| names.is_empty() || names.contains(name));
    let read = wanted.map(|(name, path)| {
        let case = Case::parse(&name, &read_text(&path)?);
        case.map(|case| (case, path.with_extension("expected")))
            .map_err(|wrong| Failure::new(format!("read {name}: {wrong}")))
    });
    read.collect()
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
    write_text(expected, &text)?;
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
