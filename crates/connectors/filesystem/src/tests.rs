//! The sink against crashes at every step, the source against its folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch};
use weir_base::{Epoch, Generation, JobId, ManualClock, Rng};
use weir_connector::{
    Batch, Factory as _, Fetch, JobContext, Payload, Position, Prepared, Reader, ReaderContext, Sink, Source, SplitId,
    Writer, WriterContext,
};
use weir_metrics::Registry;
use weir_plan::{
    ChangelogMode, DataType, Field, LogicalType, Schema, SinkSpec, SourceColumn, SourceSpec, TableOptions,
};

use crate::Factory;

fn options(folder: &Path, pairs: &[(&str, &str)]) -> TableOptions {
    let mut values: BTreeMap<String, String> =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    values.insert("path".into(), folder.display().to_string());
    values.insert("format".into(), "json".into());
    TableOptions { values, ..TableOptions::default() }
}

fn schema() -> Schema {
    Schema::new(vec![Field::new("v", DataType::nullable(LogicalType::BigInt))])
}

fn job(generation: u64, clock: &ManualClock) -> JobContext {
    JobContext {
        job: JobId::of_name("/checkpoints", "job"),
        name: "job".into(),
        generation: Generation(generation),
        checkpoint_interval: None,
        data_dir: "/nowhere".into(),
        carried_dir: "/nowhere".into(),
        carried_bytes_max: u64::MAX,
        clock: Arc::new(clock.clone()),
        metrics: Registry::default(),
    }
}

fn sink_spec(options: TableOptions) -> SinkSpec {
    SinkSpec {
        table: "t".into(),
        connector: "filesystem".into(),
        options,
        physical: schema(),
        metadata: Vec::new(),
        primary_key: Vec::new(),
        changelog: ChangelogMode::INSERT_ONLY,
    }
}

fn sink(folder: &Path, generation: u64, pairs: &[(&str, &str)], clock: &ManualClock) -> Box<dyn Sink> {
    Factory::default().sink(&sink_spec(options(folder, pairs)), &job(generation, clock)).unwrap()
}

fn writer(sink: &dyn Sink, subtask: u16, clock: &ManualClock) -> Box<dyn Writer> {
    let context = WriterContext {
        subtask,
        parallelism: 2,
        epoch: Epoch(1),
        clock: Arc::new(clock.clone()),
        metrics: Registry::default(),
    };
    sink.writer(&context).unwrap()
}

fn batch(values: impl IntoIterator<Item = i64>) -> Batch {
    let column = Arc::new(Int64Array::from_iter_values(values));
    Batch::inserts(RecordBatch::try_new(schema().arrow(), vec![column]).unwrap(), 0)
}

/// All rows that a reader of the folder sees, sorted.
fn visible(folder: &Path) -> Vec<i64> {
    let mut rows = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with('.') {
            continue;
        }
        for line in fs::read_to_string(path).unwrap().lines() {
            rows.push(line.strip_prefix("{\"v\":").unwrap().strip_suffix('}').unwrap().parse().unwrap());
        }
    }
    rows.sort_unstable();
    rows
}

/// A job with two subtasks that is killed at random steps and resumed from its last decided epoch.
#[test]
fn each_row_is_seen_once_wherever_the_process_is_killed() {
    for seed in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let mut random = Rng::new(seed);
        let clock = ManualClock::default();
        let rolling = [("sink.rolling-policy.file-size", if seed % 2 == 0 { "100" } else { "1mb" })];
        let total = 120;
        let (mut decided, mut prepared, mut at): (u64, Vec<Prepared>, i64) = (0, Vec::new(), 0);
        let mut committed_files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut left_behind: Vec<Box<dyn Writer>> = Vec::new();
        'starts: for generation in 1.. {
            assert!(generation < 500, "seed {seed} makes no progress");
            let sink = sink(folder.path(), generation, &rolling, &clock);
            sink.recover(&prepared).unwrap();
            if random.below(4) == 0 {
                continue;
            }
            let mut committer = sink.committer().unwrap();
            committer.apply(Epoch(decided), &prepared).unwrap();
            let mut writers = [writer(&*sink, 0, &clock), writer(&*sink, 1, &clock)];
            // Processes that were only paused go on writing; nobody must see it.
            for writer in &mut left_behind {
                let _ = writer.write(&batch([-1])).and_then(|()| writer.prepare(Epoch(decided + 9)));
            }
            let mut row = at;
            while row < total {
                let mut epoch_end = row;
                for _ in 0..random.below(4) {
                    let end = (epoch_end + 1 + i64::try_from(random.below(9)).unwrap()).min(total);
                    let subtask = usize::try_from(random.below(2)).unwrap();
                    writers[subtask].write(&batch(epoch_end..end)).unwrap();
                    epoch_end = end;
                }
                let killed_at = random.below(24);
                let last = epoch_end == total;
                if last {
                    writers.iter_mut().for_each(|writer| writer.finish().unwrap());
                }
                if killed_at == 0 {
                    left_behind.extend(writers);
                    continue 'starts;
                }
                let epoch = Epoch(decided + 1);
                let made: Vec<_> = writers.iter_mut().map(|writer| writer.prepare(epoch).unwrap()).collect();
                if killed_at == 1 {
                    continue 'starts;
                }
                // A checkpoint may fail although the job goes on: the next one covers its rows.
                if killed_at == 2 && !last {
                    row = epoch_end;
                    continue;
                }
                let (now, flushes): (Vec<_>, Vec<_>) = made.into_iter().unzip();
                flushes.into_iter().flatten().for_each(|flush| flush().unwrap());
                (decided, prepared, at) = (epoch.0, now, epoch_end);
                match killed_at {
                    3 => continue 'starts,
                    4 => {
                        committer.apply(epoch, &prepared[..1]).unwrap();
                        continue 'starts;
                    }
                    _ => committer.apply(epoch, &prepared).unwrap(),
                }
                let rows = visible(folder.path());
                assert!(rows.iter().all(|seen| *seen < at), "seed {seed}: undecided rows are seen");
                for entry in fs::read_dir(folder.path()).unwrap() {
                    let path = entry.unwrap().path();
                    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                    if !name.starts_with('.') {
                        let content = fs::read(&path).unwrap();
                        let before = committed_files.entry(name).or_insert_with(|| content.clone());
                        assert_eq!(*before, content, "seed {seed}: a committed file changed");
                    }
                }
                row = epoch_end;
            }
            if at == total {
                break;
            }
        }
        assert_eq!(visible(folder.path()), (0..total).collect::<Vec<_>>(), "seed {seed}");
    }
}

#[test]
fn parts_are_hidden_until_applied_and_rolled_by_size_and_age() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::default();
    let rolling = [("sink.rolling-policy.rollover-interval", "10 s"), ("sink.rolling-policy.check-interval", "1 s")];
    let sink = sink(folder.path(), 7, &rolling, &clock);
    sink.recover(&[]).unwrap();
    let mut writer = writer(&*sink, 1, &clock);
    let mut committer = sink.committer().unwrap();
    let names = || {
        let entries = fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let uid = JobId::of_name("/checkpoints", "job");
    writer.write(&batch([1])).unwrap();
    let (prepared, flush) = writer.prepare(Epoch(1)).unwrap();
    flush.unwrap()().unwrap();
    committer.apply(Epoch(1), &[prepared]).unwrap();
    assert_eq!(names(), [format!(".part-{uid}-1-0.inprogress.7")]);
    clock.advance(Duration::from_secs(11));
    writer.ready().unwrap();
    writer.write(&batch([2])).unwrap();
    let (prepared, _) = writer.prepare(Epoch(2)).unwrap();
    committer.apply(Epoch(2), &[prepared]).unwrap();
    assert_eq!(names(), [format!(".part-{uid}-1-1.inprogress.7"), format!("part-{uid}-1-0")]);
    assert_eq!(visible(folder.path()), [1]);
    // A fresh start of the same job keeps what is committed and removes what is not.
    self::sink(folder.path(), 8, &[], &clock).recover(&[]).unwrap();
    assert_eq!(names(), [format!("part-{uid}-1-0")]);
}

#[test]
fn a_sink_that_cannot_write_says_where_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::default();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = sink(&file, 1, &[], &clock).recover(&[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "write into '{}': it is a file, and a sink writes into a folder; name another path, or move the file away",
            file.display()
        )
    );
    let below = file.join("below");
    let error = sink(&below, 1, &[], &clock).recover(&[]).unwrap_err();
    assert_eq!(error.to_string(), format!("create the folder '{}': Not a directory (os error 20)", below.display()));

    let full = folder.path().join("full");
    let full_sink = sink(&full, 1, &[], &clock);
    full_sink.recover(&[]).unwrap();
    let hidden = full.join(format!(".part-{}-0-0.inprogress.1", JobId::of_name("/checkpoints", "job")));
    std::os::unix::fs::symlink("/dev/full", &hidden).unwrap();
    let mut writer = writer(&*full_sink, 0, &clock);
    writer.write(&batch([1])).unwrap();
    let Err(error) = writer.prepare(Epoch(1)) else { panic!("a full disk takes rows") };
    assert_eq!(
        error.to_string(),
        format!(
            "write the file '{}': No space left on device (os error 28); free space on the disk; the job goes on from its last checkpoint",
            hidden.display()
        )
    );
    assert!(writer.prepare(Epoch(2)).is_err());
}

#[test]
fn a_decided_part_that_has_gone_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::default();
    let first = sink(folder.path(), 1, &[], &clock);
    first.recover(&[]).unwrap();
    let mut writer = writer(&*first, 0, &clock);
    writer.write(&batch([1, 2])).unwrap();
    let (prepared, _) = writer.prepare(Epoch(1)).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let error = sink(folder.path(), 2, &[], &clock).recover(&[prepared]).unwrap_err();
    let hidden = folder.path().join(format!(".part-{}-0-0.inprogress.1", JobId::of_name("/checkpoints", "job")));
    assert_eq!(
        error.to_string(),
        format!(
            "recover the file '{}': the checkpoint knows of 16 bytes of it, and 0 are there; put the file back, or start afresh with --fresh",
            hidden.display()
        )
    );
}

fn source(path: &Path, metadata: &[&str], pairs: &[(&str, &str)]) -> Box<dyn Source> {
    let mut columns = vec![SourceColumn::Physical(0)];
    columns.extend(metadata.iter().map(|key| SourceColumn::Metadata((*key).into(), DataType::string())));
    let spec = SourceSpec {
        table: "t".into(),
        connector: "filesystem".into(),
        options: options(path, pairs),
        physical: schema(),
        columns,
        projection: Vec::new(),
        condition: None,
        watermark: None,
    };
    Factory::default().source(&spec, &job(1, &ManualClock::default())).unwrap()
}

fn reader(source: &dyn Source) -> Box<dyn Reader> {
    let context = ReaderContext {
        subtask: 0,
        parallelism: 1,
        clock: Arc::new(ManualClock::default()),
        metrics: Registry::default(),
        linger: weir_base::limits::SOURCE_LINGER,
    };
    source.reader(&context).unwrap()
}

#[test]
fn a_folder_gives_its_files_sorted_without_the_hidden_ones() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["b.json", "a/z.json", "a/.hidden", "_temporary/x.json", ".part-0", "_SUCCESS", "c"] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "{}\n").unwrap();
    }
    let names = |source: &dyn Source| -> Vec<String> {
        let prefix = format!("{}/", folder.path().display());
        source.splits().unwrap().iter().map(|split| split.0.strip_prefix(&prefix).unwrap().to_owned()).collect()
    };
    let bounded = source(folder.path(), &[], &[]);
    assert_eq!(names(&*bounded), ["a/z.json", "b.json", "c"]);
    assert_eq!((bounded.is_bounded(), bounded.discovery_interval(), bounded.reads_in_turn()), (true, None, true));
    assert_eq!(names(&*source(&folder.path().join("b.json"), &[], &[])), ["b.json"]);
    let watching = source(folder.path(), &[], &[("source.monitor-interval", "2 s")]);
    assert_eq!((watching.is_bounded(), watching.discovery_interval()), (false, Some(Duration::from_secs(2))));
    fs::write(folder.path().join("d.json.gz"), "").unwrap();
    assert_eq!(
        watching.splits().unwrap_err().to_string(),
        format!(
            "read the file '{}': compressed files (.gz) are not supported; decompress it, or put a '.' or '_' before its name to leave it out",
            folder.path().join("d.json.gz").display()
        )
    );
    let missing = folder.path().join("missing");
    assert_eq!(
        source(&missing, &[], &[]).splits().unwrap_err().to_string(),
        format!("list the files of '{}': No such file or directory (os error 2)", missing.display())
    );
}

#[test]
fn a_file_is_read_in_order_and_again_from_any_position() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines");
    let lines: Vec<String> = (0..20_000).map(|index| format!("line {index}")).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    let source = source(&path, &["file.name", "file.size"], &[]);
    let split = SplitId(path.display().to_string().into());
    let read_from = |from: Option<Position>| {
        let mut reader = reader(&*source);
        reader.add(split.clone(), from).unwrap();
        let (mut found, mut positions) = (Vec::new(), Vec::new());
        loop {
            match reader.fetch(Duration::ZERO).unwrap() {
                Fetch::Records { payload: Payload::Raw(records), metadata, first, next, .. } => {
                    assert!(records.len() <= weir_base::limits::BATCH_ROWS_MAX);
                    assert_eq!(next.records - first.records, records.len() as u64);
                    assert_eq!(metadata[0].as_string_view().value(records.len() - 1), "lines");
                    assert_eq!(
                        metadata[1].as_primitive::<Int64Type>().value(0),
                        i64::try_from(fs::metadata(&path).unwrap().len()).unwrap()
                    );
                    found.extend((0..records.len()).map(|at| String::from_utf8(records.value(at).to_vec()).unwrap()));
                    positions.push(next);
                }
                Fetch::End(ended) => {
                    assert_eq!(ended, split);
                    return (found, positions);
                }
                other => panic!("{other:?}"),
            }
        }
    };
    let (all, positions) = read_from(None);
    assert_eq!(all, lines);
    for position in positions {
        assert_eq!(read_from(Some(position)).0, lines[usize::try_from(position.records).unwrap()..]);
    }
    fs::write(&path, "short").unwrap();
    let error = reader(&*source).add(split.clone(), Some(Position { offset: 9, records: 1 })).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "go on reading the file '{split}' at byte 9: it has only 5 bytes, so it was cut or replaced since the checkpoint; put the file back as it was, or start afresh with --fresh"
        )
    );
}

#[test]
fn a_file_that_is_cut_while_it_is_read_gives_no_half_line_and_no_silent_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines");
    let bytes = 3 << 20;
    // In the middle of a line, and behind one.
    for cut in [bytes - 13, bytes - 8] {
        fs::write(&path, "1234567\n".repeat(bytes / 8)).unwrap();
        let source = source(&path, &[], &[]);
        let mut reader = reader(&*source);
        let split = SplitId(path.display().to_string().into());
        reader.add(split.clone(), None).unwrap();
        assert!(matches!(reader.fetch(Duration::ZERO).unwrap(), Fetch::Records { .. }));
        fs::File::options().write(true).open(&path).unwrap().set_len(cut as u64).unwrap();
        let error = loop {
            match reader.fetch(Duration::ZERO) {
                Ok(Fetch::Records { payload: Payload::Raw(records), .. }) => assert_eq!(records.value(0), b"1234567"),
                Ok(other) => panic!("{other:?}"),
                Err(error) => break error,
            }
        };
        assert_eq!(
            error.to_string(),
            format!(
                "read the file '{split}': it had {bytes} bytes and ends at byte {cut}, so it was cut while it was read; put the file back as it was; the job goes on from its last checkpoint"
            )
        );
    }
}
