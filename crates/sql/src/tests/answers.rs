//! What statements answer in text: `answers/*.txt` hold scripts with what SHOW, DESCRIBE, SET and EXPLAIN in them print.
//!
//! A file holds blocks `### name`, a script, `---`, the answers. `UPDATE=1` writes what is answered now into the file, for `git diff` to show. What Flink
//! answers to the same statements its SQL client shows: the texts were compared with it when they were written.

use std::fmt::Write as _;
use std::path::Path;

use super::world::plan;
use crate::Step;

#[test]
fn catalogs() {
    check("catalogs.txt");
}

#[test]
fn tables() {
    check("tables.txt");
}

#[test]
fn like() {
    check("like.txt");
}

#[test]
fn alter() {
    check("alter.txt");
}

#[test]
fn explain() {
    check("explain.txt");
}

/// Runs the scripts of a file.
fn check(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/answers").join(file);
    let text = std::fs::read_to_string(&path).expect("the file of answers can be read");
    let (mut now, mut wrong, mut cases) = (String::new(), Vec::new(), 0);
    for block in text.split("### ").skip(1) {
        let (name, rest) = block.split_once('\n').expect("a block has a name and a script");
        let (script, expected) = rest.split_once("---\n").unwrap_or((rest, ""));
        let got = answers(script.trim_end());
        cases += 1;
        if got.trim_end() != expected.trim_end() {
            wrong.push(format!("### {name}\nexpected:\n{}\ngot:\n{}\n", expected.trim_end(), got.trim_end()));
        }
        let _ = write!(now, "### {name}\n{}\n---\n{}\n\n", script.trim_end(), got.trim_end());
    }
    assert!(cases > 0, "{file} holds no script");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, now.trim_end().to_owned() + "\n").expect("the file of answers can be written");
        return;
    }
    assert!(
        wrong.is_empty(),
        "{} of {cases} scripts of {file} differ (UPDATE=1 rewrites them):\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What the statements of `script` print, or its error.
fn answers(script: &str) -> String {
    let steps = match plan(script) {
        Ok(program) => program.steps,
        Err(error) => return format!("ERROR {error}"),
    };
    let texts = steps.into_iter().map(|step| match step {
        Step::Text(text) => text,
        Step::Job { graph, .. } | Step::Query { graph, .. } => crate::explain(&graph),
    });
    texts.collect::<Vec<_>>().join("\n")
}
