//! Factories: how a connector's sources, sinks and decider are made for one run of a job.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use weir_base::{Clock, Generation, JobId, Result};
use weir_metrics::Registry;
use weir_plan::{SinkSpec, SourceSpec};

use crate::{Decider, Sink, Source};

/// What connectors know of the job they work for.
#[derive(Clone)]
pub struct JobContext {
    /// The job.
    pub job: JobId,
    /// Its `pipeline.name`.
    pub name: String,
    /// This start of it.
    pub generation: Generation,
    /// `execution.checkpointing.interval`; `None`: no periodic checkpoints.
    pub checkpoint_interval: Option<Duration>,
    /// Weir's data directory.
    pub data_dir: PathBuf,
    /// Where a sink may keep rows that it carries: a folder of this job's own, made on demand, durable like the checkpoints.
    pub carried_dir: PathBuf,
    /// Bytes of them, for each table, before the job is held back.
    pub carried_bytes_max: u64,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Metrics with the job's labels.
    pub metrics: Registry,
}

/// Makes what one connector needs for one run of one job; a new one for each run, so it may hold what the run's tables share (a producer).
pub trait Factory: Send + Sync {
    /// The value of `'connector'`.
    fn identifier(&self) -> &'static str;

    /// The source of a table.
    ///
    /// # Errors
    /// Options that contradict each other or cannot be honoured, by name.
    fn source(&self, spec: &SourceSpec, context: &JobContext) -> Result<Box<dyn Source>>;

    /// The sink of a table.
    ///
    /// # Errors
    /// Options that contradict each other or cannot be honoured, by name.
    fn sink(&self, spec: &SinkSpec, context: &JobContext) -> Result<Box<dyn Sink>>;

    /// The decider, asked once after all sinks were made; `None` if none of them needs one.
    ///
    /// # Errors
    /// Two clusters would have to decide: refused, with the keys to change.
    fn decider(&self, context: &JobContext) -> Result<Option<Box<dyn Decider>>> {
        let _ = context;
        Ok(None)
    }
}
