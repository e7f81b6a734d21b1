//! The engine: runs a job graph as tasks on a fixed pool of threads.
//!
//! It owns operators, expressions, channels, barriers and watermarks, and offers the `Workers` port. It knows no connector by name, no SQL, and no
//! storage: those are handed in as traits.

mod channel;
mod deploy;
mod element;
pub mod expr;
pub mod keys;
pub mod operators;
mod scheduler;
mod task;
mod workers;

pub use workers::LocalWorkers;
