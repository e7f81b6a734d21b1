//! What the planner knows of the connector, and how its sinks are made.

use weir_base::{Error, Result};
use weir_connector::{JobContext, Sink, Source};
use weir_plan::{ChangelogMode, ConnectorSpec, SinkSpec, SourceSpec};

use crate::sink::BlackholeSink;

/// The connector as the planner sees it.
pub fn spec() -> ConnectorSpec {
    ConnectorSpec {
        identifier: "blackhole",
        source: None,
        sink: Some(ChangelogMode::ALL),
        watermark_per_split: false,
        options: Vec::new(),
        metadata: Vec::new(),
        format_keys: &[],
    }
}

/// Makes sinks that keep nothing.
#[derive(Debug, Default)]
pub struct Factory;

impl weir_connector::Factory for Factory {
    fn identifier(&self) -> &'static str {
        "blackhole"
    }

    fn source(&self, spec: &SourceSpec, _context: &JobContext) -> Result<Box<dyn Source>> {
        Err(Error::invalid(format!("read the table '{}': the connector blackhole can only be written", spec.table)))
    }

    fn sink(&self, _spec: &SinkSpec, _context: &JobContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(BlackholeSink))
    }
}
