//! The ledger of kills: one line a round, written by the harness (`crates/weir/tests/it/kill_harness`), read and summed up here.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use crate::failure::{Failure, Result};

/// The first line: what the columns are.
pub const HEADER: &str = "scenario,seed,build,kills,verdict";

/// The steps of a checkpoint's protocol, as the harness names them.
const STEPS: [&str; 4] = ["prepare", "write", "decide", "apply"];

/// All rounds.
#[derive(Debug, Default)]
pub struct Ledger(Vec<Round>);

/// One round.
#[derive(Debug)]
struct Round {
    scenario: String,
    seed: u64,
    /// The steps that its kills fell into.
    steps: Vec<String>,
    /// `ok`, or what was wrong.
    verdict: String,
}

/// What the rounds of one scenario come to.
#[derive(Debug, Default)]
struct Sum<'a> {
    rounds: u64,
    kills: BTreeMap<&'a str, u64>,
    bad: Vec<&'a Round>,
}

impl Ledger {
    /// Reads the file at `path`; none there means no rounds yet.
    ///
    /// # Errors
    /// Fails when it cannot be read, or holds a line that is none of a ledger.
    pub fn read(path: &Path) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::of(&text).map_err(|line| {
                Failure::new(format!("read {}: line {line} is none of a ledger", path.display()))
                    .hint(format!("a line is {HEADER}; move the file away to begin anew"))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Failure::io(format_args!("read {}", path.display()), &error)),
        }
    }

    /// Reads a ledger's text; the number of the line that is none.
    fn of(text: &str) -> std::result::Result<Self, usize> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && *line != HEADER);
        lines.map(|(index, line)| Round::of(line).ok_or(index + 1)).collect::<std::result::Result<_, _>>().map(Self)
    }

    /// The seed behind the last one of `scenario`.
    pub fn next_seed(&self, scenario: &str) -> u64 {
        let seeds = self.0.iter().filter(|round| round.scenario == scenario).map(|round| round.seed);
        seeds.max().map_or(1, |last| last + 1)
    }

    /// One line a scenario, and one for each round that was not as it must be.
    pub fn sums(&self) -> String {
        let mut sums: BTreeMap<&str, Sum<'_>> = BTreeMap::new();
        for round in &self.0 {
            let sum = sums.entry(&round.scenario).or_default();
            sum.rounds += 1;
            for step in &round.steps {
                *sum.kills.entry(step).or_default() += 1;
            }
            sum.bad.extend((round.verdict != "ok").then_some(round));
        }
        let mut text = format!("{} rounds in the ledger", self.0.len());
        for (scenario, sum) in &sums {
            let of = |step: &str| sum.kills.get(step).copied().unwrap_or(0);
            let (all, within) = (sum.kills.values().sum::<u64>(), STEPS.iter().map(|step| of(step)).sum::<u64>());
            let share = |step: &&str| format!("{step} {} ({} %)", of(step), of(step) * 100 / within.max(1));
            let shares: Vec<String> = STEPS.iter().map(share).collect();
            let (rounds, bad) = (sum.rounds, sum.bad.len());
            // A `String` takes all that is written to it.
            let _ = write!(
                text,
                "\n{scenario}: {rounds} rounds, {bad} bad; {all} kills, {within} of them into steps: {}",
                shares.join(", ")
            );
            for round in &sum.bad {
                let _ = write!(text, "\n  seed {}: {}", round.seed, round.verdict);
            }
        }
        text
    }
}

impl Round {
    fn of(line: &str) -> Option<Self> {
        let mut fields = line.splitn(5, ',');
        let (scenario, seed, _build) = (fields.next()?, fields.next()?.parse().ok()?, fields.next()?);
        let (kills, verdict) = (fields.next()?, fields.next()?);
        let step = |kill: &str| kill.split_once('@').map(|(step, _)| step.to_owned());
        let steps = kills.split_whitespace().map(step).collect::<Option<_>>()?;
        Some(Self { scenario: scenario.to_owned(), seed, steps, verdict: verdict.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "scenario,seed,build,kills,verdict\n\
        files,1,2026-11-21 abc,start@120 prepare@431 write@300,ok\n\
        files,2,2026-11-21 abc,,\"lost 3, doubled 0\"\n\
        kafka,1,2026-11-21 abc,decide@1011 apply@900 between@5,ok\n";

    #[test]
    fn rounds_are_summed_up_by_scenario_and_the_bad_ones_named() {
        let expected = "3 rounds in the ledger\n\
            files: 2 rounds, 1 bad; 3 kills, 2 of them into steps: prepare 1 (50 %), write 1 (50 %), decide 0 (0 %), apply 0 (0 %)\n  \
            seed 2: \"lost 3, doubled 0\"\n\
            kafka: 1 rounds, 0 bad; 3 kills, 2 of them into steps: prepare 0 (0 %), write 0 (0 %), decide 1 (50 %), apply 1 (50 %)";
        assert_eq!(Ledger::of(TEXT).unwrap().sums(), expected);
        assert_eq!(Ledger::default().sums(), "0 rounds in the ledger");
    }

    #[test]
    fn it_goes_on_behind_the_last_seed_of_the_scenario() {
        let ledger = Ledger::of(TEXT).unwrap();
        let next = ["files", "kafka", "embedded"].map(|scenario| ledger.next_seed(scenario));
        assert_eq!(next, [3, 2, 1]);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        for bad in ["files,1,b,prepare,ok", "files,x,b,,ok", "files,1,b,"] {
            assert_eq!(Ledger::of(&format!("{HEADER}\n{bad}\n")).err(), Some(2), "{bad}");
        }
    }
}
