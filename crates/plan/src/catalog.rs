//! What the planner knows of connectors and formats: names, options, abilities. Data only; the behaviour lives in the connectors.

use std::collections::BTreeMap;

use weir_base::Span;

use crate::{ChangelogMode, DataType};

/// The type of an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionType {
    /// Any text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A duration such as `10s`, `5 min`, `100ms`.
    Duration,
    /// A size such as `128MB`.
    MemorySize,
    /// One of these words, in any case.
    OneOf(&'static [&'static str]),
}

/// One option of a connector or a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionSpec {
    /// The key in `WITH (...)`; one that ends with `.*` stands for all keys with that prefix, one that holds `#` for a field's name there.
    pub key: &'static str,
    /// The type of its value.
    pub value: OptionType,
    /// Whether it must be given.
    pub required: bool,
    /// What it does, in one sentence.
    pub help: &'static str,
}

/// A metadata column that a connector offers.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataKey {
    /// The key in `METADATA FROM 'key'`.
    pub key: &'static str,
    /// Its type.
    pub data_type: DataType,
    /// Whether a sink takes it too (else the column must be VIRTUAL).
    pub writable: bool,
}

/// A connector as the planner sees it.
#[derive(Debug, Clone)]
pub struct ConnectorSpec {
    /// The value of `'connector'`.
    pub identifier: &'static str,
    /// Whether tables of it can be read; the kinds of row it gives.
    pub source: Option<ChangelogMode>,
    /// Whether tables of it can be written; the widest changelog it takes.
    pub sink: Option<ChangelogMode>,
    /// Whether a watermark can be generated per split inside the source.
    pub watermark_per_split: bool,
    /// Its options without `connector` and those of its formats.
    pub options: Vec<OptionSpec>,
    /// Its metadata columns.
    pub metadata: Vec<MetadataKey>,
    /// The option keys that name a format (`format`, `value.format`, `key.format`); empty if it needs none.
    pub format_keys: &'static [&'static str],
}

/// A format as the planner sees it: options are written `<identifier>.<key>` in `WITH (...)`.
#[derive(Debug, Clone)]
pub struct FormatSpec {
    /// The value of `'format'`.
    pub identifier: &'static str,
    /// Its options without the prefix.
    pub options: Vec<OptionSpec>,
}

/// The options of a table as written, with their places.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableOptions {
    /// Values by key.
    pub values: BTreeMap<String, String>,
    /// Places of the keys, for errors.
    pub spans: BTreeMap<String, Span>,
}

impl TableOptions {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// The place of `key`, or nowhere.
    pub fn span(&self, key: &str) -> Span {
        self.spans.get(key).copied().unwrap_or_default()
    }
}
