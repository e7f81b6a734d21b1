//! Tasks are stepped by a fixed pool of threads, never by a thread each.

mod pool;

pub use pool::{Pool, Waker};

/// A task: a state machine that does a little at a time and never waits.
pub trait Task: Send {
    /// Does a bounded piece of work.
    fn step(&mut self) -> Step;

    /// Whether it must be stepped every `TICK`, awake or not: it has processing time to watch.
    fn wants_ticks(&self) -> bool;
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There may be more to do: step again.
    Progress,
    /// Nothing to do until somebody wakes the task.
    Idle,
    /// The task cannot go on until somebody takes what it has given; it will be woken.
    Blocked,
    /// The task has ended.
    Finished,
}
