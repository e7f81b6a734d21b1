//! What the planner knows of the connector, and how its sources are made.

use weir_base::{Error, Result};
use weir_connector::{JobContext, Sink, Source};
use weir_plan::{ChangelogMode, ConnectorSpec, OptionSpec, OptionType, SinkSpec, SourceSpec};

use crate::source::GeneratorSource;

/// The connector as the planner sees it.
pub fn spec() -> ConnectorSpec {
    let option = |key, value, help| OptionSpec { key, value, required: false, help };
    ConnectorSpec {
        identifier: "datagen",
        source: Some(ChangelogMode::INSERT_ONLY),
        sink: None,
        watermark_per_split: true,
        options: vec![
            option("rows-per-second", OptionType::Integer, "The rate of all subtasks together (10000)."),
            option("number-of-rows", OptionType::Integer, "The rows in all; without it they never end."),
            option("scan.parallelism", OptionType::Integer, "The number of subtasks, if not the job's."),
            option("fields.#.kind", OptionType::OneOf(&["random", "sequence"]), "How the field's values are made."),
            option("fields.#.min", OptionType::Text, "The smallest random number."),
            option("fields.#.max", OptionType::Text, "The largest random number."),
            option("fields.#.max-past", OptionType::Duration, "How far a random timestamp lies back at most."),
            option("fields.#.length", OptionType::Integer, "Characters, bytes or elements of a random value."),
            option("fields.#.var-len", OptionType::Boolean, "Random lengths up to 'length'."),
            option("fields.#.start", OptionType::Text, "The first number of a sequence."),
            option("fields.#.end", OptionType::Text, "The last number of a sequence."),
            option("fields.#.null-rate", OptionType::Text, "The part of the values that is NULL, 0 to 1."),
        ],
        metadata: Vec::new(),
        format_keys: &[],
    }
}

/// Makes generators.
#[derive(Debug, Default)]
pub struct Factory;

impl weir_connector::Factory for Factory {
    fn identifier(&self) -> &'static str {
        "datagen"
    }

    fn source(&self, spec: &SourceSpec, _context: &JobContext) -> Result<Box<dyn Source>> {
        Ok(Box::new(GeneratorSource::new(spec)?))
    }

    fn sink(&self, spec: &SinkSpec, _context: &JobContext) -> Result<Box<dyn Sink>> {
        Err(Error::invalid(format!("write into the table '{}': the connector datagen can only be read", spec.table)))
    }
}
