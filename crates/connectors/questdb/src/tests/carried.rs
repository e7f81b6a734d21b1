//! Rows on disk: what a segment holds, what a damaged one says, which segments a start removes.

use std::io::{Seek, SeekFrom, Write};

use weir_base::{Kind, RowKind};
use weir_connector::Ready;

use super::*;
use crate::columns::Columns;
use crate::config::Config;
use crate::frame;
use crate::segment::{Blocks, Reference};

/// The rows of a segment as JSON.
fn read(context: &JobContext, state: &[u8], columns: &Columns) -> Result<Vec<String>> {
    let reference = Reference::of_state(state)?.unwrap();
    let folder = std::fs::read_dir(&context.carried_dir).unwrap().next().unwrap().unwrap().path();
    let mut blocks = Blocks::open(&folder.join(&reference.name), reference.bytes)?;
    let (mut block, mut out) = (Vec::new(), Vec::new());
    while blocks.next(&mut block)? {
        out.extend(frame::rows(&block)?.into_iter().map(|row| frame::json(row, columns)));
    }
    assert_eq!(out.len() as u64, reference.rows);
    Ok(out)
}

fn columns() -> Columns {
    let spec = spec(&[("host", "h")]);
    Columns::of(&spec, &Config::read(&spec).unwrap()).unwrap()
}

#[test]
fn rows_come_back_from_disk_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), 1);
    let sink = make(&spec(&[("host", "h"), ("sink.batch.max-size", "2")]), &context).unwrap();
    let mut writer = sink.writer(&writer_context(3)).unwrap();
    let empty = barrier(writer.as_mut(), 1);
    assert!(empty.state.is_empty(), "an epoch without rows has no segment");
    let mut batch = rows(1..4, 0.5);
    batch.kinds = Some([RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter].into());
    writer.write(&batch).unwrap();
    writer.write(&rows(4..7, 0.5)).unwrap();
    assert_eq!(writer.ready().unwrap(), Ready::Yes);
    let prepared = barrier(writer.as_mut(), 2);
    assert_eq!(segments(&context), ["1-2-3.rows"]);
    let row = |index: i64| {
        let time = (START_MS + index * 1000) * 1000;
        let (device, ok) = (index % 2, index % 2 == 0);
        if index % 3 == 2 {
            return format!(
                r#"{{"ts":{time},"device":"d{device}","value":null,"quality":null,"count":null,"ok":{ok},"note":null}}"#
            );
        }
        let count = index * 1_000_000_000_000;
        format!(
            r#"{{"ts":{time},"device":"d{device}","value":{index}.5,"quality":{index},"count":{count},"ok":{ok},"note":"näh, \"{index}\"\u000a"}}"#
        )
    };
    assert_eq!(read(&context, &prepared.state, &columns()).unwrap(), [1, 3, 4, 5, 6].map(row));
}

#[test]
fn a_damaged_segment_is_named_and_never_sent() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), 1);
    let sink = make(&spec(&[("host", "h")]), &context).unwrap();
    let mut writer = sink.writer(&writer_context(0)).unwrap();
    writer.write(&rows(0..10, 0.0)).unwrap();
    let prepared = barrier(writer.as_mut(), 1);
    let path = std::fs::read_dir(&context.carried_dir).unwrap().next().unwrap().unwrap().path().join("1-1-0.rows");
    let whole = std::fs::read(&path).unwrap();
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(100)).unwrap();
    file.write_all(&[whole[100] ^ 1]).unwrap();
    let error = read(&context, &prepared.state, &columns()).unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    assert_eq!(error.to_string(), format!("read carried rows in {}: a checksum does not fit", path.display()));
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let error = read(&context, &prepared.state, &columns()).unwrap_err();
    assert_eq!(error.to_string(), format!("read carried rows in {}: it is cut off", path.display()));
    assert_eq!(
        Reference::of_state(b"2 x 1 1 y").unwrap_err().to_string(),
        "read what a checkpoint says of rows for QuestDB: '2 x 1 1 y' is not of this version"
    );
}

#[test]
fn a_restore_keeps_what_was_decided_and_removes_what_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let first = context(folder.path(), 1);
    let sink = make(&spec(&[("host", "h")]), &first).unwrap();
    let mut writer = sink.writer(&writer_context(0)).unwrap();
    let mut prepared = Vec::new();
    for epoch in 1..=3 {
        writer.write(&rows(epoch * 10..epoch * 10 + 10, 0.0)).unwrap();
        prepared.push(barrier(writer.as_mut(), epoch.unsigned_abs()));
    }
    writer.write(&rows(0..20_000, 0.0)).unwrap();
    assert_eq!(segments(&first), ["1-0.open", "1-1-0.rows", "1-2-0.rows", "1-3-0.rows"]);
    let second = context(folder.path(), 2);
    let sink = make(&spec(&[("host", "h")]), &second).unwrap();
    sink.recover(&prepared[1..2]).unwrap();
    assert_eq!(
        segments(&second),
        ["1-1-0.rows", "1-2-0.rows"],
        "epoch 1 may still be carried, epoch 3 was never decided"
    );
    sink.recover(&[]).unwrap();
    assert_eq!(segments(&second), Vec::<String>::new(), "a fresh start carries nothing");
}

#[test]
fn a_writer_wants_a_checkpoint_at_half_of_what_is_left_and_takes_nothing_more_at_the_bound() {
    let folder = tempfile::tempdir().unwrap();
    let mut context = context(folder.path(), 1);
    context.carried_bytes_max = 20_000;
    let sink = make(&spec(&[("host", "h"), ("sink.batch.max-size", "10")]), &context).unwrap();
    let mut writer = sink.writer(&writer_context(0)).unwrap();
    let mut told = Vec::new();
    for epoch in 1..=20 {
        writer.write(&rows(0..10, 0.0)).unwrap();
        while writer.ready().unwrap() == Ready::Yes {
            writer.write(&rows(0..10, 0.0)).unwrap();
        }
        if writer.ready().unwrap() == Ready::No {
            told.push("full");
            break;
        }
        told.push("wants");
        barrier(writer.as_mut(), epoch);
    }
    // Two subtasks share the room: each asks at a quarter of it, then at a quarter of what is left, and so on.
    assert!(told.len() > 3 && told.len() < 20 && told.last() == Some(&"full"), "{told:?}");
    let bytes: u64 = std::fs::read_dir(&context.carried_dir)
        .unwrap()
        .flat_map(|table| std::fs::read_dir(table.unwrap().path()).unwrap())
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!((20_000..30_000).contains(&bytes), "{bytes}");
}
