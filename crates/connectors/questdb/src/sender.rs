//! The sender's thread: takes epochs over in order, sends their segments, tries again while QuestDB is away, sets refused rows aside.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use weir_base::limits::DEAD_LETTER_BYTES_MAX;
use weir_base::{Clock, Epoch, Error, Generation, Kind, Result, Rng};
use weir_connector::DeadLetter;
use weir_metrics::{Counter, Gauge, Registry, Scope};

use crate::breaker::Breaker;
use crate::columns::Columns;
use crate::config::Config;
use crate::frame;
use crate::segment::{Blocks, Reference, write_applied};
use crate::table;
use crate::wire::{Outcome, Wire};

/// Rows refused in one epoch before the job fails: then it is the table that does not fit, not a row.
const REFUSED_ROWS_MAX: usize = 100_000;
/// How long the thread sleeps at most before it looks whether it shall end.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// An epoch that was handed over.
pub(crate) struct Handed {
    pub epoch: Epoch,
    pub segments: Vec<Reference>,
}

/// What the committer and the thread share.
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Bytes of prepared rows that are not in QuestDB yet.
    pub carried: AtomicU64,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Handed>,
    /// The newest epoch handed over.
    handed: Epoch,
    /// The newest epoch up to which all is in QuestDB.
    applied: Epoch,
    /// Segments that are applied and not removed, by epoch.
    done: Vec<(Epoch, String)>,
    refused: Vec<DeadLetter>,
    /// Why it gave up for good.
    failed: Option<(Kind, String, Option<String>)>,
    stop: bool,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), carried: AtomicU64::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands an epoch over; one that was handed over before is left alone.
    ///
    /// # Errors
    /// The thread gave up for good.
    pub(crate) fn hand(&self, handed: Handed) -> Result<()> {
        let mut state = self.lock();
        Self::check(&state)?;
        if handed.epoch > state.handed {
            state.handed = handed.epoch;
            if handed.segments.is_empty() && state.queue.is_empty() && state.applied.next() >= handed.epoch {
                state.applied = handed.epoch;
            } else {
                state.queue.push_back(handed);
            }
            self.changed.notify_all();
        }
        Ok(())
    }

    fn check(state: &State) -> Result<()> {
        match &state.failed {
            None => Ok(()),
            Some((kind, words, hint)) => {
                let error = Error::new(*kind, words.clone());
                Err(match hint {
                    Some(hint) => error.hint(hint.clone()),
                    None => error,
                })
            }
        }
    }

    /// The newest applied epoch, and the refused rows up to it, each told once.
    pub(crate) fn progress(&self) -> (Epoch, Vec<DeadLetter>) {
        let mut state = self.lock();
        (state.applied, std::mem::take(&mut state.refused))
    }

    /// Segments applied in an epoch up to `epoch`, each given once: to be removed.
    pub(crate) fn removable(&self, epoch: Epoch) -> Vec<String> {
        let mut state = self.lock();
        let (gone, kept) = std::mem::take(&mut state.done).into_iter().partition(|(of, _)| *of <= epoch);
        state.done = kept;
        gone.into_iter().map(|(_, name)| name).collect()
    }

    /// Waits until all that was handed over is applied.
    ///
    /// # Errors
    /// The thread gave up for good.
    pub(crate) fn drain(&self, clock: &dyn Clock, wait: Duration) -> Result<bool> {
        let deadline = clock.monotonic_us() + u64::try_from(wait.as_micros()).unwrap_or(u64::MAX / 2);
        let mut state = self.lock();
        while state.applied < state.handed {
            Self::check(&state)?;
            if clock.monotonic_us() >= deadline {
                return Ok(false);
            }
            (state, _) = self.changed.wait_timeout(state, LOOK_INTERVAL).unwrap_or_else(PoisonError::into_inner);
        }
        Self::check(&state)?;
        Ok(true)
    }

    /// Lets the thread end at its next look.
    pub(crate) fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    fn stopped(&self) -> bool {
        self.lock().stop
    }
}

/// What the thread owns.
pub(crate) struct Sending {
    pub shared: Arc<Shared>,
    pub config: Config,
    pub columns: Columns,
    pub folder: PathBuf,
    pub generation: Generation,
    pub clock: Arc<dyn Clock>,
    /// The table's full name in the job, for dead letters.
    pub table: String,
    /// Whether the table in QuestDB was made or checked.
    pub ensured: bool,
    pub wire: Wire,
    pub breaker: Breaker,
    pub metrics: Metrics,
}

/// What it counts.
pub(crate) struct Metrics {
    pub rows: Counter,
    pub refused: Counter,
    pub retries: Counter,
}

impl Metrics {
    /// Registers them, and the breaker's state.
    pub(crate) fn new(registry: &Registry) -> (Self, Gauge) {
        let metrics = Self {
            rows: registry.counter(Scope::Job, "questdbRowsSent"),
            refused: registry.counter(Scope::Job, "questdbRowsRefused"),
            retries: registry.counter(Scope::Job, "questdbRequestsRetried"),
        };
        (metrics, registry.gauge(Scope::Job, "questdbCircuitBreakerState"))
    }
}

/// Where a batch's first row stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    segment: &'a str,
    /// Rows of the segment before it.
    row: u64,
}

impl Place<'_> {
    /// The place behind `rows`.
    fn behind(mut self, rows: &[&[u8]]) -> Self {
        self.row += rows.len() as u64;
        self
    }
}

/// The thread was told to end.
struct Stopped;

/// Why an epoch is not applied.
enum Halt {
    Stopped,
    Failed(Error),
}

impl From<Stopped> for Halt {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Seeds the jitter: two tables of a job do not come back at the same instant.
pub(crate) fn jitter(clock: &dyn Clock, table: &str) -> Rng {
    Rng::new(clock.monotonic_us() ^ u64::from(crc32fast::hash(table.as_bytes())))
}

impl Sending {
    /// The thread's body.
    pub(crate) fn run(mut self) {
        while let Some(handed) = self.wait_for_work() {
            match self.apply(&handed) {
                Ok(letters) => self.applied(handed, letters),
                Err(Halt::Stopped) => return,
                Err(Halt::Failed(error)) => {
                    tracing::error!(table = %self.table, %error, "rows for QuestDB cannot be sent");
                    let mut state = self.shared.lock();
                    state.failed =
                        Some((error.kind(), error.message().to_owned(), error.hint_text().map(str::to_owned)));
                    drop(state);
                    self.shared.changed.notify_all();
                    return;
                }
            }
        }
    }

    fn wait_for_work(&self) -> Option<Handed> {
        let mut state = self.shared.lock();
        loop {
            if state.stop {
                return None;
            }
            if let Some(handed) = state.queue.pop_front() {
                return Some(handed);
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn applied(&self, handed: Handed, letters: Vec<DeadLetter>) {
        if let Err(error) = write_applied(&self.folder, self.generation, handed.epoch) {
            // Only a restore from an older checkpoint would miss the mark.
            tracing::warn!(table = %self.table, %error, "the mark of applied rows was not written");
        }
        let bytes: u64 = handed.segments.iter().map(|segment| segment.bytes).sum();
        self.shared.carried.fetch_sub(bytes, Ordering::Relaxed);
        self.metrics.refused.add(letters.len() as u64);
        let mut state = self.shared.lock();
        state.applied = handed.epoch;
        state.refused.extend(letters);
        state.done.extend(handed.segments.into_iter().map(|segment| (handed.epoch, segment.name)));
        drop(state);
        self.shared.changed.notify_all();
    }

    fn apply(&mut self, handed: &Handed) -> Result<Vec<DeadLetter>, Halt> {
        self.ensure()?;
        let mut letters = Vec::new();
        for segment in &handed.segments {
            if segment.columns != self.columns.fingerprint() {
                let what =
                    format!("send carried rows of {} to QuestDB: they were written for other columns", segment.name);
                return Err(Error::invalid(what)
                    .hint("give the table the columns it had, or start with --fresh")
                    .into());
            }
            let mut blocks = Blocks::open(&self.folder.join(&segment.name), segment.bytes)?;
            let (mut block, mut at) = (Vec::new(), Place { segment: &segment.name, row: 0 });
            while blocks.next(&mut block)? {
                let rows = frame::rows(&block)?;
                for batch in rows.chunks(self.config.batch_rows) {
                    self.send(batch, at, &mut letters)?;
                    at = at.behind(batch);
                }
            }
        }
        Ok(letters)
    }

    /// Makes or checks the table if that was not possible at the start.
    fn ensure(&mut self) -> Result<(), Halt> {
        while !self.ensured {
            match table::ensure(&self.config, &self.columns) {
                Ok(()) => self.ensured = true,
                Err(error) if error.kind() == Kind::Unavailable => self.rest(error.message())?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Sends a batch until it is accepted; halves one that is refused until the rows at fault stand alone.
    fn send(&mut self, rows: &[&[u8]], at: Place<'_>, letters: &mut Vec<DeadLetter>) -> Result<(), Halt> {
        loop {
            if self.shared.stopped() {
                return Err(Halt::Stopped);
            }
            match self.wire.send(rows, &self.columns) {
                Outcome::Accepted => {
                    if self.breaker.succeeded() {
                        tracing::info!(table = %self.config.table, "QuestDB answers again");
                    }
                    self.metrics.rows.add(rows.len() as u64);
                    return Ok(());
                }
                Outcome::Failed(words) => self.rest(&words)?,
                Outcome::Refused(words) => {
                    self.breaker.succeeded();
                    return match rows {
                        [] => Ok(()),
                        [row] => self.set_aside(row, at, words, letters),
                        several => {
                            let (first, second) = several.split_at(several.len() / 2);
                            self.send(first, at, letters)?;
                            self.send(second, at.behind(first), letters)
                        }
                    };
                }
            }
        }
    }

    fn set_aside(&self, row: &[u8], at: Place<'_>, words: String, letters: &mut Vec<DeadLetter>) -> Result<(), Halt> {
        if letters.len() >= REFUSED_ROWS_MAX {
            let what = format!(
                "write table '{}' in QuestDB: it refuses more than {REFUSED_ROWS_MAX} rows of an epoch: {words}",
                self.config.table
            );
            return Err(Error::invalid(what).hint("the table does not fit any more: compare its columns").into());
        }
        let mut raw = frame::json(row, &self.columns).into_bytes();
        let raw_length = raw.len() as u64;
        raw.truncate(DEAD_LETTER_BYTES_MAX);
        letters.push(DeadLetter {
            kind: "row",
            cause: words,
            table: self.table.clone(),
            // The same row sent again after a restore is the same letter.
            split: at.segment.to_owned(),
            offset: at.row,
            line: 0,
            column: 0,
            raw,
            raw_length,
            raw_hash: None,
        });
        Ok(())
    }

    /// Waits after a failure, longer each time.
    fn rest(&mut self, words: &str) -> Result<(), Stopped> {
        self.metrics.retries.add(1);
        let (wait, begins) = self.breaker.failed();
        if begins {
            tracing::warn!(table = %self.config.table, reason = words, "QuestDB does not take rows; they are carried on disk until it does");
        }
        let until = self.clock.monotonic_us() + u64::try_from(wait.as_micros()).unwrap_or(u64::MAX / 2);
        while self.clock.monotonic_us() < until {
            if self.shared.stopped() {
                return Err(Stopped);
            }
            self.clock.sleep(LOOK_INTERVAL.min(wait));
        }
        self.breaker.tries();
        Ok(())
    }
}
