//! A generation's right to write checkpoints: begin, write, complete, end.
//!
//! A delta is cut by the operators against the last *completed* checkpoint, so the chains of checkpoint N are those of the last completed one and N's
//! delta, whatever became of checkpoints between. Old checkpoints go when newer ones are completed, and files with the last manifest that refers to them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use weir_base::{Epoch, Error, Generation, Kind, Result, Timestamp};
use weir_connector::Prepared;
use weir_ports::{Frozen, SourcePositions};

use crate::background::Background;
use crate::checkpoint::{CheckpointStore, Read};
use crate::decide::Decision;
use crate::generation::Fence;
use crate::layout;
use crate::manifest::{GraphShape, Manifest, Trigger, encode_seal};
use crate::restored::RestoredCheckpoint;
use crate::retention::{Retired, State};
use crate::run_record::{RunRecord, RunState, write_mark};
use crate::snapshot;

/// The right of one generation to write checkpoints. Dropping it waits for a merge that is under way.
pub struct Claim {
    inner: Arc<Inner>,
    background: Background,
}

/// What the coordinator has gathered at a barrier.
pub struct Snapshot {
    /// The epoch that the barrier closed.
    pub epoch: Epoch,
    /// Whether the manifest's being there decides: there is no decider, or nothing of this epoch in its transaction.
    pub decided_here: bool,
    /// What it was taken of.
    pub shape: GraphShape,
    /// What the operators froze, subtask by subtask. State that is missing here has not changed.
    pub states: Vec<SubtaskState>,
    /// Where the splits of all sources stand.
    pub positions: Vec<SourcePositions>,
    /// What sinks prepared, by uid: of this epoch, and of earlier ones that are still carried.
    pub prepared: BTreeMap<String, Vec<Prepared>>,
    /// Totals that go on after a restart: uid, name, number.
    pub counters: BTreeMap<String, BTreeMap<String, u64>>,
    /// Watermarks of source subtasks, where known: uid, subtask, milliseconds.
    pub watermarks: Vec<(String, u16, Timestamp)>,
    /// Why it was taken.
    pub trigger: Trigger,
    /// When the barrier was sent.
    pub triggered: Timestamp,
}

/// The state of one operator in one subtask.
pub struct SubtaskState {
    /// The operator.
    pub uid: String,
    /// The key groups that the subtask owns (`weir_base::key_group_range`).
    pub key_groups: Range<u16>,
    /// Its state.
    pub frozen: Frozen,
}

/// A checkpoint that was written, with its figures.
#[derive(Debug, Clone)]
pub struct Written {
    /// The checkpoint.
    pub manifest: Arc<Manifest>,
    /// Bytes that were written: state and manifest (`lastCheckpointSize`).
    pub written_bytes: u64,
    /// Bytes of the state that it refers to (`lastCheckpointFullSize`), with the manifest.
    pub full_bytes: u64,
    /// Delta files that it refers to.
    pub files: usize,
    /// Microseconds for the state: encoded, written, durable.
    pub state_us: u64,
    /// Microseconds for the manifest: encoded, written, durable.
    pub manifest_us: u64,
}

pub(crate) struct Inner {
    pub store: CheckpointStore,
    pub fence: Fence,
    pub generation: Generation,
    pub first: Epoch,
    pub retained: usize,
    state: Mutex<State>,
}

impl Claim {
    pub(crate) fn new(
        store: CheckpointStore,
        fence: Fence,
        generation: Generation,
        first: Epoch,
        retained: usize,
    ) -> Self {
        let state = Mutex::default();
        let inner = Inner { store, fence, generation, first, retained: retained.max(1), state };
        Self { inner: Arc::new(inner), background: Background::default() }
    }

    /// This start's generation.
    pub fn generation(&self) -> Generation {
        self.inner.generation
    }

    /// The first epoch that it can write.
    pub fn first_epoch(&self) -> Epoch {
        self.inner.first
    }

    /// Tells whether this generation may still write.
    pub fn fence(&self) -> &Fence {
        &self.inner.fence
    }

    /// Writes down what the run starts from, and clears away files that no checkpoint refers to. Returns the checkpoint to restore. Where
    /// `Decision::Restore` says `redo`, the caller applies its prepared rows again and calls `complete` with its epoch.
    ///
    /// # Errors
    /// The decision is a refusal; the checkpoint does not read back; this generation is fenced; the storage fails.
    pub fn begin(&self, decision: &Decision) -> Result<Option<RestoredCheckpoint>> {
        let inner = &self.inner;
        let base = match decision {
            Decision::Refuse(refusal) => return Err(refusal.clone().into_error()),
            Decision::Fresh => None,
            Decision::Restore { epoch, .. } => Some(inner.store.manifest(*epoch)?),
        };
        inner.fence.check()?;
        inner.begin(base.clone())?;
        Ok(base.map(|manifest| RestoredCheckpoint::new(Arc::clone(&inner.store.storage), manifest)))
    }

    /// Writes checkpoint `snapshot.epoch`: state, then manifest. When this returns `Ok` it is prepared (and decided, where it is `decided_here`); on an
    /// error it is not there. To be called on a background thread, one call at a time.
    ///
    /// # Errors
    /// `Kind::Conflict`: a newer generation has taken the job over. Else state cannot be given out, or the storage fails.
    pub fn write(&self, snapshot: Snapshot) -> Result<Written> {
        self.inner.write(snapshot)
    }

    /// Notes that `epoch` is completed: decided, and its followers told. From here on deltas are cut against it. Old checkpoints go, and a merge of long
    /// chains starts in the background.
    ///
    /// # Errors
    /// `epoch` is no checkpoint of this store, a newer generation has taken over, or the mark cannot be written.
    pub fn complete(&self, epoch: Epoch) -> Result<Retired> {
        let retired = self.inner.complete(epoch)?;
        if self.inner.is_merge_due() {
            let inner = Arc::clone(&self.inner);
            self.background.start("state-merge", move || {
                if let Err(error) = inner.merge() {
                    // The chain stays as it is, only longer: the next checkpoint tries again.
                    tracing::warn!(error = %error, "long chains of state files could not be merged");
                }
            })?;
        }
        Ok(retired)
    }

    /// Merges long chains now, on this thread. Returns whether there was anything to merge. The next checkpoint takes it up.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn merge(&self) -> Result<bool> {
        self.inner.merge()
    }

    /// Writes down how the run ended.
    ///
    /// # Errors
    /// The storage fails, or `begin` was not called.
    pub fn end(&self, state: RunState) -> Result<()> {
        self.background.wait();
        let inner = &self.inner;
        let mut known = inner.lock();
        let run = known.run.as_mut().ok_or_else(|| Error::internal("end a run that has not begun"))?;
        run.state = state;
        run.ended = Some(inner.store.clock.now());
        run.write(inner.store.storage.as_ref())
    }

    /// The last completed checkpoint, or the one that was restored.
    pub fn last_completed(&self) -> Option<Arc<Manifest>> {
        self.inner.lock().base.clone()
    }
}

impl Inner {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done under the lock: a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, base: Option<Arc<Manifest>>) -> Result<()> {
        let storage = self.store.storage.as_ref();
        let run = RunRecord {
            job: self.store.job.clone(),
            generation: self.generation,
            base: base.as_ref().map(|manifest| manifest.epoch),
            first: self.first,
            started: self.store.clock.now(),
            state: RunState::Running,
            ended: None,
        };
        run.write(storage)?;
        storage.clear_unfinished()?;
        let mut state = self.lock();
        *state = State { run: Some(run), base, slot: Epoch(self.first.0 - 1), ..State::default() };
        for epoch in self.store.epochs()? {
            match self.store.read_slot(epoch)? {
                None | Some(Read::Sealed(_)) => {}
                Some(Read::Damaged(_)) => drop(state.damaged.insert(epoch)),
                Some(Read::Checkpoint(manifest)) => drop(state.manifests.insert(epoch, manifest)),
            }
        }
        let base = state.base.as_ref().map(|manifest| manifest.epoch);
        let completed =
            state.manifests.values().filter(|manifest| manifest.decided_here || Some(manifest.epoch) == base);
        state.completed = completed.map(|manifest| manifest.epoch).collect();
        state.files =
            storage.list(layout::SHARED)?.into_iter().map(|name| format!("{}/{name}", layout::SHARED)).collect();
        let mut retired = Retired::default();
        self.sweep(&mut state, &mut retired);
        for problem in retired.problems {
            tracing::warn!(error = %problem, "a file that no checkpoint needs could not be deleted");
        }
        Ok(())
    }

    fn write(&self, snapshot: Snapshot) -> Result<Written> {
        let epoch = snapshot.epoch;
        let written = self.write_checkpoint(snapshot);
        self.lock().writing = false;
        written.map_err(|error| error.within(format_args!("write checkpoint {epoch} of the job '{}'", self.store.job)))
    }

    fn write_checkpoint(&self, snapshot: Snapshot) -> Result<Written> {
        let clock = &self.store.clock;
        let started = clock.monotonic_us();
        let epoch = snapshot.epoch;
        let chains = {
            let mut state = self.lock();
            state.writing = true;
            let now = clock.now();
            let mut chains = state.base.as_ref().map(|base| base.chains.clone()).unwrap_or_default();
            for (key, from, merged) in state.merged.iter().flat_map(|merged| &merged.parts) {
                chains.replace(key, from, merged.as_ref(), now);
            }
            chains.drop_expired(now);
            chains
        };
        let path = layout::delta(self.generation, epoch);
        let (manifest, delta) = snapshot::write_state(snapshot, &self.store, self.generation, chains, &path)?;
        let state_done = clock.monotonic_us();
        let manifest_bytes = self.write_manifest(&manifest).inspect_err(|_| {
            // Nothing refers to it; what cannot be deleted now goes at the next start.
            let _ = self.store.storage.delete(&path);
        })?;
        let manifest = Arc::new(manifest);
        {
            let mut state = self.lock();
            state.slot = epoch;
            state.manifests.insert(epoch, Arc::clone(&manifest));
            state.files.extend(delta.as_ref().map(|file| file.path.clone()));
        }
        Ok(Written {
            written_bytes: delta.map_or(0, |file| file.bytes) + manifest_bytes,
            full_bytes: manifest.full_bytes() + manifest_bytes,
            files: manifest.chains.files().len(),
            manifest,
            state_us: state_done - started,
            manifest_us: clock.monotonic_us() - state_done,
        })
    }

    /// Puts the manifest into its slot. Returns its length.
    fn write_manifest(&self, manifest: &Manifest) -> Result<u64> {
        let bytes = manifest.encode()?;
        self.fence.check()?;
        let slot = self.lock().slot;
        for skipped in (slot.0 + 1..manifest.epoch.0).map(Epoch) {
            // Where this generation's own seal is there already, an earlier attempt got that far.
            self.take(skipped, &encode_seal(self.generation, skipped), true)?;
            self.lock().slot = skipped;
        }
        self.take(manifest.epoch, &bytes, false)?;
        Ok(bytes.len() as u64)
    }

    /// Takes the slot of `epoch`; `own_will_do`: it may be this generation's already.
    fn take(&self, epoch: Epoch, bytes: &[u8], own_will_do: bool) -> Result<()> {
        if self.store.storage.put_if_absent(&layout::manifest(epoch), bytes)? {
            return Ok(());
        }
        let holder = match self.store.read_slot(epoch)? {
            Some(Read::Sealed(generation)) => Some(generation),
            Some(Read::Checkpoint(manifest)) => Some(manifest.generation),
            Some(Read::Damaged(_)) | None => None,
        };
        if own_will_do && holder == Some(self.generation) {
            return Ok(());
        }
        Err(match holder.filter(|holder| *holder > self.generation) {
            Some(newer) => self.fence.fenced_by(newer),
            None => {
                let place = self.store.storage.describe(&layout::manifest(epoch));
                Error::new(Kind::Conflict, format!("write {place}: it is there already"))
            }
        })
    }

    fn complete(&self, epoch: Epoch) -> Result<Retired> {
        let at =
            |error: Error| error.within(format_args!("complete checkpoint {epoch} of the job '{}'", self.store.job));
        let mut state = self.lock();
        let Some(manifest) = state.manifests.get(&epoch).cloned() else {
            return Err(at(Error::internal("it was not written")));
        };
        self.fence.check().map_err(at)?;
        write_mark(self.store.storage.as_ref(), self.generation, epoch).map_err(at)?;
        // A merge that the new base has taken up, or can take up no more, is over.
        let now = self.store.clock.now();
        state.merged.retain(|merged| {
            let mut chains = manifest.chains.clone();
            merged.parts.iter().any(|(key, from, to)| chains.replace(key, from, to.as_ref(), now))
        });
        state.completed.insert(epoch);
        state.base = Some(manifest);
        let mut retired = Retired::default();
        if !state.writing {
            self.retire(&mut state, epoch, &mut retired);
            self.sweep(&mut state, &mut retired);
        }
        self.forget_older_generations(&mut retired);
        Ok(retired)
    }
}

#[cfg(test)]
mod tests;
