//! The circuit breaker: after some failures in a row, requests rest; then a single one tries.

use std::time::Duration;

use weir_base::Rng;
use weir_metrics::Gauge;

/// Failures in a row that open the circuit.
const FAILURES_MAX: u32 = 5;
/// The first wait; each further one is twice as long.
const WAIT_MIN: Duration = Duration::from_millis(100);
/// The longest wait between two tries: how late an outage's end is noticed at most.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// What the breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// All.
    Closed,
    /// Nothing for now.
    Open,
    /// One request that tries.
    HalfOpen,
}

impl State {
    /// The value of the metric: 0 closed, 1 open, 2 half-open.
    fn number(self) -> f64 {
        match self {
            Self::Closed => 0.0,
            Self::Open => 1.0,
            Self::HalfOpen => 2.0,
        }
    }
}

/// Counts failures and says how long to wait.
pub(crate) struct Breaker {
    state: State,
    failures: u32,
    rng: Rng,
    gauge: Gauge,
}

impl Breaker {
    pub(crate) fn new(rng: Rng, gauge: Gauge) -> Self {
        Self { state: State::Closed, failures: 0, rng, gauge }
    }

    #[cfg(test)]
    pub(crate) fn state(&self) -> State {
        self.state
    }

    fn set(&mut self, state: State) {
        self.state = state;
        self.gauge.set(state.number());
    }

    /// A request went through. Returns whether that ends an outage.
    pub(crate) fn succeeded(&mut self) -> bool {
        let was = self.state;
        self.failures = 0;
        self.set(State::Closed);
        was != State::Closed
    }

    /// A request failed. Returns how long to wait before the next one, and whether this begins an outage.
    pub(crate) fn failed(&mut self) -> (Duration, bool) {
        let doublings = self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        let begins = self.state == State::Closed && self.failures >= FAILURES_MAX;
        if self.failures >= FAILURES_MAX {
            self.set(State::Open);
        }
        let wait = WAIT_MIN.saturating_mul(1 << doublings).min(WAIT_MAX);
        // Between half and the whole of it, so that many tables do not come back at the same instant.
        (wait.mul_f64(0.5 + self.rng.unit() / 2.0), begins)
    }

    /// The wait is over: the next request tries.
    pub(crate) fn tries(&mut self) {
        if self.state == State::Open {
            self.set(State::HalfOpen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_open_it_a_try_half_opens_it_and_a_success_closes_it() {
        let gauge = Gauge::default();
        let mut breaker = Breaker::new(Rng::new(1), gauge.clone());
        let mut last = Duration::ZERO;
        for failure in 1..=4 {
            let (wait, begins) = breaker.failed();
            assert!(!begins, "{failure}");
            assert!(wait >= WAIT_MIN / 2 && wait <= WAIT_MIN * (1 << (failure - 1)), "{wait:?}");
            last = last.max(wait);
        }
        assert_eq!(breaker.state(), State::Closed);
        assert!(breaker.failed().1);
        assert_eq!((breaker.state(), gauge.get()), (State::Open, 1.0));
        breaker.tries();
        assert_eq!((breaker.state(), gauge.get()), (State::HalfOpen, 2.0));
        assert!(!breaker.failed().1, "a failing try does not begin another outage");
        for _ in 0..100 {
            assert!(breaker.failed().0 <= WAIT_MAX);
        }
        assert!(breaker.succeeded());
        assert_eq!((breaker.state(), gauge.get()), (State::Closed, 0.0));
        assert!(!breaker.succeeded());
    }
}
