//! The steps, one after the other, and the table at the end.

use std::time::Duration;

use super::steps::{Outcome, STEPS, Step};
use crate::clock;
use crate::failure::{Failure, Result};

/// What became of one step.
struct Finished {
    name: &'static str,
    took: Duration,
    outcome: Result<Outcome>,
}

/// Runs all steps, or the one behind `--only`. A step that fails does not keep the next from running: one round shows
/// all that is wrong.
///
/// # Errors
/// Fails when the words are not understood, or a step failed.
pub fn run(words: &[String]) -> Result<()> {
    let start = clock::now();
    let finished: Vec<Finished> = chosen(words)?.into_iter().map(run_step).collect();
    let failed: Vec<&str> = finished.iter().filter(|step| step.outcome.is_err()).map(|step| step.name).collect();
    println!("\n{}", table(&finished));
    for line in finished.iter().filter_map(|step| step.outcome.as_ref().ok()).flat_map(|outcome| &outcome.lines) {
        println!("{line}");
    }
    for step in &finished {
        if let Err(failure) = &step.outcome {
            println!("{} failed to {failure}", step.name);
        }
    }
    if failed.is_empty() {
        println!("all green after {}", clock::shown(start.elapsed()));
        return Ok(());
    }
    let again = format!("cargo xtask test --only {}", failed.first().copied().unwrap_or_default());
    Err(Failure::new(format!("pass {}", failed.join(", "))).hint(format!("one step again: `{again}`")))
}

/// The steps that `words` ask for.
fn chosen(words: &[String]) -> Result<Vec<&'static Step>> {
    let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
    let hint = format!("cargo xtask test [--only STEP], STEP in {}", names.join(", "));
    match words {
        [] => Ok(STEPS.iter().collect()),
        [flag, name] if flag == "--only" => {
            let step = STEPS.iter().find(|step| step.name == name);
            let unknown = || Failure::usage(format!("read the arguments: there is no step '{name}'")).hint(hint);
            step.map(|step| vec![step]).ok_or_else(unknown)
        }
        _ => Err(Failure::usage("read the arguments: expected nothing, or `--only STEP`").hint(hint)),
    }
}

fn run_step(step: &'static Step) -> Finished {
    println!("\n==> {}: {}", step.name, step.about);
    let start = clock::now();
    let outcome = (step.run)();
    let took = start.elapsed();
    let finished = Finished { name: step.name, took, outcome };
    println!("<== {}", row(&finished));
    finished
}

/// One row a step.
fn table(finished: &[Finished]) -> String {
    finished.iter().map(row).collect::<Vec<_>>().join("\n")
}

fn row(step: &Finished) -> String {
    let (verdict, note) = match &step.outcome {
        Ok(outcome) => (if outcome.is_skipped { "skipped" } else { "ok" }, outcome.note.as_str()),
        Err(_) => ("FAILED", ""),
    };
    format!("{:<8} {verdict:<8} {:>12}  {note}", step.name, clock::shown(step.took)).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_or_all_are_chosen() {
        let names = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            chosen(&words).map(|steps| steps.iter().map(|step| step.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["--only", "tidy"]), Ok(vec!["tidy"]));
        assert_eq!(names(&[]).unwrap().first(), Some(&"format"));
        assert!(
            names(&["--only", "speed"])
                .unwrap_err()
                .to_string()
                .starts_with("read the arguments: there is no step 'speed'")
        );
        assert!(names(&["tidy"]).unwrap_err().is_usage());
    }

    #[test]
    fn the_table_says_what_became_of_each_step() {
        let finished = |name, outcome| Finished { name, took: Duration::from_millis(1_500), outcome };
        let steps = [
            finished("format", Ok(Outcome::default())),
            finished("readme", Ok(Outcome::skipped("there is no README.md yet"))),
            finished("tests", Err(Failure::new("run it"))),
        ];
        let expected = "format   ok              1.5 s\n\
                        readme   skipped         1.5 s  there is no README.md yet\n\
                        tests    FAILED          1.5 s";
        assert_eq!(table(&steps), expected);
    }
}
