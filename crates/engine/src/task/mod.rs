//! Tasks: an input (a source or a gate of channels), and the chain of operators behind it, down to sinks and exchanges.
//!
//! Elements go down the chain by plain calls; only between tasks do they lie in channels. A barrier goes down the same way, and everything it
//! meets adds what it has to say to one acknowledgement.

mod body;
mod constraints;
mod dead_letters;
mod debloat;
mod exchange;
mod gate;
mod late_letters;
mod latency;
mod metrics;
mod next;
mod reader;
mod shared;
mod sink_stage;
mod source;
mod source_keys;
mod source_rows;
mod split_watermarks;
mod stage;
mod waiting;

pub use body::{Body, RunTask, TaskMetrics};
pub use constraints::Constraints;
pub use dead_letters::DeadLetters;
pub use debloat::Debloater;
pub use exchange::{ExchangeOutput, Route};
pub use gate::{Gate, GateInput};
pub use late_letters::LateLetters;
pub use latency::{Latency, LatencyOf};
pub use metrics::{GateMetrics, TaskIo, register_in_pool, register_out_pool};
pub use next::Next;
pub use reader::{ReaderHandle, start_reader};
pub use shared::RunShared;
pub use sink_stage::SinkStage;
pub use source::{Assigned, SourceBody, SourceIdentity, Watermarking};
pub use source_rows::SourceRows;
pub use stage::Stage;
pub use waiting::HandOver;
