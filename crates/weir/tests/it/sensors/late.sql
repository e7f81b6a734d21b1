-- The machine's series with little patience: of the hour that comes twice, what falls into a window that has closed is late.
SET 'parallelism.default' = '1';
-- A watermark follows each row that moves it, so that what is late depends on the rows alone.
SET 'pipeline.auto-watermark-interval' = '0';

CREATE TABLE machine (
  raw_time STRING, raw_value STRING,
  ts AS COALESCE(TO_TIMESTAMP(raw_time), TIMESTAMP '1970-01-01 00:00:00'),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${SENSORS}/machine_temperature_system_failure.csv', 'format' = 'csv');

CREATE TABLE windows (window_start TIMESTAMP(3), readings BIGINT, total DOUBLE, low DOUBLE, high DOUBLE)
WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');

CREATE VIEW valid AS
SELECT ts, TRY_CAST(raw_value AS DOUBLE) AS reading FROM machine WHERE TRY_CAST(raw_value AS DOUBLE) IS NOT NULL;

INSERT INTO windows
SELECT window_start, COUNT(*), SUM(reading), MIN(reading), MAX(reading)
FROM TABLE(TUMBLE(TABLE valid, DESCRIPTOR(ts), INTERVAL '10' MINUTE))
GROUP BY window_start, window_end;
