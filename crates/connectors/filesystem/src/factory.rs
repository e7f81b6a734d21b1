//! What the planner knows of the connector, and how its tables are made.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use weir_base::{Error, Result};
use weir_connector::{JobContext, Sink, Source};
use weir_plan::{
    ChangelogMode, ConnectorSpec, DataType, LogicalType, MetadataKey, OptionSpec, OptionType, SinkSpec, SourceSpec,
    TableOptions,
};

use crate::location::local_path;
use crate::sink::FileSink;
use crate::source::FileSource;

/// The connector as the planner sees it.
pub fn spec() -> ConnectorSpec {
    let option = |key, value, required, help| OptionSpec { key, value, required, help };
    let metadata =
        |key, data_type: DataType| MetadataKey { key, data_type: data_type.with_nullable(false), writable: false };
    ConnectorSpec {
        identifier: "filesystem",
        source: Some(ChangelogMode::INSERT_ONLY),
        sink: Some(ChangelogMode::INSERT_ONLY),
        watermark_per_split: true,
        options: vec![
            option("path", OptionType::Text, true, "The folder, or for sources also the file."),
            option(
                "source.monitor-interval",
                OptionType::Duration,
                false,
                "How often a source looks for new files; without it the source ends with the files there are.",
            ),
            option(
                "source.path.regex-pattern",
                OptionType::Text,
                false,
                "Of the files below 'path' only those are read whose whole path it matches.",
            ),
            option("sink.parallelism", OptionType::Integer, false, "The sink's subtasks, if not its input's."),
            option(
                "sink.rolling-policy.file-size",
                OptionType::MemorySize,
                false,
                "The size at which a part is closed (128MB).",
            ),
            option(
                "sink.rolling-policy.rollover-interval",
                OptionType::Duration,
                false,
                "The age at which a part is closed (30 min).",
            ),
            option(
                "sink.rolling-policy.inactivity-interval",
                OptionType::Duration,
                false,
                "The time without rows after which a part is closed (30 min).",
            ),
            option(
                "sink.rolling-policy.check-interval",
                OptionType::Duration,
                false,
                "How often the ages are looked at (1 min).",
            ),
        ],
        metadata: vec![
            metadata("file.path", DataType::string()),
            metadata("file.name", DataType::string()),
            metadata("file.size", DataType::nullable(LogicalType::BigInt)),
            metadata("file.modification-time", DataType::nullable(LogicalType::TimestampLtz(3))),
        ],
        format_keys: &["format"],
    }
}

/// Makes file tables.
#[derive(Default)]
pub struct Factory {
    /// Sinks made for each folder in this run: two sinks of one job may write into the same folder and must not share names.
    sinks: Mutex<BTreeMap<PathBuf, usize>>,
}

impl weir_connector::Factory for Factory {
    fn identifier(&self) -> &'static str {
        "filesystem"
    }

    fn source(&self, spec: &SourceSpec, _context: &JobContext) -> Result<Box<dyn Source>> {
        format(&spec.options)?;
        Ok(Box::new(FileSource::new(spec, local_path(&spec.options)?)?))
    }

    fn sink(&self, spec: &SinkSpec, context: &JobContext) -> Result<Box<dyn Sink>> {
        let folder = local_path(&spec.options)?;
        let index = {
            let mut sinks = self.sinks.lock().unwrap_or_else(PoisonError::into_inner);
            let count = sinks.entry(folder.clone()).or_default();
            *count += 1;
            *count - 1
        };
        Ok(Box::new(FileSink::new(spec, format(&spec.options)?, folder, index, context)?))
    }
}

fn format(options: &TableOptions) -> Result<&str> {
    options.get("format").ok_or_else(|| {
        Error::invalid("use the connector filesystem: the option 'format' is missing").hint("add 'format' = 'json'")
    })
}
