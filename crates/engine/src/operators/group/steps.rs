//! What the rows of a batch do to their groups, in rounds: no group is met twice in a round, so that a round is computed for all its groups at once.

use super::groups::Effect;

/// A row with its group.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The row in the batch.
    pub row: u32,
    /// The number of its group.
    pub group: u32,
    /// Whether the row is added rather than taken back.
    pub adds: bool,
    /// What becomes of the group.
    pub effect: Effect,
}

/// The steps of a batch.
#[derive(Debug, Default)]
pub struct Steps {
    /// In the order of the rows.
    pub all: Vec<Step>,
    /// Places in `all` by round.
    pub rounds: Vec<Vec<u32>>,
    /// By group, the rounds that have met it.
    met: Vec<u32>,
}

impl Steps {
    /// Forgets the last batch.
    pub fn clear(&mut self) {
        for step in self.all.drain(..) {
            self.met[step.group as usize] = 0;
        }
        self.rounds.iter_mut().for_each(Vec::clear);
    }

    /// Adds the next step.
    pub fn push(&mut self, step: Step) {
        let group = step.group as usize;
        if self.met.len() <= group {
            self.met.resize(group + 1, 0);
        }
        let round = self.met[group] as usize;
        self.met[group] += 1;
        if self.rounds.len() <= round {
            self.rounds.push(Vec::new());
        }
        self.rounds[round].push(u32::try_from(self.all.len()).expect("a batch has far fewer rows than a u32 counts"));
        self.all.push(step);
    }
}
