//! What the rounds of a scenario came to: kills by the step that they fell into, and what was wrong.

use std::collections::BTreeMap;
use std::fmt;

use super::strike::{Kill, STEPS};

/// Kills that must have fallen into steps before their shares say something.
const KILLS_MIN: u64 = 20;

/// The counts of a scenario.
#[derive(Debug, Default)]
pub struct Tally {
    rounds: u64,
    kills: BTreeMap<String, u64>,
    wrong: Vec<String>,
}

impl Tally {
    /// Adds a round; `wrong` is empty if all was as it must be.
    pub fn add(&mut self, kills: &[Kill], wrong: &str) {
        self.rounds += 1;
        for kill in kills {
            *self.kills.entry(kill.step.clone()).or_default() += 1;
        }
        self.wrong.extend((!wrong.is_empty()).then(|| wrong.to_owned()));
    }

    /// Whether something was wrong in a round.
    pub fn is_wrong(&self) -> bool {
        !self.wrong.is_empty()
    }

    fn of(&self, step: &str) -> u64 {
        self.kills.get(step).copied().unwrap_or(0)
    }

    fn within_steps(&self) -> u64 {
        STEPS.iter().map(|step| self.of(step)).sum()
    }

    /// What there is to complain about: rounds that were bad, or a step that got less than a tenth of the kills that fell into steps.
    pub fn complaint(&self) -> Option<String> {
        if self.is_wrong() {
            return Some(self.wrong.join("\n"));
        }
        if self.within_steps() < KILLS_MIN {
            return None;
        }
        let neglected = STEPS.iter().find(|step| self.of(step) * 10 < self.within_steps())?;
        Some(format!("less than a tenth fell into '{neglected}': {self}"))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: u64 = self.kills.values().sum();
        write!(
            f,
            "{} rounds, {} bad; {all} kills, {} of them into steps",
            self.rounds,
            self.wrong.len(),
            self.within_steps()
        )?;
        for (step, count) in &self.kills {
            write!(f, ", {step} {count}")?;
        }
        Ok(())
    }
}

#[test]
fn a_step_that_got_less_than_a_tenth_is_noticed() {
    let kill = |step: &str| Kill { step: step.to_owned(), instant_ms: 1 };
    let mut tally = Tally::default();
    for (step, count) in [("prepare", 10), ("write", 10), ("decide", 16), ("apply", 4), ("start", 100)] {
        for _ in 0..count {
            tally.add(&[kill(step)], "");
        }
    }
    assert_eq!(tally.complaint(), None);
    tally.add(&[kill("write")], "");
    assert_eq!(
        tally.complaint().unwrap(),
        "less than a tenth fell into 'apply': 141 rounds, 0 bad; 141 kills, 41 of them into steps, apply 4, decide 16, prepare 10, start 100, write 11"
    );
    tally.add(&[], "round 7: lost");
    assert_eq!(tally.complaint().unwrap(), "round 7: lost");
}
