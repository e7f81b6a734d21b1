//! What a connector is to the engine: sources with splits and readers, sinks with writers and committers, deciders.
//!
//! Readers do blocking I/O on a thread of their own at the edge of the engine; writers are called from the sink's task and never wait;
//! committers and deciders are called from the job's checkpoint coordinator. It owns no connector.

mod batch;
mod dead_letter;
mod factory;
mod sink;
mod source;

pub use batch::Batch;
pub use dead_letter::{DeadLetter, dead_letter_batch, dead_letter_schema};
pub use factory::{Factory, JobContext};
pub use sink::{
    Committer, Decider, Decision, Flush, LastDecided, Prepared, Progress, Ready, Role, Sink, SinkOffsets, Writer,
    WriterContext,
};
pub use source::{Fetch, Payload, Position, Reader, ReaderContext, Source, SplitId};
