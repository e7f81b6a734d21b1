//! Tests on a real broker, given by `WEIR_TEST_KAFKA`; each with topics and transactional ids of its own.

mod exactly_once;
mod options;
mod reading;
#[cfg(feature = "tls")]
mod secure;
mod writing;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use weir_base::{Clock, Epoch, Generation, JobId, SystemClock};
use weir_connector::{
    Batch, Factory, Fetch, JobContext, Payload, Position, Reader, ReaderContext, Source, SplitId, Writer, WriterContext,
};
use weir_metrics::Registry;
use weir_plan::{
    ChangelogMode, DataType, Field, LogicalType, Schema, SinkSpec, SourceColumn, SourceSpec, TableOptions,
};

use crate::KafkaFactory;

/// The broker to test with, or `None` after saying so loudly.
fn broker() -> Option<String> {
    match std::env::var("WEIR_TEST_KAFKA") {
        Ok(broker) => Some(broker),
        Err(_) if std::env::var("CI").as_deref() == Ok("true") => panic!("WEIR_TEST_KAFKA is not set, and CI=true"),
        Err(_) => {
            eprintln!(
                "SKIPPED: a test on a real Kafka broker; set WEIR_TEST_KAFKA=host:port (cargo xtask servers up kafka)"
            );
            None
        }
    }
}

/// A name that no other test and no other run uses.
fn unique(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed), SystemClock::new().now())
}

/// Waits for a future by asking it again and again.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let clock = SystemClock::new();
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
            return value;
        }
        clock.sleep(Duration::from_millis(2));
    }
}

/// Makes a topic with a name of its own and gives it.
fn topic(broker: &str, name: &str, partitions: i32) -> String {
    let name = unique(name);
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", broker).create().unwrap();
    let topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
    let made =
        wait(admin.create_topics([&topic], &AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)))));
    made.unwrap().remove(0).unwrap();
    name
}

fn job_context() -> JobContext {
    JobContext {
        job: JobId::of_name("file:///test", &unique("job")),
        name: "test".to_owned(),
        generation: Generation(1),
        checkpoint_interval: Some(Duration::from_secs(1)),
        data_dir: PathBuf::new(),
        carried_dir: PathBuf::new(),
        carried_bytes_max: u64::MAX,
        clock: Arc::new(SystemClock::new()),
        metrics: Registry::default(),
    }
}

fn options(pairs: &[(&str, &str)]) -> TableOptions {
    let values: BTreeMap<String, String> =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    TableOptions { values, spans: BTreeMap::new() }
}

/// `id BIGINT, text STRING`
fn schema() -> Schema {
    Schema::new(vec![Field::new("id", DataType::nullable(LogicalType::BigInt)), Field::new("text", DataType::string())])
}

fn source_spec(pairs: &[(&str, &str)], metadata: &[&str]) -> SourceSpec {
    let mut columns: Vec<SourceColumn> = (0..2).map(SourceColumn::Physical).collect();
    let known = crate::spec().metadata;
    for key in metadata {
        let data_type = known.iter().find(|known| known.key == *key).unwrap().data_type.clone();
        columns.push(SourceColumn::Metadata((*key).to_owned(), data_type));
    }
    SourceSpec {
        table: "c.d.source".to_owned(),
        connector: "kafka".to_owned(),
        options: options(pairs),
        physical: schema(),
        columns,
        projection: Vec::new(),
        condition: None,
        watermark: None,
    }
}

fn sink_spec(pairs: &[(&str, &str)]) -> SinkSpec {
    let mut all = vec![("format", "json")];
    all.extend_from_slice(pairs);
    SinkSpec {
        table: "c.d.sink".to_owned(),
        connector: "kafka".to_owned(),
        options: options(&all),
        physical: schema(),
        metadata: Vec::new(),
        primary_key: Vec::new(),
        changelog: ChangelogMode::INSERT_ONLY,
    }
}

fn rows(ids: std::ops::Range<i64>) -> Batch {
    let text: StringViewArray = ids.clone().map(|id| Some(format!("row {id}"))).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(ids.collect::<Int64Array>()), Arc::new(text)];
    Batch::inserts(RecordBatch::try_new(schema().arrow(), columns).unwrap(), 0)
}

fn reader_context() -> ReaderContext {
    ReaderContext {
        subtask: 0,
        parallelism: 1,
        clock: Arc::new(SystemClock::new()),
        metrics: Registry::default(),
        linger: weir_base::limits::SOURCE_LINGER,
    }
}

fn writer_context() -> WriterContext {
    WriterContext {
        subtask: 0,
        parallelism: 1,
        epoch: Epoch(1),
        clock: Arc::new(SystemClock::new()),
        metrics: Registry::default(),
    }
}

fn source(pairs: &[(&str, &str)], metadata: &[&str]) -> Box<dyn Source> {
    KafkaFactory::new().source(&source_spec(pairs, metadata), &job_context()).unwrap()
}

/// What a reader gave: text values by split in order, and the ends.
#[derive(Debug, Default)]
struct Got {
    values: BTreeMap<String, Vec<String>>,
    next: BTreeMap<SplitId, Position>,
    ended: Vec<SplitId>,
    metadata: Vec<Vec<ArrayRef>>,
    fetches: Vec<weir_format::RawRecords>,
}

impl Got {
    fn total(&self) -> usize {
        self.values.values().map(Vec::len).sum()
    }

    fn all(&self) -> Vec<String> {
        let mut all: Vec<String> = self.values.values().flatten().cloned().collect();
        all.sort();
        all
    }
}

/// Reads until `enough` says so, or 20 s have passed.
fn read(reader: &mut dyn Reader, enough: impl Fn(&Got) -> bool) -> Got {
    let (clock, mut got) = (SystemClock::new(), Got::default());
    while !enough(&got) {
        assert!(clock.monotonic_us() < 20_000_000, "not enough after 20 s: {:?} ended {:?}", got.values, got.ended);
        match reader.fetch(Duration::from_millis(50)).unwrap() {
            Fetch::Records { split, payload: Payload::Raw(records), metadata, first, next } => {
                assert!(first <= next);
                let texts = (0..records.len()).map(|index| String::from_utf8(records.value(index).to_vec()).unwrap());
                got.values.entry(split.to_string()).or_default().extend(texts);
                got.next.insert(split, next);
                if !records.is_empty() {
                    got.metadata.push(metadata);
                    got.fetches.push(records);
                }
            }
            Fetch::Records { .. } => panic!("Kafka gives raw records"),
            Fetch::End(split) => got.ended.push(split),
            Fetch::Nothing => {}
        }
    }
    got
}

/// All that a topic holds for a consumer of this isolation level, sorted, read to its end as it is now.
fn contents(broker: &str, topic: &str, isolation: &str) -> Vec<String> {
    let pairs = [
        ("topic", topic),
        ("properties.bootstrap.servers", broker),
        ("properties.isolation.level", isolation),
        ("scan.startup.mode", "earliest-offset"),
        ("scan.bounded.mode", "latest-offset"),
    ];
    let source = source(&pairs, &[]);
    let mut reader = source.reader(&reader_context()).unwrap();
    let splits = source.splits().unwrap();
    for split in &splits {
        reader.add(split.clone(), None).unwrap();
    }
    read(reader.as_mut(), |got| got.ended.len() == splits.len()).all()
}

/// Sends texts to a partition without Weir.
fn send(broker: &str, topic: &str, partition: i32, texts: &[&str]) {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", broker).create().unwrap();
    for text in texts {
        producer
            .send(BaseRecord::<str, str>::to(topic).partition(partition).payload(text))
            .map_err(|(error, _)| error)
            .unwrap();
    }
    producer.flush(Duration::from_secs(20)).unwrap();
}

/// Ends an epoch of a writer: its barrier and the flush.
fn barrier(writer: &mut dyn Writer, epoch: u64) {
    let (_, flush) = writer.prepare(Epoch(epoch)).unwrap();
    if let Some(flush) = flush {
        flush().unwrap();
    }
}

fn json(ids: std::ops::Range<i64>) -> Vec<String> {
    let mut lines: Vec<String> = ids.map(|id| format!(r#"{{"id":{id},"text":"row {id}"}}"#)).collect();
    lines.sort();
    lines
}
