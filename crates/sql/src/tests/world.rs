//! Connectors, formats and settings for tests: small, but of every kind.

use std::collections::BTreeMap;

use weir_plan::{ChangelogMode, ConnectorSpec, DataType, FormatSpec, LogicalType, MetadataKey, OptionSpec, OptionType};

use crate::{Environment, Program, SqlError, Statement, compile, parse, script};

/// Settings that tests know.
const SETTINGS: &[&str] = &[
    "execution.checkpointing.dir",
    "execution.checkpointing.interval",
    "parallelism.default",
    "pipeline.auto-watermark-interval",
    "pipeline.max-parallelism",
    "pipeline.name",
    "pipeline.object-reuse",
    "restart-strategy.type",
    "state.backend.type",
    "table.exec.source.idle-timeout",
    "table.exec.state.ttl",
    "table.local-time-zone",
];

const fn option(key: &'static str, value: OptionType, required: bool, help: &'static str) -> OptionSpec {
    OptionSpec { key, value, required, help }
}

/// The connectors of tests.
pub(super) fn connectors() -> Vec<ConnectorSpec> {
    let text = |key, required| option(key, OptionType::Text, required, "what it says");
    let base = ConnectorSpec {
        identifier: "",
        source: None,
        sink: None,
        watermark_per_split: true,
        options: Vec::new(),
        metadata: Vec::new(),
        format_keys: &[],
    };
    let ltz = DataType::not_null(LogicalType::TimestampLtz(3));
    let metadata = vec![
        MetadataKey { key: "timestamp", data_type: ltz, writable: true },
        MetadataKey { key: "partition", data_type: DataType::not_null(LogicalType::Int), writable: false },
        MetadataKey { key: "offset", data_type: DataType::not_null(LogicalType::BigInt), writable: false },
    ];
    let modes = OptionType::OneOf(&["earliest-offset", "latest-offset", "group-offsets", "timestamp"]);
    vec![
        ConnectorSpec { identifier: "blackhole", sink: Some(ChangelogMode::ALL), ..base.clone() },
        ConnectorSpec {
            identifier: "datagen",
            source: Some(ChangelogMode::INSERT_ONLY),
            options: vec![
                option("rows-per-second", OptionType::Integer, false, "rows per second"),
                option("number-of-rows", OptionType::Integer, false, "rows in all"),
                option("fields.#.kind", OptionType::OneOf(&["random", "sequence"]), false, "how a field is made"),
                text("fields.#.min", false),
            ],
            ..base.clone()
        },
        ConnectorSpec {
            identifier: "filesystem",
            source: Some(ChangelogMode::INSERT_ONLY),
            sink: Some(ChangelogMode::INSERT_ONLY),
            options: vec![
                option("path", OptionType::Text, true, "the file or folder"),
                option("sink.rolling-policy.file-size", OptionType::MemorySize, false, "size of a part"),
                option("sink.rolling-policy.rollover-interval", OptionType::Duration, false, "age of a part"),
            ],
            format_keys: &["format"],
            ..base.clone()
        },
        ConnectorSpec {
            identifier: "kafka",
            source: Some(ChangelogMode::INSERT_ONLY),
            sink: Some(ChangelogMode::INSERT_ONLY),
            options: vec![
                option("topic", OptionType::Text, true, "the topic"),
                option("properties.*", OptionType::Text, false, "passed to the client"),
                option("scan.startup.mode", modes, false, "where to begin"),
                option(
                    "sink.delivery-guarantee",
                    OptionType::OneOf(&["exactly-once", "at-least-once", "none"]),
                    false,
                    "what is promised",
                ),
                text("sink.transactional-id-prefix", false),
            ],
            metadata,
            format_keys: &["format", "value.format", "key.format"],
            ..base.clone()
        },
        ConnectorSpec {
            identifier: "print",
            sink: Some(ChangelogMode::ALL),
            options: vec![text("print-identifier", false)],
            ..base.clone()
        },
        ConnectorSpec {
            identifier: "questdb",
            sink: Some(ChangelogMode::UPSERT),
            options: vec![
                text("host", true),
                text("table", false),
                option("async.operations.maximum-size", OptionType::Integer, false, "requests in flight"),
            ],
            ..base
        },
    ]
}

/// The formats of tests.
pub(super) fn formats() -> Vec<FormatSpec> {
    vec![
        FormatSpec {
            identifier: "csv",
            options: vec![option("field-delimiter", OptionType::Text, false, "the separator")],
        },
        FormatSpec {
            identifier: "json",
            options: vec![
                option("ignore-parse-errors", OptionType::Boolean, false, "bad records go to the dead letters"),
                option("timestamp-format.standard", OptionType::OneOf(&["SQL", "ISO-8601"]), false, "how times look"),
            ],
        },
    ]
}

/// Plans `text` with the variable `NAME` = `it's`, `EMPTY` = `` and `${DIR}` = `/data`, and `overrides`.
pub(super) fn plan_with(text: &str, overrides: &[(&str, &str)]) -> Result<Program, SqlError> {
    plan_within(text, &[], overrides)
}

/// Plans `text` as `plan_with`, above a configuration file of `defaults`.
pub(super) fn plan_within(
    text: &str,
    defaults: &[(&str, &str)],
    overrides: &[(&str, &str)],
) -> Result<Program, SqlError> {
    let values = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let (defaults, overrides) = (values(defaults), values(overrides));
    let known = |key: &str| SETTINGS.contains(&key);
    let wrong = |key: &str, value: &str| {
        let is_number = key != "parallelism.default" || value.parse::<u16>().is_ok();
        (!is_number).then(|| (format!("Could not parse value '{value}' for key '{key}'."), "write a number".to_owned()))
    };
    let suggestion = |key: &str| crate::nearest(key, SETTINGS.iter().copied()).map(str::to_owned);
    compile(
        text,
        &Environment {
            connectors: &connectors(),
            formats: &formats(),
            variables: &variable,
            defaults: &defaults,
            overrides: &overrides,
            parallelism: None,
            job_name: "script",
            setting_known: &known,
            setting_wrong: &wrong,
            setting_suggestion: &suggestion,
        },
    )
}

/// Plans `text` without overrides.
pub(super) fn plan(text: &str) -> Result<Program, SqlError> {
    plan_with(text, &[])
}

/// Parses `text` without planning anything.
pub(super) fn statements(text: &str) -> Result<Vec<Statement>, SqlError> {
    script::read(text, &variable).and_then(parse::parse_script)
}

fn variable(name: &str) -> Option<String> {
    match name {
        "NAME" => Some("it's".to_owned()),
        "EMPTY" => Some(String::new()),
        "DIR" => Some("/data".to_owned()),
        "LINES" => Some("a,\n b".to_owned()),
        _ => None,
    }
}
