//! Sinks without transactions, keys, partitioners, and the metadata columns there and back.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, TimestampMillisecondArray};
use weir_base::Kind;
use weir_connector::{Role, Sink};

use super::*;

fn sink(spec: &SinkSpec) -> Box<dyn Sink> {
    KafkaFactory::new().sink(spec, &job_context()).unwrap()
}

#[test]
fn an_at_least_once_sink_has_delivered_all_when_its_flush_returns() {
    let Some(broker) = broker() else { return };
    let topic = topic(&broker, "alo", 3);
    let sink = sink(&sink_spec(&[("topic", &topic), ("properties.bootstrap.servers", &broker)]));
    assert_eq!(sink.role(), Role::BestEffort);
    let mut writer = sink.writer(&writer_context()).unwrap();
    for start in 0..5 {
        writer.write(&rows(start * 1000..(start + 1) * 1000)).unwrap();
    }
    barrier(writer.as_mut(), 1);
    assert_eq!(contents(&broker, &topic, "read_uncommitted"), json(0..5000));
}

#[test]
fn metadata_comes_back_as_it_was_written() {
    let Some(broker) = broker() else { return };
    let topic = topic(&broker, "metadata", 1);
    let mut spec = sink_spec(&[
        ("topic", &topic),
        ("properties.bootstrap.servers", &broker),
        ("key.format", "json"),
        ("key.fields", "id"),
        ("value.fields-include", "EXCEPT_KEY"),
    ]);
    let known = crate::spec().metadata;
    let type_of = |key: &str| known.iter().find(|known| known.key == key).unwrap().data_type.clone();
    spec.metadata = vec![("headers".to_owned(), type_of("headers")), ("timestamp".to_owned(), type_of("timestamp"))];
    let mut fields = schema().fields;
    fields.push(Field::new("headers", type_of("headers")));
    fields.push(Field::new("timestamp", type_of("timestamp")));
    let mut columns = rows(0..2).data.columns().to_vec();
    columns.push(headers(&[&[("a", Some(&b"1"[..])), ("a", None)], &[]]));
    let timestamps = TimestampMillisecondArray::from(vec![Some(1_700_000_000_123), None]).with_timezone("UTC");
    columns.push(Arc::new(timestamps));
    let batch = Batch::inserts(RecordBatch::try_new(Schema::new(fields).arrow(), columns).unwrap(), 0);
    let sink = sink(&spec);
    let before = SystemClock::new().now();
    let mut writer = sink.writer(&writer_context()).unwrap();
    writer.write(&batch).unwrap();
    barrier(writer.as_mut(), 1);

    let all = ["topic", "partition", "headers", "leader-epoch", "offset", "timestamp", "timestamp-type"];
    let pairs = [
        ("topic", topic.as_str()),
        ("properties.bootstrap.servers", broker.as_str()),
        ("scan.startup.mode", "earliest-offset"),
        ("key.format", "json"),
        ("key.fields", "id"),
        ("value.fields-include", "EXCEPT_KEY"),
    ];
    let source = source(&pairs, &all);
    let mut reader = source.reader(&reader_context()).unwrap();
    reader.add(source.splits().unwrap().remove(0), None).unwrap();
    let got = read(reader.as_mut(), |got| got.total() == 2);
    assert_eq!(got.all(), [r#"{"text":"row 0"}"#, r#"{"text":"row 1"}"#]);
    let (records, columns) = (&got.fetches[0], &got.metadata[0]);
    assert_eq!(records.key(0).unwrap(), br#"{"id":0}"#);
    assert_eq!(columns.len(), all.len());
    for (column, key) in columns.iter().zip(all) {
        assert_eq!(column.data_type(), &type_of(key).arrow(), "{key}");
    }
    assert_eq!(columns[0].as_string_view().value(1), topic);
    assert_eq!(columns[1].as_primitive::<Int32Type>().values().to_vec(), [0, 0]);
    assert_eq!(&columns[2], &headers(&[&[("a", Some(&b"1"[..])), ("a", None)], &[]]));
    assert_eq!(columns[3].as_primitive::<Int32Type>().value(0), 0);
    assert_eq!(columns[4].as_primitive::<Int64Type>().values().to_vec(), [0, 1]);
    let timestamps = columns[5].as_primitive::<TimestampMillisecondType>();
    assert_eq!(timestamps.value(0), 1_700_000_000_123);
    assert!((before..before + 60_000).contains(&timestamps.value(1)), "{}", timestamps.value(1));
    assert_eq!(columns[6].as_string_view().value(0), "CreateTime");
    assert_eq!(records.timestamps.as_ref().unwrap()[0], 1_700_000_000_123);
}

type Header<'a> = (&'a str, Option<&'a [u8]>);

fn headers(rows: &[&[Header<'_>]]) -> ArrayRef {
    use arrow_array::builder::{BinaryViewBuilder, MapBuilder, MapFieldNames, StringViewBuilder};
    let names = MapFieldNames { entry: "entries".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
    let mut column = MapBuilder::new(Some(names), StringViewBuilder::new(), BinaryViewBuilder::new());
    for row in rows {
        for (name, value) in *row {
            column.keys().append_value(name);
            column.values().append_option(*value);
        }
        column.append(true).unwrap();
    }
    Arc::new(column.finish())
}

#[test]
fn partitioners_spread_rows_as_they_say() {
    let Some(broker) = broker() else { return };
    // (options, subtask, partitions that must hold rows after eight batches)
    let keyed: &[(&str, &str)] = &[("key.format", "json"), ("key.fields", "id")];
    type Case<'a> = (&'a [(&'a str, &'a str)], u16, &'a [i32]);
    let cases: [Case<'_>; 4] = [
        (&[], 0, &[0, 1, 2]),
        (&[("sink.partitioner", "round-robin")], 1, &[0, 1, 2]),
        (&[("sink.partitioner", "fixed")], 4, &[1]),
        (keyed, 0, &[0, 1, 2]),
    ];
    for (extra, subtask, expected) in cases {
        let topic = topic(&broker, "spread", 3);
        let mut pairs = vec![("topic", topic.as_str()), ("properties.bootstrap.servers", broker.as_str())];
        pairs.extend_from_slice(extra);
        let sink = sink(&sink_spec(&pairs));
        let mut context = writer_context();
        context.subtask = subtask;
        let mut writer = sink.writer(&context).unwrap();
        for start in 0..8 {
            writer.write(&rows(start * 10..start * 10 + 10)).unwrap();
        }
        barrier(writer.as_mut(), 1);
        let source = source(
            &[
                ("topic", &topic),
                ("properties.bootstrap.servers", &broker),
                ("scan.startup.mode", "earliest-offset"),
                ("scan.bounded.mode", "latest-offset"),
            ],
            &[],
        );
        let mut reader = source.reader(&reader_context()).unwrap();
        for split in source.splits().unwrap() {
            reader.add(split, None).unwrap();
        }
        let got = read(reader.as_mut(), |got| got.ended.len() == 3);
        assert_eq!(got.all(), json(0..80), "{extra:?}");
        let used: BTreeSet<i32> = got
            .values
            .iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(split, _)| split.rsplit('-').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(used.into_iter().collect::<Vec<_>>(), expected, "{extra:?}");
    }
}

#[test]
fn a_row_over_the_producers_own_limit_fails_with_its_content() {
    let Some(broker) = broker() else { return };
    let topic = topic(&broker, "own-limit", 1);
    let pairs = [
        ("topic", topic.as_str()),
        ("properties.bootstrap.servers", broker.as_str()),
        ("properties.max.request.size", "2000"),
    ];
    let sink = sink(&sink_spec(&pairs));
    let mut writer = sink.writer(&writer_context()).unwrap();
    let text: StringViewArray = [Some("y".repeat(5_000))].into_iter().collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![5])), Arc::new(text)];
    writer.write(&Batch::inserts(RecordBatch::try_new(schema().arrow(), columns).unwrap(), 0)).unwrap();
    let error = writer.ready().unwrap_err();
    assert_eq!(error.kind(), Kind::Exhausted);
    assert!(error.message().contains(r#"value begins with {"id":5,"text":"yyy"#), "{error}");
    assert!(error.message().contains("'properties.max.request.size' of the table"), "{error}");
}
