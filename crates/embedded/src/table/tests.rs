//! Tables as a job uses them: lanes, crashes at every step, the newest row of each key, dead letters.

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, ListArray, RecordBatch, StringViewArray};
use weir_base::{Epoch, ManualClock, Rng, RowKind};
use weir_connector::{Batch, DeadLetter, Factory, Prepared, Sink, WriterContext, dead_letter_batch};
use weir_metrics::Registry;
use weir_plan::{ChangelogMode, DataType, Field, LogicalType, Schema, SinkSpec};

use super::*;
use crate::EmbeddedStore;
use crate::topic::tests::{job, options};

fn schema() -> Schema {
    let tags = LogicalType::Array(Box::new(DataType::string()));
    Schema::new(vec![
        Field::new("id", DataType::not_null(LogicalType::BigInt)),
        Field::new("name", DataType::string()),
        Field::new("tags", DataType::nullable(tags)),
    ])
}

fn spec(primary_key: &[usize]) -> SinkSpec {
    SinkSpec {
        table: "default_catalog.default_database.readings".into(),
        connector: "questdb".into(),
        options: options(&[]),
        physical: schema(),
        metadata: Vec::new(),
        primary_key: primary_key.to_vec(),
        changelog: ChangelogMode::UPSERT,
    }
}

fn sink(data_dir: &Path, generation: u64, primary_key: &[usize]) -> weir_base::Result<Box<dyn Sink>> {
    EmbeddedTableFactory::default().sink(&spec(primary_key), &job(data_dir, "j", generation))
}

fn rows(rows: &[(i64, &str, RowKind)]) -> Batch {
    let ids = Int64Array::from_iter_values(rows.iter().map(|row| row.0));
    let names: StringViewArray = rows.iter().map(|row| (!row.1.is_empty()).then_some(row.1)).collect();
    let values: StringViewArray = rows.iter().map(|_| Some("a tag of more than twelve bytes")).collect();
    let DataType { logical, .. } = schema().fields[2].data_type.clone();
    let arrow_schema::DataType::List(item) = logical.arrow() else { panic!("a list") };
    let offsets = (0..=i32::try_from(rows.len()).unwrap()).collect::<Vec<_>>();
    let lists = ListArray::new(item, arrow_buffer::OffsetBuffer::new(offsets.into()), Arc::new(values), None);
    let columns: Vec<arrow_array::ArrayRef> = vec![Arc::new(ids), Arc::new(names), Arc::new(lists)];
    let data = RecordBatch::try_new(schema().arrow(), columns).unwrap();
    Batch { data, kinds: Some(rows.iter().map(|row| row.2).collect()), fetched_us: 0 }
}

fn inserts(ids: &[i64]) -> Batch {
    rows(&ids.iter().map(|id| (*id, "n", RowKind::Insert)).collect::<Vec<_>>())
}

fn context(subtask: u16, epoch: u64) -> WriterContext {
    WriterContext {
        subtask,
        parallelism: 2,
        epoch: Epoch(epoch),
        clock: Arc::new(ManualClock::at(5)),
        metrics: Registry::default(),
    }
}

/// The visible rows, sorted.
fn visible(data_dir: &Path) -> Vec<(i64, Option<String>)> {
    let table = EmbeddedStore::open(data_dir).unwrap().table("readings").unwrap();
    let mut all = Vec::new();
    // The columns in another order, one of them left out.
    for batch in table.scan(Some(&[1, 0])).unwrap() {
        let batch = batch.unwrap();
        let names = batch.column(0).as_string_view();
        let ids = batch.column(1).as_primitive::<Int64Type>();
        all.extend(ids.values().iter().zip(names).map(|(id, name)| (*id, name.map(str::to_owned))));
    }
    all.sort_unstable();
    all
}

fn ids(data_dir: &Path) -> Vec<i64> {
    visible(data_dir).into_iter().map(|(id, _)| id).collect()
}

/// Kills the sink at each step of each epoch and restores it; also with another parallelism.
#[test]
fn killed_at_any_step_an_epoch_is_visible_once_or_not_at_all() {
    for step in ["write", "prepare", "decide", "next", "apply"] {
        for kill_at in 1..=3u64 {
            let dir = tempfile::tempdir().unwrap();
            let mut decided: (u64, Vec<Prepared>) = (0, Vec::new());
            let mut generation = 0;
            while decided.0 < 4 {
                generation += 1;
                let sink = sink(dir.path(), generation, &[]).unwrap();
                sink.recover(&decided.1).unwrap();
                let mut committer = sink.committer().unwrap();
                committer.apply(Epoch(decided.0), &decided.1).unwrap();
                let subtasks = if generation == 1 { 2 } else { 1 };
                let mut writers: Vec<_> =
                    (0..subtasks).map(|subtask| sink.writer(&context(subtask, decided.0 + 1)).unwrap()).collect();
                // Another writer of subtask 0, as the coordinator has one.
                writers.push(sink.writer(&context(0, decided.0 + 1)).unwrap());
                for epoch in decided.0 + 1..=4 {
                    let dies = |at: &str| generation == 1 && epoch == kill_at && step == at;
                    let base = i64::try_from(epoch * 100).unwrap();
                    let mut prepared = Vec::new();
                    for (number, writer) in (0..).zip(&mut writers) {
                        writer.write(&inserts(&[base + number])).unwrap();
                        if dies("write") {
                            continue;
                        }
                        let (one, flush) = writer.prepare(Epoch(epoch)).unwrap();
                        flush.unwrap()().unwrap();
                        prepared.push(one);
                    }
                    if dies("write") || dies("prepare") {
                        break;
                    }
                    decided = (epoch, prepared);
                    if dies("decide") {
                        break;
                    }
                    if dies("next") {
                        writers[0].write(&inserts(&[-1])).unwrap();
                        writers[0].prepare(Epoch(epoch + 1)).unwrap();
                        break;
                    }
                    committer.apply(Epoch(epoch), &decided.1).unwrap();
                    committer.apply(Epoch(epoch), &decided.1).unwrap();
                    if dies("apply") {
                        break;
                    }
                }
            }
            let restarted_from = if matches!(step, "write" | "prepare") { kill_at } else { kill_at + 1 };
            let expected: Vec<i64> = (1..=4u64)
                .flat_map(|epoch| {
                    let base = i64::try_from(epoch * 100).unwrap();
                    (base..base + if epoch < restarted_from { 3 } else { 2 }).collect::<Vec<_>>()
                })
                .collect();
            assert_eq!(ids(dir.path()), expected, "killed at {step} of epoch {kill_at}");
        }
    }
}

/// Random upserts and deletes by key, of two subtasks that each own some keys, against a map.
#[test]
fn the_newest_row_of_each_key_wins_and_deletes_take_it_away() {
    for seed in 0..10 {
        let mut rng = Rng::new(seed);
        let dir = tempfile::tempdir().unwrap();
        let mut model = std::collections::BTreeMap::<i64, String>::new();
        let mut epoch = 0;
        for generation in 1..=3 {
            let sink = sink(dir.path(), generation, &[0]).unwrap();
            sink.recover(&[]).unwrap();
            // After a restart each key may have another subtask: the later run is newer all the same.
            let mut writers: Vec<_> =
                (0..2).map(|subtask| sink.writer(&context(subtask, epoch + 1)).unwrap()).collect();
            let mut committer = sink.committer().unwrap();
            for _ in 0..5 {
                epoch += 1;
                for _ in 0..20 {
                    let id = i64::try_from(rng.below(12)).unwrap();
                    let name = format!("name {}", rng.below(1_000_000));
                    let before = model.get(&id).cloned();
                    let batch = match (rng.below(3), before) {
                        (0, Some(old)) => {
                            model.remove(&id);
                            rows(&[(id, old.as_str(), RowKind::Delete)])
                        }
                        (_, Some(old)) => {
                            model.insert(id, name.clone());
                            rows(&[(id, old.as_str(), RowKind::UpdateBefore), (id, &name, RowKind::UpdateAfter)])
                        }
                        (_, None) => {
                            model.insert(id, name.clone());
                            rows(&[(id, &name, RowKind::Insert)])
                        }
                    };
                    let owner = (u64::try_from(id).unwrap() + generation) % 2;
                    writers[usize::try_from(owner).unwrap()].write(&batch).unwrap();
                }
                let prepared: Vec<_> =
                    writers.iter_mut().map(|writer| writer.prepare(Epoch(epoch)).unwrap().0).collect();
                committer.apply(Epoch(epoch), &prepared).unwrap();
                let expected: Vec<_> = model.iter().map(|(id, name)| (*id, Some(name.clone()))).collect();
                assert_eq!(visible(dir.path()), expected, "seed {seed}");
            }
        }
    }
}

#[test]
fn a_table_with_other_columns_is_refused_with_both() {
    let dir = tempfile::tempdir().unwrap();
    drop(sink(dir.path(), 1, &[0]).unwrap());
    let error = sink(dir.path(), 2, &[]).err().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "write to the table readings: it has (id BIGINT NOT NULL, name STRING, tags ARRAY<STRING>, PRIMARY KEY (id)), the statement has (id BIGINT NOT NULL, name STRING, tags ARRAY<STRING>); change the statement, or delete the folder {}",
            dir.path().join("tables/readings").display()
        )
    );
    let error = sink(dir.path(), 2, &[2]).err().unwrap();
    assert_eq!(
        error.to_string(),
        "write to the table readings: its key holds 'tags' of the type ARRAY<STRING>; use columns of scalar types as PRIMARY KEY"
    );
}

#[test]
fn a_table_without_a_key_takes_inserts_only() {
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path(), 1, &[]).unwrap();
    let mut writer = sink.writer(&context(0, 1)).unwrap();
    let error = writer.write(&rows(&[(1, "a", RowKind::Insert), (1, "a", RowKind::Delete)])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "write to the table readings: row 1 is -D, but the table has no primary key; give the table a PRIMARY KEY ... NOT ENFORCED"
    );
}

#[test]
fn two_sinks_of_one_job_write_to_one_table() {
    let dir = tempfile::tempdir().unwrap();
    let factory = EmbeddedTableFactory::default();
    let context_of_job = job(dir.path(), "j", 1);
    for id in [1, 2] {
        let sink = factory.sink(&spec(&[]), &context_of_job).unwrap();
        sink.recover(&[]).unwrap();
        let mut writer = sink.writer(&context(0, 1)).unwrap();
        writer.write(&inserts(&[id])).unwrap();
        let prepared = writer.prepare(Epoch(1)).unwrap().0;
        sink.committer().unwrap().apply(Epoch(1), &[prepared]).unwrap();
    }
    assert_eq!(ids(dir.path()), [1, 2]);
    // The lanes go with the job: a table has been deleted under a checkpoint.
    std::fs::remove_dir_all(dir.path().join("tables/readings/lanes")).unwrap();
    let restored =
        Prepared { subtask: 0, epoch: Epoch(1), state: br#"{"lane":"0","end":{"byte":9,"next":1}}"#.to_vec() };
    let error = sink(dir.path(), 2, &[]).unwrap().recover(&[restored]).unwrap_err();
    assert!(error.to_string().starts_with("find the lane 0 of "), "{error}");
}

#[test]
fn a_dead_letter_written_twice_in_an_epoch_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let letter = |offset: u64, cause: &str| DeadLetter {
        kind: "record",
        cause: cause.into(),
        table: "t".into(),
        split: "t-0".into(),
        offset,
        line: 0,
        column: 3,
        raw: b"{\"a\":".to_vec(),
        raw_length: 5,
        raw_hash: None,
    };
    let sink = dead_letters_sink(&job(dir.path(), "j", 1)).unwrap();
    sink.recover(&[]).unwrap();
    let letters = [letter(1, "x"), letter(1, "x"), letter(2, "x"), letter(1, "y")];
    let batch = dead_letter_batch("j", Epoch(1), &letters, 77).unwrap();
    let mut writer = sink.writer(&context(0, 1)).unwrap();
    writer.write(&Batch::inserts(batch, 0)).unwrap();
    let prepared = writer.prepare(Epoch(1)).unwrap().0;
    sink.committer().unwrap().apply(Epoch(1), &[prepared]).unwrap();
    let store = EmbeddedStore::open(dir.path()).unwrap();
    assert_eq!(store.tables().unwrap(), ["dead_letters"]);
    let rows: usize =
        store.table("dead_letters").unwrap().scan(None).unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 3);
}

#[test]
fn a_flipped_bit_in_a_table_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path(), 1, &[]).unwrap();
    let mut writer = sink.writer(&context(0, 1)).unwrap();
    writer.write(&inserts(&[1, 2, 3])).unwrap();
    let prepared = writer.prepare(Epoch(1)).unwrap().0;
    sink.committer().unwrap().apply(Epoch(1), &[prepared]).unwrap();
    let lane = layout::lanes(&dir.path().join("tables/readings")).unwrap().remove(0);
    let segment = lane.join("00000000000000000000-00000000000000000000.log");
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let table = EmbeddedStore::open(dir.path()).unwrap().table("readings").unwrap();
    let error = table.scan(None).unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.message(), format!("read {} at byte 0: a frame does not match its checksum", segment.display()));
}

/// Few keys, many updates, small segments: they are compacted while a scan that began before goes on, and across restarts.
#[test]
fn full_segments_lose_the_rows_that_were_replaced() {
    for seed in 0..5 {
        let mut rng = Rng::new(seed);
        let dir = tempfile::tempdir().unwrap();
        drop(sink(dir.path(), 1, &[0]).unwrap());
        let table = dir.path().join("tables/readings");
        let mut model = std::collections::BTreeMap::new();
        let mut epoch = 0;
        let mut written = 0;
        for run in 1..=3 {
            let holder = crate::owner::Holder::of_job(&job(dir.path(), "j", run));
            let lanes =
                lanes::Lanes::claim(&table, table.join("lanes/j-0"), &[0], &holder).unwrap().with_segments(20_000);
            let sink = sink::TableSink::new(lanes, "readings", &schema().arrow(), &[0]);
            sink.recover(&[]).unwrap();
            let mut writer = sink.writer(&context(0, epoch + 1)).unwrap();
            let mut committer = sink.committer().unwrap();
            for _ in 0..40 {
                epoch += 1;
                let reader = EmbeddedStore::open(dir.path()).unwrap().table("readings").unwrap();
                let before = reader.scan(None).unwrap();
                let rows_before = model.len();
                for _ in 0..10 {
                    let id = i64::try_from(rng.below(12)).unwrap();
                    let name = format!("name {}", rng.below(1_000_000));
                    if rng.below(4) == 0 && model.remove(&id).is_some() {
                        writer.write(&rows(&[(id, "", RowKind::Delete)])).unwrap();
                    } else {
                        model.insert(id, Some(name.clone()));
                        writer.write(&rows(&[(id, &name, RowKind::Insert)])).unwrap();
                    }
                    written += 1;
                }
                let prepared = writer.prepare(Epoch(epoch)).unwrap().0;
                committer.apply(Epoch(epoch), &[prepared]).unwrap();
                let expected: Vec<_> = model.iter().map(|(id, name)| (*id, name.clone())).collect();
                assert_eq!(visible(dir.path()), expected, "seed {seed}, epoch {epoch}");
                let seen: usize = before.map(|batch| batch.unwrap().num_rows()).sum();
                assert_eq!(seen, rows_before, "a scan shows what was visible when it began");
            }
        }
        let lane = layout::lanes(&table).unwrap().remove(0);
        let mark = crate::log::MarkReader::new(&lane).place().unwrap();
        let mut reader = crate::log::LogReader::oldest(&lane, mark).unwrap();
        let mut left = 0;
        while let Some(frame) = reader.peek(mark).unwrap() {
            left += u64::from(frame.count);
            reader.skip(&frame);
        }
        assert_eq!(mark.next, written);
        assert!(left < written / 2, "{left} of {written} rows are left");
    }
}
