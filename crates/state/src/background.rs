//! One piece of work at a time beside the caller's own.

use std::sync::{Mutex, PoisonError};

use weir_base::{Result, Thread, spawn};

/// Runs one piece of work at a time on a thread of its own; dropping it waits.
#[derive(Default)]
pub(crate) struct Background {
    running: Mutex<Option<Thread<()>>>,
}

impl Background {
    /// Starts `work`, unless the last piece is still running: then nothing happens.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start<F: FnOnce() + Send + 'static>(&self, name: &str, work: F) -> Result<()> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.as_ref().is_none_or(Thread::is_finished) {
            *running = Some(spawn(name, work)?);
        }
        Ok(())
    }

    /// Waits until nothing runs.
    pub(crate) fn wait(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = running
            && thread.join().is_err()
        {
            tracing::error!("a background thread of the checkpoint store panicked");
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.wait();
    }
}
