//! The metric pages and the logs of the binary, on a job that is held up by a folder it watches: each figure against a value worked out beforehand.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use weir_base::{Clock, SystemClock};

use crate::binary::{Place, Ran, wait};

/// One task reads, one aggregates, one removes duplicates: 3 columns cross the exchange to the latter, and a NULL id fails the job.
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

/// 2026-01-01 00:00:59 UTC.
const WATERMARK: f64 = 1_767_225_659_000.0;

/// The samples of a page: name, labels, value.
struct Page {
    text: String,
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

impl Page {
    fn of(text: String) -> Self {
        let sample = |line: &str| {
            let (name, rest) = line.split_once('{').expect("labels");
            let (labels, value) = rest.split_once("} ").expect("a value");
            let labels = labels.split_terminator(',').map(|label| {
                let (name, value) = label.split_once('=').expect("a label's value");
                (name.to_owned(), value.trim_matches('"').to_owned())
            });
            (name.to_owned(), labels.collect(), value.parse().expect("a number"))
        };
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(sample).collect();
        Self { text, samples }
    }

    /// The values of `name`, of the operator or task whose name begins with `of`.
    fn all(&self, name: &str, of: &str) -> Vec<f64> {
        let of_name = |labels: &BTreeMap<String, String>| {
            let named = labels.get("operator_name").or_else(|| labels.get("task_name"));
            of.is_empty() || named.is_some_and(|value| value.starts_with(of))
        };
        let found = self.samples.iter().filter(|(sample, labels, _)| sample == name && of_name(labels));
        found.map(|(_, _, value)| *value).collect()
    }

    #[track_caller]
    fn one(&self, name: &str, of: &str) -> f64 {
        let all = self.all(name, of);
        assert_eq!(all.len(), 1, "{name} of '{of}' in\n{}", self.text);
        all[0]
    }

    /// The only value of `name`, or minus infinity: for waiting.
    fn peek(&self, name: &str, of: &str) -> f64 {
        self.all(name, of).first().copied().unwrap_or(f64::NEG_INFINITY)
    }
}

/// The binary at work, killed when the test is over.
struct Held {
    child: Child,
    ports: [u16; 2],
}

impl Held {
    fn start(place: &Place, sql: &str) -> Self {
        let ports = free_ports();
        place.write("job.sql", sql);
        let log = std::fs::File::create(place.path("log")).expect("make the log");
        let range = format!("metrics.reporter.prom.port={}-{}", ports[0], ports[1]);
        let mut command = place.weir(["run", "job.sql", "-D", "weir.threads=3", "-D", &range]);
        let child = command.stdout(Stdio::null()).stderr(log).spawn().expect("start weir");
        Self { child, ports }
    }

    fn page(&self, index: usize) -> Option<Page> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports[index])).ok()?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(Page::of(answer.split_once("\r\n\r\n")?.1.to_owned()))
    }

    /// The job manager's page and the task manager's, once `ready` holds for them.
    #[track_caller]
    fn pages(&self, what: &str, ready: impl Fn(&Page, &Page) -> bool) -> (Page, Page) {
        let until = now_ms() + 30_000.0;
        loop {
            let pages = self.page(0).zip(self.page(1));
            match pages {
                Some((jobs, tasks)) if ready(&jobs, &tasks) => return (jobs, tasks),
                pages => {
                    let text = pages.map(|(jobs, tasks)| jobs.text + &tasks.text).unwrap_or_default();
                    assert!(now_ms() < until, "{what} did not come to be: {text}");
                    wait(Duration::from_millis(50));
                }
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two ports that follow each other, free a moment ago.
fn free_ports() -> [u16; 2] {
    loop {
        let first = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a free port");
        let port = first.local_addr().expect("its number").port();
        if port < u16::MAX && TcpListener::bind((Ipv4Addr::UNSPECIFIED, port + 1)).is_ok() {
            return [port, port + 1];
        }
    }
}

fn now_ms() -> f64 {
    let now = u64::try_from(SystemClock::new().now()).expect("a clock past 1970");
    Duration::from_millis(now).as_secs_f64() * 1000.0
}

fn operator(name: &str) -> String {
    format!("flink_taskmanager_job_task_operator_{name}")
}

fn task(name: &str) -> String {
    format!("flink_taskmanager_job_task_{name}")
}

fn job(name: &str) -> String {
    format!("flink_jobmanager_job_{name}")
}

/// What the operators count once both files are read.
fn check_operators(tasks: &Page) {
    let input = "Source";
    assert_eq!(tasks.one(&operator("numRecordsIn"), input), 6.0);
    assert_eq!(
        tasks.one(&operator("numBytesIn"), input),
        f64::from(u32::try_from(FIRST.len() + LATE.len()).expect("a short file"))
    );
    assert_eq!(tasks.one(&operator("numRecordsOut"), input), 5.0);
    assert_eq!(tasks.one(&operator("numRecordsInErrors"), input), 1.0);
    assert_eq!(tasks.one(&operator("currentOutputWatermark"), input), WATERMARK);
    let lag = tasks.one(&operator("watermarkLag"), input);
    assert!((lag - (now_ms() - WATERMARK)).abs() < 10_000.0, "{lag}");
    assert_eq!(tasks.all(&operator("numLateRecordsDropped"), ""), [2.0]);
    let mut sent = tasks.all(&operator("numRecordsSend"), "");
    sent.sort_by(f64::total_cmp);
    assert_eq!(sent, [1.0, 5.0], "one window has ended, five rows are kept");
    assert!(tasks.all(&operator("currentInputWatermark"), "").contains(&WATERMARK));
}

/// What the tasks count then: the source's input is its reader's, the aggregation's comes through an exchange.
fn check_tasks(tasks: &Page) {
    assert_eq!(tasks.one(&task("numRecordsIn"), "Source"), 6.0);
    assert_eq!(tasks.one(&task("numRecordsOut"), "Source"), 5.0);
    let (sent, received) = (tasks.one(&task("numBytesOut"), "Source"), tasks.all(&task("numBytesIn"), ""));
    assert!(sent > 0.0 && sent % (5.0 * 16.0) == 0.0, "16 bytes for each value of five rows: {sent}");
    assert!(received.contains(&sent), "{received:?}");
    assert_eq!(tasks.all(&task("currentInputWatermark"), ""), [WATERMARK]);
    for name in ["buffers_inPoolUsage", "Shuffle_Netty_Input_Buffers_inPoolUsage"] {
        assert_eq!(tasks.all(&task(name), ""), [0.0]);
    }
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
    // The rates want a few samples.
    let shares = |name: &str| tasks.one(&task(name), "Source");
    let sum = shares("busyTimeMsPerSecond") + shares("idleTimeMsPerSecond") + shares("backPressuredTimeMsPerSecond");
    assert!((600.0..1400.0).contains(&sum), "a second has 1000 ms: {sum}");
}

fn check_job(jobs: &Page, since: f64) {
    assert_eq!(jobs.one("flink_jobmanager_numRunningJobs", ""), 1.0);
    assert_eq!(jobs.one("flink_jobmanager_taskSlotsTotal", ""), 3.0);
    assert_eq!(jobs.one(&job("numRestarts"), ""), 0.0);
    let uptime = jobs.one(&job("uptime"), "");
    assert!(uptime > 0.0 && uptime <= now_ms() - since + 1.0, "{uptime}");
    let completed = jobs.one(&job("numberOfCompletedCheckpoints"), "");
    assert_eq!(jobs.one(&job("lastCompletedCheckpointId"), ""), completed, "they are numbered from 1");
    let triggered = completed + jobs.one(&job("numberOfInProgressCheckpoints"), "");
    assert_eq!(jobs.one(&job("totalNumberOfCheckpoints"), ""), triggered);
    assert_eq!(jobs.one(&job("numberOfFailedCheckpoints"), ""), 0.0);
    assert!((0.0..10_000.0).contains(&jobs.one(&job("lastCheckpointDuration"), "")));
    assert!(jobs.one(&job("lastCheckpointSize"), "") > 0.0);
    assert!(jobs.one(&job("lastCheckpointFullSize"), "") > 0.0);
    assert!((now_ms() - jobs.one(&job("lastCheckpointCompletedTimestamp"), "")).abs() < 10_000.0);
    assert_eq!(jobs.one(&job("lastCheckpointRestoreTimestamp"), ""), -1.0);
    assert_eq!(jobs.one(&job("latency_count"), ""), 5.0, "rows kept; a window was fetched at no one moment");
}

/// Against what the system says of the process.
fn check_process(held: &Held, tasks: &Page) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", held.child.id())).expect("the process' status");
    let number = |key: &str| -> f64 {
        let line = status.lines().find(|line| line.starts_with(key)).expect("a line of the status");
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    };
    let of = |name: &str| tasks.one(&format!("flink_taskmanager_Status_JVM_{name}"), "");
    assert!((of("Memory_Heap_Used") / (number("VmRSS:") * 1024.0) - 1.0).abs() < 0.3);
    assert!((of("Threads_Count") - number("Threads:")).abs() <= 2.0);
    assert!(of("CPU_Time") > 0.0);
    assert!((0.0..=1.5).contains(&of("CPU_Load")));
}

#[test]
fn the_pages_show_what_was_worked_out_beforehand_and_the_logs_tell_of_it() {
    let place = Place::new();
    place.write("in/a.json", FIRST);
    let since = now_ms();
    let held = Held::start(&place, JOB);
    held.pages("the first file's watermark", |_, tasks| {
        tasks.peek(&operator("currentOutputWatermark"), "Source") == WATERMARK
    });
    place.write("in/b.json", LATE);
    let settled = |jobs: &Page, tasks: &Page| {
        let rate = tasks.peek(&task("idleTimeMsPerSecond"), "Source");
        tasks.all(&operator("numLateRecordsDropped"), "") == [2.0]
            && jobs.peek(&job("latency_count"), "") == 5.0
            && rate > 600.0
    };
    let (jobs, tasks) = held.pages("the second file", settled);
    check_operators(&tasks);
    check_tasks(&tasks);
    check_job(&jobs, since);
    check_process(&held, &tasks);
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
    assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["level"].is_string()), "{text}");
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
