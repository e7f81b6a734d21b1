//! State: the checkpoint store, and the pure decision of what a start of a job restores.

mod background;
mod chain;
mod checkpoint;
mod claim;
mod compact;
mod decide;
mod delta;
mod generation;
mod layout;
mod local;
mod manifest;
mod restored;
mod retention;
mod run_record;
mod snapshot;
mod storage;

pub use chain::{Chains, PartKey};
pub use checkpoint::CheckpointStore;
pub use claim::{Claim, Snapshot, SubtaskState, Written};
pub use decide::{
    Cause, CompletionMark, DeciderFact, Decision, Facts, Found, Intention, ManifestFact, PROGRESS_RECORD_KEPT_MS_MIN,
    Refusal, RunFact, decide, unfinished_run,
};
pub use delta::{DeltaFile, DeltaWriter, PartSummary};
pub use generation::Fence;
pub use local::LocalStorage;
pub use manifest::{
    ChainItem, DamagedManifest, GraphShape, Manifest, Slot, StateFile, Trigger, decode_slot, encode_seal,
};
pub use restored::RestoredCheckpoint;
pub use retention::Retired;
pub use run_record::{RunRecord, RunState};
pub use storage::{Append, Storage, local_path, open_storage};
pub use weir_ports::{Entries, Frozen, FrozenPart, RestoredState, Unconfirmed};
