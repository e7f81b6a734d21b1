//! Every wrong statement of `cases/**/*.refused` through the shipped binary, against the exact words that it gave.
//!
//! `WEIR_CASE=rank/refused cargo test -p weir --test it refused` runs one file (or one folder of them); `UPDATE=1` writes what the binary says
//! now into the files, for `git diff` to show. What Flink says of each was written by `cargo xtask update --from-flink`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::binary::{Place, Ran};
use crate::case;
use crate::refusal_format::{self as format, Refusal, Refusals};

/// Scripts that run at the same time.
const THREADS: usize = 4;

/// Wrong statements that the corpus has at least.
const COUNT_MIN: usize = 300;

/// The folder of all cases.
fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases")
}

/// What the binary says of `refusal`: its exit code, then its words.
///
/// # Errors
/// It takes the statement.
fn said(refusals: &Refusals, refusal: &Refusal) -> Result<String, String> {
    let place = Place::new();
    let Ran { code, out, err } =
        place.run(&refusals.script_in(&place.path(""), refusal), &["-D", "restart-strategy.type=none"]);
    if code == Some(0) {
        return Err(format!("it is not refused:\n{}\n  it gave:\n{out}", refusal.sql));
    }
    if !matches!(code, Some(1 | 2)) {
        return Err(format!("it ends with {code:?} rather than a refusal:\n{}\n{err}", refusal.sql));
    }
    let code = code.unwrap_or_default();
    let dir = place.path("").display().to_string();
    // The log is of other tests.
    let words = err.lines().filter(|line| !line.starts_with('{')).map(|line| line.replace(&dir, case::CASE_DIR));
    let words: Vec<String> = words.collect();
    Ok(format!("exit {code}\n{}\n", words.join("\n").trim_end()))
}

/// Compares, or writes with `UPDATE=1`, what the binary says of the file at `path`; what is wrong with it, if anything is.
fn verdict(name: &str, path: &Path) -> Result<usize, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut refusals = Refusals::parse(name, &text)?;
    let now: Vec<String> =
        refusals.refusals.iter().map(|refusal| said(&refusals, refusal)).collect::<Result<_, _>>()?;
    if std::env::var_os("UPDATE").is_some() {
        refusals.refusals.iter_mut().zip(now).for_each(|(refusal, now)| refusal.weir = Some(now));
        std::fs::write(path, refusals.print()).map_err(|error| error.to_string())?;
        return Ok(refusals.refusals.len());
    }
    if !refusals.is_current() {
        return Err(format!("Flink was not asked of these statements: `cargo xtask update --from-flink {name}`"));
    }
    for (refusal, now) in refusals.refusals.iter().zip(&now) {
        let expected = refusal.weir.as_deref().unwrap_or_default().trim_end();
        if expected != now.trim_end() {
            return Err(format!("{}  expected:\n{expected}\n  got:\n{now}", refusal.sql));
        }
    }
    Ok(refusals.refusals.len())
}

#[test]
fn wrong_statements_are_refused_with_these_words() {
    let wanted = std::env::var("WEIR_CASE").unwrap_or_default();
    let listed = format::all(&cases()).expect("list the refusals");
    let files: Vec<(String, PathBuf)> = listed.into_iter().filter(|(name, _)| name.starts_with(&wanted)).collect();
    let (next, count, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some((name, path)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match verdict(name, path) {
                        Ok(refusals) => {
                            count.fetch_add(refusals, Ordering::Relaxed);
                        }
                        Err(text) => {
                            let again = format!("WEIR_CASE={name} cargo test -p weir --test it refused");
                            let text = format!("{name}: {text}\n  again: {again}");
                            wrong.lock().expect("no thread panics with it").insert(name.clone(), text);
                        }
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no thread panicked");
    let texts: Vec<String> = wrong.values().cloned().collect();
    let count = count.into_inner();
    println!("{count} wrong statements in {} files", files.len());
    assert!(
        texts.is_empty(),
        "{} of {} files (UPDATE=1 rewrites them):\n\n{}\n",
        texts.len(),
        files.len(),
        texts.join("\n\n")
    );
    assert!(
        !wanted.is_empty() || count >= COUNT_MIN,
        "{count} wrong statements: at least {COUNT_MIN} show what is refused"
    );
}
