//! Whole jobs as users write them: planned, and shown by `explain`.

use super::world::{plan, plan_within};
use crate::{Step, explain};

/// The plan of the only job of `sql`.
fn explained(sql: &str) -> String {
    let program = plan(sql).unwrap_or_else(|error| panic!("{}", error.render("job.sql", sql)));
    match program.steps.as_slice() {
        [Step::Job { graph, .. } | Step::Query { graph, .. }] => explain(graph),
        other => panic!("{other:?}"),
    }
}

/// Parse, validate and deduplicate events from files.
const VALIDATE: &str = "
SET 'pipeline.name'='validate';
SET 'pipeline.object-reuse'='true';
SET 'parallelism.default'='1';
SET 'table.exec.state.ttl'='10 min';
SET 'execution.checkpointing.interval'='${CKPT:-1 s}';
CREATE TABLE src (event_id STRING, device_id STRING, site_id STRING, sensor_type STRING, `value` DOUBLE, unit STRING, `timestamp` BIGINT, quality STRING, metadata ROW<fw STRING>, pt AS PROCTIME()) WITH ('connector'='filesystem','path'='file://${DIR}','format'='json','json.ignore-parse-errors'='true');
CREATE TABLE snk (event_id STRING, device_id STRING, site_id STRING, sensor_type STRING, `value` DOUBLE, unit STRING, `timestamp` BIGINT, quality STRING, metadata ROW<fw STRING>) WITH ('connector'='blackhole');
INSERT INTO snk SELECT event_id, device_id, site_id, sensor_type, `value`, unit, `timestamp`, quality, metadata FROM (
 SELECT *, ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY pt ASC) AS rn FROM src
 WHERE event_id IS NOT NULL AND device_id IS NOT NULL AND `timestamp` IS NOT NULL AND `value` IS NOT NULL
  AND ABS(`value` - CASE sensor_type WHEN 'temperature' THEN 50.0e0 WHEN 'humidity' THEN 50.0e0 WHEN 'pressure' THEN 700.0e0 WHEN 'vibration' THEN 250.0e0 WHEN 'voltage' THEN 300.0e0 WHEN 'co2' THEN 5000.0e0 ELSE 1e300 END)
   <= CASE sensor_type WHEN 'temperature' THEN 100.0e0 WHEN 'humidity' THEN 50.0e0 WHEN 'pressure' THEN 400.0e0 WHEN 'vibration' THEN 250.0e0 WHEN 'voltage' THEN 300.0e0 WHEN 'co2' THEN 5000.0e0 ELSE -1e0 END
) WHERE rn = 1;
";

/// Sensors on Kafka to QuestDB and Kafka, through views, as one job.
const TELEMETRY: &str = "
SET 'pipeline.name' = 'telemetry';
SET 'parallelism.default' = '${FLINK_PARALLELISM:-8}';
SET 'table.exec.state.ttl' = '1 h';
CREATE TABLE raw_telemetry (
  event_id STRING, device_id STRING, site_id STRING, sensor_type STRING, `value` DOUBLE, unit STRING, `timestamp` BIGINT, quality STRING,
  metadata ROW<fw STRING>,
  kafka_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  kafka_partition INT METADATA FROM 'partition' VIRTUAL,
  arrived TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  ts AS TO_TIMESTAMP_LTZ(`timestamp`, 3),
  proc AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'kafka', 'topic' = 'raw_telemetry', 'properties.bootstrap.servers' = '${KAFKA_BROKERS:-kafka:9092}',
  'properties.group.id' = 'telemetry', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json', 'json.ignore-parse-errors' = 'true');
CREATE TABLE sensor_readings (
  event_id STRING, device_id STRING, site_id STRING, sensor_type STRING, `value` DOUBLE, ts TIMESTAMP_LTZ(3),
  PRIMARY KEY (event_id, ts) NOT ENFORCED
) WITH ('connector' = 'questdb', 'host' = '${QUESTDB_HOST:-localhost}', 'table' = 'sensor_readings');
CREATE TABLE validated_telemetry (event_id STRING, device_id STRING, sensor_type STRING, `value` DOUBLE, `timestamp` BIGINT, metadata ROW<fw STRING>)
WITH ('connector' = 'kafka', 'topic' = 'validated_telemetry', 'properties.bootstrap.servers' = '${KAFKA_BROKERS:-kafka:9092}', 'format' = 'json',
  'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = 'telemetry');
CREATE TEMPORARY VIEW valid AS SELECT * FROM raw_telemetry
WHERE event_id IS NOT NULL AND device_id IS NOT NULL AND `timestamp` IS NOT NULL AND `value` BETWEEN
  CASE sensor_type WHEN 'temperature' THEN -50 WHEN 'humidity' THEN 0 ELSE -1e9 END AND CASE sensor_type WHEN 'temperature' THEN 150 ELSE 1e9 END;
CREATE TEMPORARY VIEW deduplicated AS SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY proc ASC) AS rn FROM valid) WHERE rn = 1;
EXECUTE STATEMENT SET BEGIN
INSERT INTO sensor_readings SELECT event_id, device_id, site_id, sensor_type, `value`, ts FROM deduplicated;
INSERT INTO validated_telemetry SELECT event_id, device_id, sensor_type, `value`, `timestamp`, metadata FROM deduplicated;
END;
";

/// Averages by device and window, in both spellings of the window.
const WINDOWS: &str = "
CREATE TABLE src (device STRING, v DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND)
WITH ('connector' = 'filesystem', 'path' = '/in', 'format' = 'json');
CREATE TABLE snk (device STRING, s TIMESTAMP(3), e TIMESTAMP(3), n BIGINT, mean DOUBLE) WITH ('connector' = 'print');
INSERT INTO snk SELECT device, window_start, window_end, COUNT(*), AVG(v)
FROM TABLE(TUMBLE(TABLE src /*+ OPTIONS('path' = '/other') */, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY device, window_start, window_end;
";

/// Compares with the file of the plan; `UPDATE=1` writes it, for `git diff` to show.
#[test]
fn jobs_are_planned_as_shown() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/plans");
    for (name, sql) in [("validate", VALIDATE), ("telemetry", TELEMETRY), ("windows", WINDOWS)] {
        let (file, plan) = (folder.join(format!("{name}.txt")), explained(sql));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &plan).unwrap();
        }
        assert_eq!(plan, std::fs::read_to_string(&file).unwrap(), "{}", file.display());
    }
}

#[test]
fn what_several_inserts_read_is_read_once() {
    let plan = explained(TELEMETRY);
    assert_eq!(plan.matches("Source(").count(), 1, "{plan}");
    assert_eq!(plan.matches("Deduplicate(").count(), 1, "{plan}");
}

#[test]
fn an_options_hint_reaches_the_source() {
    let program = plan(WINDOWS).unwrap();
    let Step::Job { graph, .. } = &program.steps[0] else { panic!("not a job") };
    let weir_plan::Operator::Source(source) = &graph.nodes[0].operator else { panic!("not a source") };
    assert_eq!(source.options.get("path"), Some("/other"));
}

#[test]
fn each_job_has_the_settings_in_force_where_it_stands() {
    let tables =
        "CREATE TABLE s (a INT) WITH ('connector' = 'datagen'); CREATE TABLE t (a INT) WITH ('connector' = 'print');";
    let sql = format!(
        "SET 'parallelism.default' = '2'; SET 'pipeline.name' = 'one'; {tables} INSERT INTO t SELECT a FROM s; RESET 'pipeline.name'; \
         SET 'parallelism.default' = '3'; INSERT INTO t SELECT a FROM s; RESET; SELECT a FROM s;"
    );
    let above = |defaults: &[(&str, &str)], overrides: &[(&str, &str)]| {
        let steps = plan_within(&sql, defaults, overrides).unwrap().steps.into_iter();
        let summary = steps.map(|step| match step {
            Step::Job { graph, settings } => format!("job {} {} {settings:?}", graph.name, graph.nodes[0].parallelism),
            Step::Query { graph, settings } => {
                format!("query {} {} {settings:?}", graph.name, graph.nodes[0].parallelism)
            }
            Step::Text(text) => text,
        });
        summary.collect::<Vec<_>>()
    };
    let graphs = |overrides: &[(&str, &str)]| above(&[], overrides);
    assert_eq!(
        graphs(&[]),
        [
            r#"job one 2 {"parallelism.default": "2", "pipeline.name": "one"}"#,
            r#"job script 3 {"parallelism.default": "3"}"#,
            "query script 1 {}",
        ]
    );
    assert_eq!(
        graphs(&[("parallelism.default", "5"), ("pipeline.name", "D")]),
        [
            r#"job D 5 {"parallelism.default": "5", "pipeline.name": "D"}"#,
            r#"job D 5 {"parallelism.default": "5", "pipeline.name": "D"}"#,
            r#"query D 5 {"parallelism.default": "5", "pipeline.name": "D"}"#
        ]
    );
    assert_eq!(
        above(&[("parallelism.default", "7"), ("pipeline.name", "file")], &[]),
        [
            r#"job one 2 {"parallelism.default": "2", "pipeline.name": "one"}"#,
            r#"job file 3 {"parallelism.default": "3", "pipeline.name": "file"}"#,
            r#"query file 7 {"parallelism.default": "7", "pipeline.name": "file"}"#
        ],
        "a configuration file stands behind SET, and RESET goes back to it"
    );
}

/// What is only known where a table is used: its direction, what is missing, which options a hint adds.
#[test]
fn tables_are_checked_where_they_are_used() {
    let cases = [
        (
            "CREATE TABLE s (a INT) WITH ('connector' = 'print'); SELECT a FROM s",
            "1:30: Connector 'print' can only be used as a sink. It cannot be used as a source.; a source can be: datagen, filesystem, kafka",
        ),
        (
            "CREATE TABLE s (a INT) WITH ('connector' = 'datagen'); INSERT INTO s SELECT a FROM s",
            "1:30: Connector 'datagen' can only be used as a source. It cannot be used as a sink.; \
             a sink can be: blackhole, filesystem, kafka, print, questdb",
        ),
        (
            "CREATE TABLE s (a INT); SELECT a FROM s",
            "1:14: Table options of 'default_catalog.default_database.s' do not contain an option key 'connector' for discovering a \
             connector.; add WITH ('connector' = '...'); there are: blackhole, datagen, filesystem, kafka, print, questdb",
        ),
        (
            "CREATE TABLE s (a INT) WITH ('connector' = 'filesystem', 'path' = '/x'); SELECT a FROM s",
            "1:30: Could not find required format of connector 'filesystem': the option 'format' is missing.; add 'format' = '...'; \
             there are: csv, json",
        ),
        (
            "CREATE TABLE s (a INT) WITH ('connector' = 'filesystem', 'format' = 'json'); SELECT a FROM s",
            "1:30: One or more required options are missing. Missing required options are: path; add 'path' = '...': the file or folder",
        ),
        (
            "CREATE TABLE s (a INT) WITH ('connector' = 'datagen'); SELECT a FROM s /*+ OPTIONS('rows-per-secnd' = '1') */",
            "1:84: Unsupported options found for 'datagen'. Unsupported options: rows-per-secnd; did you mean 'rows-per-second'?",
        ),
        (
            "CREATE TABLE s (a INT) WITH ('connector' = 'datagen'); SELECT a FROM s /*+ OPTIONS('connector' = 'kafka') */",
            "1:84: a hint cannot change 'connector'; declare another table",
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(plan(sql).unwrap_err().to_string(), expected, "{sql}");
    }
    let sql = "CREATE TABLE s (a INT) WITH ('connector' = 'filesystem', 'format' = 'json'); SELECT a FROM s /*+ OPTIONS('path' = '/x') */";
    assert!(plan(sql).is_ok());
}
