//! The factory: makes the sinks of one run of a job.

use weir_base::{Error, Result};
use weir_connector::{Factory, JobContext, Sink, Source};
use weir_plan::{SinkSpec, SourceSpec};

use crate::sink::QuestDbSink;
use crate::spec::IDENTIFIER;

/// Makes what QuestDB tables need.
#[derive(Debug, Default)]
pub struct QuestDbFactory;

impl QuestDbFactory {
    /// A factory for one run.
    pub fn new() -> Self {
        Self
    }
}

impl Factory for QuestDbFactory {
    fn identifier(&self) -> &'static str {
        IDENTIFIER
    }

    fn source(&self, spec: &SourceSpec, _: &JobContext) -> Result<Box<dyn Source>> {
        Err(Error::invalid(format!("read table {}: the connector 'questdb' writes only", spec.table)))
    }

    fn sink(&self, spec: &SinkSpec, context: &JobContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(QuestDbSink::new(spec, context)?))
    }
}
