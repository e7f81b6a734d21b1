//! Servers that are not as the job left them: a topic that has got more partitions, a table of other types.

use std::time::Duration;

use weir_base::{Clock, SystemClock};

use crate::binary::{Place, Ran, wait};
use crate::servers::{Servers, servers};
use crate::topics;

#[test]
fn a_partition_that_is_added_while_the_job_runs_is_read_from_its_beginning() {
    let Some(servers) = servers("a_partition_that_is_added_while_the_job_runs_is_read_from_its_beginning") else {
        return;
    };
    let (brokers, place) = (&servers.kafka, Place::new());
    let (from, to) = (format!("grows_{}", std::process::id()), format!("grown_{}", std::process::id()));
    topics::create(brokers, &from, 1);
    topics::create(brokers, &to, 1);
    topics::send(brokers, &from, 0, "before the job");
    let sql = |bounded: &str| {
        format!(
            "SET 'restart-strategy.type' = 'none';
            SET 'execution.checkpointing.interval' = '100 ms';
            SET 'execution.checkpointing.dir' = 'checkpoints';
            CREATE TABLE lines (line STRING) WITH ('connector' = 'kafka', 'topic' = '{from}', 'format' = 'raw',
              'properties.bootstrap.servers' = '{brokers}', 'properties.group.id' = '{from}',
              'scan.startup.mode' = 'latest-offset', 'scan.topic-partition-discovery.interval' = '300 ms'{bounded});
            CREATE TABLE copied (line STRING) WITH ('connector' = 'kafka', 'topic' = '{to}', 'format' = 'raw',
              'properties.bootstrap.servers' = '{brokers}', 'sink.delivery-guarantee' = 'exactly-once',
              'sink.transactional-id-prefix' = '{to}');
            INSERT INTO copied SELECT line FROM lines;"
        )
    };
    let mut child = place.start(&sql(""), &[]);
    let clock = SystemClock::new();
    let copied = |wanted: &str| {
        while !topics::values(brokers, &to).iter().any(|line| line == wanted) {
            assert!(clock.monotonic_us() < 40_000_000, "'{wanted}' did not arrive: {:?}", topics::values(brokers, &to));
            wait(Duration::from_millis(100));
        }
    };
    // Sent until one comes after the job has looked at the topic's end.
    let mut number = 0;
    while topics::values(brokers, &to).is_empty() {
        number += 1;
        assert!(number < 100, "the job reads nothing");
        topics::send(brokers, &from, 0, &format!("{number}"));
        wait(Duration::from_millis(200));
    }
    topics::grow(brokers, &from, 3);
    // Most of these are there before the job has seen the partitions: 'latest-offset' is not meant for them.
    for (partition, line) in [(1, "b1"), (2, "c1"), (1, "b2"), (2, "c2"), (0, "a")] {
        topics::send(brokers, &from, partition, line);
    }
    ["b1", "b2", "c1", "c2", "a"].iter().for_each(|line| copied(line));
    let pid = i32::try_from(child.id()).unwrap();
    // SAFETY: a signal to a process that is no memory of ours.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // The new partitions' positions are in the checkpoint: restored, what was read is not read again.
    topics::grow(brokers, &from, 4);
    topics::send(brokers, &from, 1, "b3");
    topics::send(brokers, &from, 3, "d1");
    place.run(&sql(", 'scan.bounded.mode' = 'latest-offset'"), &["--resume"]).ok();
    let mut lines = topics::values(brokers, &to);
    lines.retain(|line| line.parse::<u32>().is_err());
    lines.sort();
    assert_eq!(lines, ["a", "b1", "b2", "b3", "c1", "c2", "d1"]);
    topics::remove(brokers, &[&from, &to]);
}

/// A job that writes one row into a table of QuestDB.
struct OneRow<'a> {
    servers: &'a Servers,
    place: Place,
    table: String,
}

impl<'a> OneRow<'a> {
    fn new(servers: &'a Servers, name: &str) -> Self {
        Self { servers, place: Place::new(), table: format!("{name}_{}", std::process::id()) }
    }

    fn run(&self) -> Ran {
        let (host, http) = self.servers.questdb_http.split_once(':').expect("host:port");
        let (_, pg) = self.servers.questdb_pg.split_once(':').expect("host:port");
        self.place.write("in/a.json", "{\"ts\":\"2024-01-01 00:00:00Z\",\"device\":\"d\",\"n\":1,\"reading\":1.5}\n");
        let sql = format!(
            "SET 'restart-strategy.type' = 'none';
            CREATE TABLE input (ts TIMESTAMP_LTZ(3), device STRING, n BIGINT, reading DOUBLE)
              WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
            CREATE TABLE readings (ts TIMESTAMP_LTZ(3) NOT NULL, device STRING NOT NULL, n BIGINT, reading DOUBLE,
              PRIMARY KEY (ts, device) NOT ENFORCED) WITH ('connector' = 'questdb', 'host' = '{host}:{http}', 'pg.port' = '{pg}',
              'table' = '{}', 'symbols' = 'device');
            INSERT INTO readings SELECT * FROM input;",
            self.table
        );
        self.place.run(&sql, &["--fresh"])
    }

    fn questdb(&self, statement: &str) -> Vec<String> {
        let (host, port) = self.servers.questdb_pg.split_once(':').expect("host:port");
        let mut config = postgres::Config::new();
        config.host(host).port(port.parse().expect("a port")).user("admin").password("quest").dbname("qdb");
        let mut client = config.connect(postgres::NoTls).expect("connect to QuestDB");
        let answer = client.simple_query(statement).expect(statement);
        let row = |message: &postgres::SimpleQueryMessage| match message {
            postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        answer.iter().filter_map(row).collect()
    }
}

#[test]
fn a_table_of_other_types_is_refused_with_the_statements_that_make_it_fit() {
    let Some(servers) = servers("a_table_of_other_types_is_refused_with_the_statements_that_make_it_fit") else {
        return;
    };
    let by_day = "PARTITION BY DAY WAL DEDUP UPSERT KEYS(ts, device)";
    let anew = "RENAME TABLE \"TABLE\" TO \"TABLE_old\"; CREATE TABLE IF NOT EXISTS \"TABLE\" (\"ts\" TIMESTAMP, \"device\" SYMBOL, \
                \"n\" LONG, \"reading\" DOUBLE) TIMESTAMP(\"ts\") PARTITION BY DAY WAL DEDUP UPSERT KEYS(\"ts\", \"device\")";
    let cases = [
        (
            "bad_type",
            format!("(ts TIMESTAMP, device SYMBOL, n INT, reading DOUBLE) TIMESTAMP(ts) {by_day}"),
            "its column 'n' is INT, not LONG",
            "ALTER TABLE \"TABLE\" ALTER COLUMN \"n\" TYPE LONG",
        ),
        (
            "bad_column",
            format!("(ts TIMESTAMP, device SYMBOL, n LONG) TIMESTAMP(ts) {by_day}"),
            "it has no column 'reading'",
            "ALTER TABLE \"TABLE\" ADD COLUMN \"reading\" DOUBLE",
        ),
        (
            "bad_dedup",
            "(ts TIMESTAMP, device SYMBOL, n LONG, reading DOUBLE) TIMESTAMP(ts) PARTITION BY DAY WAL".to_owned(),
            "it does not deduplicate, so a row that is sent again would stand there twice",
            "ALTER TABLE \"TABLE\" DEDUP ENABLE UPSERT KEYS(\"ts\", \"device\")",
        ),
        (
            "bad_keys",
            "(ts TIMESTAMP, device SYMBOL, n LONG, reading DOUBLE) TIMESTAMP(ts) PARTITION BY DAY WAL DEDUP UPSERT KEYS(ts)".to_owned(),
            "it deduplicates by (ts), the PRIMARY KEY is (device, ts)",
            "ALTER TABLE \"TABLE\" DEDUP ENABLE UPSERT KEYS(\"ts\", \"device\")",
        ),
        (
            "bad_time",
            "(ts TIMESTAMP, device SYMBOL, n LONG, reading DOUBLE, other TIMESTAMP) TIMESTAMP(other) PARTITION BY DAY WAL".to_owned(),
            "its designated timestamp is 'other', not 'ts'",
            anew,
        ),
    ];
    for (name, table, what, statement) in cases {
        let job = OneRow::new(&servers, name);
        job.questdb(&format!("CREATE TABLE {} {table}", job.table));
        let ran = job.run();
        assert_eq!(ran.code, Some(1), "{name}: {ran:?}");
        let said = ran.err.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_default();
        let statement = statement
            .replace("TABLE\"", &format!("{}\"", job.table))
            .replace("TABLE_old", &format!("{}_old", job.table));
        assert_eq!(said, format!("failed to write table '{}' in QuestDB: {what}; run: {statement}", job.table));
        // The words are meant: what they say to run makes the job run.
        statement.split("; ").for_each(|each| drop(job.questdb(each)));
        let clock = SystemClock::new();
        let again = loop {
            // QuestDB carries some of these out a little later.
            let again = job.run();
            if again.code == Some(0) || clock.monotonic_us() > 10_000_000 {
                break again;
            }
            wait(Duration::from_millis(100));
        };
        again.ok();
        while job.questdb(&format!("SELECT count() FROM {}", job.table)) != ["1"] {
            assert!(clock.monotonic_us() < 20_000_000, "{name}: the row did not arrive");
            wait(Duration::from_millis(50));
        }
        job.questdb(&format!("DROP TABLE {}", job.table));
        job.questdb(&format!("DROP TABLE IF EXISTS {}_old", job.table));
    }
}
