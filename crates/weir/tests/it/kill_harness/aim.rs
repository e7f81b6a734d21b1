//! When a kill comes: in a step of the protocol, taken in turn, or at any instant.

use std::ops::Range;

use weir_base::Rng;

use super::strike::STEPS;

/// When a process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// So many milliseconds after its start, whatever it does then.
    Instant(u64),
    /// In a step of the protocol, so many microseconds after its mark.
    Step {
        /// The step.
        step: &'static str,
        /// Which of its marks, 1 is the first.
        occurrence: u64,
        /// Microseconds from the mark to the kill.
        after_us: u64,
    },
}

/// Within what bounds kills are drawn.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Milliseconds from the start to a kill at a wholly random instant.
    pub instants_ms: Range<u64>,
    /// Milliseconds by which a step that is aimed at is drawn out.
    pub delay_ms: u64,
    /// The marks of a step to choose from: one of the first so many.
    pub occurrences: u64,
}

impl Aim {
    /// The aim of kill `kill` (0 is the first) of the round `seed`. Two of three are aimed at a step; over all rounds each step comes equally often.
    pub fn of(seed: u64, kill: u64, bounds: &Bounds, rng: &mut Rng) -> Self {
        let turn = seed + kill;
        if turn % 3 == 2 {
            let Range { start, end } = bounds.instants_ms;
            return Self::Instant(start + rng.below(end - start));
        }
        let number = usize::try_from(turn % 4).expect("a number below four");
        // Some come behind the drawn-out part: in the step's own work, or past it.
        let after_us = rng.below(bounds.delay_ms * 1_150);
        Self::Step { step: STEPS[number], occurrence: 1 + rng.below(bounds.occurrences), after_us }
    }
}

#[test]
fn each_step_is_aimed_at_equally_often_and_every_third_kill_comes_at_any_instant() {
    let bounds = Bounds { instants_ms: 100..200, delay_ms: 10, occurrences: 3 };
    for kills in 1..=3 {
        let mut rng = Rng::new(1);
        let mut counts = [0; 5];
        for seed in 1..=12 {
            for kill in 0..kills {
                match Aim::of(seed, kill, &bounds, &mut rng) {
                    Aim::Instant(ms) => {
                        assert!(bounds.instants_ms.contains(&ms), "{ms}");
                        counts[4] += 1;
                    }
                    Aim::Step { step, occurrence, after_us } => {
                        assert!((1..=3).contains(&occurrence) && after_us < 11_500, "{occurrence} {after_us}");
                        counts[STEPS.iter().position(|known| *known == step).unwrap()] += 1;
                    }
                }
            }
        }
        assert_eq!(counts, [2, 2, 2, 2, 4].map(|count| count * kills));
    }
}
