//! The telemetry job on a real Kafka and a real QuestDB, exactly once, proven by killing it.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use weir_base::Rng;

use crate::binary::{Place, Ran, wait};
use crate::servers::{Servers, servers};
use crate::telemetry::{assert_once, expected_ids, id_of};

/// Rounds of kills in an ordinary test run.
const ROUNDS: u64 = 20;

/// Events of a round, at 5,000 a second.
const EVENTS: u64 = 15_000;

/// One round: its own topics, table, and group.
struct Round<'a> {
    place: &'a Place,
    servers: &'a Servers,
    name: String,
}

impl Round<'_> {
    /// Sends the simulator's events to the raw topic.
    fn feed(&self) -> Child {
        let sql = format!(
            "SET 'parallelism.default' = '1';
            CREATE TABLE devices (line STRING) WITH ('connector' = 'simulator', 'format' = 'raw', 'rows-per-second' = '5000',
              'number-of-rows' = '{EVENTS}', 'seed' = '7', 'devices' = '500');
            CREATE TABLE raw (line STRING) WITH ('connector' = 'kafka', 'topic' = 'raw_{0}', 'format' = 'raw',
              'properties.bootstrap.servers' = '{1}', 'sink.delivery-guarantee' = 'at-least-once');
            INSERT INTO raw SELECT line FROM devices;",
            self.name, self.servers.kafka
        );
        self.place.write("feed.sql", sql);
        self.command(&["run", "feed.sql", "--data-dir", "feed-data"]).spawn().expect("start the feed")
    }

    /// The shipped example with this round's names; `bounded` ends at what the topic holds at its start.
    fn job(&self, bounded: bool) -> String {
        let text = include_str!("../../../../examples/telemetry/telemetry.sql");
        let text = text
            .replace("'topic' = 'raw_telemetry'", &format!("'topic' = 'raw_{}'", self.name))
            .replace("'topic' = 'validated_telemetry'", &format!("'topic' = 'valid_{}'", self.name))
            .replace("'table' = 'sensor_readings'", &format!("'table' = 'readings_{}'", self.name))
            .replace(
                "'sink.transactional-id-prefix' = 'telemetry'",
                &format!("'sink.transactional-id-prefix' = '{}'", self.name),
            )
            .replace("'properties.group.id' = 'telemetry'", &format!("'properties.group.id' = '{}'", self.name));
        if bounded {
            text.replace("'earliest-offset',", "'earliest-offset', 'scan.bounded.mode' = 'latest-offset',")
        } else {
            text
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.weir(args);
        let (host, http) = self.servers.questdb_http.split_once(':').expect("host:port");
        let (_, pg) = self.servers.questdb_pg.split_once(':').expect("host:port");
        command
            .args(["-D", "metrics.reporter.prom.port=21000-29999", "-D", "restart-strategy.type=none"])
            .env("KAFKA_BROKERS", &self.servers.kafka)
            .env("QUESTDB_HOST", host)
            .env("QUESTDB_HTTP_PORT", http)
            .env("QUESTDB_PORT", pg)
            .env("FLINK_PARALLELISM", "2")
            .env("CHECKPOINT_INTERVAL_MS", "100")
            .env("CHECKPOINT_DIR", self.place.path("checkpoints"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn start(&self, marks: &str, data_dir: &str) -> Child {
        self.place.write("job.sql", self.job(false));
        self.command(&["run", "job.sql", "--resume", "--data-dir", data_dir])
            .env("WEIR_PROTOCOL_MARKS", self.place.path(marks))
            .env("WEIR_PROTOCOL_DELAY_MS", "20")
            .spawn()
            .expect("start the job")
    }

    /// Goes on to the end of the raw topic and ends there.
    fn finish(&self, data_dir: &str) {
        self.place.write("job.sql", self.job(true));
        let output = self
            .command(&["run", "job.sql", "--resume", "--data-dir", data_dir])
            .stderr(Stdio::piped())
            .output()
            .expect("run the job to its end");
        Ran::of(output).ok();
    }

    /// All values of a topic, as a read_committed reader sees them.
    fn topic(&self, topic: &str) -> Vec<String> {
        let sql = format!(
            "CREATE TABLE t (line STRING) WITH ('connector' = 'kafka', 'topic' = '{topic}', 'format' = 'raw',
              'properties.bootstrap.servers' = '{0}', 'properties.isolation.level' = 'read_committed',
              'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
            CREATE TABLE f (line STRING) WITH ('connector' = 'filesystem', 'path' = 'read/{topic}', 'format' = 'raw');
            INSERT INTO f SELECT line FROM t;",
            self.servers.kafka
        );
        self.place.write("read.sql", sql);
        let output = self
            .command(&["run", "read.sql", "--fresh", "--data-dir", "read-data"])
            .stderr(Stdio::piped())
            .output()
            .expect("read a topic");
        Ran::of(output).ok();
        self.place.lines(&format!("read/{topic}"))
    }

    /// The ids in the QuestDB table, with doubles.
    fn table_ids(&self) -> Vec<String> {
        let url =
            format!("http://{}/exp?query=select%20event_id%20from%20readings_{}", self.servers.questdb_http, self.name);
        let output = Command::new("curl").args(["-s", "-S", "--fail", &url]).output().expect("ask QuestDB");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().skip(1).map(|line| line.trim_matches('"').to_owned()).collect()
    }
}

/// Waits for QuestDB to show as many rows as are expected: it applies its log a moment after it has acknowledged.
fn settled_table(round: &Round<'_>, expected: usize) -> Vec<String> {
    let mut ids = round.table_ids();
    for _ in 0..100 {
        if ids.len() >= expected {
            break;
        }
        wait(Duration::from_millis(100));
        ids = round.table_ids();
    }
    ids
}

#[test]
fn kafka_to_kafka_and_questdb_lose_and_double_nothing() {
    let Some(servers) = servers("kafka_to_kafka_and_questdb_lose_and_double_nothing") else { return };
    let mut steps: BTreeMap<String, u64> = BTreeMap::new();
    for seed in 1..=ROUNDS {
        let mut rng = Rng::new(seed);
        let place = Place::new();
        let round = Round { place: &place, servers: &servers, name: format!("k{}_{seed}", std::process::id()) };
        let mut feed = round.feed();
        let mut kill = 0;
        while feed.try_wait().expect("look at the feed").is_none() {
            let marks = format!("marks-{kill}");
            kill += 1;
            let mut job = round.start(&marks, "data");
            wait(Duration::from_millis(500 + rng.below(1500)));
            assert!(job.try_wait().expect("look at the job").is_none(), "round {seed}: the job ended by itself");
            job.kill().expect("kill the job");
            job.wait().expect("wait for the job");
            let text = std::fs::read_to_string(place.path(&marks)).unwrap_or_default();
            *steps.entry(text.lines().last().unwrap_or("start").to_owned()).or_default() += 1;
        }
        round.finish("data");
        let expected = expected_ids(&round.topic(&format!("raw_{}", round.name)));
        assert!(expected.len() as u64 > EVENTS / 2, "round {seed}: the feed sent too little");
        let valid = round.topic(&format!("valid_{}", round.name));
        assert_once(&format!("round {seed}, Kafka"), valid.iter().map(|line| id_of(line)).collect(), &expected);
        assert_once(&format!("round {seed}, QuestDB"), settled_table(&round, expected.len()), &expected);
    }
    println!("Kafka -> Kafka + QuestDB: kills by step: {steps:?}");
}

#[test]
fn a_paused_process_is_fenced_by_the_one_that_took_its_job_over() {
    let Some(servers) = servers("a_paused_process_is_fenced_by_the_one_that_took_its_job_over") else { return };
    let place = Place::new();
    let round = Round { place: &place, servers: &servers, name: format!("z{}", std::process::id()) };
    let mut feed = round.feed();
    place.write("job.sql", round.job(false));
    let first = round
        .command(&["run", "job.sql", "--resume", "--data-dir", "data-1"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("start the first");
    wait(Duration::from_millis(1800));
    let pid = i32::try_from(first.id()).expect("a process id fits");
    // SAFETY: a signal to a child that was not waited for yet.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGSTOP) }, 0);
    let mut second = round.start("marks", "data-2");
    feed.wait().expect("wait for the feed");
    wait(Duration::from_millis(1000));
    // SAFETY: as above.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGCONT) }, 0);
    let fenced = Ran::of(first.wait_with_output().expect("wait for the first"));
    assert_eq!(fenced.code, Some(1), "{}", fenced.err);
    assert!(fenced.err.contains("fenced"), "{}", fenced.err);
    assert!(second.try_wait().expect("look at the second").is_none(), "the second must have taken the job over");
    second.kill().expect("kill the second");
    second.wait().expect("wait for the second");
    round.finish("data-2");
    let expected = expected_ids(&round.topic(&format!("raw_{}", round.name)));
    let valid = round.topic(&format!("valid_{}", round.name));
    assert_once("Kafka", valid.iter().map(|line| id_of(line)).collect(), &expected);
    assert_once("QuestDB", settled_table(&round, expected.len()), &expected);
}

#[test]
fn a_stopped_job_leaves_no_transaction_open_and_goes_on() {
    let Some(servers) = servers("a_stopped_job_leaves_no_transaction_open_and_goes_on") else { return };
    let place = Place::new();
    let round = Round { place: &place, servers: &servers, name: format!("s{}", std::process::id()) };
    let mut feed = round.feed();
    let mut job = round.start("marks", "data");
    wait(Duration::from_millis(2500));
    let pid = i32::try_from(job.id()).expect("a process id fits");
    // SAFETY: a signal to a child that was not waited for yet.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
    assert_eq!(job.wait().expect("wait for the job").code(), Some(0));
    // A transaction left open would hold this reader back from the topic's end.
    let first = round.topic(&format!("valid_{}", round.name)).len();
    assert!(first > 0, "nothing was committed before the stop");
    feed.wait().expect("wait for the feed");
    round.finish("data");
    let expected = expected_ids(&round.topic(&format!("raw_{}", round.name)));
    std::fs::remove_dir_all(place.path("read")).expect("forget the first reading");
    let valid = round.topic(&format!("valid_{}", round.name));
    assert_once("Kafka", valid.iter().map(|line| id_of(line)).collect(), &expected);
}
