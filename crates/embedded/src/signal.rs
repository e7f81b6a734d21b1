//! Wakes readers in this process when something became visible; readers of other processes look again by themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// Counts the moves of marks under one folder.
#[derive(Default)]
pub(crate) struct Signal {
    moves: Mutex<u64>,
    moved: Condvar,
}

static SIGNALS: Mutex<BTreeMap<PathBuf, Weak<Signal>>> = Mutex::new(BTreeMap::new());

impl Signal {
    /// The one signal of `folder` in this process.
    pub(crate) fn of(folder: &Path) -> Arc<Self> {
        let mut signals = lock(&SIGNALS);
        if let Some(signal) = signals.get(folder).and_then(Weak::upgrade) {
            return signal;
        }
        signals.retain(|_, signal| signal.strong_count() > 0);
        let signal = Arc::new(Self::default());
        signals.insert(folder.to_owned(), Arc::downgrade(&signal));
        signal
    }

    /// Says that a mark moved.
    pub(crate) fn moved(&self) {
        *lock(&self.moves) += 1;
        self.moved.notify_all();
    }

    /// Moves so far: to be asked before looking at the marks, and handed to `wait`.
    pub(crate) fn moves(&self) -> u64 {
        *lock(&self.moves)
    }

    /// Waits until a mark has moved since `seen`, at most `wait`.
    pub(crate) fn wait(&self, seen: u64, wait: Duration) {
        let moves = lock(&self.moves);
        // Whether it was the time or a move is the same to the caller: it looks at the marks again.
        let _ = self.moved.wait_timeout_while(moves, wait, |moves| *moves == seen);
    }
}

/// Locks `mutex` also after a panic elsewhere: what it guards is changed in single steps.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
