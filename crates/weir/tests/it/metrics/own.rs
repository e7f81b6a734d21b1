//! Metrics of a job's own: METRIC_COUNT and METRIC_HISTOGRAM on the page, and after a restart.

use std::process::Stdio;

use super::page::{Held, Page, job, operator};
use crate::binary::Place;

/// Counted in a source, in a calc behind an exchange, behind CASE; a NULL id fails the job.
const JOB: &str = "
SET 'parallelism.default' = '1';
SET 'execution.checkpointing.interval' = '200 ms';
SET 'restart-strategy.type' = 'fixed-delay';
SET 'restart-strategy.fixed-delay.attempts' = '100';
SET 'restart-strategy.fixed-delay.delay' = '1 s';
CREATE TABLE input (id INT, device STRING, ms BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json', 'source.monitor-interval' = '100 ms');
CREATE TABLE kept (id INT NOT NULL, ms BIGINT, kind STRING)
  WITH ('connector' = 'filesystem', 'path' = 'kept', 'format' = 'json');
INSERT INTO kept
SELECT id, METRIC_HISTOGRAM('processing_time_ms', ms),
  CASE WHEN METRIC_COUNT('from_a', device = 'a') THEN 'a' WHEN METRIC_COUNT('not_from_a', TRUE) THEN 'other' END
FROM input WHERE METRIC_COUNT('events_processed_total', ms > 0);
";

const FIRST: &str = "{\"id\":1,\"device\":\"a\",\"ms\":10}\n{\"id\":2,\"device\":\"b\",\"ms\":20}\n\
    {\"id\":3,\"device\":\"a\",\"ms\":0}\n{\"id\":4,\"device\":null,\"ms\":30}\n{\"id\":5,\"device\":\"a\",\"ms\":null}\n";

/// The value of the job's own metric `name`.
fn own(tasks: &Page, name: &str) -> f64 {
    tasks.peek(&operator(name), "")
}

#[test]
fn a_job_shows_metrics_of_its_own_as_flinks_custom_metrics_are() {
    let place = Place::new();
    place.write("in/a.json", FIRST);
    let held = Held::start(&place, JOB, &[], Stdio::null());
    // Once the rows are visible, their checkpoint is complete: a restart reads none of them again.
    let (_, tasks) = held.pages("three rows", |jobs, tasks| {
        own(tasks, "processing_time_ms_count") == 3.0 && jobs.peek(&job("latency_count"), "") == 3.0
    });
    assert_eq!(tasks.one(&operator("events_processed_total"), ""), 3.0);
    assert_eq!(tasks.one(&operator("from_a"), ""), 1.0);
    assert_eq!(tasks.one(&operator("not_from_a"), ""), 2.0);
    let name = operator("processing_time_ms");
    let quantiles: Vec<(String, f64)> =
        tasks.samples_of(&name, "").map(|(_, labels, value)| (labels["quantile"].clone(), *value)).collect();
    let expected = [("0.5", 20.0), ("0.75", 30.0), ("0.95", 30.0), ("0.98", 30.0), ("0.99", 30.0), ("0.999", 30.0)];
    assert_eq!(quantiles, expected.map(|(quantile, value)| (quantile.to_owned(), value)));
    let scope = "(scope: taskmanager_job_task_operator)";
    let counter = operator("events_processed_total");
    let lines = [
        format!("# HELP {counter} events_processed_total {scope}\n# TYPE {counter} gauge\n"),
        format!("# HELP {name} processing_time_ms {scope}\n# TYPE {name} summary\n"),
    ];
    assert!(lines.iter().all(|line| tasks.text.contains(line)), "{}", tasks.text);

    // Tasks count anew behind a restart, as all counters of operators do.
    place.write("in/b.json", "{\"id\":null,\"device\":\"a\",\"ms\":1}\n");
    held.pages("a restart", |jobs, _| jobs.peek(&job("numRestarts"), "") >= 1.0);
    place.write("c.json", "{\"id\":7,\"device\":\"b\",\"ms\":5}\n");
    std::fs::rename(place.path("c.json"), place.path("in/b.json")).unwrap();
    let (_, tasks) = held.pages("the restarted job", |_, tasks| own(tasks, "events_processed_total") == 1.0);
    assert_eq!(tasks.one(&operator("not_from_a"), ""), 1.0);
}
