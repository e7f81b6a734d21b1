//! State: the checkpoint store, and the pure decision of what a start of a job restores.

mod decide;
mod local;
mod storage;

pub use decide::{
    Cause, CompletionMark, DeciderFact, Decision, Facts, Found, Intention, ManifestFact, PROGRESS_RECORD_KEPT_MS_MIN,
    Refusal, RunFact, decide, unfinished_run,
};
pub use local::LocalStorage;
pub use storage::{Append, Storage, local_path, open_storage};
pub use weir_ports::{Entries, Frozen, FrozenPart, RestoredState, Unconfirmed};
