//! Tables and connectors of the cases.

use std::collections::BTreeMap;

use weir_plan::{ChangelogMode, ConnectorSpec, DataType, LogicalType, MetadataKey, OptionSpec, OptionType};

use crate::{Environment, Program, SqlError, compile};

/// The tables that every case can use, on one line.
const TABLES: &str = concat!(
    "CREATE TABLE t (b BOOLEAN, ti TINYINT, si SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), c CHAR(3), ",
    "v VARCHAR(10), s STRING, bin BYTES, dt DATE, tm TIME(0), ts TIMESTAMP(3), ts6 TIMESTAMP(6), ltz TIMESTAMP_LTZ(3), ",
    "a ARRAY<INT>, m MAP<STRING, INT>, r ROW<x INT, y ROW<z STRING>>, nn INT NOT NULL) WITH ('connector' = 'events'); ",
    "CREATE TABLE events (id STRING, device STRING, `value` DOUBLE, `timestamp` BIGINT, ",
    "ts AS TO_TIMESTAMP_LTZ(`timestamp`, 3), pt AS PROCTIME(), half AS `value` / 2, ",
    "WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'events'); ",
    "CREATE TABLE plain (id STRING, device STRING, `value` DOUBLE, `timestamp` BIGINT) WITH ('connector' = 'events'); ",
    "CREATE TABLE ordered (id STRING, n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'unsplit'); ",
    "CREATE TABLE meta (k STRING METADATA FROM 'key', id STRING, off BIGINT METADATA FROM 'offset' VIRTUAL, ",
    "`at` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp') WITH ('connector' = 'events'); ",
    "CREATE TABLE out1 (id STRING, `value` DOUBLE) WITH ('connector' = 'sink'); ",
    "CREATE TABLE out2 (id STRING, `value` DOUBLE) WITH ('connector' = 'sink'); ",
    "CREATE TABLE strict (id STRING NOT NULL, n BIGINT, short VARCHAR(3), `at` TIMESTAMP(3)) WITH ('connector' = 'sink'); ",
    "CREATE TABLE changes (id STRING, `value` DOUBLE) WITH ('connector' = 'changes'); ",
    "CREATE TABLE upserts (id STRING, `value` DOUBLE, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts'); ",
    "CREATE TABLE keyless (id STRING, `value` DOUBLE) WITH ('connector' = 'upserts'); ",
    "CREATE VIEW valid AS SELECT id, device, `value`, `value` BETWEEN 0 AND 100 AS ok, ts FROM events WHERE id IS NOT NULL;\n"
);

/// Plans `script` behind the tables.
pub(super) fn plan(script: &str) -> Result<Program, SqlError> {
    let none = BTreeMap::new();
    compile(
        &format!("{TABLES}{script}"),
        &Environment {
            connectors: &connectors(),
            formats: &[],
            variables: &|_| None,
            defaults: &none,
            overrides: &none,
            parallelism: None,
            job_name: "cases",
            setting_known: &|_| true,
            setting_wrong: &|_, _| None,
            setting_suggestion: &|_| None,
        },
    )
}

fn connectors() -> Vec<ConnectorSpec> {
    let base = ConnectorSpec {
        identifier: "events",
        source: Some(ChangelogMode::INSERT_ONLY),
        sink: None,
        watermark_per_split: true,
        options: vec![
            OptionSpec { key: "scan.parallelism", value: OptionType::Integer, required: false, help: "readers" },
            OptionSpec { key: "sink.parallelism", value: OptionType::Integer, required: false, help: "writers" },
            OptionSpec { key: "rate", value: OptionType::Integer, required: false, help: "rows a second" },
        ],
        metadata: vec![
            MetadataKey { key: "key", data_type: DataType::string(), writable: true },
            MetadataKey { key: "offset", data_type: DataType::not_null(LogicalType::BigInt), writable: false },
            MetadataKey {
                key: "timestamp",
                data_type: DataType::not_null(LogicalType::TimestampLtz(3)),
                writable: true,
            },
        ],
        format_keys: &[],
    };
    let sink = |identifier, takes| ConnectorSpec { identifier, source: None, sink: Some(takes), ..base.clone() };
    vec![
        ConnectorSpec { sink: Some(ChangelogMode::INSERT_ONLY), ..base.clone() },
        ConnectorSpec { identifier: "unsplit", watermark_per_split: false, ..base.clone() },
        sink("sink", ChangelogMode::INSERT_ONLY),
        sink("changes", ChangelogMode::ALL),
        sink("upserts", ChangelogMode::UPSERT),
    ]
}
