//! The committer: hands decided epochs to the sender's thread, tells how far it is, removes what no checkpoint needs any more.
//!
//! A segment of epoch N is removed when checkpoint K > N, whose manifest says that N is applied, is complete, which the next `apply` shows. A restore of
//! K names no such segment. An older checkpoint that is kept may: then the mark `applied` tells that its rows are in QuestDB.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use weir_base::{Clock, Epoch, Error, Generation, Kind, Result, Thread};
use weir_connector::{Committer, Prepared, Progress};

use crate::segment::{Reference, parse_name, read_applied};
use crate::sender::{Handed, Shared};

/// How long the thread may take to end: a request under way ends by its own timeout, nobody waits for it.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// Hands epochs over.
pub(crate) struct QuestDbCommitter {
    pub shared: Arc<Shared>,
    pub folder: PathBuf,
    pub generation: Generation,
    pub clock: Arc<dyn Clock>,
    pub thread: Option<Thread<()>>,
    /// What the last `progress` told: it is complete with the next epoch.
    pub told: Epoch,
}

impl QuestDbCommitter {
    /// The segments of an epoch that are still to be sent.
    fn segments(&self, epoch: Epoch, prepared: &[Prepared]) -> Result<Vec<Reference>> {
        let mut segments = Vec::new();
        for one in prepared {
            let Some(segment) = Reference::of_state(&one.state)? else { continue };
            let path = self.folder.join(&segment.name);
            if path.exists() {
                if parse_name(&segment.name).is_some_and(|(generation, _)| generation != self.generation) {
                    // Written by an earlier start: not counted yet by any writer of this one.
                    self.shared.carried.fetch_add(segment.bytes, Ordering::Relaxed);
                }
                segments.push(segment);
                continue;
            }
            let applied = read_applied(&self.folder)?;
            // By epoch alone: a later generation goes on with the epochs of the one before.
            let of = parse_name(&segment.name).map(|(_, epoch)| epoch);
            if of.is_none_or(|of| applied.is_none_or(|(_, applied)| applied < of)) {
                let what =
                    format!("send the carried rows of epoch {epoch} to QuestDB: {} is not there", path.display());
                return Err(Error::new(Kind::Corrupt, what)
                    .hint("restore the folder together with the checkpoints, or start with --fresh"));
            }
        }
        Ok(segments)
    }

    fn remove(&self, up_to: Epoch) {
        for name in self.shared.removable(up_to) {
            if let Err(error) = std::fs::remove_file(self.folder.join(&name)) {
                tracing::debug!(name, %error, "an applied segment was not removed");
            }
        }
    }
}

impl Committer for QuestDbCommitter {
    fn apply(&mut self, epoch: Epoch, prepared: &[Prepared]) -> Result<()> {
        // Each prepared row names its own epoch: the job may hand over epochs that an earlier checkpoint carried.
        let segments = self.segments(epoch, prepared)?;
        self.shared.hand(Handed { epoch, segments })?;
        self.remove(Epoch(self.told.0.min(epoch.0.saturating_sub(1))));
        Ok(())
    }

    fn progress(&mut self, _: Epoch) -> Progress {
        let (applied, refused) = self.shared.progress();
        self.told = applied;
        Progress { applied, refused }
    }

    fn drain(&mut self, wait: Duration) -> Result<bool> {
        self.shared.drain(self.clock.as_ref(), wait)
    }
}

impl Drop for QuestDbCommitter {
    fn drop(&mut self) {
        self.shared.stop();
        let Some(thread) = self.thread.take() else { return };
        let until = self.clock.monotonic_us() + u64::try_from(END_TIMEOUT.as_micros()).unwrap_or(0);
        while !thread.is_finished() && self.clock.monotonic_us() < until {
            self.clock.sleep(Duration::from_millis(5));
        }
        if thread.is_finished() {
            drop(thread.join());
        }
    }
}
