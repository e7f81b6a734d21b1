//! Writes a snapshot's state into one delta file, and makes the manifest that refers to it.

use std::sync::Arc;

use weir_base::{Generation, Result};

use crate::chain::Chains;
use crate::checkpoint::CheckpointStore;
use crate::claim::Snapshot;
use crate::delta::{DeltaWriter, PartSummary};
use crate::manifest::{ChainItem, Manifest, StateFile};

/// Writes the state of `snapshot` to `path` (nothing, if nothing changed) and adds it to `chains`, those of the last completed checkpoint. Returns the
/// manifest, not written yet, and the file.
///
/// # Errors
/// State cannot be given out, or the storage fails; then the file is not there.
pub(crate) fn write_state(
    snapshot: Snapshot,
    store: &CheckpointStore,
    generation: Generation,
    mut chains: Chains,
    path: &str,
) -> Result<(Manifest, Option<Arc<StateFile>>)> {
    let mut writer: Option<DeltaWriter> = None;
    for state in snapshot.states {
        for part in state.frozen.parts {
            let writer = match &mut writer {
                Some(writer) => writer,
                none => none.insert(DeltaWriter::create(store.storage.as_ref(), path.to_owned(), snapshot.epoch)?),
            };
            if part.full {
                chains.clear(&state.uid, part.name, &state.key_groups);
            }
            writer.part(&state.uid, part.name, state.key_groups.clone(), part.entries)?;
        }
    }
    let file = match writer {
        Some(writer) if !writer.is_empty() => {
            let (file, summaries) = writer.finish()?;
            for summary in summaries {
                add(&mut chains, &file, summary);
            }
            Some(file)
        }
        _ => None,
    };
    let manifest = Manifest {
        generation,
        epoch: snapshot.epoch,
        decided_here: snapshot.decided_here,
        job: store.job.clone(),
        shape: snapshot.shape,
        chains,
        positions: snapshot.positions,
        prepared: snapshot.prepared,
        counters: snapshot.counters,
        watermarks: snapshot.watermarks,
        trigger: snapshot.trigger,
        triggered: snapshot.triggered,
        written: store.clock.now(),
    };
    Ok((manifest, file))
}

fn add(chains: &mut Chains, file: &Arc<StateFile>, summary: PartSummary) {
    let item = ChainItem {
        file: Arc::clone(file),
        groups: summary.groups,
        bytes: summary.bytes,
        entries: summary.entries,
        expires_max: summary.expires_max,
    };
    chains.push(&summary.uid, &summary.part, item);
}
