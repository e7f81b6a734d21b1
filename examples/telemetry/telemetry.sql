-- Sensor telemetry: parse, validate, deduplicate; readings go to QuestDB, validated events to Kafka.
-- The same file runs on Apache Flink (with the Kafka and QuestDB connectors in its lib folder).

SET 'pipeline.name' = 'telemetry';
SET 'parallelism.default' = '${FLINK_PARALLELISM:-8}';
SET 'execution.checkpointing.interval' = '${CHECKPOINT_INTERVAL_MS:-30000} ms';
SET 'execution.checkpointing.dir' = '${CHECKPOINT_DIR:-/tmp/flink-checkpoints}';
SET 'execution.checkpointing.timeout' = '10 min';
SET 'table.exec.state.ttl' = '10 min';
SET 'restart-strategy.type' = 'fixed-delay';
SET 'restart-strategy.fixed-delay.attempts' = '10';
SET 'restart-strategy.fixed-delay.delay' = '30 s';

CREATE TABLE raw_telemetry (
  event_id STRING,
  device_id STRING,
  site_id STRING,
  sensor_type STRING,
  `value` DOUBLE,
  unit STRING,
  `timestamp` BIGINT,
  quality STRING,
  metadata ROW<fw STRING>,
  received_at AS PROCTIME()
) WITH (
  'connector' = 'kafka',
  'topic' = 'raw_telemetry',
  'properties.bootstrap.servers' = '${KAFKA_BROKERS:-kafka:9092}',
  'properties.group.id' = 'telemetry',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true'
);

CREATE TABLE validated_telemetry (
  event_id STRING,
  device_id STRING,
  site_id STRING,
  sensor_type STRING,
  `value` DOUBLE,
  unit STRING,
  `timestamp` BIGINT,
  quality STRING,
  metadata ROW<fw STRING>
) WITH (
  'connector' = 'kafka',
  'topic' = 'validated_telemetry',
  'properties.bootstrap.servers' = '${KAFKA_BROKERS:-kafka:9092}',
  'properties.transaction.timeout.ms' = '600000',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'telemetry',
  'format' = 'json'
);

CREATE TABLE sensor_readings (
  ts TIMESTAMP_LTZ(3) NOT NULL,
  event_id STRING NOT NULL,
  device_id STRING NOT NULL,
  site_id STRING,
  sensor_type STRING,
  `value` DOUBLE,
  unit STRING,
  quality STRING,
  fw STRING,
  PRIMARY KEY (ts, device_id, event_id) NOT ENFORCED
) WITH (
  'connector' = 'questdb',
  'host' = '${QUESTDB_HOST:-localhost}:${QUESTDB_HTTP_PORT:-9000}',
  'pg.port' = '${QUESTDB_PORT:-8812}',
  'table' = 'sensor_readings',
  'symbols' = 'device_id;site_id;sensor_type;unit;quality'
);

-- A missing id, device, time or value, or a value out of its sensor's range, is not valid.
CREATE TEMPORARY VIEW valid_telemetry AS
SELECT * FROM raw_telemetry
WHERE event_id IS NOT NULL
  AND device_id IS NOT NULL
  AND `timestamp` IS NOT NULL
  AND `value` IS NOT NULL
  AND `value` BETWEEN
    CASE sensor_type
      WHEN 'temperature' THEN -50.0e0
      WHEN 'humidity' THEN 0.0e0
      WHEN 'pressure' THEN 300.0e0
      WHEN 'vibration' THEN 0.0e0
      WHEN 'voltage' THEN 0.0e0
      WHEN 'co2' THEN 0.0e0
    END
  AND
    CASE sensor_type
      WHEN 'temperature' THEN 150.0e0
      WHEN 'humidity' THEN 100.0e0
      WHEN 'pressure' THEN 1100.0e0
      WHEN 'vibration' THEN 500.0e0
      WHEN 'voltage' THEN 600.0e0
      WHEN 'co2' THEN 10000.0e0
    END;

-- The first event of each id within table.exec.state.ttl.
CREATE TEMPORARY VIEW unique_telemetry AS
SELECT event_id, device_id, site_id, sensor_type, `value`, unit, `timestamp`, quality, metadata
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY received_at ASC) AS row_num
  FROM valid_telemetry
)
WHERE row_num = 1;

EXECUTE STATEMENT SET
BEGIN
INSERT INTO sensor_readings
SELECT TO_TIMESTAMP_LTZ(`timestamp`, 3), event_id, device_id, site_id, sensor_type, `value`, unit, quality, metadata.fw
FROM unique_telemetry;
INSERT INTO validated_telemetry
SELECT * FROM unique_telemetry;
END;
