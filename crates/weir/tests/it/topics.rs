//! Topics as an ordinary client sees them: read and written by librdkafka alone, so that nothing of Weir judges itself.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use weir_base::{Clock, SystemClock};

/// How long a question to the broker may take; it may have been started again just now.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// How long an ended transaction may take until its marks stand in the topic.
const MARKS_LIMIT_US: u64 = 10_000_000;

/// A message: its partition, its offset, its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub partition: i32,
    pub offset: i64,
    pub value: String,
}

fn consumer(brokers: &str, isolation: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "weir-test-none")
        .set("isolation.level", isolation)
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("reconnect.backoff.max.ms", "500")
        .create()
        .expect("make a consumer")
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> Vec<i32> {
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER_LIMIT).expect("ask for the topic's partitions");
    let partitions = metadata.topics().first().map(|topic| topic.partitions()).unwrap_or_default();
    partitions.iter().map(|partition| partition.id()).collect()
}

/// The transactions that are open on a topic, in words: partitions whose end for a read_committed reader lies before their end. Waits a little for the
/// marks of such as were ended just now.
pub fn hanging(brokers: &str, topic: &str) -> Option<String> {
    let (committed, all) = (consumer(brokers, "read_committed"), consumer(brokers, "read_uncommitted"));
    let clock = SystemClock::new();
    loop {
        let end = |consumer: &BaseConsumer, partition| {
            consumer.fetch_watermarks(topic, partition, ANSWER_LIMIT).expect("ask for a partition's end").1
        };
        let open = partitions(&all, topic).into_iter().find_map(|partition| {
            let (stable, end) = (end(&committed, partition), end(&all, partition));
            (stable < end).then(|| format!("{topic}-{partition} is open from offset {stable} to {end}"))
        });
        match open {
            Some(open) if clock.monotonic_us() > MARKS_LIMIT_US => return Some(format!("a transaction hangs: {open}")),
            None => return None,
            Some(_) => clock.sleep(Duration::from_millis(50)),
        }
    }
}

/// The ends of a topic's partitions, as a read_committed reader sees them, added up: it grows with what is decided (and by a mark for each transaction).
pub fn end(brokers: &str, topic: &str) -> i64 {
    let consumer = consumer(brokers, "read_committed");
    let end =
        |partition| consumer.fetch_watermarks(topic, partition, ANSWER_LIMIT).expect("ask for a partition's end").1;
    partitions(&consumer, topic).into_iter().map(end).sum()
}

/// All that a read_committed reader sees of a topic, up to an end that it reaches: while much is written, that takes a while.
pub fn records(brokers: &str, topic: &str) -> Vec<Record> {
    let consumer = consumer(brokers, "read_committed");
    let partitions = partitions(&consumer, topic);
    let mut list = TopicPartitionList::new();
    for partition in &partitions {
        list.add_partition_offset(topic, *partition, Offset::Beginning).expect("name a partition");
    }
    consumer.assign(&list).expect("read the topic");
    let (clock, mut records, mut ended) = (SystemClock::new(), Vec::new(), Vec::new());
    while ended.len() < partitions.len() {
        assert!(
            clock.monotonic_us() < 60_000_000,
            "topic {topic} was not read within a minute: {} records",
            records.len()
        );
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => records.push(Record {
                partition: message.partition(),
                offset: message.offset(),
                value: String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned(),
            }),
            Some(Err(KafkaError::PartitionEOF(partition))) if !ended.contains(&partition) => ended.push(partition),
            // What passes by is tried again by the client.
            Some(Err(_)) | None => {}
        }
    }
    records
}

/// The values of `records`.
pub fn values(brokers: &str, topic: &str) -> Vec<String> {
    records(brokers, topic).into_iter().map(|record| record.value).collect()
}

fn admin(brokers: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", brokers).create().expect("make an admin client")
}

/// Makes a topic.
pub fn create(brokers: &str, topic: &str, partitions: i32) {
    let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    let options = AdminOptions::new().operation_timeout(Some(ANSWER_LIMIT));
    for made in wait_for(admin(brokers).create_topics([&new], &options)).expect("ask for a topic") {
        made.expect("make a topic");
    }
    // The controller has made it; the broker tells of it a moment later.
    let (consumer, clock) = (consumer(brokers, "read_committed"), SystemClock::new());
    while self::partitions(&consumer, topic).len() != usize::try_from(partitions).expect("a number of partitions") {
        assert!(clock.monotonic_us() < MARKS_LIMIT_US, "topic {topic} was made and is not to be seen");
        clock.sleep(Duration::from_millis(10));
    }
}

/// Adds partitions to a topic until it has `partitions`.
pub fn grow(brokers: &str, topic: &str, partitions: usize) {
    let wanted = NewPartitions::new(topic, partitions);
    let options = AdminOptions::new().operation_timeout(Some(ANSWER_LIMIT));
    for topic in wait_for(admin(brokers).create_partitions([&wanted], &options)).expect("ask for partitions") {
        topic.expect("add partitions");
    }
}

/// Sends `value` to a partition and waits until the broker has it.
pub fn send(brokers: &str, topic: &str, partition: i32, value: &str) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", brokers).create().expect("make a producer");
    let record = BaseRecord::<(), str>::to(topic).partition(partition).payload(value);
    producer.send(record).map_err(|(error, _)| error).expect("send a message");
    producer.flush(ANSWER_LIMIT).expect("wait for the broker to take the message");
}

/// Removes topics.
pub fn remove(brokers: &str, topics: &[&str]) {
    let admin = admin(brokers);
    let removed = admin.delete_topics(topics, &AdminOptions::new().operation_timeout(Some(ANSWER_LIMIT)));
    for topic in wait_for(removed).expect("ask for topics to be removed") {
        topic.expect("remove a topic");
    }
}

/// Waits for a future by asking it again and again.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let (mut future, clock) = (pin!(future), SystemClock::new());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
        clock.sleep(Duration::from_millis(2));
    }
}
