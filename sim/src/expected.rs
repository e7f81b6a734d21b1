//! What a job must make of a range of events, worked out from the events' numbers without reading one.

use std::collections::HashSet;
use std::ops::Range;

use crate::event::{Fate, Simulation};

/// Events by fate. All add up to `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expected {
    /// All events.
    pub total: u64,
    /// Valid ones, each once.
    pub valid_unique: u64,
    /// Valid ones that repeat an earlier one of the range.
    pub duplicates: u64,
    /// No JSON: they go to the dead letters, repeats too.
    pub dead_letters: u64,
    /// Without an id, device, time or value, repeats too.
    pub missing: u64,
    /// With a value out of range, repeats too.
    pub out_of_range: u64,
}

impl Expected {
    /// Counts the events of `range`, of which a job sees nothing before.
    pub fn of(simulation: &Simulation, range: Range<u64>) -> Self {
        let mut expected = Self { total: range.end.saturating_sub(range.start), ..Self::default() };
        // Originals before the range: the first repeat of each inside of it is no duplicate.
        let mut first_seen = HashSet::new();
        for number in range.clone() {
            let original = simulation.original(number);
            match simulation.fate(number) {
                Fate::CutOff => expected.dead_letters += 1,
                Fate::Missing => expected.missing += 1,
                Fate::OutOfRange => expected.out_of_range += 1,
                Fate::Valid if original == number => expected.valid_unique += 1,
                Fate::Valid if original < range.start && first_seen.insert(original) => expected.valid_unique += 1,
                Fate::Valid => expected.duplicates += 1,
            }
        }
        expected
    }
}
