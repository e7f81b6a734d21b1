//! What the planner knows of the connector `questdb`. Option names follow QuestDB's own connector for Flink where it has one for the purpose.

use weir_base::RowKind;
use weir_plan::{ChangelogMode, ConnectorSpec, OptionSpec, OptionType};

/// The value of `'connector'`.
pub const IDENTIFIER: &str = "questdb";

/// The connector as the planner sees it. It takes inserts and updates by key; it deletes no rows.
pub fn spec() -> ConnectorSpec {
    ConnectorSpec {
        identifier: IDENTIFIER,
        source: None,
        sink: Some(ChangelogMode::INSERT_ONLY.with(RowKind::UpdateAfter)),
        watermark_per_split: false,
        options: options(),
        metadata: Vec::new(),
        format_keys: &[],
    }
}

fn options() -> Vec<OptionSpec> {
    use OptionType::{Duration, Integer, Text};
    let option = |key, value, help| OptionSpec { key, value, required: false, help };
    vec![
        OptionSpec {
            key: "host",
            value: Text,
            required: true,
            help: "QuestDB's host, or host:port of its HTTP endpoint.",
        },
        option(
            "http.port",
            Integer,
            "The port of the HTTP endpoint, where rows are sent; 9000 unless given here or in 'host'.",
        ),
        option(
            "pg.port",
            Integer,
            "The port of the PostgreSQL endpoint, where the table is made and checked; 8812 unless given.",
        ),
        option("table", Text, "The table in QuestDB; the table's own name unless given."),
        option(
            "username",
            Text,
            "The user on both endpoints; 'admin' on the PostgreSQL endpoint and none over HTTP unless given.",
        ),
        option("password", Text, "The user's password; 'quest' unless given."),
        option(
            "timestamp.field.name",
            Text,
            "The designated timestamp; the only TIMESTAMP column of the PRIMARY KEY unless given.",
        ),
        option("symbols", Text, "STRING columns that are SYMBOL in QuestDB, separated by ';' or ','."),
        option("sink.batch.max-size", Integer, "Rows of a request at most; 10000 unless given."),
        option(
            "async.operations.maximum-size",
            Integer,
            "Requests in flight at most, 100 unless given; one at a time is sent, which keeps updates of a key in order.",
        ),
        option("request.timeout", Duration, "How long a request waits for its answer; 10 s unless given."),
        option("sink.parallelism", Integer, "The parallelism of the sink."),
    ]
}
