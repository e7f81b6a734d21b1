//! What the planner knows of the connector `kafka`: Flink's option names, metadata columns, abilities. Data only.

use weir_plan::{ChangelogMode, ConnectorSpec, DataType, LogicalType, MetadataKey, OptionSpec, OptionType};

/// The value of `'connector'`.
pub const IDENTIFIER: &str = "kafka";

/// The connector as the planner sees it.
pub fn spec() -> ConnectorSpec {
    ConnectorSpec {
        identifier: IDENTIFIER,
        source: Some(ChangelogMode::INSERT_ONLY),
        sink: Some(ChangelogMode::INSERT_ONLY),
        watermark_per_split: true,
        options: options(),
        metadata: metadata(),
        format_keys: &["format", "value.format", "key.format"],
    }
}

const fn option(key: &'static str, value: OptionType, help: &'static str) -> OptionSpec {
    OptionSpec { key, value, required: false, help }
}

fn options() -> Vec<OptionSpec> {
    use OptionType::{Duration, Integer, OneOf, Text};
    vec![
        option("topic", Text, "The topic, or a list separated by ';' to read several; a sink takes exactly one."),
        option(
            "topic-pattern",
            Text,
            "A regular expression for the whole name of the topics to read, instead of 'topic'.",
        ),
        OptionSpec {
            key: "properties.bootstrap.servers",
            value: Text,
            required: true,
            help: "Brokers to begin with, host:port separated by ','.",
        },
        option("properties.group.id", Text, "The consumer group whose offsets show how far the job is."),
        option(
            "properties.*",
            Text,
            "Any property of Kafka's Java clients, translated to librdkafka's, or of librdkafka.",
        ),
        option("format", Text, "The format of the value; the same as 'value.format'."),
        option("value.format", Text, "The format of the value."),
        option("key.format", Text, "The format of the key."),
        option("key.fields", Text, "The columns of the key, separated by ';'."),
        option(
            "key.fields-prefix",
            Text,
            "A prefix of the key's columns in the table that the key itself does not have.",
        ),
        option("value.fields-include", OneOf(&["ALL", "EXCEPT_KEY"]), "Whether the value holds the key's columns too."),
        option(
            "scan.startup.mode",
            OneOf(&["earliest-offset", "latest-offset", "group-offsets", "timestamp", "specific-offsets"]),
            "Where a job without state begins; 'group-offsets' unless given.",
        ),
        option("scan.startup.specific-offsets", Text, "partition:0,offset:42;partition:1,offset:300"),
        option("scan.startup.timestamp-millis", Integer, "Milliseconds since the epoch."),
        option(
            "scan.bounded.mode",
            OneOf(&["unbounded", "latest-offset", "group-offsets", "timestamp", "specific-offsets"]),
            "Where the job ends; 'unbounded' unless given.",
        ),
        option("scan.bounded.specific-offsets", Text, "partition:0,offset:42;partition:1,offset:300, exclusive"),
        option("scan.bounded.timestamp-millis", Integer, "Milliseconds since the epoch, exclusive."),
        option(
            "scan.topic-partition-discovery.interval",
            Duration,
            "How often new partitions are looked for; 5 min unless given, 0 never.",
        ),
        option("scan.parallelism", Integer, "The parallelism of the source."),
        option("sink.partitioner", OneOf(&["default", "fixed", "round-robin"]), "How rows are spread over partitions."),
        option(
            "sink.delivery-guarantee",
            OneOf(&["none", "at-least-once", "exactly-once"]),
            "What holds after a failure; 'at-least-once' unless given.",
        ),
        option(
            "sink.transactional-id-prefix",
            Text,
            "The transactional.id of an exactly-once sink: unique among all that write to the cluster.",
        ),
        option("sink.parallelism", Integer, "The parallelism of the sink."),
    ]
}

/// Flink's metadata columns of Kafka, with Flink's types.
fn metadata() -> Vec<MetadataKey> {
    let string = || DataType::string().with_nullable(false);
    let headers =
        LogicalType::Map(Box::new(string()), Box::new(DataType::nullable(LogicalType::Varbinary(2_147_483_647))));
    let key = |key, data_type, writable| MetadataKey { key, data_type, writable };
    vec![
        key("topic", string(), false),
        key("partition", DataType::not_null(LogicalType::Int), false),
        key("headers", DataType::not_null(headers), true),
        key("leader-epoch", DataType::nullable(LogicalType::Int), false),
        key("offset", DataType::not_null(LogicalType::BigInt), false),
        key("timestamp", DataType::not_null(LogicalType::TimestampLtz(3)), true),
        key("timestamp-type", string(), false),
    ]
}
