//! The sinks of a run as the coordinator sees them: what is prepared, what is applied, what is still carried.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use weir_base::{Clock, Epoch, Result};
use weir_connector::{Batch, Committer, Flush, Prepared, Writer, dead_letter_batch};
use weir_metrics::Histogram;
use weir_ports::{DEAD_LETTERS_UID, PreparedSink};

/// The committers of a run.
pub struct Sinks {
    committers: BTreeMap<String, Box<dyn Committer>>,
    /// Prepared and not yet visible, oldest first, by sink uid.
    waiting: BTreeMap<String, Vec<Prepared>>,
    /// Work that makes them durable.
    flushes: Vec<Flush>,
    /// (fetched_us, rows) of the epoch that is being closed.
    fetched: Vec<(u64, u64)>,
    /// Newest epoch handed to `apply`.
    handed: Epoch,
    letters: LetterBox,
    clock: Arc<dyn Clock>,
}

/// The coordinator's own way to the dead letters, for rows that an outside refused.
pub struct LetterBox {
    /// The job, as it stands in a letter.
    pub job: String,
    /// A writer of the dead letters' sink.
    pub writer: Box<dyn Writer>,
}

impl Sinks {
    /// Committers by uid; `waiting` is what a restored checkpoint still carries.
    pub fn new(
        committers: BTreeMap<String, Box<dyn Committer>>,
        waiting: BTreeMap<String, Vec<Prepared>>,
        handed: Epoch,
        letters: LetterBox,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { committers, waiting, flushes: Vec::new(), fetched: Vec::new(), handed, letters, clock }
    }

    /// Takes what sinks prepared.
    ///
    /// # Errors
    /// Never today; the signature leaves room for sinks that check what they are handed.
    pub fn prepared(&mut self, prepared: Vec<PreparedSink>) -> Result<()> {
        for sink in prepared {
            self.waiting.entry(sink.uid).or_default().push(sink.prepared);
            self.flushes.extend(sink.flush);
            self.fetched.extend(sink.fetched);
        }
        Ok(())
    }

    /// Closes `epoch`: makes everything prepared durable, drops what is visible by now, and sets refused rows aside.
    ///
    /// # Errors
    /// Something could not be made durable.
    pub fn collect_refused(&mut self, epoch: Epoch) -> Result<()> {
        let mut refused = Vec::new();
        for (uid, committer) in &mut self.committers {
            let progress = committer.progress(self.handed);
            refused.extend(progress.refused);
            if let Some(waiting) = self.waiting.get_mut(uid) {
                waiting.retain(|prepared| prepared.epoch > progress.applied);
            }
        }
        if !refused.is_empty() {
            let batch = dead_letter_batch(&self.letters.job, epoch, &refused, self.clock.now())?;
            self.letters.writer.write(&Batch::inserts(batch, 0)).map_err(|error| error.within("write dead letters"))?;
        }
        let (prepared, flush) = self.letters.writer.prepare(epoch)?;
        self.waiting.entry(DEAD_LETTERS_UID.to_owned()).or_default().push(prepared);
        self.flushes.extend(flush);
        for flush in self.flushes.drain(..) {
            flush()?;
        }
        Ok(())
    }

    /// Everything prepared that is not visible yet, by sink uid: what a checkpoint must hold.
    pub fn waiting(&self) -> &BTreeMap<String, Vec<Prepared>> {
        &self.waiting
    }

    /// Step 4: makes all of `epoch` visible, and notes how long its rows took since they were fetched.
    ///
    /// # Errors
    /// An outside failed for good.
    pub fn apply(&mut self, epoch: Epoch, latency_us: &Histogram) -> Result<()> {
        for (uid, committer) in &mut self.committers {
            let prepared: Vec<Prepared> = match self.waiting.get(uid) {
                // What was handed over in earlier epochs is on its way already.
                Some(waiting) => waiting.iter().filter(|prepared| prepared.epoch > self.handed).cloned().collect(),
                None => Vec::new(),
            };
            committer.apply(epoch, &prepared).map_err(|error| error.within(format!("make epoch {epoch} visible")))?;
        }
        self.handed = epoch;
        let now_us = self.clock.monotonic_us();
        for (fetched_us, rows) in self.fetched.drain(..).filter(|(fetched_us, _)| *fetched_us > 0) {
            latency_us.record(now_us.saturating_sub(fetched_us), rows);
        }
        Ok(())
    }

    /// After a restore: applies again what the restored checkpoint had decided.
    ///
    /// # Errors
    /// An outside failed for good.
    pub fn redo(&mut self, epoch: Epoch) -> Result<()> {
        for (uid, committer) in &mut self.committers {
            let prepared = self.waiting.get(uid).cloned().unwrap_or_default();
            committer
                .apply(epoch, &prepared)
                .map_err(|error| error.within(format!("make epoch {epoch} visible again")))?;
        }
        self.handed = epoch;
        Ok(())
    }

    /// Waits until all that was applied is visible, at most `wait` for each sink.
    ///
    /// # Errors
    /// An outside failed for good.
    pub fn drain(&mut self, wait: Duration) -> Result<bool> {
        let mut done = true;
        for committer in self.committers.values_mut() {
            done &= committer.drain(wait)?;
        }
        Ok(done)
    }
}
