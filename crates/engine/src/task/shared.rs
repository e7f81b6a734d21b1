//! What all tasks of a run share: the barrier that is asked for, how far epochs are, and the way to tell the coordinator.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use weir_base::{Clock, Epoch, Error};
use weir_ports::{Barrier, Event};

/// State of a run that its tasks and its owner see.
pub struct RunShared {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Number of tasks in the run.
    pub tasks: usize,
    events: Mutex<Sender<Event>>,
    barrier: Mutex<Option<Barrier>>,
    barrier_epoch: AtomicU64,
    decided: AtomicU64,
    completed: AtomicU64,
    sources_open: AtomicUsize,
    draining: AtomicBool,
    cancelled: AtomicBool,
    failed: AtomicBool,
}

impl RunShared {
    /// A run of `tasks` tasks, `sources` of them sources.
    pub fn new(clock: Arc<dyn Clock>, tasks: usize, sources: usize, events: Sender<Event>) -> Self {
        Self {
            clock,
            tasks,
            events: Mutex::new(events),
            barrier: Mutex::new(None),
            barrier_epoch: AtomicU64::new(0),
            decided: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            sources_open: AtomicUsize::new(sources),
            draining: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        }
    }

    /// Tells the coordinator; it may have gone already, when nobody wants to know any more.
    pub fn tell(&self, event: Event) {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = events.send(event);
    }

    /// Tells of a failure, the first one only: what follows it is its consequence.
    pub fn fail(&self, error: Error) {
        if !self.failed.swap(true, Ordering::AcqRel) {
            self.tell(Event::Failed(error));
        }
    }

    /// Asks the sources for `barrier`.
    pub fn request(&self, barrier: Barrier) {
        *self.barrier.lock().unwrap_or_else(PoisonError::into_inner) = Some(barrier);
        self.barrier_epoch.store(barrier.epoch.0, Ordering::Release);
    }

    /// The barrier asked for, if it is newer than `last`.
    pub fn requested(&self, last: Epoch) -> Option<Barrier> {
        if self.barrier_epoch.load(Ordering::Acquire) <= last.0 {
            return None;
        }
        *self.barrier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest decided epoch.
    pub fn decided(&self) -> Epoch {
        Epoch(self.decided.load(Ordering::Acquire))
    }

    /// Moves the newest decided epoch.
    pub fn set_decided(&self, epoch: Epoch) {
        self.decided.store(epoch.0, Ordering::Release);
    }

    /// The newest completed epoch.
    pub fn completed(&self) -> Epoch {
        Epoch(self.completed.load(Ordering::Acquire))
    }

    /// Moves the newest completed epoch.
    pub fn set_completed(&self, epoch: Epoch) {
        self.completed.store(epoch.0, Ordering::Release);
    }

    /// One more source task has come to its end; tells the coordinator when it was the last one.
    pub fn source_exhausted(&self) {
        if self.sources_open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.tell(Event::Exhausted);
        }
    }

    /// Whether all sources are to end as if they were bounded.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Ends all sources.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether all tasks are to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Ends all tasks.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }
}
