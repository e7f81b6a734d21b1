//! Tests: what is refused before anything starts, rows on disk, and a real QuestDB given by `WEIR_TEST_QUESTDB_HTTP` and `WEIR_TEST_QUESTDB_PG`.

mod carried;
mod refused;
mod server;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringViewArray,
    TimestampMillisecondArray,
};
use weir_base::{Clock, Epoch, Generation, JobId, Result, SystemClock};
use weir_connector::{Batch, Committer, Factory, JobContext, Prepared, Sink, Writer, WriterContext};
use weir_metrics::Registry;
use weir_plan::{ChangelogMode, DataType, Field, LogicalType, Schema, SinkSpec, TableOptions};

use crate::QuestDbFactory;

/// Where the real server is.
struct Server {
    http: String,
    pg_port: String,
    pg: postgres::Client,
}

/// The server to test with, or `None` after saying so loudly.
fn server() -> Option<Server> {
    let (Ok(http), Ok(pg)) = (std::env::var("WEIR_TEST_QUESTDB_HTTP"), std::env::var("WEIR_TEST_QUESTDB_PG")) else {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "WEIR_TEST_QUESTDB_HTTP and _PG are not set, and CI=true"
        );
        eprintln!(
            "SKIPPED: a test on a real QuestDB; set WEIR_TEST_QUESTDB_HTTP and WEIR_TEST_QUESTDB_PG (cargo xtask servers up questdb)"
        );
        return None;
    };
    let (host, port) = pg.split_once(':').unwrap();
    let client = postgres::Config::new()
        .host(host)
        .port(port.parse().unwrap())
        .user("admin")
        .password("quest")
        .dbname("qdb")
        .connect(postgres::NoTls)
        .unwrap();
    Some(Server { http, pg_port: port.to_owned(), pg: client })
}

impl Server {
    fn run(&mut self, statement: &str) {
        self.pg.batch_execute(statement).unwrap();
    }

    /// The rows of a query as texts joined by `|`.
    fn rows(&mut self, query: &str) -> Vec<String> {
        let mut rows = Vec::new();
        for message in self.pg.simple_query(query).unwrap() {
            if let postgres::SimpleQueryMessage::Row(row) = message {
                let texts: Vec<&str> = (0..row.len()).map(|index| row.get(index).unwrap_or("NULL")).collect();
                rows.push(texts.join("|"));
            }
        }
        rows
    }

    /// Asks until the answer is as expected: QuestDB shows what it has acknowledged a moment later.
    fn await_rows(&mut self, query: &str, expected: &[&str]) {
        let clock = SystemClock::new();
        loop {
            let rows = self.rows(query);
            if rows == expected {
                return;
            }
            assert!(clock.monotonic_us() < 20_000_000, "{query}: {rows:?} is not {expected:?}");
            clock.sleep(Duration::from_millis(50));
        }
    }

    fn spec(&self, table: &str, extra: &[(&str, &str)]) -> SinkSpec {
        let mut pairs = vec![
            ("host", self.http.as_str()),
            ("pg.port", self.pg_port.as_str()),
            ("table", table),
            ("symbols", "device"),
        ];
        pairs.extend_from_slice(extra);
        spec(&pairs)
    }
}

fn unique(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{name}_{}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed), SystemClock::new().now())
}

/// `ts TIMESTAMP(3), device STRING, value DOUBLE, quality INT, count BIGINT, ok BOOLEAN, note STRING`, keys (ts, device).
fn schema() -> Schema {
    let field = |name: &str, logical| Field::new(name, DataType::nullable(logical));
    let string = DataType::string().logical;
    Schema::new(vec![
        field("ts", LogicalType::Timestamp(3)),
        field("device", string.clone()),
        field("value", LogicalType::Double),
        field("quality", LogicalType::Int),
        field("count", LogicalType::BigInt),
        field("ok", LogicalType::Boolean),
        field("note", string),
    ])
}

fn options(pairs: &[(&str, &str)]) -> TableOptions {
    let values: BTreeMap<String, String> =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    TableOptions { values, spans: BTreeMap::new() }
}

fn spec(pairs: &[(&str, &str)]) -> SinkSpec {
    SinkSpec {
        table: "c.d.readings".to_owned(),
        connector: "questdb".to_owned(),
        options: options(pairs),
        physical: schema(),
        metadata: Vec::new(),
        primary_key: vec![0, 1],
        changelog: ChangelogMode::INSERT_ONLY,
    }
}

/// 2024-01-01 00:00 UTC.
const START_MS: i64 = 1_704_067_200_000;

/// Rows one second apart: `value` is the index plus `add`; every third row has NULLs.
fn rows(range: std::ops::Range<i64>, add: f64) -> Batch {
    let present = |index: &i64| index % 3 != 2;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(range.clone().map(|index| Some(START_MS + index * 1000)).collect::<TimestampMillisecondArray>()),
        Arc::new(range.clone().map(|index| Some(format!("d{}", index % 2))).collect::<StringViewArray>()),
        Arc::new(range.clone().map(|index| present(&index).then_some(index as f64 + add)).collect::<Float64Array>()),
        Arc::new(range.clone().map(|index| present(&index).then_some(index as i32)).collect::<Int32Array>()),
        Arc::new(
            range.clone().map(|index| present(&index).then_some(index * 1_000_000_000_000)).collect::<Int64Array>(),
        ),
        Arc::new(range.clone().map(|index| Some(index % 2 == 0)).collect::<BooleanArray>()),
        Arc::new(
            range.map(|index| present(&index).then(|| format!("näh, \"{index}\"\n"))).collect::<StringViewArray>(),
        ),
    ];
    Batch::inserts(RecordBatch::try_new(schema().arrow(), columns).unwrap(), 0)
}

fn context(folder: &Path, generation: u64) -> JobContext {
    JobContext {
        job: JobId::of_name("file:///test", "questdb"),
        name: "test".to_owned(),
        generation: Generation(generation),
        checkpoint_interval: Some(Duration::from_secs(1)),
        data_dir: folder.to_owned(),
        carried_dir: folder.join("carried"),
        carried_bytes_max: u64::MAX,
        clock: Arc::new(SystemClock::new()),
        metrics: Registry::default(),
    }
}

fn writer_context(subtask: u16) -> WriterContext {
    WriterContext {
        subtask,
        parallelism: 2,
        epoch: Epoch(1),
        clock: Arc::new(SystemClock::new()),
        metrics: Registry::default(),
    }
}

fn make(spec: &SinkSpec, context: &JobContext) -> Result<Box<dyn Sink>> {
    QuestDbFactory::new().sink(spec, context)
}

/// Ends an epoch of a writer: its barrier and the flush.
fn barrier(writer: &mut dyn Writer, epoch: u64) -> Prepared {
    let (prepared, flush) = writer.prepare(Epoch(epoch)).unwrap();
    if let Some(flush) = flush {
        flush().unwrap();
    }
    prepared
}

/// Waits until all that was handed over is in QuestDB.
fn drained(committer: &mut dyn Committer) {
    assert!(committer.drain(Duration::from_secs(20)).unwrap(), "not all rows were taken within 20 s");
}

/// The segments in a job's folder.
fn segments(context: &JobContext) -> Vec<String> {
    let mut names = Vec::new();
    for folder in std::fs::read_dir(&context.carried_dir).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            names.push(file.unwrap().file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    names
}
