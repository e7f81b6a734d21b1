//! Ports: the traits by which the planes of Weir speak to each other, with their plain data.
//!
//! `Workers` is offered by the engine and used by `jobs`: a job is deployed, barriers go in, acknowledgements come out. Nothing here does anything.

mod frozen;
mod workers;

pub use frozen::{Entries, Frozen, FrozenPart, GiveEntries, RestoredState, Unconfirmed, VisitEntry};
pub use workers::{
    Acknowledgement, Barrier, BarrierKind, BufferTimeout, DEAD_LETTERS_UID, Debloat, Deployment, EngineSettings, Event,
    LengthEnforcer, PreparedSink, Restored, Run, RunId, SinkConstraints, SourcePositions, SplitState, Totals, Workers,
};
