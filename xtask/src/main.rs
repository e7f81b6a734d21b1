//! The one entry for everyone who works on Weir: `cargo xtask <verb>`.
//!
//! Owns the developer's verbs, one file (or folder) each; owns nothing of the product. `main` looks the verb up in
//! [`VERBS`] and hands it the remaining words; a verb prints what it does and returns how it went.

mod bench;
mod clock;
mod command;
mod dev;
mod doctor;
mod failure;
mod layers;
mod servers;
mod test;
mod tidy;
mod update;

use std::process::ExitCode;

use failure::Result;

/// What a verb is called, what it does in one line, and the function that does it.
struct Verb {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<()>,
}

/// All verbs, in the order of `cargo xtask help`.
const VERBS: &[Verb] = &[
    Verb { name: "doctor", usage: "", about: "names what this machine lacks, and how to get it", run: doctor::run },
    Verb { name: "dev", usage: "[ARGS...]", about: "builds Weir and starts the demo", run: dev::run },
    Verb { name: "test", usage: "[--only STEP]", about: "all that CI checks", run: test::run },
    Verb { name: "tidy", usage: "", about: "the rules of style", run: tidy::run },
    Verb { name: "layers", usage: "", about: "the rules of which crate may use which", run: layers::run },
    Verb { name: "servers", usage: servers::USAGE, about: "real servers on this machine", run: servers::run },
    Verb {
        name: "update",
        usage: "--from-flink [CASE...] | --compat",
        about: "has Flink write what cases expect; what they prove",
        run: update::run,
    },
    Verb { name: "bench", usage: "[NAME]", about: "measures", run: bench::run },
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = words.split_first() else {
        println!("{}", help());
        return ExitCode::from(2);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        println!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some(verb) = VERBS.iter().find(|verb| verb.name == name) else {
        eprintln!("error: there is no verb '{name}'\n\n{}", help());
        return ExitCode::from(2);
    };
    match (verb.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: failed to {failure}");
            ExitCode::from(if failure.is_usage() { 2 } else { 1 })
        }
    }
}

/// The page of `cargo xtask help`.
fn help() -> String {
    let lines = VERBS.iter().map(|verb| {
        let call = format!("{} {}", verb.name, verb.usage);
        format!("  {:<52} {}", call.trim_end(), verb.about)
    });
    format!("cargo xtask <verb>\n\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_its_line_of_help() {
        let help = help();
        for verb in VERBS {
            assert!(help.contains(&format!("\n  {}", verb.name)), "{} is missing in:\n{help}", verb.name);
        }
    }
}
