//! The checkpoint store of one job: finding out what is there, and claiming the right to write.
//!
//! The way of a start: `open`, `facts` and `unfinished_run` (nothing is claimed yet: a live run is not disturbed), `claim`, ask the decider, `facts` again,
//! `decide`, `Claim::begin`. Writing is `Claim`'s, so that nothing can write without a generation.

use std::path::PathBuf;
use std::sync::Arc;

use weir_base::{Clock, Epoch, Error, Generation, JobId, Kind, Result};

use crate::claim::Claim;
use crate::decide::{CompletionMark, DeciderFact, Facts, Found, Intention, ManifestFact, RunFact};
use crate::generation::{self, Fence};
use crate::layout;
use crate::manifest::{DamagedManifest, Manifest, Slot, decode_slot};
use crate::run_record::{RunRecord, RunState, newest_mark};
use crate::storage::{Storage, local_path, open_storage};

/// The checkpoints of one job.
#[derive(Clone)]
pub struct CheckpointStore {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) job: String,
    id: JobId,
}

/// What was found in a slot.
pub(crate) enum Read {
    Checkpoint(Arc<Manifest>),
    Sealed(Generation),
    Damaged(DamagedManifest),
}

impl CheckpointStore {
    /// Opens the store of the job called `job` in the checkpoint directory `dir` (`execution.checkpointing.dir`): a bare path or `file://`.
    ///
    /// # Errors
    /// The directory's kind is not supported, or its folder can be neither found nor made.
    pub fn open(dir: &str, job: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        let path = local_path(dir)?;
        let absolute =
            std::path::absolute(path).map_err(|source| Error::io(format_args!("use the folder {path}"), source))?;
        let id = JobId::of_name(&absolute.display().to_string(), job);
        Ok(Self::over(open_storage(dir, &id.to_string())?, id, job, clock))
    }

    /// The store over a given storage, whose root is the job's own folder.
    pub fn over(storage: Arc<dyn Storage>, id: JobId, job: &str, clock: Arc<dyn Clock>) -> Self {
        Self { storage, clock, job: job.to_owned(), id }
    }

    /// The job's identity: of its checkpoint directory and name, the same at every start.
    pub fn job_id(&self) -> JobId {
        self.id
    }

    /// The job's folder, as a user would write it.
    pub fn folder(&self) -> String {
        self.storage.describe("").trim_end_matches('/').to_owned()
    }

    /// Where a checkpoint lies, as Flink's `lastCheckpointExternalPath` tells it.
    pub fn external_path(&self, epoch: Epoch) -> String {
        format!("file:{}/chk-{epoch}", self.folder())
    }

    /// The folder where sinks may keep the rows that they carry; not made yet.
    pub fn carried_dir(&self) -> PathBuf {
        PathBuf::from(self.storage.describe(layout::CARRIED))
    }

    /// What the user wants who names a checkpoint by its path (`execution.state-recovery.path`).
    ///
    /// # Errors
    /// The path is not a checkpoint's, or not of this job.
    pub fn recovery_from(&self, path: &str) -> Result<Intention> {
        let what = format!("restore the job '{}' from '{path}'", self.job);
        let local = local_path(path).map_err(|error| error.within(&what))?.trim_end_matches('/');
        let (folder, name) = local.rsplit_once('/').unwrap_or(("", local));
        let Some(epoch) = layout::epoch_of(name) else {
            let hint = format!("name a checkpoint: {}/chk-<number>", self.folder());
            return Err(Error::invalid(format!("{what}: that is not the path of a checkpoint")).hint(hint));
        };
        let absolute = std::path::absolute(folder).map_err(|source| Error::io(&what, source))?;
        if absolute.display().to_string() != self.folder() {
            let hint = "set execution.checkpointing.dir and pipeline.name to those that it was taken with";
            let message = format!("{what}: it is not in this job's folder {}", self.folder());
            return Err(Error::invalid(message).hint(hint));
        }
        Ok(Intention::From(epoch))
    }

    /// The last run, if one was written down.
    ///
    /// # Errors
    /// Its record does not read back, or the storage fails.
    pub fn last_run(&self) -> Result<Option<RunRecord>> {
        RunRecord::newest(self.storage.as_ref())
    }

    /// What is there. Without a decider's answer this serves `unfinished_run` only.
    ///
    /// # Errors
    /// The storage fails, or the run record is damaged. A damaged manifest is a fact, not an error.
    pub fn facts(&self, intention: Intention, decider: DeciderFact) -> Result<Facts> {
        let mut manifests = Vec::new();
        for epoch in self.epochs()? {
            let found = match self.read_slot(epoch)? {
                None | Some(Read::Sealed(_)) => continue,
                Some(Read::Checkpoint(manifest)) => Found::Intact {
                    generation: manifest.generation,
                    decided_here: manifest.decided_here,
                    written: manifest.written,
                },
                Some(Read::Damaged(damaged)) => {
                    Found::Damaged { reason: damaged.error.message().to_owned(), decided_here: damaged.decided_here }
                }
            };
            manifests.push(ManifestFact { epoch, found });
        }
        // A fresh start looks at no former run: a damaged record must not hold it up.
        let run = if intention == Intention::Fresh { None } else { self.last_run()? };
        Ok(Facts {
            job: self.job.clone(),
            folder: self.folder(),
            manifests,
            completed: newest_mark(self.storage.as_ref())?.map_or(CompletionMark::None, CompletionMark::At),
            run: match run.as_ref().map(|run| run.state) {
                None => RunFact::None,
                Some(RunState::Finished) => RunFact::Finished,
                Some(RunState::Running | RunState::Stopped) => RunFact::Unfinished,
            },
            base: run.as_ref().and_then(|run| run.base),
            first: run.map_or(Epoch(1), |run| run.first),
            decider,
            intention,
            now: self.clock.now(),
        })
    }

    /// Claims a new generation, newer than `above` (what the decider knows: `Generation(0)` before it was asked) and all that are here, and seals the
    /// slot behind the newest checkpoint. From here on older processes can write no checkpoint. `retained` is `execution.checkpointing.num-retained`.
    ///
    /// # Errors
    /// The storage fails.
    pub fn claim(&self, above: Generation, retained: usize) -> Result<Claim> {
        let storage = self.storage.as_ref();
        let generation = generation::claim(storage, above, self.clock.now())?;
        let first = generation::seal(storage, generation)?;
        let fence = Fence::new(Arc::clone(&self.storage), generation, self.job.clone());
        Ok(Claim::new(self.clone(), fence, generation, first, retained))
    }

    /// The checkpoint of `epoch`.
    ///
    /// # Errors
    /// It is not there or does not read back, or the storage fails.
    pub fn manifest(&self, epoch: Epoch) -> Result<Arc<Manifest>> {
        match self.read_slot(epoch)? {
            Some(Read::Checkpoint(manifest)) => Ok(manifest),
            Some(Read::Damaged(damaged)) => Err(damaged.error),
            Some(Read::Sealed(_)) | None => {
                let place = self.storage.describe(&layout::manifest(epoch));
                Err(Error::new(Kind::NotFound, format!("read the checkpoint {place}: there is none")))
            }
        }
    }

    /// The epochs whose slots are taken, ascending.
    pub(crate) fn epochs(&self) -> Result<Vec<Epoch>> {
        let mut epochs: Vec<Epoch> = self.storage.list("")?.iter().filter_map(|name| layout::epoch_of(name)).collect();
        epochs.sort_unstable();
        Ok(epochs)
    }

    /// What lies in the slot of `epoch`; `None`: nothing.
    pub(crate) fn read_slot(&self, epoch: Epoch) -> Result<Option<Read>> {
        let name = layout::manifest(epoch);
        let Some(bytes) = self.storage.get(&name)? else { return Ok(None) };
        Ok(Some(match decode_slot(&bytes, epoch, &self.storage.describe(&name)) {
            Ok(Slot::Checkpoint(manifest)) => Read::Checkpoint(Arc::from(manifest)),
            Ok(Slot::Sealed(generation)) => Read::Sealed(generation),
            Err(damaged) => Read::Damaged(damaged),
        }))
    }
}
