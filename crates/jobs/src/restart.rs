//! Restart strategies: what a failure leads to. Flink's four, with Flink's figures.

use std::collections::VecDeque;
use std::time::Duration;

use weir_base::Timestamp;

/// `restart-strategy.type` with its figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RestartStrategy {
    /// `none`: the first failure ends the job.
    None,
    /// `fixed-delay`
    FixedDelay {
        /// Restarts at most.
        attempts: u64,
        /// Time before each.
        delay: Duration,
    },
    /// `exponential-delay`
    ExponentialDelay {
        /// Time before the first restart.
        initial: Duration,
        /// Time before a restart at most.
        max: Duration,
        /// By how much the time grows with each failure.
        multiplier: f64,
        /// A run that lasted this long starts the count anew.
        reset_after: Duration,
        /// Share by which the time is moved at random, both ways.
        jitter: f64,
        /// Restarts at most before the count starts anew; `u64::MAX`: no bound.
        attempts: u64,
    },
    /// `failure-rate`
    FailureRate {
        /// Failures within `interval` that still lead to a restart.
        failures_max: usize,
        /// The interval.
        interval: Duration,
        /// Time before each restart.
        delay: Duration,
    },
}

/// The strategy with what has happened so far.
#[derive(Debug)]
pub struct Restarts {
    strategy: RestartStrategy,
    count: u64,
    delay: Duration,
    failures: VecDeque<Timestamp>,
    last_failure: Option<Timestamp>,
}

impl Restarts {
    /// Nothing has happened yet.
    pub fn new(strategy: RestartStrategy) -> Self {
        let delay = match strategy {
            RestartStrategy::ExponentialDelay { initial, .. } => initial,
            _ => Duration::ZERO,
        };
        Self { strategy, count: 0, delay, failures: VecDeque::new(), last_failure: None }
    }

    /// A failure at `now`: the time until the restart, or `None` when the job has failed for good. `random` is in `[0, 1)`.
    pub fn failed(&mut self, now: Timestamp, random: f64) -> Option<Duration> {
        match self.strategy {
            RestartStrategy::None => None,
            RestartStrategy::FixedDelay { attempts, delay } => {
                self.count += 1;
                (self.count <= attempts).then_some(delay)
            }
            RestartStrategy::ExponentialDelay { initial, max, multiplier, reset_after, jitter, attempts } => {
                let quiet = self.last_failure.is_some_and(|last| now - last >= millis(reset_after + self.delay));
                if quiet {
                    self.count = 0;
                    self.delay = initial;
                }
                self.last_failure = Some(now);
                self.count += 1;
                if self.count > attempts {
                    return None;
                }
                let delay = self.delay;
                self.delay = delay.mul_f64(multiplier).min(max);
                Some(delay.mul_f64((1.0 + jitter * (2.0 * random - 1.0)).max(0.0)))
            }
            RestartStrategy::FailureRate { failures_max, interval, delay } => {
                self.failures.push_back(now);
                while self.failures.front().is_some_and(|first| now - first > millis(interval)) {
                    self.failures.pop_front();
                }
                (self.failures.len() <= failures_max).then_some(delay)
            }
        }
    }
}

fn millis(duration: Duration) -> Timestamp {
    Timestamp::try_from(duration.as_millis()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn delays(strategy: RestartStrategy, failures: &[Timestamp]) -> Vec<Option<u128>> {
        let mut restarts = Restarts::new(strategy);
        failures.iter().map(|at| restarts.failed(*at, 0.5).map(|delay| delay.as_millis())).collect()
    }

    #[test]
    fn none_ends_the_job_at_the_first_failure() {
        assert_eq!(delays(RestartStrategy::None, &[0]), [None]);
    }

    #[test]
    fn fixed_delay_gives_up_after_its_attempts() {
        let strategy = RestartStrategy::FixedDelay { attempts: 2, delay: SECOND };
        assert_eq!(delays(strategy, &[0, 10, 20]), [Some(1000), Some(1000), None]);
    }

    #[test]
    fn exponential_delay_grows_to_its_bound_and_starts_anew_after_a_quiet_time() {
        let strategy = RestartStrategy::ExponentialDelay {
            initial: SECOND,
            max: 3 * SECOND,
            multiplier: 2.0,
            reset_after: 60 * SECOND,
            jitter: 0.1,
            attempts: u64::MAX,
        };
        let expected = [Some(1000), Some(2000), Some(3000), Some(3000), Some(1000)];
        assert_eq!(delays(strategy, &[0, 1_000, 2_000, 3_000, 100_000]), expected);
    }

    #[test]
    fn failure_rate_counts_failures_within_its_interval() {
        let strategy = RestartStrategy::FailureRate { failures_max: 2, interval: 10 * SECOND, delay: SECOND };
        assert_eq!(delays(strategy, &[0, 20_000, 21_000, 22_000]), [Some(1000), Some(1000), Some(1000), None]);
    }
}
