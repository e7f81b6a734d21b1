//! The thread beside a source task that waits for the outside: it fetches raw records into a short queue and wakes the task.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded, unbounded};
use weir_base::limits::FETCH_QUEUE_MAX;
use weir_base::{Clock, Result, Thread, spawn};
use weir_connector::{Fetch, Position, Reader, SplitId};

use super::RunShared;
use crate::scheduler::Waker;

/// How long a fetch waits for a first record, so that new splits and the end are noticed in time.
const WAIT: Duration = Duration::from_millis(100);

/// A fetch with the moment it came, microseconds of the clock's monotonic side.
pub struct Fetched {
    /// What came.
    pub fetch: Result<Fetch>,
    /// When.
    pub at_us: u64,
}

/// The task's side of its reader.
pub struct ReaderHandle {
    source: FetchFrom,
    clock: Arc<dyn Clock>,
}

enum FetchFrom {
    /// A thread that fetches ahead.
    Thread { commands: Sender<(SplitId, Option<Position>)>, fetches: Receiver<Fetched>, _thread: Thread<()> },
    /// The task itself fetches: one order of events for one seed.
    Inline(Box<dyn Reader>),
}

/// Starts the thread of `reader`, or none when the run must be `deterministic`.
///
/// # Errors
/// The system gives no thread.
pub fn start_reader(
    name: &str,
    reader: Box<dyn Reader>,
    shared: &Arc<RunShared>,
    waker: Waker,
    deterministic: bool,
) -> Result<ReaderHandle> {
    let clock = Arc::clone(&shared.clock);
    if deterministic {
        return Ok(ReaderHandle { source: FetchFrom::Inline(reader), clock });
    }
    let (commands, incoming) = unbounded();
    let (outgoing, fetches) = bounded(FETCH_QUEUE_MAX);
    let body =
        ReaderThread { reader, shared: Arc::clone(shared), commands: incoming, fetches: outgoing, waker, splits: 0 };
    let thread = spawn(format!("weir-read-{name}"), move || body.run())?;
    Ok(ReaderHandle { source: FetchFrom::Thread { commands, fetches, _thread: thread }, clock })
}

impl ReaderHandle {
    /// Hands a split over.
    ///
    /// # Errors
    /// The reader refuses it (told at the next fetch where a thread reads).
    pub fn add(&mut self, split: SplitId, from: Option<Position>) -> Result<()> {
        match &mut self.source {
            FetchFrom::Thread { commands, .. } => {
                // A thread that has ended has said why through its queue.
                let _ = commands.send((split, from));
                Ok(())
            }
            FetchFrom::Inline(reader) => reader.add(split, from),
        }
    }

    /// The next fetch, if there is one already.
    pub fn poll(&mut self) -> Option<Fetched> {
        match &mut self.source {
            FetchFrom::Thread { fetches, .. } => fetches.try_recv().ok(),
            FetchFrom::Inline(reader) => match reader.fetch(Duration::ZERO) {
                Ok(Fetch::Nothing) => None,
                fetch => Some(Fetched { fetch, at_us: self.clock.monotonic_us() }),
            },
        }
    }
}

struct ReaderThread {
    reader: Box<dyn Reader>,
    shared: Arc<RunShared>,
    commands: Receiver<(SplitId, Option<Position>)>,
    fetches: Sender<Fetched>,
    waker: Waker,
    splits: usize,
}

impl ReaderThread {
    fn run(mut self) {
        while !self.shared.is_cancelled() {
            let fetch = match self.take_commands() {
                Ok(()) if self.splits == 0 => continue,
                Ok(()) => self.reader.fetch(WAIT),
                Err(error) => Err(error),
            };
            match fetch {
                Ok(Fetch::Nothing) => {}
                fetch => {
                    let failed = fetch.is_err();
                    if matches!(fetch, Ok(Fetch::End(_))) {
                        self.splits -= 1;
                    }
                    let at_us = self.shared.clock.monotonic_us();
                    if !self.hand_over(Fetched { fetch, at_us }) || failed {
                        return;
                    }
                }
            }
        }
    }

    /// Takes over the splits that have come; waits for one when there is none to read.
    fn take_commands(&mut self) -> Result<()> {
        loop {
            let command = if self.splits == 0 {
                match self.commands.recv_timeout(WAIT) {
                    Ok(command) => command,
                    Err(RecvTimeoutError::Timeout) => return Ok(()),
                    Err(RecvTimeoutError::Disconnected) => {
                        self.shared.clock.sleep(WAIT);
                        return Ok(());
                    }
                }
            } else {
                match self.commands.try_recv() {
                    Ok(command) => command,
                    Err(_) => return Ok(()),
                }
            };
            self.reader.add(command.0, command.1)?;
            self.splits += 1;
        }
    }

    /// Puts a fetch into the queue; false when nobody wants it any more.
    fn hand_over(&mut self, mut fetched: Fetched) -> bool {
        loop {
            match self.fetches.send_timeout(fetched, WAIT) {
                Ok(()) => {
                    self.waker.wake();
                    return true;
                }
                Err(SendTimeoutError::Timeout(back)) if !self.shared.is_cancelled() => {
                    fetched = back;
                    self.reader.held_up();
                }
                Err(_) => return false,
            }
        }
    }
}
