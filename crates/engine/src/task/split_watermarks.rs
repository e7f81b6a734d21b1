//! Watermarks of a source's splits: each split by its own rows, the source by the slowest split that is not idle.
//!
//! A candidate is given out when it exceeds the split's last one by the interval (`pipeline.auto-watermark-interval`), after the row that it came
//! from: so the place of a watermark in the stream depends on the rows alone, never on how they were batched.

use std::collections::BTreeMap;
use std::time::Duration;

use weir_base::Timestamp;
use weir_connector::SplitId;

/// The watermarks of all splits of one source subtask.
pub struct SplitWatermarks {
    interval_ms: i64,
    idle_timeout_us: u64,
    splits: BTreeMap<SplitId, SplitWatermark>,
    given: Timestamp,
    /// When there was last a split, and whether its absence was told.
    without_since_us: Option<u64>,
    told_without: bool,
}

struct SplitWatermark {
    /// The highest candidate.
    highest: Timestamp,
    /// The last candidate given out.
    given: Timestamp,
    /// When its last record came.
    heard_us: u64,
    idle: bool,
}

/// What a row or a moment does to the source's watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It moves to here.
    To(Timestamp),
    /// All splits are idle.
    Idle,
}

impl SplitWatermarks {
    /// No split yet; an `idle_timeout` of zero means never idle.
    pub fn new(interval: Duration, idle_timeout: Duration) -> Self {
        Self {
            interval_ms: i64::try_from(interval.as_millis()).unwrap_or(i64::MAX),
            idle_timeout_us: u64::try_from(idle_timeout.as_micros()).unwrap_or(u64::MAX),
            splits: BTreeMap::new(),
            given: Timestamp::MIN,
            without_since_us: None,
            told_without: false,
        }
    }

    /// A split that may hold the watermark back from now on.
    pub fn add(&mut self, split: SplitId, now_us: u64) {
        self.without_since_us = None;
        self.told_without = false;
        self.splits.entry(split).or_insert(SplitWatermark {
            highest: Timestamp::MIN,
            given: Timestamp::MIN,
            heard_us: now_us,
            idle: false,
        });
    }

    /// A split that has ended: it holds nothing back any more.
    pub fn remove(&mut self, split: &SplitId) -> Option<Moved> {
        self.splits.remove(split);
        self.minimum_moved()
    }

    /// Takes the candidates of the next rows of `split`, from `from` on, up to and including the first row after which the source's watermark
    /// moves. Gives the number of rows taken and the move.
    pub fn rows(
        &mut self,
        split: &SplitId,
        candidates: impl Iterator<Item = Option<Timestamp>>,
        now_us: u64,
    ) -> (usize, Option<Moved>) {
        self.add(split.clone(), now_us);
        let interval_ms = self.interval_ms;
        let mut taken = 0;
        let state = self.splits.get_mut(split).expect("the split was added just above");
        state.heard_us = now_us;
        state.idle = false;
        let mut due = false;
        for candidate in candidates {
            taken += 1;
            let Some(candidate) = candidate else { continue };
            state.highest = state.highest.max(candidate);
            // Flink compares the first candidate against 0: there is no watermark before 1970.
            if state.highest.saturating_sub(state.given.max(0)) > interval_ms {
                state.given = state.highest;
                due = true;
                break;
            }
        }
        if due {
            return (taken, self.minimum_moved());
        }
        (taken, None)
    }

    /// Looks for splits that have been silent for the idle timeout.
    pub fn silence(&mut self, now_us: u64) -> Option<Moved> {
        if self.idle_timeout_us == 0 {
            return None;
        }
        if self.splits.is_empty() {
            // A subtask without splits says nothing either: with a timeout it is idle after it.
            let since_us = *self.without_since_us.get_or_insert(now_us);
            let due = !self.told_without && now_us.saturating_sub(since_us) >= self.idle_timeout_us;
            self.told_without |= due;
            return due.then_some(Moved::Idle);
        }
        let mut changed = false;
        for state in self.splits.values_mut() {
            if !state.idle && now_us.saturating_sub(state.heard_us) >= self.idle_timeout_us {
                state.idle = true;
                changed = true;
            }
        }
        if !changed {
            return None;
        }
        if self.splits.values().all(|state| state.idle) { Some(Moved::Idle) } else { self.minimum_moved() }
    }

    fn minimum_moved(&mut self) -> Option<Moved> {
        let minimum = self.splits.values().filter(|state| !state.idle).map(|state| state.given).min()?;
        if minimum <= self.given {
            return None;
        }
        self.given = minimum;
        Some(Moved::To(minimum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(name: &str) -> SplitId {
        SplitId(name.into())
    }

    fn feed(marks: &mut SplitWatermarks, name: &str, rows: &[i64]) -> Vec<(usize, i64)> {
        let (mut from, mut moves) = (0, Vec::new());
        while from < rows.len() {
            let (taken, moved) = marks.rows(&split(name), rows[from..].iter().map(|row| Some(*row)), 0);
            from += taken;
            if let Some(Moved::To(watermark)) = moved {
                moves.push((from, watermark));
            }
        }
        moves
    }

    #[test]
    fn a_watermark_follows_the_row_that_exceeds_the_last_one_by_the_interval() {
        let mut marks = SplitWatermarks::new(Duration::from_millis(10), Duration::ZERO);
        assert_eq!(feed(&mut marks, "a", &[100, 105, 110, 111, 90, 122]), [(1, 100), (4, 111), (6, 122)]);
    }

    #[test]
    fn there_is_no_watermark_before_1970() {
        let mut marks = SplitWatermarks::new(Duration::ZERO, Duration::ZERO);
        assert_eq!(feed(&mut marks, "a", &[-5, -1, 0, 1]), [(4, 1)]);
    }

    #[test]
    fn the_slowest_split_holds_the_watermark_until_it_ends() {
        let mut marks = SplitWatermarks::new(Duration::ZERO, Duration::ZERO);
        marks.add(split("b"), 0);
        assert_eq!(feed(&mut marks, "a", &[5, 6]), []);
        assert_eq!(feed(&mut marks, "b", &[3]), [(1, 3)]);
        assert_eq!(marks.remove(&split("b")), Some(Moved::To(6)));
    }

    #[test]
    fn a_subtask_without_splits_is_idle_after_the_timeout_once() {
        let mut marks = SplitWatermarks::new(Duration::ZERO, Duration::from_millis(1));
        assert_eq!(marks.silence(500), None);
        assert_eq!(marks.silence(1500), Some(Moved::Idle));
        assert_eq!(marks.silence(9000), None);
        assert_eq!(feed(&mut marks, "a", &[5]), [(1, 5)]);
    }

    #[test]
    fn an_idle_split_holds_nothing_back_until_it_speaks_again() {
        let mut marks = SplitWatermarks::new(Duration::ZERO, Duration::from_millis(1));
        marks.add(split("b"), 0);
        assert_eq!(feed(&mut marks, "a", &[5]), []);
        marks.rows(&split("a"), [Some(6)].into_iter(), 900);
        assert_eq!(marks.silence(1000), Some(Moved::To(6)));
        assert_eq!(marks.silence(2000), Some(Moved::Idle));
        assert_eq!(feed(&mut marks, "b", &[2]), [], "a watermark never goes back");
    }
}
