//! Queries over a data directory that a sink and a producer have written.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{BinaryViewArray, Float64Array, Int32Array, StringViewArray, TimestampMillisecondArray};
use weir_base::{Epoch, Generation, JobId, ManualClock, RowKind};
use weir_connector::{Batch, Factory as _, JobContext, WriterContext};
use weir_embedded::{EmbeddedTableFactory, Record, TopicWriter};
use weir_metrics::Registry;
use weir_plan::{
    ChangelogMode, DataType as Type, Field as Column, LogicalType, Schema as Columns, SinkSpec, TableOptions,
};

use super::*;

fn columns() -> Columns {
    Columns::new(vec![
        Column::new("deviceId", Type::string()),
        Column::new("value", Type::nullable(LogicalType::Double)),
        Column::new("timestamp", Type::nullable(LogicalType::TimestampLtz(3))),
        Column::new("local", Type::nullable(LogicalType::Timestamp(3))),
        Column::new("count", Type::nullable(LogicalType::Int)),
        Column::new("raw", Type::nullable(LogicalType::Varbinary(2_147_483_647))),
        Column::new("price", Type::nullable(LogicalType::Decimal(10, 2))),
        Column::new("day", Type::nullable(LogicalType::Date)),
    ])
}

fn rows() -> Batch {
    let bytes: Vec<Option<&[u8]>> = vec![Some(b"{\"a\":"), Some(&[0xFF, 0x01]), None];
    let price = datafusion::arrow::array::Decimal128Array::from(vec![Some(1_050), None, Some(-5)]);
    let data = RecordBatch::try_new(
        columns().arrow(),
        vec![
            Arc::new(StringViewArray::from(vec![Some("dev-1"), Some("dev-2\nx"), None])),
            Arc::new(Float64Array::from(vec![Some(21.5), Some(-3.0), None])),
            Arc::new(
                TimestampMillisecondArray::from(vec![Some(1_767_225_600_123), None, Some(0)]).with_timezone("UTC"),
            ),
            Arc::new(TimestampMillisecondArray::from(vec![Some(1_767_225_600_000), None, Some(-1)])),
            Arc::new(Int32Array::from(vec![Some(7), Some(12_345), None])),
            Arc::new(BinaryViewArray::from(bytes)),
            Arc::new(price.with_precision_and_scale(10, 2).unwrap()),
            Arc::new(datafusion::arrow::array::Date32Array::from(vec![Some(20_454), None, Some(0)])),
        ],
    );
    Batch::inserts(data.unwrap(), 0)
}

/// A data directory with the table `readings`, keyed by `count`, and the topic `raw_telemetry`.
fn data_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let context = JobContext {
        job: JobId::of_name("c", "j"),
        name: "j".into(),
        generation: Generation(1),
        checkpoint_interval: None,
        data_dir: dir.path().to_owned(),
        carried_dir: dir.path().join("carried"),
        carried_bytes_max: u64::MAX,
        clock: Arc::new(ManualClock::at(0)),
        metrics: Registry::default(),
    };
    let spec = SinkSpec {
        table: "default_catalog.default_database.readings".into(),
        connector: "questdb".into(),
        options: TableOptions { values: BTreeMap::new(), spans: BTreeMap::new() },
        physical: columns(),
        metadata: Vec::new(),
        primary_key: vec![4],
        changelog: ChangelogMode::UPSERT,
    };
    let sink = EmbeddedTableFactory::default().sink(&spec, &context).unwrap();
    let clock = Arc::new(ManualClock::at(0));
    let context = WriterContext { subtask: 0, parallelism: 1, epoch: Epoch(1), clock, metrics: Registry::default() };
    let mut writer = sink.writer(&context).unwrap();
    writer.write(&rows()).unwrap();
    let mut again = rows();
    again.kinds = Some(vec![RowKind::UpdateAfter, RowKind::UpdateAfter, RowKind::UpdateAfter].into());
    writer.write(&again).unwrap();
    let prepared = writer.prepare(Epoch(1)).unwrap().0;
    sink.committer().unwrap().apply(Epoch(1), &[prepared]).unwrap();
    writer.write(&rows()).unwrap();
    writer.prepare(Epoch(2)).unwrap();
    let mut topic = TopicWriter::open(dir.path(), "raw_telemetry", 2, "test").unwrap();
    let events = [r#"{"event_id":"a","value":1.5,"metadata":{"fw":"1.2"},"list":[true,null]}"#, "{\"cut"];
    let record = |value: &'static str| Record { key: Some(b"k"), value: Some(value.as_bytes()), timestamp: 1_000 };
    topic.append(0, events.map(record)).unwrap();
    topic.append(1, [Record { key: None, value: None, timestamp: 2_000 }]).unwrap();
    dir
}

fn shown(dir: &Path, sql: &str, format: OutputFormat) -> String {
    let mut out = Vec::new();
    write(dir, sql, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_table_is_shown_in_each_format() {
    let dir = data_dir();
    let sql = "SELECT * FROM readings ORDER BY value DESC NULLS LAST;";
    let table = r#"
 deviceId  | value | timestamp                | local                   | count | raw    | price | day
-----------+-------+--------------------------+-------------------------+-------+--------+-------+------------
 dev-1     |  21.5 | 2026-01-01 00:00:00.123Z | 2026-01-01 00:00:00.000 |     7 | {"a":  | 10.50 | 2026-01-01
 dev-2\nx  |  -3.0 | NULL                     | NULL                    | 12345 | \\xff01 |  NULL | NULL
 NULL      |  NULL | 1970-01-01 00:00:00.000Z | 1969-12-31 23:59:59.999 |  NULL | NULL   | -0.05 | 1970-01-01
(3 rows)
"#;
    let squeeze = |text: &str| {
        let lines = text.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.filter(|line| !line.starts_with('-')).collect::<Vec<_>>()
    };
    let out = shown(dir.path(), sql, OutputFormat::Table);
    assert_eq!(squeeze(&out), squeeze(table));
    let bars: Vec<Vec<usize>> =
        out.lines().take(5).map(|line| line.match_indices(['|', '+']).map(|found| found.0).collect()).collect();
    assert!(bars.iter().all(|positions| *positions == bars[0]), "{out}");
    assert_eq!(
        shown(dir.path(), sql, OutputFormat::Json),
        concat!(
            r#"{"deviceId":"dev-1","value":21.5,"timestamp":"2026-01-01 00:00:00.123Z","local":"2026-01-01 00:00:00.000","count":7,"raw":"{\"a\":","price":10.50,"day":"2026-01-01"}"#,
            "\n",
            r#"{"deviceId":"dev-2\nx","value":-3.0,"timestamp":null,"local":null,"count":12345,"raw":"\\xff01","price":null,"day":null}"#,
            "\n",
            r#"{"deviceId":null,"value":null,"timestamp":"1970-01-01 00:00:00.000Z","local":"1969-12-31 23:59:59.999","count":null,"raw":null,"price":-0.05,"day":"1970-01-01"}"#,
            "\n"
        )
    );
    assert_eq!(
        shown(dir.path(), "SELECT deviceId, count, raw FROM readings WHERE count = 7", OutputFormat::Csv),
        "deviceId,count,raw\ndev-1,7,\"{\"\"a\"\":\"\n"
    );
    assert_eq!(shown(dir.path(), "SELECT deviceId FROM readings WHERE count = 8", OutputFormat::Csv), "deviceId\n");
    assert_eq!(
        shown(dir.path(), "SELECT COUNT(*) AS n, AVG(value) AS mean FROM Readings", OutputFormat::Table),
        " n | mean\n---+------\n 3 | 9.25\n(1 row)\n"
    );
    assert_eq!(
        shown(dir.path(), "SELECT deviceId FROM readings LIMIT 0", OutputFormat::Table),
        " deviceId\n----------\n(0 rows)\n"
    );
}

#[test]
fn a_topic_is_a_table_and_the_fields_of_its_values_can_be_asked_for() {
    let dir = data_dir();
    let sql = "SELECT partition, `offset`, timestamp, key, json_value(value, '$.value') AS v, \
               JSON_VALUE(value, '$.metadata.fw') AS fw, JSON_VALUE(value, '$[''list''][0]') AS l, \
               JSON_VALUE(value, '$.metadata') AS whole FROM raw_telemetry ORDER BY partition, \"offset\"";
    assert_eq!(
        shown(dir.path(), sql, OutputFormat::Json),
        concat!(
            r#"{"partition":0,"offset":0,"timestamp":"1970-01-01 00:00:01.000Z","key":"k","v":"1.5","fw":"1.2","l":"true","whole":null}"#,
            "\n",
            r#"{"partition":0,"offset":1,"timestamp":"1970-01-01 00:00:01.000Z","key":"k","v":null,"fw":null,"l":null,"whole":null}"#,
            "\n",
            r#"{"partition":1,"offset":0,"timestamp":"1970-01-01 00:00:02.000Z","key":null,"v":null,"fw":null,"l":null,"whole":null}"#,
            "\n"
        )
    );
    assert_eq!(
        shown(dir.path(), "show tables;", OutputFormat::Table),
        " name          | kind\n---------------+-------\n readings      | table\n raw_telemetry | topic\n(2 rows)\n"
    );
    let joined =
        run(dir.path(), "SELECT r.count FROM readings r JOIN raw_telemetry t ON r.count = t.`offset` + 7").unwrap();
    let rows: usize = joined.batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!((rows, joined.schema.field(0).name().as_str()), (2, "count"));
}

#[test]
fn an_error_says_where_and_what_to_do() {
    let dir = data_dir();
    let error = |sql: &str| run(dir.path(), sql).unwrap_err().to_string();
    for (sql, expected) in [
        (
            "SELECT * FROM reading",
            "find the table 'reading'; did you mean 'readings'? tables: readings; topics: raw_telemetry",
        ),
        ("SELECT * FROM nothing_like_it", "find the table 'nothing_like_it'; tables: readings; topics: raw_telemetry"),
        (
            "SELECT valu FROM readings",
            "run the query at line 1, column 8: Column 'valu' not found in table 'readings'; did you mean 'value'?",
        ),
        (
            "SELECT count,\n DEVICEID FROM readings",
            "run the query at line 2, column 2: Column 'DEVICEID' not found in table 'readings'; did you mean 'deviceId'?",
        ),
        (
            "SELECT r.xyz FROM readings r",
            "run the query at line 1, column 8: Column 'xyz' not found in table 'r'; it has deviceId, value, timestamp, local, count, raw, price, day",
        ),
        (
            "SELECT 1 FROM readings r WHERE readings.count = 1",
            "run the query at line 1, column 32: Table 'readings' not found; the query reads r",
        ),
        (
            "SELECT valu FROM readings, raw_telemetry",
            "run the query at line 1, column 8: Column 'valu' not found in any table; did you mean 'value'?",
        ),
        (
            "SELECT (1\n FROM readings",
            "at Line: 2, Column: 2; a name that is a word of SQL stands in backticks: `offset`",
        ),
        ("DROP TABLE readings", "a query only reads: SELECT, EXPLAIN, DESCRIBE, SHOW TABLES"),
        ("INSERT INTO readings SELECT * FROM readings", "a query only reads: SELECT, EXPLAIN, DESCRIBE, SHOW TABLES"),
        (
            "SELECT JSON_VALUE(value, 'x') FROM raw_telemetry",
            "'x' is no path for JSON_VALUE: write it like '$.metadata.fw' or '$.list[0]'",
        ),
    ] {
        let text = error(sql);
        assert!(text.contains(expected), "{sql}: {text}");
    }
    let missing = dir.path().join("nowhere");
    assert_eq!(
        run(&missing, "SELECT 1").unwrap_err().to_string(),
        format!(
            "open the data directory {}: there is none; name it with --data-dir; `weir demo` and `weir run --embedded` make one",
            missing.display()
        )
    );
}

#[test]
fn a_damaged_file_is_named_with_its_byte() {
    let dir = data_dir();
    let segment = dir.path().join("topics/raw_telemetry/0/00000000000000000000-00000000000000000000.log");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[60] ^= 4;
    std::fs::write(&segment, bytes).unwrap();
    let error = run(dir.path(), "SELECT COUNT(*) FROM raw_telemetry").unwrap_err();
    assert_eq!(error.kind(), weir_base::Kind::Corrupt);
    assert_eq!(error.message(), format!("read {} at byte 0: a frame does not match its checksum", segment.display()));
}
