//! What a claim knows of its folder, which old checkpoints and files go, and when long chains are merged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use weir_base::{Epoch, Error, Result};

use crate::chain::Chains;
use crate::claim::Inner;
use crate::compact::{self, Merged};
use crate::layout;
use crate::manifest::Manifest;
use crate::run_record::RunRecord;

/// What became of old checkpoints when a newer one was completed.
#[derive(Debug, Default)]
pub struct Retired {
    /// Checkpoints deleted.
    pub checkpoints: usize,
    /// Files deleted.
    pub files: usize,
    /// What could not be deleted, and why: tried again with the next checkpoint.
    pub problems: Vec<Error>,
}

/// What is known of the folder; nothing else writes there.
#[derive(Default)]
pub(crate) struct State {
    pub run: Option<RunRecord>,
    /// The last completed checkpoint (or the restored one): what deltas are cut against.
    pub base: Option<Arc<Manifest>>,
    /// All intact manifests there are.
    pub manifests: BTreeMap<Epoch, Arc<Manifest>>,
    /// Those of them that count as completed.
    pub completed: BTreeSet<Epoch>,
    /// Epochs of manifests that do not read back.
    pub damaged: BTreeSet<Epoch>,
    /// Delta files there are.
    pub files: BTreeSet<String>,
    /// Merges that no completed checkpoint has taken up yet.
    pub merged: Vec<Merged>,
    pub merges: u64,
    /// What a merge is reading.
    pub merging: Option<Chains>,
    /// Whether a checkpoint is being written, from chains that nobody refers to but it.
    pub writing: bool,
    /// The newest slot that this generation (or its seal) holds.
    pub slot: Epoch,
}

impl Inner {
    /// Deletes checkpoints older than `newest` beyond those that are retained: completed ones too many, and all that were never decided.
    pub(crate) fn retire(&self, state: &mut State, newest: Epoch, retired: &mut Retired) {
        let completed: Vec<Epoch> = state.completed.iter().rev().filter(|epoch| **epoch <= newest).copied().collect();
        let keep: BTreeSet<Epoch> = completed.into_iter().take(self.retained).collect();
        let older = state.manifests.keys().chain(&state.damaged).copied();
        let gone: Vec<Epoch> = older.filter(|epoch| *epoch < newest && !keep.contains(epoch)).collect();
        for epoch in gone {
            match self.store.storage.delete(&layout::manifest(epoch)) {
                Ok(()) => {
                    state.manifests.remove(&epoch);
                    state.completed.remove(&epoch);
                    state.damaged.remove(&epoch);
                    retired.checkpoints += 1;
                }
                Err(error) => retired.problems.push(error),
            }
        }
    }

    /// Deletes files that neither a manifest nor a merge refers to. While a manifest is damaged nobody knows what it refers to: then nothing goes.
    pub(crate) fn sweep(&self, state: &mut State, retired: &mut Retired) {
        if !state.damaged.is_empty() {
            return;
        }
        let manifests = state.manifests.values().flat_map(|manifest| manifest.chains.files());
        let merged = state.merged.iter().filter_map(|merged| merged.file.clone());
        let merging = state.merging.iter().flat_map(Chains::files);
        let needed: BTreeSet<String> = manifests.chain(merged).chain(merging).map(|file| file.path.clone()).collect();
        for path in state.files.difference(&needed).cloned().collect::<Vec<_>>() {
            match self.store.storage.delete(&path) {
                Ok(()) => {
                    state.files.remove(&path);
                    retired.files += 1;
                }
                Err(error) => retired.problems.push(error),
            }
        }
    }

    /// Deletes what older generations wrote down about themselves: this one's own mark now says more. Claims and seals stay: they keep the old out.
    pub(crate) fn forget_older_generations(&self, retired: &mut Retired) {
        let storage = self.store.storage.as_ref();
        for folder in [layout::COMPLETED, layout::RUNS] {
            let names = match storage.list(folder) {
                Ok(names) => names,
                Err(error) => {
                    retired.problems.push(error);
                    continue;
                }
            };
            let older = names.iter().filter_map(|name| layout::generation_of(name)).filter(|of| *of < self.generation);
            for generation in older {
                if let Err(error) = storage.delete(&layout::of_generation(folder, generation)) {
                    retired.problems.push(error);
                }
            }
        }
    }

    /// Whether chains are long enough for a merge, and none is under way or waits to be taken up.
    pub(crate) fn is_merge_due(&self) -> bool {
        let state = self.lock();
        let chains = state.base.as_ref().map(|base| &base.chains);
        state.merged.is_empty()
            && state.merging.is_none()
            && chains.is_some_and(|chains| !compact::choose(chains).is_empty())
    }

    /// Merges long chains; see `Claim::merge`.
    pub(crate) fn merge(&self) -> Result<bool> {
        let (chains, plan, path) = {
            let mut state = self.lock();
            let Some(base) = state.base.as_ref().filter(|_| state.merged.is_empty() && state.merging.is_none()) else {
                return Ok(false);
            };
            let chains = base.chains.clone();
            let plan = compact::choose(&chains);
            if plan.is_empty() {
                return Ok(false);
            }
            state.merges += 1;
            state.merging = Some(chains.clone());
            (chains, plan, layout::merged(self.generation, state.merges))
        };
        let epoch = chains.items().map(|item| item.file.epoch).max().unwrap_or_default();
        let merged = compact::merge(&self.store.storage, &chains, &plan, path, epoch, self.store.clock.now());
        let mut state = self.lock();
        state.merging = None;
        let merged = merged?;
        if let Some(file) = &merged.file {
            state.files.insert(file.path.clone());
        }
        state.merged.push(merged);
        Ok(true)
    }
}
