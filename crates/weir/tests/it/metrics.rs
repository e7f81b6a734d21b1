//! The metric pages and the logs of the binary, on jobs that are held up, stuck and flowing: each figure against a value worked out beforehand.

mod expected;
mod own;
mod page;

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::binary::{Place, Ran};
use crate::servers::servers;
use expected::{Case, WATERMARK, check};
use page::{Held, Page, job, now_ms, operator, task};

/// One task reads and keeps rows, one aggregates them behind an exchange that two columns cross; a NULL id fails the job.
const JOB: &str = "
SET 'parallelism.default' = '1';
SET 'pipeline.name' = 'held-up job';
SET 'execution.checkpointing.interval' = '200 ms';
SET 'restart-strategy.type' = 'fixed-delay';
SET 'restart-strategy.fixed-delay.attempts' = '100';
SET 'restart-strategy.fixed-delay.delay' = '1 s';
CREATE TABLE input (id INT, device STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
  WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json', 'json.ignore-parse-errors' = 'true',
    'source.monitor-interval' = '100 ms');
CREATE TABLE counted (device STRING, rows_of BIGINT NOT NULL)
  WITH ('connector' = 'filesystem', 'path' = 'counted', 'format' = 'json');
CREATE TABLE kept (id INT NOT NULL) WITH ('connector' = 'filesystem', 'path' = 'kept', 'format' = 'json');
EXECUTE STATEMENT SET BEGIN
INSERT INTO counted SELECT device, COUNT(*) FROM TABLE(TUMBLE(TABLE input, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY device, window_start, window_end;
INSERT INTO kept SELECT id FROM input;
END;
";

/// Three rows and a broken one; the watermark comes to 2026-01-01 00:00:59.
const FIRST: &str = "{\"id\":1,\"device\":\"a\",\"ts\":\"2026-01-01 00:00:01\"}\n{\"id\":2,,}\n\
    {\"id\":3,\"device\":\"a\",\"ts\":\"2026-01-01 00:00:02\"}\n{\"id\":4,\"device\":\"b\",\"ts\":\"2026-01-01 00:01:00\"}\n";

/// Two rows whose windows are over.
const LATE: &str = "{\"id\":5,\"device\":\"a\",\"ts\":\"2026-01-01 00:00:03\"}\n\
    {\"id\":6,\"device\":\"b\",\"ts\":\"2026-01-01 00:00:04\"}\n";

/// What belongs to no one line of the table.
fn check_held_up(held: &Held, jobs: &Page, tasks: &Page, since: f64) {
    check(Case::HeldUp, jobs, tasks);
    let bytes = f64::from(u32::try_from(FIRST.len() + LATE.len()).expect("a short file"));
    assert_eq!(tasks.one(&operator("numBytesIn"), "Source"), bytes);
    assert_eq!(tasks.one(&task("numBytesIn"), "Source"), bytes);
    let uptime = jobs.one(&job("uptime"), "");
    assert!(uptime > 0.0 && uptime <= now_ms() - since + 1.0, "{uptime}");
    let triggered =
        jobs.one(&job("numberOfCompletedCheckpoints"), "") + jobs.one(&job("numberOfInProgressCheckpoints"), "");
    assert_eq!(jobs.one(&job("totalNumberOfCheckpoints"), ""), triggered);
    assert!((now_ms() - jobs.one(&job("lastCheckpointCompletedTimestamp"), "")).abs() < 10_000.0);
    let shares = ["busyTimeMsPerSecond", "idleTimeMsPerSecond", "backPressuredTimeMsPerSecond"];
    let sum: f64 = shares.iter().map(|name| tasks.one(&task(name), "Source")).sum();
    assert!((600.0..1400.0).contains(&sum), "a second has 1000 ms: {sum}");
    check_labels(tasks);
    check_process(held, jobs, tasks);
}

fn check_labels(tasks: &Page) {
    let labels = tasks.samples.iter().find(|(name, ..)| *name == task("isBackPressured")).map(|(_, labels, _)| labels);
    let labels = labels.expect("isBackPressured");
    let names: BTreeSet<&str> = labels.keys().map(String::as_str).collect();
    let flinks = "host job_id job_name subtask_index task_attempt_id task_attempt_num task_id task_name tm_id";
    assert_eq!(names, flinks.split(' ').collect());
    assert_eq!((labels["job_name"].as_str(), labels["task_attempt_num"].as_str()), ("held_up_job", "0"));
    for (_, labels, _) in &tasks.samples {
        let clean = |letter: char| letter.is_ascii_alphanumeric() || letter == ':' || letter == '_';
        assert!(labels.iter().all(|(label, value)| label == "quantile" || value.chars().all(clean)), "{labels:?}");
    }
}

/// Against what the system says of the process.
fn check_process(held: &Held, jobs: &Page, tasks: &Page) {
    let number = |path: &str, key: &str| -> f64 {
        let text = std::fs::read_to_string(path).expect("a file of the system");
        let line = text.lines().find(|line| line.starts_with(key)).expect("a line of it");
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    };
    let status = format!("/proc/{}/status", held.child.id());
    for (page, scope) in [(jobs, "jobmanager"), (tasks, "taskmanager")] {
        let of = |name: &str| page.one(&format!("flink_{scope}_Status_JVM_{name}"), "");
        assert!((of("Memory_Heap_Used") / (number(&status, "VmRSS:") * 1024.0) - 1.0).abs() < 0.3);
        assert!((of("Threads_Count") - number(&status, "Threads:")).abs() <= 2.0);
    }
    let limit = |path: &str| std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<f64>().ok());
    let container = limit("/sys/fs/cgroup/memory.max").or_else(|| limit("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    let machine = number("/proc/meminfo", "MemTotal:") * 1024.0;
    let total = tasks.one("flink_taskmanager_Status_Flink_Memory_Managed_Total", "");
    assert_eq!(total, container.map_or(machine, |container| container.min(machine)));
}

#[test]
fn the_pages_show_what_was_worked_out_beforehand_and_the_logs_tell_of_it() {
    let place = Place::new();
    place.write("in/a.json", FIRST);
    let since = now_ms();
    let held = Held::start(&place, JOB, &[], Stdio::null());
    held.pages("the first file's watermark", |_, tasks| {
        tasks.peek(&operator("currentOutputWatermark"), "Source") == WATERMARK
    });
    place.write("in/b.json", LATE);
    let settled = |jobs: &Page, tasks: &Page| {
        let rate = tasks.peek(&task("idleTimeMsPerSecond"), "");
        tasks.all(&operator("numLateRecordsDropped"), "") == [2.0]
            && jobs.peek(&job("latency_count"), "") == 5.0
            && tasks.peek(&operator("lateRecordsDroppedRate"), "") > 0.0
            && jobs.peek(&job("uptime"), "") > 3_000.0
            && rate > 600.0
    };
    let (jobs, tasks) = held.pages("the second file", settled);
    check_held_up(&held, &jobs, &tasks, since);
    check_by_promtool(&jobs, &tasks);

    place.write("in/c.json", "{\"id\":null,\"device\":\"a\",\"ts\":\"2026-01-01 00:01:00\"}\n");
    held.pages("a restart", |jobs, _| jobs.peek(&job("numRestarts"), "") >= 1.0);
    place.write("c.json", "{\"id\":7,\"device\":\"a\",\"ts\":\"2026-01-01 00:01:00\"}\n");
    std::fs::rename(place.path("c.json"), place.path("in/c.json")).unwrap();
    let (jobs, tasks) =
        held.pages("the restarted job", |_, tasks| tasks.peek(&operator("numRecordsIn"), "Source") == 1.0);
    let restarts = jobs.one(&job("numRestarts"), "");
    assert!((now_ms() - jobs.one(&job("lastCheckpointRestoreTimestamp"), "")).abs() < 10_000.0);
    assert!(
        tasks
            .samples
            .iter()
            .all(|(_, labels, _)| labels.get("task_attempt_num").is_none_or(|attempt| attempt.parse() == Ok(restarts))),
        "{}",
        tasks.text
    );
    check_log(&std::fs::read_to_string(place.path("log")).unwrap(), restarts);
}

/// Numbered rows without an end, deduplicated behind an exchange.
fn endless(rows_a_second: u64, sink: &str) -> String {
    format!(
        "SET 'pipeline.name' = 'endless job';
         SET 'execution.checkpointing.interval' = '200 ms';
         CREATE TABLE numbers (number BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '{rows_a_second}',
           'fields.number.kind' = 'sequence', 'fields.number.start' = '1', 'fields.number.end' = '100000000');
         CREATE TABLE seen (number BIGINT) WITH ('connector' = '{sink}');
         INSERT INTO seen SELECT number FROM (
           SELECT number, ROW_NUMBER() OVER (PARTITION BY number ORDER BY PROCTIME()) AS place FROM numbers)
         WHERE place = 1;"
    )
}

#[test]
fn a_job_whose_output_nobody_takes_shows_full_channels_and_back_pressure() {
    let place = Place::new();
    let held = Held::start(&place, &endless(1_000_000, "print"), &[], Stdio::piped());
    let (jobs, tasks) = held.pages("back-pressure", |jobs, tasks| {
        tasks.peek(&task("backPressuredTimeMsPerSecond"), "Source") > 400.0 && jobs.peek(&job("uptime"), "") > 3_000.0
    });
    check(Case::Stuck, &jobs, &tasks);
}

#[test]
fn a_job_of_a_known_rate_shows_it() {
    let place = Place::new();
    let key = |name: &str| format!("taskmanager.network.memory.buffer-debloat.{name}");
    let (enabled, target, samples) = (key("enabled") + "=true", key("target") + "=1 ms", key("samples") + "=1");
    let args = ["-D", &enabled, "-D", &target, "-D", &samples, "-D", "metrics.latency.interval=100 ms"];
    let held = Held::start(&place, &endless(20_000, "blackhole"), &args, Stdio::null());
    // The rate takes in the part of a second in which the job started.
    let (jobs, tasks) = held.pages("the rate", |jobs, tasks| {
        tasks.peek(&operator("numRecordsSendPerSecond"), "") > 16_000.0 && jobs.peek(&job("uptime"), "") > 6_000.0
    });
    check(Case::Flowing, &jobs, &tasks);
    // More than 100,000 rows have gone through: lines of log are those of checkpoints, five a second, and a sum now and then.
    let lines = std::fs::read_to_string(place.path("log")).expect("read the log").lines().count();
    assert!(lines < 200, "{lines} lines of log");
}

#[test]
fn a_kafka_source_shows_offsets_and_lag() {
    let Some(servers) = servers("the metrics of a Kafka source") else { return };
    let place = Place::new();
    let topic = format!("metrics-{}", now_ms());
    let table = |name: &str| {
        format!(
            "CREATE TABLE {name} (number BIGINT) WITH ('connector' = 'kafka', 'topic' = '{topic}', 'format' = 'json',
               'properties.bootstrap.servers' = '{}', 'properties.group.id' = '{topic}',
               'scan.startup.mode' = 'earliest-offset');",
            servers.kafka
        )
    };
    let feed = format!(
        "CREATE TABLE numbers (number BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '300000', 'rows-per-second' = '1000000',
           'fields.number.kind' = 'sequence', 'fields.number.start' = '1', 'fields.number.end' = '300000');
         {} INSERT INTO topic SELECT number FROM numbers;",
        table("topic")
    );
    place.run(&feed, &["--data-dir", "feed"]).ok();
    let read = format!(
        "SET 'execution.checkpointing.interval' = '200 ms'; {} CREATE TABLE shown (number BIGINT) WITH ('connector' = 'print');
         INSERT INTO shown SELECT number FROM topic;",
        table("topic")
    );
    let mut held = Held::start(&place, &read, &[], Stdio::piped());
    let offset = |name: &str| operator(&format!("KafkaSourceReader_topic_partition_{name}"));
    let lag = operator("KafkaSourceReader_KafkaConsumer_records_lag_max");
    // Nobody takes what is printed: what has been read are a few batches of 8,192 rows.
    let (jobs, tasks) =
        held.pages("a lag", |_, tasks| tasks.all(&operator("pendingRecords"), "").iter().sum::<f64>() > 200_000.0);
    check(Case::Kafka, &jobs, &tasks);
    let sum = |page: &Page, name: &str| page.all(name, "").iter().sum::<f64>();
    let (pending, current) = (sum(&tasks, &operator("pendingRecords")), tasks.all(&offset("currentOffset"), ""));
    let read: f64 = current.iter().map(|offset| offset + 1.0).sum();
    assert_eq!(pending + read, 300_000.0, "{current:?}");
    assert!(read > 0.0 && tasks.peek(&lag, "") <= pending, "{read}");
    // Now somebody does.
    let mut out = held.child.stdout.take().expect("its output");
    let taker = weir_base::spawn("taker".to_owned(), move || std::io::copy(&mut out, &mut std::io::sink()));
    let taker = taker.expect("start a thread");
    let (_, tasks) = held.pages("the end", |_, tasks| {
        sum(tasks, &offset("committedOffset")) == 300_000.0 && sum(tasks, &operator("pendingRecords")) == 0.0
    });
    assert_eq!(tasks.one(&lag, ""), 0.0);
    let offsets: f64 = tasks.all(&offset("currentOffset"), "").iter().map(|offset| offset + 1.0).sum();
    assert_eq!(offsets, 300_000.0);
    drop(held);
    // It ends with the process.
    let _ = taker.join();
}

/// JSON lines with the job and the kind of event.
fn check_log(text: &str, restarts: f64) {
    // The figures for a reader without a terminal stand between the log's lines.
    let log = text.lines().filter(|line| line.starts_with('{'));
    let lines: Vec<Value> = log.map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    let of = |event: &str, key: &str, value: Value| {
        let found = lines.iter().filter(|line| line["flink.event.type"] == event && line[key] == value);
        let found = found.inspect(|line| assert_eq!(line["flink.job.id"].as_str().map(str::len), Some(32), "{line}"));
        f64::from(u32::try_from(found.count()).expect("a log is short"))
    };
    assert!(of("CheckpointEvent", "status", Value::from("COMPLETED")) > 0.0, "{text}");
    assert_eq!(of("JobFailureEvent", "canRestart", Value::from(true)), restarts, "{text}");
    assert_eq!(of("JobStatusChangeEvent", "newJobStatus", Value::from("RESTARTING")), restarts, "{text}");
    for line in &lines {
        let words = ["timestamp", "level", "message"];
        assert!(words.iter().all(|key| line[*key].is_string()), "{line}");
        let ids = [("flink.job.id", 32), ("trace.id", 32), ("span.id", 16)];
        assert!(ids.iter().all(|(key, length)| line[*key].as_str().map(str::len) == Some(*length)), "{line}");
    }
    // The task that failed tells so itself, in the trace of its attempt.
    let failed = lines.iter().find(|line| line["flink.event.type"] == "TaskFailureEvent").expect("a task's failure");
    assert!(
        failed["flink.operator.name"].as_str().is_some_and(|name| name.starts_with("Source: input[1]")),
        "{failed}"
    );
    assert_eq!(failed["flink.task.id"].as_str().map(str::len), Some(32), "{failed}");
    let of_trace = |line: &&Value| line["trace.id"] == failed["trace.id"];
    assert!(lines.iter().filter(of_trace).any(|line| line["flink.event.type"] == "JobFailureEvent"), "{text}");
    let traces: BTreeSet<&str> = lines.iter().filter_map(|line| line["trace.id"].as_str()).collect();
    assert_eq!(f64::from(u32::try_from(traces.len()).expect("a few")), restarts + 1.0, "a trace for each attempt");
    let checkpoints = || lines.iter().filter(|line| line["flink.event.type"] == "CheckpointEvent");
    let spans: BTreeSet<&str> = checkpoints().filter_map(|line| line["span.id"].as_str()).collect();
    assert_eq!(spans.len(), checkpoints().count(), "a span for each checkpoint");
    // As many rows as were read, and not a line for one of them.
    assert!(!text.contains("2026-01-01 00:00:0"), "{text}");
}

/// The kinds of finding that promtool reports for Flink's own pages.
const FLINKS_FINDINGS: [&str; 1] = ["metric names should be written in 'snake_case' not 'camelCase'"];

fn check_by_promtool(jobs: &Page, tasks: &Page) {
    let Ok(promtool) = std::env::var("WEIR_TEST_PROMTOOL") else {
        let message =
            "the metric pages' check needs promtool: cargo xtask servers up prometheus, then cargo xtask servers env";
        assert!(std::env::var("CI").is_err(), "{message}");
        eprintln!("SKIPPED: {message}");
        return;
    };
    for page in [jobs, tasks] {
        let mut command = Command::new(&promtool);
        command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("start promtool");
        child.stdin.take().expect("its input").write_all(page.text.as_bytes()).expect("hand the page over");
        let ran = Ran::of(child.wait_with_output().expect("wait for promtool"));
        for line in ran.out.lines().chain(ran.err.lines()) {
            let finding = line.split_once(' ').map_or(line, |(_, finding)| finding);
            assert!(FLINKS_FINDINGS.contains(&finding), "{line}");
        }
    }
}
