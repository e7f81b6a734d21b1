//! A request to stop a job, from a signal or a caller; shared by its clones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const NONE: u8 = 0;
const STOP: u8 = 1;
const DRAIN: u8 = 2;

/// Whether the job is to stop, and how.
#[derive(Debug, Clone, Default)]
pub struct StopRequest(Arc<AtomicU8>);

impl StopRequest {
    /// Asks for a stop with a last checkpoint, from which the job can go on.
    pub fn stop(&self) {
        self.0.store(STOP, Ordering::Release);
    }

    /// Asks for an end as if the input had ended: all windows fire.
    pub fn drain(&self) {
        self.0.store(DRAIN, Ordering::Release);
    }

    /// Whether either was asked for.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Acquire) != NONE
    }

    /// Whether the job is to drain.
    pub fn drains(&self) -> bool {
        self.0.load(Ordering::Acquire) == DRAIN
    }
}
