-- Four real series, one file each, as they lie: a header, times without a zone, an hour that comes twice, a line that does.
SET 'parallelism.default' = '${PARALLELISM}';

CREATE TABLE cpu (
  raw_time STRING, raw_value STRING,
  ts AS COALESCE(TO_TIMESTAMP(raw_time), TIMESTAMP '1970-01-01 00:00:00'),
  WATERMARK FOR ts AS ts - INTERVAL '2' HOUR
) WITH ('connector' = 'filesystem', 'path' = '${SENSORS}/ec2_cpu_utilization_5f5533.csv', 'format' = 'csv');

CREATE TABLE disk (
  raw_time STRING, raw_value STRING,
  ts AS COALESCE(TO_TIMESTAMP(raw_time), TIMESTAMP '1970-01-01 00:00:00'),
  WATERMARK FOR ts AS ts - INTERVAL '2' HOUR
) WITH ('connector' = 'filesystem', 'path' = '${SENSORS}/ec2_disk_write_bytes_1ef3de.csv', 'format' = 'csv');

CREATE TABLE network (
  raw_time STRING, raw_value STRING,
  ts AS COALESCE(TO_TIMESTAMP(raw_time), TIMESTAMP '1970-01-01 00:00:00'),
  WATERMARK FOR ts AS ts - INTERVAL '2' HOUR
) WITH ('connector' = 'filesystem', 'path' = '${SENSORS}/ec2_network_in_257a54.csv', 'format' = 'csv');

CREATE TABLE machine (
  raw_time STRING, raw_value STRING,
  ts AS COALESCE(TO_TIMESTAMP(raw_time), TIMESTAMP '1970-01-01 00:00:00'),
  WATERMARK FOR ts AS ts - INTERVAL '2' HOUR
) WITH ('connector' = 'filesystem', 'path' = '${SENSORS}/machine_temperature_system_failure.csv', 'format' = 'csv');

CREATE TABLE hourly (
  series STRING, window_start TIMESTAMP(3), readings BIGINT, total DOUBLE, mean DOUBLE, low DOUBLE, high DOUBLE
) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');

CREATE VIEW readings AS
SELECT 'cpu' AS series, ts, TRY_CAST(raw_value AS DOUBLE) AS reading FROM cpu
UNION ALL
SELECT 'disk' AS series, ts, TRY_CAST(raw_value AS DOUBLE) AS reading FROM disk
UNION ALL
SELECT 'network' AS series, ts, TRY_CAST(raw_value AS DOUBLE) AS reading FROM network
UNION ALL
SELECT 'machine' AS series, ts, TRY_CAST(raw_value AS DOUBLE) AS reading FROM machine;

-- The header is no number. The machine's sensor is trusted from 10 to 105 degrees, a processor from 0 to 100 percent.
CREATE VIEW valid AS
SELECT * FROM readings
WHERE reading IS NOT NULL AND ts > TIMESTAMP '1970-01-01 00:00:00'
  AND CASE series
    WHEN 'machine' THEN reading BETWEEN 10 AND 105
    WHEN 'cpu' THEN reading BETWEEN 0 AND 100
    ELSE reading >= 0
  END;

CREATE VIEW firsts AS
SELECT series, ts, reading
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY series, ts ORDER BY ts ASC) AS row_num FROM valid)
WHERE row_num = 1;

INSERT INTO hourly
SELECT series, window_start, COUNT(*), SUM(reading), AVG(reading), MIN(reading), MAX(reading)
FROM TABLE(TUMBLE(TABLE firsts, DESCRIPTOR(ts), INTERVAL '1' HOUR))
GROUP BY series, window_start, window_end;
