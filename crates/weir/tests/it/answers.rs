//! Every script of `cases/**/*.answers` through the shipped binary, against the tables that a real Flink answered.
//!
//! `WEIR_CASE=answers/like cargo test -p weir --test it answers` runs one file (or one folder of them).

use std::path::Path;

use crate::answers_format::{self as format, Answers};
use crate::binary::Place;

/// What is wrong with the answers at `path`, if anything is.
fn verdict(name: &str, path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let answers = Answers::parse(name, &text)?;
    if !answers.is_current() {
        return Err(format!("Flink was not asked of this script: `cargo xtask update --from-flink {name}`"));
    }
    let ran = Place::new().run(&answers.script, &[]);
    if ran.code != Some(0) {
        return Err(format!("exit code {:?}\n{}", ran.code, ran.err));
    }
    let (wanted, got) = (answers.answers.trim_end(), ran.out.trim_end());
    if wanted == got {
        return Ok(());
    }
    let same = wanted.lines().zip(got.lines()).take_while(|(wanted, got)| wanted == got).count();
    let shown = |text: &str| text.lines().skip(same.saturating_sub(3)).take(10).collect::<Vec<_>>().join("\n    ");
    Err(format!("from line {} on\n  Flink:\n    {}\n  Weir:\n    {}", same + 1, shown(wanted), shown(got)))
}

#[test]
fn statements_answer_what_flink_answers() {
    let wanted = std::env::var("WEIR_CASE").unwrap_or_default();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases");
    let listed = format::all(&cases).expect("list the answers");
    let files: Vec<_> = listed.into_iter().filter(|(name, _)| name.starts_with(&wanted)).collect();
    let wrong: Vec<String> = files
        .iter()
        .filter_map(|(name, path)| verdict(name, path).err().map(|wrong| format!("{name}: {wrong}")))
        .collect();
    assert!(wrong.is_empty(), "{} of {} files:\n\n{}\n", wrong.len(), files.len(), wrong.join("\n\n"));
}
