//! The telemetry job on a real Kafka and a real QuestDB: the shipped example, with topics, a table and a group of its own for each test.
//!
//! It owns the feed, the job's command and the comparison in the end. What happens to the job or the servers in between is the tests' affair.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use weir_base::{Clock, SystemClock};

use crate::binary::{Place, Ran, wait};
use crate::once::differences;
use crate::servers::Servers;
use crate::telemetry::{expected_ids, ids_of, is_bad};
use crate::topics;

/// Partitions of the topic that is read.
const PARTITIONS: i32 = 4;

/// How often QuestDB is asked for rows that it has acknowledged, and shows a moment later.
const ASKS_MAX: usize = 100;

/// How long rows may take to come out.
const VALID_LIMIT_US: u64 = 60_000_000;

/// A job with its input and output.
pub struct Pipeline<'a> {
    pub place: &'a Place,
    pub servers: &'a Servers,
    /// What its topics, its table and its group are named after.
    pub name: String,
    /// More words on each command line. Unless they say otherwise, a failure ends a job, so that nothing goes unnoticed.
    pub options: Vec<&'static str>,
    /// Replacements in the script, beside the names.
    pub replaced: Vec<(&'static str, &'static str)>,
}

/// A failure ends the job.
const NO_RESTART: &[&str] = &["-D", "restart-strategy.type=none"];

/// A failure is followed by another attempt soon.
pub const RESTARTS: &[&str] = &[
    "-D",
    "restart-strategy.type=fixed-delay",
    "-D",
    "restart-strategy.fixed-delay.attempts=1000",
    "-D",
    "restart-strategy.fixed-delay.delay=200ms",
];

impl<'a> Pipeline<'a> {
    /// A job whose names begin with `name`, and its topic to read: it may be started before the feed.
    pub fn new(place: &'a Place, servers: &'a Servers, name: &str) -> Self {
        let name = format!("{name}_{}", std::process::id());
        let pipeline = Self { place, servers, name, options: NO_RESTART.to_vec(), replaced: Vec::new() };
        topics::create(&servers.kafka, &pipeline.raw(), PARTITIONS);
        pipeline
    }

    /// The topic that is read.
    pub fn raw(&self) -> String {
        format!("raw_{}", self.name)
    }

    /// The topic that is written.
    pub fn valid(&self) -> String {
        format!("valid_{}", self.name)
    }

    /// Sends so many of the simulator's events to the raw topic, at `rate` a second.
    pub fn feed(&self, events: u64, rate: u64) -> Child {
        let sql = format!(
            "SET 'parallelism.default' = '1';
            CREATE TABLE devices (line STRING) WITH ('connector' = 'simulator', 'format' = 'raw', 'rows-per-second' = '{rate}',
              'number-of-rows' = '{events}', 'seed' = '7', 'devices' = '500');
            CREATE TABLE fed (line STRING) WITH ('connector' = 'kafka', 'topic' = '{}', 'format' = 'raw',
              'properties.bootstrap.servers' = '{}', 'sink.delivery-guarantee' = 'at-least-once');
            INSERT INTO fed SELECT line FROM devices;",
            self.raw(),
            self.servers.kafka
        );
        self.place.write("feed.sql", sql);
        self.command(&["run", "feed.sql", "--data-dir", "feed-data"]).spawn().expect("start the feed")
    }

    /// The shipped example with this job's names; `bounded` ends at what the topic holds at its start.
    fn job(&self, bounded: bool) -> String {
        let mut text = include_str!("../../../../examples/telemetry/telemetry.sql").to_owned();
        let mut replace = |from: &str, to: &str| {
            assert!(text.contains(from), "the example does not hold {from}");
            text = text.replace(from, to);
        };
        replace("'topic' = 'raw_telemetry'", &format!("'topic' = '{}'", self.raw()));
        replace("'topic' = 'validated_telemetry'", &format!("'topic' = '{}'", self.valid()));
        replace("'table' = 'sensor_readings'", &format!("'table' = 'readings_{}'", self.name));
        for key in ["sink.transactional-id-prefix", "properties.group.id"] {
            replace(&format!("'{key}' = 'telemetry'"), &format!("'{key}' = '{}'", self.name));
        }
        for (from, to) in &self.replaced {
            replace(from, to);
        }
        if bounded {
            replace("'earliest-offset',", "'earliest-offset', 'scan.bounded.mode' = 'latest-offset',");
        }
        text
    }

    /// The binary with the servers' addresses.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.weir(args);
        let (host, http) = self.servers.questdb_http.split_once(':').expect("host:port");
        let (_, pg) = self.servers.questdb_pg.split_once(':').expect("host:port");
        command
            .args(["-D", "metrics.reporter.prom.port=21000-29999"])
            .args(&self.options)
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

    /// The job's command: it goes on from what there is, and never ends by itself.
    pub fn job_command(&self, data_dir: &str) -> Command {
        self.place.write("job.sql", self.job(false));
        self.command(&["run", "job.sql", "--resume", "--data-dir", data_dir])
    }

    /// Goes on to the end of the raw topic and ends there.
    pub fn finish(&self, data_dir: &str) {
        self.place.write("job.sql", self.job(true));
        let mut command = self.command(&["run", "job.sql", "--resume", "--data-dir", data_dir]);
        Ran::of(command.stderr(Stdio::piped()).output().expect("run the job to its end")).ok();
    }

    /// Whether all that must come out is visible, in Kafka and in QuestDB.
    pub fn is_caught_up(&self) -> bool {
        let expected = self.expected_count();
        self.valid_count() >= expected && self.table_ids().len() >= expected
    }

    /// Rows that must come out of what was sent so far.
    pub fn expected_count(&self) -> usize {
        expected_ids(&topics::values(&self.servers.kafka, &self.raw())).len()
    }

    /// Waits until so many rows are visible in Kafka.
    pub fn await_valid(&self, count: usize) {
        let clock = SystemClock::new();
        while self.valid_count() < count {
            assert!(clock.monotonic_us() < VALID_LIMIT_US, "{} of {count} rows came", self.valid_count());
            wait(Duration::from_millis(100));
        }
    }

    /// How far Kafka's output is.
    pub fn valid_end(&self) -> i64 {
        topics::end(&self.servers.kafka, &self.valid())
    }

    /// Rows that are visible in Kafka.
    pub fn valid_count(&self) -> usize {
        topics::values(&self.servers.kafka, &self.valid()).len()
    }

    /// What is wrong once the job has ended: with the rows in Kafka, with those in QuestDB, with transactions.
    pub fn wrong(&self) -> Vec<String> {
        let brokers = &self.servers.kafka;
        let expected = expected_ids(&topics::values(brokers, &self.raw()));
        let mut wrong: Vec<String> = topics::hanging(brokers, &self.valid()).into_iter().collect();
        wrong.extend(differences("Kafka", &ids_of(&topics::values(brokers, &self.valid())), &expected));
        wrong.extend(differences("QuestDB", &self.settled_table(expected.len()), &expected));
        wrong
    }

    /// What is wrong with the dead letters in a data directory in which the job has lived from its beginning.
    pub fn wrong_letters(&self, data_dir: &str) -> Option<String> {
        let sql = "SELECT split || '@' || CAST(\"offset\" AS STRING) AS v FROM dead_letters WHERE kind = 'record'";
        let output = self.place.weir(["query", sql, "--data-dir", data_dir, "--format", "json"]).output();
        let letters: Vec<String> = Ran::of(output.expect("start a query")).ok().out.lines().map(value_of).collect();
        let bad = topics::records(&self.servers.kafka, &self.raw()).into_iter().filter(|record| is_bad(&record.value));
        let expected: BTreeSet<String> =
            bad.map(|record| format!("{}-{}@{}", self.raw(), record.partition, record.offset)).collect();
        differences("dead letters", &letters, &expected)
    }

    /// Asserts that nothing is wrong, neither with rows nor with letters.
    #[track_caller]
    pub fn assert_good(&self, data_dir: &str) {
        let mut wrong = self.wrong();
        wrong.extend(self.wrong_letters(data_dir));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        self.forget();
    }

    /// The ids in the table, once there are as many as expected: QuestDB applies its log a moment after it has acknowledged.
    fn settled_table(&self, expected: usize) -> Vec<String> {
        let mut ids = self.table_ids();
        for _ in 0..ASKS_MAX {
            if ids.len() >= expected {
                break;
            }
            wait(Duration::from_millis(100));
            ids = self.table_ids();
        }
        ids
    }

    /// A connection to QuestDB.
    fn questdb(&self) -> postgres::Client {
        let (host, port) = self.servers.questdb_pg.split_once(':').expect("host:port");
        let mut config = postgres::Config::new();
        config.host(host).port(port.parse().expect("a port")).user("admin").password("quest").dbname("qdb");
        config.connect(postgres::NoTls).expect("connect to QuestDB")
    }

    /// The ids in the table, with doubles; none while there is no table.
    pub fn table_ids(&self) -> Vec<String> {
        let answer = self.questdb().simple_query(&format!("SELECT event_id FROM readings_{}", self.name));
        let id = |message: &postgres::SimpleQueryMessage| match message {
            postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        answer.map(|messages| messages.iter().filter_map(id).collect()).unwrap_or_default()
    }

    /// Removes topics and table: a broker with thousands of topics of earlier rounds would be another one.
    pub fn forget(&self) {
        topics::remove(&self.servers.kafka, &[&self.raw(), &self.valid()]);
        self.questdb().batch_execute(&format!("DROP TABLE readings_{}", self.name)).expect("drop the table");
    }
}

/// The column `v` of a row as JSON.
fn value_of(line: &str) -> String {
    let row: serde_json::Value = serde_json::from_str(line).expect("a row is JSON");
    row["v"].as_str().expect("a text").to_owned()
}
