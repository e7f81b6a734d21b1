//! What the planner knows of the connector, and how its sinks are made.

use std::io::Write;

use weir_base::{Error, Result};
use weir_connector::{JobContext, Sink, Source};
use weir_plan::{ChangelogMode, ConnectorSpec, OptionSpec, OptionType, SinkSpec, SourceSpec};

use crate::sink::{Output, PrintSink};

/// The connector as the planner sees it.
pub fn spec() -> ConnectorSpec {
    let option = |key, value, help| OptionSpec { key, value, required: false, help };
    ConnectorSpec {
        identifier: "print",
        source: None,
        sink: Some(ChangelogMode::ALL),
        watermark_per_split: false,
        options: vec![
            option("print-identifier", OptionType::Text, "What stands before each row, with '>' behind it."),
            option("sink.parallelism", OptionType::Integer, "The number of subtasks, if not the input's."),
            option("standard-error", OptionType::Boolean, "Prints on standard error rather than standard output."),
        ],
        metadata: Vec::new(),
        format_keys: &[],
    }
}

/// Makes sinks that print.
#[derive(Debug, Default)]
pub struct Factory;

impl weir_connector::Factory for Factory {
    fn identifier(&self) -> &'static str {
        "print"
    }

    fn source(&self, spec: &SourceSpec, _context: &JobContext) -> Result<Box<dyn Source>> {
        Err(Error::invalid(format!("read the table '{}': the connector print can only be written", spec.table)))
    }

    fn sink(&self, spec: &SinkSpec, _context: &JobContext) -> Result<Box<dyn Sink>> {
        let to_error = match spec.options.get("standard-error") {
            None => false,
            Some(value) if value.eq_ignore_ascii_case("false") => false,
            Some(value) if value.eq_ignore_ascii_case("true") => true,
            Some(value) => {
                return Err(Error::invalid(format!(
                    "read the option 'standard-error' = '{value}': it must be true or false"
                )));
            }
        };
        let output: Output = if to_error {
            |text| std::io::stderr().lock().write_all(text)
        } else {
            |text| {
                let mut stdout = std::io::stdout().lock();
                stdout.write_all(text)?;
                stdout.flush()
            }
        };
        let identifier = spec.options.get("print-identifier").unwrap_or_default();
        Ok(Box::new(PrintSink::new(identifier.to_owned(), output)))
    }
}
