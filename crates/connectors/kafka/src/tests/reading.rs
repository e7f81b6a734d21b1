//! Readers: where they begin, where they end, what they say when a topic is not there.

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use weir_base::Kind;

use super::*;

/// Reads all splits of a table until `count` records came.
fn read_table(pairs: &[(&str, &str)], count: usize) -> Got {
    let source = source(pairs, &[]);
    let mut reader = source.reader(&reader_context()).unwrap();
    for split in source.splits().unwrap() {
        reader.add(split, None).unwrap();
    }
    read(reader.as_mut(), |got| got.total() >= count)
}

#[test]
fn each_startup_mode_begins_where_it_says() {
    let Some(broker) = broker() else { return };
    let topic = topic(&broker, "startup", 2);
    send(&broker, &topic, 0, &["a0", "a1", "a2"]);
    send(&broker, &topic, 1, &["b0"]);
    let (fresh, group) = (unique("fresh"), unique("group"));
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", &broker).set("group.id", &group).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, Offset::Offset(2)).unwrap();
    consumer.commit(&list, CommitMode::Sync).unwrap();
    let late = (SystemClock::new().now() + 3_600_000).to_string();
    let specific = "partition:0,offset:1;partition:1,offset:1";
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (&[("scan.startup.mode", "earliest-offset")], &["a0", "a1", "a2", "b0", "later"]),
        (&[("scan.startup.mode", "latest-offset")], &["later"]),
        (
            &[("scan.startup.mode", "timestamp"), ("scan.startup.timestamp-millis", "0")],
            &["a0", "a1", "a2", "b0", "later"],
        ),
        (&[("scan.startup.mode", "timestamp"), ("scan.startup.timestamp-millis", &late)], &["later"]),
        (
            &[("scan.startup.mode", "specific-offsets"), ("scan.startup.specific-offsets", specific)],
            &["a1", "a2", "later"],
        ),
        (&[("properties.group.id", &group), ("properties.auto.offset.reset", "earliest")], &["a2", "b0", "later"]),
        (&[("properties.group.id", &group), ("properties.auto.offset.reset", "latest")], &["a2", "later"]),
        (&[("properties.group.id", &fresh), ("properties.auto.offset.reset", "latest")], &["later"]),
    ];
    // All begin before the last row is sent.
    let mut readers = Vec::new();
    for (extra, _) in cases {
        let mut pairs = vec![("topic", topic.as_str()), ("properties.bootstrap.servers", broker.as_str())];
        pairs.extend_from_slice(extra);
        let source = source(&pairs, &[]);
        let mut reader = source.reader(&reader_context()).unwrap();
        for split in source.splits().unwrap() {
            reader.add(split, None).unwrap();
        }
        // The first fetch finds the positions.
        let first = read(reader.as_mut(), |got| got.next.len() == 2);
        readers.push((source, reader, first));
    }
    send(&broker, &topic, 1, &["later"]);
    for ((_, expected), (_source, reader, first)) in cases.iter().zip(&mut readers) {
        let count = expected.len() - first.total();
        let mut all = first.all();
        all.extend(read(reader.as_mut(), |got| got.total() >= count).all());
        all.sort();
        assert_eq!(all, *expected);
    }
}

#[test]
fn a_group_without_offsets_and_without_a_reset_is_an_error_with_words() {
    let Some(broker) = broker() else { return };
    let (topic, group) = (topic(&broker, "noreset", 1), unique("group"));
    let pairs = [
        ("topic", topic.as_str()),
        ("properties.bootstrap.servers", broker.as_str()),
        ("properties.group.id", group.as_str()),
    ];
    let source = source(&pairs, &[]);
    let mut reader = source.reader(&reader_context()).unwrap();
    reader.add(source.splits().unwrap().remove(0), None).unwrap();
    let error = reader.fetch(Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.message(), format!("begin {topic}-0 at the offset of group '{group}': it has committed none"));
}

#[test]
fn a_bounded_read_ends_behind_an_aborted_transaction_though_no_record_stands_there() {
    let Some(broker) = broker() else { return };
    let topic = topic(&broker, "aborted", 1);
    let id = unique("tx");
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", &broker).set("transactional.id", &id).create().unwrap();
    producer.init_transactions(Duration::from_secs(30)).unwrap();
    for (texts, commits) in [(["c0", "c1"], true), (["x0", "x1"], false), (["c2", "c3"], true), (["x2", "x3"], false)] {
        producer.begin_transaction().unwrap();
        for text in texts {
            producer
                .send(BaseRecord::<str, str>::to(&topic).partition(0).payload(text))
                .map_err(|(error, _)| error)
                .unwrap();
        }
        producer.flush(Duration::from_secs(20)).unwrap();
        if commits {
            producer.commit_transaction(Duration::from_secs(20)).unwrap();
        } else {
            producer.abort_transaction(Duration::from_secs(20)).unwrap();
        }
    }
    assert_eq!(contents(&broker, &topic, "read_committed"), ["c0", "c1", "c2", "c3"]);
    assert_eq!(contents(&broker, &topic, "read_uncommitted"), ["c0", "c1", "c2", "c3", "x0", "x1", "x2", "x3"]);
}

#[test]
fn a_bounded_read_of_an_empty_topic_ends_at_once_and_one_by_offsets_ends_before_them() {
    let Some(broker) = broker() else { return };
    let topic = topic(&broker, "bounded", 2);
    assert!(contents(&broker, &topic, "read_uncommitted").is_empty());
    send(&broker, &topic, 0, &["a0", "a1", "a2"]);
    send(&broker, &topic, 1, &["b0", "b1"]);
    let pairs = [
        ("topic", topic.as_str()),
        ("properties.bootstrap.servers", broker.as_str()),
        ("scan.startup.mode", "earliest-offset"),
        ("scan.bounded.mode", "specific-offsets"),
        ("scan.bounded.specific-offsets", "partition:0,offset:2;partition:1,offset:1"),
    ];
    let source = source(&pairs, &[]);
    assert!(source.is_bounded());
    assert_eq!(source.discovery_interval(), None);
    let mut reader = source.reader(&reader_context()).unwrap();
    for split in source.splits().unwrap() {
        reader.add(split, None).unwrap();
    }
    let got = read(reader.as_mut(), |got| got.ended.len() == 2);
    assert_eq!(got.all(), ["a0", "a1", "b0"]);
}

#[test]
fn a_restored_position_is_gone_on_from_and_a_new_partition_is_read_from_its_beginning() {
    let Some(broker) = broker() else { return };
    let topic = topic(&broker, "restored", 2);
    send(&broker, &topic, 0, &["a0", "a1", "a2"]);
    send(&broker, &topic, 1, &["b0"]);
    let pairs = [
        ("topic", topic.as_str()),
        ("properties.bootstrap.servers", broker.as_str()),
        ("scan.startup.mode", "latest-offset"),
    ];
    let source = source(&pairs, &[]);
    let splits = source.splits().unwrap();
    let mut reader = source.reader(&reader_context()).unwrap();
    reader.add(splits[0].clone(), Some(Position { offset: 1, records: 41 })).unwrap();
    reader.add(splits[1].clone(), None).unwrap();
    let got = read(reader.as_mut(), |got| got.total() == 3);
    assert_eq!(got.all(), ["a1", "a2", "b0"]);
    assert_eq!(got.next[&splits[0]], Position { offset: 3, records: 43 });
}

#[test]
fn a_topic_that_does_not_exist_is_an_error_that_says_what_to_do() {
    let Some(broker) = broker() else { return };
    let missing = unique("missing");
    let pairs = [
        ("topic", missing.as_str()),
        ("properties.bootstrap.servers", broker.as_str()),
        ("scan.startup.mode", "earliest-offset"),
    ];
    let error = source(&pairs, &[]).splits().unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.message().starts_with(&format!("list the partitions of topic '{missing}' at {broker}: ")), "{error}");
    assert_eq!(error.hint_text(), Some("create the topic (kafka-topics.sh --create), or correct 'topic'"));
}

#[test]
fn a_pattern_finds_its_topics_and_a_list_reads_them_all() {
    let Some(broker) = broker() else { return };
    let stem = unique("pattern");
    let (one, two) = (topic(&broker, &format!("{stem}-x"), 1), topic(&broker, &format!("{stem}-y"), 1));
    send(&broker, &one, 0, &["one"]);
    send(&broker, &two, 0, &["two"]);
    let pattern = format!("{stem}-[xy]-.*");
    let servers = ("properties.bootstrap.servers", broker.as_str());
    let earliest = ("scan.startup.mode", "earliest-offset");
    assert_eq!(read_table(&[("topic-pattern", &pattern), servers, earliest], 2).all(), ["one", "two"]);
    let list = format!("{one}; {two}");
    assert_eq!(read_table(&[("topic", &list), servers, earliest], 2).all(), ["one", "two"]);
}

#[test]
fn an_offset_that_the_broker_no_longer_has_is_an_error() {
    let Some(broker) = broker() else { return };
    let topic = topic(&broker, "range", 1);
    send(&broker, &topic, 0, &["a"]);
    let pairs = [
        ("topic", topic.as_str()),
        ("properties.bootstrap.servers", broker.as_str()),
        ("scan.startup.mode", "earliest-offset"),
    ];
    let source = source(&pairs, &[]);
    let mut reader = source.reader(&reader_context()).unwrap();
    reader.add(source.splits().unwrap().remove(0), Some(Position { offset: 99, records: 99 })).unwrap();
    let clock = SystemClock::new();
    let error = loop {
        assert!(clock.monotonic_us() < 20_000_000, "an error must come");
        match reader.fetch(Duration::from_millis(50)) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(
        error.message().starts_with(&format!("read {topic}-0 at offset 99: the broker has no such offset")),
        "{error}"
    );
}

#[test]
fn the_metrics_of_a_reader_move() {
    let Some(broker) = broker() else { return };
    let topic = topic(&broker, "metrics", 1);
    send(&broker, &topic, 0, &["a", "b", "c"]);
    let pairs = [
        ("topic", topic.as_str()),
        ("properties.bootstrap.servers", broker.as_str()),
        ("scan.startup.mode", "earliest-offset"),
    ];
    let source = source(&pairs, &[]);
    let context = reader_context();
    let mut reader = source.reader(&context).unwrap();
    reader.add(source.splits().unwrap().remove(0), None).unwrap();
    read(reader.as_mut(), |got| got.total() == 3);
    let value = |name: &str| {
        let metric = context.metrics.metrics().into_iter().find(|metric| metric.name == name).unwrap();
        match metric.value {
            weir_metrics::Value::Gauge(gauge) => (gauge.get(), metric.labels),
            _ => panic!("a gauge"),
        }
    };
    let clock = SystemClock::new();
    while value("KafkaSourceReader_topic_partition_currentOffset").0 < 2.0 {
        assert!(clock.monotonic_us() < 10_000_000, "the gauge must move");
        reader.fetch(Duration::from_millis(50)).unwrap();
    }
    let (_, labels) = value("KafkaSourceReader_topic_partition_currentOffset");
    assert_eq!(labels, [("topic", topic.clone()), ("partition", "0".to_owned())]);
    assert_eq!(value("pendingRecords").0, 0.0);
}
