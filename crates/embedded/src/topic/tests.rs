//! Topics as a job uses them: producer, source, exactly-once sink, crashes at every step.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{Int64Array, RecordBatch, StringViewArray};
use weir_base::{Epoch, Generation, JobId, ManualClock, RowKind};
use weir_connector::{
    Batch, Factory, Fetch, JobContext, Payload, Position, Prepared, Reader, ReaderContext, Sink, Source, SplitId,
    WriterContext,
};
use weir_metrics::Registry;
use weir_plan::{
    ChangelogMode, DataType, Field, LogicalType, Schema, SinkSpec, SourceColumn, SourceSpec, TableOptions,
};

use super::*;
use crate::EmbeddedStore;

pub(crate) fn job(data_dir: &Path, name: &str, generation: u64) -> JobContext {
    JobContext {
        job: JobId::of_name("file:///c", name),
        name: name.to_owned(),
        generation: Generation(generation),
        checkpoint_interval: None,
        data_dir: data_dir.to_owned(),
        carried_dir: data_dir.join("carried"),
        carried_bytes_max: u64::MAX,
        clock: Arc::new(ManualClock::at(1_000)),
        metrics: Registry::default(),
    }
}

pub(crate) fn options(pairs: &[(&str, &str)]) -> TableOptions {
    let values = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    TableOptions { values, spans: BTreeMap::new() }
}

fn schema() -> Schema {
    Schema::new(vec![Field::new("id", DataType::nullable(LogicalType::BigInt)), Field::new("name", DataType::string())])
}

fn sink_spec(extra: &[(&str, &str)]) -> SinkSpec {
    let mut pairs = vec![("topic", "t"), ("format", "json")];
    pairs.extend_from_slice(extra);
    SinkSpec {
        table: "default_catalog.default_database.t".into(),
        connector: "kafka".into(),
        options: options(&pairs),
        physical: schema(),
        metadata: Vec::new(),
        primary_key: Vec::new(),
        changelog: ChangelogMode::INSERT_ONLY,
    }
}

fn source_spec(extra: &[(&str, &str)], metadata: &[&str]) -> SourceSpec {
    let mut pairs = vec![("topic", "t"), ("format", "json")];
    pairs.extend_from_slice(extra);
    SourceSpec {
        table: "t".into(),
        connector: "kafka".into(),
        options: options(&pairs),
        physical: schema(),
        columns: metadata.iter().map(|key| SourceColumn::Metadata((*key).into(), DataType::string())).collect(),
        projection: Vec::new(),
        condition: None,
        watermark: None,
    }
}

fn rows(ids: &[i64]) -> Batch {
    let ids_column = Int64Array::from(ids.to_vec());
    let names: StringViewArray = ids.iter().map(|id| Some(format!("name {}", id % 3))).collect();
    Batch::inserts(RecordBatch::try_new(schema().arrow(), vec![Arc::new(ids_column), Arc::new(names)]).unwrap(), 0)
}

fn writer_context(subtask: u16, parallelism: u16, epoch: u64) -> WriterContext {
    WriterContext {
        subtask,
        parallelism,
        epoch: Epoch(epoch),
        clock: Arc::new(ManualClock::at(5)),
        metrics: Registry::default(),
    }
}

fn sink(data_dir: &Path, generation: u64, extra: &[(&str, &str)]) -> weir_base::Result<Box<dyn Sink>> {
    EmbeddedKafkaFactory::new(3).sink(&sink_spec(extra), &job(data_dir, "j", generation))
}

/// The values that a query sees, sorted.
fn visible(data_dir: &Path) -> Vec<i64> {
    let mut ids = Vec::new();
    for batch in EmbeddedStore::open(data_dir).unwrap().topic("t").unwrap().scan(None).unwrap() {
        let batch = batch.unwrap();
        let values = batch.column(4).as_any().downcast_ref::<StringViewArray>().unwrap().clone();
        ids.extend(values.iter().map(|value| {
            let value = value.unwrap();
            value.split([':', ',']).nth(1).unwrap().parse::<i64>().unwrap()
        }));
    }
    ids.sort_unstable();
    ids
}

fn reader(data_dir: &Path, extra: &[(&str, &str)], metadata: &[&str]) -> (Box<dyn Source>, Box<dyn Reader>) {
    let spec = source_spec(extra, metadata);
    let source = EmbeddedKafkaFactory::new(3).source(&spec, &job(data_dir, "r", 1)).unwrap();
    let context = ReaderContext {
        subtask: 0,
        parallelism: 1,
        clock: Arc::new(ManualClock::at(0)),
        metrics: Registry::default(),
        linger: weir_base::limits::SOURCE_LINGER,
    };
    let reader = source.reader(&context).unwrap();
    (source, reader)
}

fn read_all(reader: &mut dyn Reader) -> Vec<(String, u64, String)> {
    let mut all = Vec::new();
    loop {
        match reader.fetch(Duration::ZERO).unwrap() {
            Fetch::Nothing => return all,
            Fetch::End(split) => all.push((split.to_string(), u64::MAX, "end".into())),
            Fetch::Records { split, payload: Payload::Raw(records), next, .. } => {
                for (index, record) in records.records.iter().enumerate() {
                    let value = String::from_utf8(records.value(index).to_vec()).unwrap();
                    all.push((split.to_string(), record.offset, value));
                }
                assert_eq!(next.offset, records.records.last().unwrap().offset + 1);
            }
            Fetch::Records { .. } => panic!("a topic gives raw records"),
        }
    }
}

fn record(value: &str, timestamp: i64) -> Record<'_> {
    Record { key: None, value: Some(value.as_bytes()), timestamp }
}

#[test]
fn a_producer_goes_on_at_the_end_and_two_readers_see_what_is_visible() {
    let dir = tempfile::tempdir().unwrap();
    let (source, mut first) = reader(dir.path(), &[], &["topic", "partition", "offset", "timestamp"]);
    assert_eq!(source.splits().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>(), ["t-0", "t-1", "t-2"]);
    let split = SplitId("t-1".into());
    first.add(split.clone(), None).unwrap();
    assert!(matches!(first.fetch(Duration::ZERO).unwrap(), Fetch::Nothing));
    for round in 0..3 {
        let mut writer = TopicWriter::open(dir.path(), "t", 9, "feeder").unwrap();
        assert_eq!((writer.partitions(), writer.end(1)), (3, round));
        writer.append(1, [record(&format!("v{round}"), 7)]).unwrap();
        let Fetch::Records { metadata, next, .. } = first.fetch(Duration::ZERO).unwrap() else { panic!("no records") };
        assert_eq!(next, Position { offset: round + 1, records: round + 1 });
        let shown: Vec<String> = metadata
            .iter()
            .map(|column| format!("{:?}", column.slice(0, 1)).split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert!(
            shown[0].contains("\"t\"") && shown[1].contains('1') && shown[2].contains(&round.to_string()),
            "{shown:?}"
        );
    }
    let (_, mut second) = reader(dir.path(), &[], &[]);
    second.add(split.clone(), Some(Position { offset: 1, records: 1 })).unwrap();
    let read = read_all(second.as_mut());
    assert_eq!(read, [("t-1".into(), 1, "v1".into()), ("t-1".into(), 2, "v2".into())]);
    let error = second.add(split, Some(Position { offset: 9, records: 9 })).unwrap_err();
    assert!(error.to_string().contains("from record 9: it holds 0 to 3; older records have gone"), "{error}");
}

#[test]
fn startup_and_bounded_modes_choose_the_records() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = TopicWriter::open(dir.path(), "t", 1, "feeder").unwrap();
    for (index, time) in [10, 20, 30, 40].into_iter().enumerate() {
        writer.append(0, [record(&index.to_string(), time), record("x", time)]).unwrap();
    }
    let bounded = ("scan.bounded.mode", "latest-offset");
    let specific = ("scan.bounded.specific-offsets", "partition:0,offset:3");
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [u64]);
    let cases: &[Case<'_>] = &[
        (&[bounded], &[0, 1, 2, 3, 4, 5, 6, 7]),
        (&[bounded, ("scan.startup.mode", "earliest-offset")], &[0, 1, 2, 3, 4, 5, 6, 7]),
        (&[bounded, ("scan.startup.mode", "latest-offset")], &[]),
        (&[bounded, ("properties.auto.offset.reset", "latest")], &[]),
        (&[bounded, ("scan.startup.mode", "timestamp"), ("scan.startup.timestamp-millis", "25")], &[4, 5, 6, 7]),
        (&[bounded, ("scan.startup.mode", "timestamp"), ("scan.startup.timestamp-millis", "99")], &[]),
        (
            &[
                bounded,
                ("scan.startup.mode", "specific-offsets"),
                ("scan.startup.specific-offsets", "partition:0,offset:5"),
            ],
            &[5, 6, 7],
        ),
        (&[("scan.bounded.mode", "timestamp"), ("scan.bounded.timestamp-millis", "30")], &[0, 1, 2, 3]),
        (&[("scan.bounded.mode", "specific-offsets"), specific], &[0, 1, 2]),
    ];
    for (extra, expected) in cases {
        let (source, mut reader) = reader(dir.path(), extra, &[]);
        assert!(source.is_bounded());
        reader.add(SplitId("t-0".into()), None).unwrap();
        let read = read_all(reader.as_mut());
        let offsets: Vec<u64> =
            read.iter().map(|(_, offset, _)| *offset).filter(|offset| *offset != u64::MAX).collect();
        assert_eq!(offsets, *expected, "{extra:?}");
        assert_eq!(read.last().unwrap().2, "end", "{extra:?}");
    }
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let context = job(dir.path(), "j", 1);
    let factory = EmbeddedKafkaFactory::new(1);
    let sink = |extra: &[(&str, &str)]| factory.sink(&sink_spec(extra), &context).err().unwrap().to_string();
    let source = |extra: &[(&str, &str)], metadata: &[&str]| {
        factory.source(&source_spec(extra, metadata), &context).err().unwrap().to_string()
    };
    for (text, expected) in [
        (
            sink(&[("topic", "a;b")]),
            "write to the topics 'a;b': a sink takes one topic; make a table for each topic and write them in one STATEMENT SET",
        ),
        (sink(&[("key.format", "json")]), "read 'key.format': a key needs columns; give 'key.fields'"),
        (
            sink(&[("key.format", "json"), ("key.fields", "who")]),
            "read 'key.fields': the table has no column 'who'; its columns are id, name",
        ),
        (
            sink(&[("topic", "a/b")]),
            "make the topic 'a/b': that is no name of a topic; use up to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-', no '.' in front",
        ),
        (
            source(&[], &["headers"]),
            "read the metadata column 'headers': embedded topics do not have it; they have topic, partition, offset, timestamp, timestamp-type and leader-epoch; run without --embedded for more",
        ),
        (
            source(&[("scan.bounded.mode", "group-offsets")], &[]),
            "read 'scan.bounded.mode' = 'group-offsets': embedded topics have no groups; use 'latest-offset', 'timestamp' or 'specific-offsets'",
        ),
    ] {
        assert_eq!(text, expected);
    }
}

/// Kills the sink at each step of each epoch, restores as the coordinator would, and looks at what is visible.
#[test]
fn killed_at_any_step_an_epoch_is_visible_once_or_not_at_all() {
    for step in ["write", "prepare", "flush", "decide", "apply", "late apply"] {
        for kill_at in 1..=3u64 {
            let dir = tempfile::tempdir().unwrap();
            let mut decided: (u64, Vec<Prepared>) = (0, Vec::new());
            let mut killed = false;
            let mut generation = 0;
            while decided.0 < 4 {
                generation += 1;
                let sink = sink(dir.path(), generation, &[]).unwrap();
                sink.recover(&decided.1).unwrap();
                let mut writers: Vec<_> =
                    (0..2u16).map(|subtask| sink.writer(&writer_context(subtask, 2, decided.0 + 1)).unwrap()).collect();
                let mut committer = sink.committer().unwrap();
                committer.apply(Epoch(decided.0), &decided.1).unwrap();
                for epoch in decided.0 + 1..=4 {
                    let dies = |at: &str| !killed && epoch == kill_at && step == at;
                    let base = i64::try_from(epoch * 100).unwrap();
                    writers[0].write(&rows(&[base, base + 1, base + 2])).unwrap();
                    if dies("write") {
                        killed = true;
                        break;
                    }
                    let (first, flush) = writers[0].prepare(Epoch(epoch)).unwrap();
                    // Subtask 0 is an epoch ahead: its rows must not come before those of subtask 1.
                    writers[0].write(&rows(&[base + 50])).unwrap();
                    writers[1].write(&rows(&[base + 10, base + 11])).unwrap();
                    if dies("prepare") {
                        killed = true;
                        break;
                    }
                    let (second, other) = writers[1].prepare(Epoch(epoch)).unwrap();
                    flush.unwrap()().unwrap();
                    other.unwrap()().unwrap();
                    if dies("flush") {
                        killed = true;
                        break;
                    }
                    decided = (epoch, vec![first, second]);
                    if dies("decide") {
                        killed = true;
                        break;
                    }
                    writers.iter_mut().for_each(|writer| writer.decided(Epoch(epoch)));
                    if dies("late apply") {
                        writers[1].write(&rows(&[-1])).unwrap();
                        killed = true;
                        break;
                    }
                    committer.apply(Epoch(epoch), &decided.1).unwrap();
                    committer.apply(Epoch(epoch), &decided.1).unwrap();
                    if dies("apply") {
                        killed = true;
                        break;
                    }
                }
            }
            // Rows written after a barrier belong to the next epoch: a killed run writes them again as the source would.
            let seen = visible(dir.path());
            let expected = |killed_epoch: Option<u64>| {
                let mut ids = Vec::new();
                for epoch in 1..=4u64 {
                    let base = i64::try_from(epoch * 100).unwrap();
                    ids.extend([base, base + 1, base + 2, base + 10, base + 11]);
                    if epoch < 4 && killed_epoch != Some(epoch) {
                        ids.push(base + 50);
                    }
                }
                ids.sort_unstable();
                ids
            };
            // Row base + 50 of the last epoch before the kill was in no decided epoch, unless its own epoch was replayed whole.
            let lost_with = match step {
                "decide" | "late apply" | "apply" => Some(kill_at),
                _ if kill_at > 1 => Some(kill_at - 1),
                _ => None,
            };
            assert_eq!(seen, expected(lost_with), "killed at {step} of epoch {kill_at}");
        }
    }
}

#[test]
fn keys_choose_the_partition_for_all_subtasks_alike() {
    let dir = tempfile::tempdir().unwrap();
    let keyed = [("key.format", "json"), ("key.fields", "name"), ("value.fields-include", "EXCEPT_KEY")];
    let sink = sink(dir.path(), 1, &keyed).unwrap();
    sink.recover(&[]).unwrap();
    let mut prepared = Vec::new();
    for subtask in 0..2 {
        let mut writer = sink.writer(&writer_context(subtask, 2, 1)).unwrap();
        writer.write(&rows(&[0, 1, 2, 3, 4, 5])).unwrap();
        prepared.push(writer.prepare(Epoch(1)).unwrap().0);
    }
    assert!(visible(dir.path()).is_empty());
    sink.committer().unwrap().apply(Epoch(1), &prepared).unwrap();
    let mut partition_of = BTreeMap::new();
    let topic = EmbeddedStore::open(dir.path()).unwrap().topic("t").unwrap();
    let mut count = 0;
    for batch in topic.scan(Some(&[3, 0, 4])).unwrap() {
        let batch = batch.unwrap();
        let keys = batch.column(0).as_any().downcast_ref::<StringViewArray>().unwrap();
        let partitions = batch.column(1).as_any().downcast_ref::<arrow_array::Int32Array>().unwrap();
        let values = batch.column(2).as_any().downcast_ref::<StringViewArray>().unwrap();
        for row in 0..batch.num_rows() {
            let partition = *partition_of.entry(keys.value(row).to_owned()).or_insert(partitions.value(row));
            assert_eq!(partition, partitions.value(row));
            assert!(!values.value(row).contains("name"), "{}", values.value(row));
            count += 1;
        }
    }
    assert_eq!((count, partition_of.len()), (12, 3));
}

#[test]
fn one_job_writes_a_topic_and_a_newer_run_fences_the_older() {
    let dir = tempfile::tempdir().unwrap();
    let first = sink(dir.path(), 1, &[]).unwrap();
    first.recover(&[]).unwrap();
    let mut writer = first.writer(&writer_context(0, 1, 1)).unwrap();
    writer.write(&rows(&[1])).unwrap();
    let taken = TopicWriter::open(dir.path(), "t", 1, "feeder").err().unwrap();
    assert_eq!(
        taken.to_string(),
        format!(
            "write to {}: the job 'j' writes there; an embedded topic has one writing job at a time: stop the other one, or write to another topic",
            dir.path().join("topics/t").display()
        )
    );
    let second = sink(dir.path(), 2, &[]).unwrap();
    second.recover(&[]).unwrap();
    let mut newer = second.writer(&writer_context(0, 1, 1)).unwrap();
    let fenced = writer.prepare(Epoch(1)).err().unwrap();
    assert!(fenced.to_string().ends_with("as the job 'j': a newer run of the job has taken over"), "{fenced}");
    newer.write(&rows(&[2])).unwrap();
    let prepared = newer.prepare(Epoch(1)).unwrap().0;
    second.committer().unwrap().apply(Epoch(1), &[prepared]).unwrap();
    assert_eq!(visible(dir.path()), [2]);
}

#[test]
fn a_checkpoint_that_failed_leaves_its_rows_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path(), 1, &[]).unwrap();
    sink.recover(&[]).unwrap();
    let mut writer = sink.writer(&writer_context(0, 1, 1)).unwrap();
    writer.write(&rows(&[1])).unwrap();
    let failed = writer.prepare(Epoch(1)).unwrap().0;
    writer.write(&rows(&[2])).unwrap();
    writer.decided(Epoch(1));
    let prepared = writer.prepare(Epoch(2)).unwrap().0;
    sink.committer().unwrap().apply(Epoch(2), &[failed, prepared]).unwrap();
    assert_eq!(visible(dir.path()), [1, 2]);
}

#[test]
fn a_row_that_is_no_insert_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path(), 1, &[]).unwrap();
    sink.recover(&[]).unwrap();
    let mut batch = rows(&[1]);
    batch.kinds = Some(vec![RowKind::Delete].into());
    let error = sink.writer(&writer_context(0, 1, 1)).unwrap().write(&batch).unwrap_err();
    assert!(error.to_string().contains("-D"), "{error}");
}
