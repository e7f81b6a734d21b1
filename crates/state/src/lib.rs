//! State: frozen operator state, the checkpoint store, and the pure decision of what a start of a job restores.

pub use weir_ports::{Entries, Frozen, FrozenPart, RestoredState, Unconfirmed};
