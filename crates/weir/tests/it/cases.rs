//! Every case of `cases/` through the shipped binary, in each of its modes, against the rows that a real Flink wrote.
//!
//! Owns the modes and the comparison; the format of a case is `cargo xtask update`'s, read by the same file.
//! `WEIR_CASE=dedup/first_proctime cargo test -p weir --test it cases` runs one case (or one folder of them).
//!
//! Watermarks: with `pipeline.auto-watermark-interval` = 0, as the cases ran on Flink, one follows each row that moves it.
//! Their places depend on the rows alone, so late rows are the same ones in every mode of parallelism 1.
//!
//! Restored and rescaled: see `restores`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::binary::Place;
use crate::case::{self, Case};
use crate::restores;

/// Cases that run at the same time: a process waits for its disk most of its time.
const THREADS: usize = 8;

/// What every mode sets.
const SETTINGS: [&str; 4] = ["-D", "pipeline.auto-watermark-interval=0", "-D", "restart-strategy.type=none"];

/// A way to run a case that must not change its rows.
struct Mode {
    name: &'static str,
    how: How,
    keeps_order: bool,
}

/// How a mode runs a case.
enum How {
    /// In one process with these arguments.
    Once(&'static [&'static str]),
    /// Killed and restored from row to row, at these parallelisms in turn, without what was consumed.
    Restored(&'static [&'static str]),
}

/// All modes, the plain one first.
const MODES: [Mode; 9] = [
    Mode { name: "plain", how: How::Once(&["-p", "1"]), keeps_order: true },
    Mode { name: "recut 1", how: How::Once(&["-p", "1", "-D", "weir.batch.rows-max=1"]), keeps_order: true },
    Mode { name: "recut 3", how: How::Once(&["-p", "1", "-D", "weir.batch.rows-max=3"]), keeps_order: true },
    Mode { name: "seed 1", how: How::Once(&["-p", "1", "-D", "weir.scheduler.seed=1"]), keeps_order: true },
    Mode { name: "seed 2", how: How::Once(&["-p", "1", "-D", "weir.scheduler.seed=2"]), keeps_order: true },
    Mode { name: "seed 3", how: How::Once(&["-p", "1", "-D", "weir.scheduler.seed=3"]), keeps_order: true },
    Mode { name: "parallel", how: How::Once(&["-p", "3"]), keeps_order: false },
    Mode { name: "restored", how: How::Restored(&["1"]), keeps_order: true },
    Mode { name: "rescaled", how: How::Restored(&["1", "3", "2"]), keeps_order: false },
];

/// The checkout's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The case at `path`, and the rows that it expects.
fn read(name: &str, path: &Path) -> Result<(Case, Vec<String>), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let case = Case::parse(name, &text)?;
    let rewrite = format!("`cargo xtask update --from-flink {name}` has a real Flink write it");
    let expected = std::fs::read_to_string(path.with_extension("expected"))
        .map_err(|error| format!("its .expected cannot be read: {error}; {rewrite}"))?;
    let mut lines = expected.lines().map(str::to_owned);
    if lines.next().as_ref() != Some(&case.expected_header()) {
        return Err(format!("its .expected is of another script or input; {rewrite}"));
    }
    Ok((case, lines.collect()))
}

/// Runs `case` in all its modes; the first difference, if there is one.
fn check(case: &Case, expected: &[String]) -> Result<(), String> {
    for mode in MODES.iter().filter(|mode| mode.keeps_order || !case.is_ordered) {
        let rows = match mode.how {
            How::Once(args) => rows_at_once(case, args),
            How::Restored(parallelisms) => restores::rows(case, &SETTINGS, parallelisms),
        };
        let rows = rows.map_err(|wrong| format!("{}: {wrong}", mode.name))?;
        let rows: Vec<String> =
            rows.into_iter().map(|row| if mode.keeps_order { row } else { without_subtask(&row) }).collect();
        let (wanted, got) =
            if case.is_ordered { (expected.to_vec(), rows) } else { (unordered(expected), unordered(&rows)) };
        if wanted != got {
            return Err(format!("{}: {}", mode.name, difference(&wanted, &got)));
        }
    }
    Ok(())
}

/// The rows of `case` in one process.
fn rows_at_once(case: &Case, args: &[&str]) -> Result<Vec<String>, String> {
    let place = Place::new();
    case.write_inputs(&place.path("")).map_err(|error| error.to_string())?;
    let args: Vec<&str> = SETTINGS.iter().chain(args).copied().collect();
    let ran = place.run(&case.script_in(&place.path("")), &args);
    match ran.code {
        Some(0) => Ok(ran.out.lines().map(str::to_owned).collect()),
        code => Err(format!("exit code {code:?}\n{}", ran.err.trim_end())),
    }
}

/// `row` without the subtask that wrote it: at a parallelism above 1 the print connector tells it, `1> ` or `name:1> `.
fn without_subtask(row: &str) -> String {
    let Some((sink, change)) = row.split_once("> ") else { return row.to_owned() };
    let (name, subtask) = sink.rsplit_once(':').unwrap_or(("", sink));
    match (subtask.bytes().all(|byte| byte.is_ascii_digit()), name) {
        (false, _) => row.to_owned(),
        (true, "") => change.to_owned(),
        (true, name) => format!("{name}> {change}"),
    }
}

/// Rows whose order does not count; of an updating changelog what it comes to, for updates may be folded differently.
fn unordered(rows: &[String]) -> Vec<String> {
    let mut table: BTreeMap<String, i64> = BTreeMap::new();
    for row in rows {
        let (sink, change) = row.split_once("> ").unwrap_or(("", row));
        let (kind, values) = change.split_at(change.find('[').unwrap_or(0));
        let count = if matches!(kind, "-U" | "-D") { -1 } else { 1 };
        *table.entry(format!("{sink}> {values}")).or_default() += count;
    }
    table.into_iter().filter(|(_, count)| *count != 0).map(|(row, count)| format!("{count} x {row}")).collect()
}

/// Where two lists of rows part, with what is only in the one or the other.
fn difference(wanted: &[String], got: &[String]) -> String {
    let same = wanted.iter().zip(got).take_while(|(wanted, got)| wanted == got).count();
    let shown = |rows: &[String]| rows.iter().skip(same).take(4).map(|row| format!("\n    {row}")).collect::<String>();
    let (flink, weir) = (shown(wanted), shown(got));
    format!("{} rows, expected {}; from row {} on\n  Flink:{flink}\n  Weir:{weir}", got.len(), wanted.len(), same + 1)
}

/// The cases that are known to differ, each with its reason.
fn deviations() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root().join("deviations.txt")).expect("read deviations.txt");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (case, reason) = line.split_once(' ').expect("a line of deviations.txt is `<case> <reason>`");
            (case.to_owned(), reason.to_owned())
        })
        .collect()
}

/// What a case came to, given whether it `may_differ`: then it must, for the list of those may only shrink.
fn judged(outcome: Result<(), String>, may_differ: bool) -> Result<(), String> {
    match outcome {
        Ok(()) if may_differ => Err("does as Flink does by now: remove its line from deviations.txt".to_owned()),
        Err(_) if may_differ => Ok(()),
        other => other,
    }
}

/// What is wrong with the case at `path`, in one text; nothing where it does as expected, or differs as is known.
fn verdict(name: &str, path: &Path, deviations: &BTreeMap<String, String>) -> Option<String> {
    let outcome = read(name, path).and_then(|(case, expected)| {
        judged(check(&case, &expected), deviations.contains_key(name))
            .map_err(|wrong| format!("{wrong}\n  ({})", case.title))
    });
    let again = format!("WEIR_CASE={name} cargo test -p weir --test it cases");
    outcome.err().map(|wrong| format!("{name}: {wrong}\n  again: {again}"))
}

#[test]
fn weir_gives_the_rows_that_flink_gave() {
    let wanted = std::env::var("WEIR_CASE").unwrap_or_default();
    let cases: Vec<(String, PathBuf)> = case::all(&root().join("cases"))
        .expect("list the cases")
        .into_iter()
        .filter(|(name, _)| name.starts_with(&wanted))
        .collect();
    assert!(!cases.is_empty(), "no case begins with '{wanted}'");
    let deviations = deviations();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some((name, path)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(text) = verdict(name, path, &deviations) {
                        wrong.lock().expect("no thread panics with it").insert(name, text);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no thread panicked");
    let texts: Vec<String> = wrong.values().cloned().collect();
    println!("{} cases, {} differ as deviations.txt says", cases.len(), deviations.len());
    assert!(texts.is_empty(), "{} of {} cases:\n\n{}\n", texts.len(), cases.len(), texts.join("\n\n"));
}

#[test]
fn each_deviation_is_a_case_and_has_a_reason() {
    let cases: BTreeSet<String> =
        case::all(&root().join("cases")).expect("list the cases").into_iter().map(|(name, _)| name).collect();
    for (case, reason) in deviations() {
        assert!(cases.contains(&case), "deviations.txt: there is no case '{case}'");
        assert!(reason.len() > 10, "deviations.txt: '{case}' needs a reason");
    }
}

#[test]
fn a_deviation_that_is_none_any_more_is_told() {
    let differs = || Err("differs".to_owned());
    assert_eq!(judged(Ok(()), false), Ok(()));
    assert_eq!(judged(differs(), false), differs());
    assert_eq!(judged(differs(), true), Ok(()));
    assert!(judged(Ok(()), true).unwrap_err().contains("remove its line"));
}

#[test]
fn a_changelog_without_order_is_compared_by_what_it_comes_to() {
    let rows = ["+I[a, 1]", "-U[a, 1]", "+U[a, 2]", "s> +I[a, 2]", "+I[b, 1]", "+I[b, 1]", "+I[c]", "-D[c]"];
    let rows: Vec<String> = rows.iter().map(|row| (*row).to_owned()).collect();
    assert_eq!(unordered(&rows), ["1 x > [a, 2]", "2 x > [b, 1]", "1 x s> [a, 2]"]);
}

#[test]
fn the_subtask_of_a_parallel_sink_is_left_out() {
    let cases =
        [("1> +I[a]", "+I[a]"), ("all:12> +I[a]", "all> +I[a]"), ("all> +I[a]", "all> +I[a]"), ("+I[a]", "+I[a]")];
    for (row, without) in cases {
        assert_eq!(without_subtask(row), without);
    }
}

#[test]
fn a_difference_is_shown_from_where_it_begins() {
    let rows = |rows: &[&str]| rows.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        difference(&rows(&["a", "b"]), &rows(&["a", "c", "d"])),
        "3 rows, expected 2; from row 2 on\n  Flink:\n    b\n  Weir:\n    c\n    d"
    );
}
