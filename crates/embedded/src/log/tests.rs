//! The log against a simple model, torn tails, flipped bits, retention.

use std::path::Path;

use weir_base::Rng;

use super::*;

fn read(dir: &Path, visible: Place) -> weir_base::Result<Vec<Vec<u8>>> {
    let mut reader = LogReader::oldest(dir, visible)?;
    let mut all = Vec::new();
    loop {
        let mut payload = Vec::new();
        if reader.next(visible, &mut payload)?.is_none() {
            return Ok(all);
        }
        all.push(payload);
    }
}

/// The only file in `dir` that is a segment.
fn segment(dir: &Path) -> std::path::PathBuf {
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    assert_eq!(files.len(), 1);
    files.remove(0)
}

#[test]
fn random_appends_marks_cuts_and_crashes_agree_with_a_model() {
    for seed in 0..10 {
        let mut rng = Rng::new(seed);
        let dir = tempfile::tempdir().unwrap();
        let mut log = LogWriter::open(dir.path(), Place::default(), 200).unwrap();
        let mut mark = Mark::open(dir.path()).unwrap();
        // Frames written, with the place behind each; how many are visible.
        let mut frames: Vec<(Vec<u8>, Place)> = Vec::new();
        let mut visible = 0;
        for _ in 0..200 {
            match rng.below(6) {
                0..=2 => {
                    let length = usize::try_from(rng.below(90)).unwrap();
                    let payload: Vec<u8> = (0..length).map(|_| rng.next_u64().to_le_bytes()[0]).collect();
                    let (left, right) = payload.split_at(length / 2);
                    log.append(u32::try_from(1 + rng.below(3)).unwrap(), &[left, right]).unwrap();
                    frames.push((payload, log.end()));
                }
                3 => {
                    visible = frames.len();
                    mark.set(log.end()).unwrap();
                }
                4 => {
                    let keep = visible + usize::try_from(rng.below((frames.len() - visible) as u64 + 1)).unwrap();
                    let place = keep.checked_sub(1).map_or(Place::default(), |last| frames[last].1);
                    log.cut(place).unwrap();
                    frames.truncate(keep);
                }
                _ => {
                    // The process ends; what follows finds all whole frames, and the mark.
                    drop(log);
                    mark = Mark::open(dir.path()).unwrap();
                    log = LogWriter::open(dir.path(), mark.place(), 200).unwrap();
                }
            }
            assert_eq!(log.end(), frames.last().map_or(Place::default(), |(_, place)| *place), "seed {seed}");
            let shown = MarkReader::new(dir.path()).place().unwrap();
            let expected: Vec<_> = frames[..visible].iter().map(|(payload, _)| payload.clone()).collect();
            assert_eq!(read(dir.path(), shown).unwrap(), expected, "seed {seed}");
        }
        log.unsynced().sync().unwrap();
    }
}

#[test]
fn a_torn_tail_is_cut_at_every_byte() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = LogWriter::open(dir.path(), Place::default(), 1 << 20).unwrap();
    log.append(1, &[b"first"]).unwrap();
    let kept = log.end();
    log.append(1, &[b"second"]).unwrap();
    let whole = std::fs::read(segment(dir.path())).unwrap();
    let kept_bytes = usize::try_from(kept.byte).unwrap();
    for length in kept_bytes..whole.len() {
        std::fs::write(segment(dir.path()), &whole[..length]).unwrap();
        let mut log = LogWriter::open(dir.path(), Place::default(), 1 << 20).unwrap();
        assert_eq!(log.end(), kept, "cut after {length} bytes");
        log.append(2, &[b"other"]).unwrap();
        assert_eq!(read(dir.path(), log.end()).unwrap(), [b"first".to_vec(), b"other".to_vec()]);
    }
}

#[test]
fn a_flipped_bit_is_an_error_with_file_and_byte() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = LogWriter::open(dir.path(), Place::default(), 1 << 20).unwrap();
    log.append(1, &[b"first"]).unwrap();
    let second = log.end().byte;
    log.append(1, &[b"second"]).unwrap();
    let whole = std::fs::read(segment(dir.path())).unwrap();
    for byte in usize::try_from(second).unwrap()..whole.len() {
        let mut flipped = whole.clone();
        flipped[byte] ^= 0x10;
        std::fs::write(segment(dir.path()), &flipped).unwrap();
        let error = read(dir.path(), log.end()).unwrap_err();
        assert_eq!(error.kind(), weir_base::Kind::Corrupt, "byte {byte}: {error}");
        let place = format!("read {} at byte {second}: ", segment(dir.path()).display());
        assert!(error.to_string().starts_with(&place), "byte {byte}: {error}");
    }
    std::fs::write(segment(dir.path()), &whole[..whole.len() - 1]).unwrap();
    let error = read(dir.path(), log.end()).unwrap_err();
    assert!(error.to_string().contains("the file ends before what it was said to hold"), "{error}");
}

#[test]
fn a_mark_survives_a_write_that_was_cut_short() {
    let dir = tempfile::tempdir().unwrap();
    let mut mark = Mark::open(dir.path()).unwrap();
    let place = |number: u64| Place { byte: number * 10, next: number };
    mark.set(place(1)).unwrap();
    mark.set(place(2)).unwrap();
    let path = dir.path().join("mark");
    let whole = std::fs::read(&path).unwrap();
    for byte in 0..28 {
        // The newest mark lies in the first slot.
        let mut torn = whole.clone();
        torn[byte] ^= 0xFF;
        std::fs::write(&path, &torn).unwrap();
        assert_eq!(MarkReader::new(dir.path()).place().unwrap(), place(1));
    }
    std::fs::write(&path, vec![0xAA; 64]).unwrap();
    let error = MarkReader::new(dir.path()).place().unwrap_err();
    assert!(error.to_string().contains("neither of its two slots is intact"), "{error}");
}

#[test]
fn retention_takes_whole_segments_that_nobody_needs() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = LogWriter::open(dir.path(), Place::default(), 100).unwrap();
    for number in 0..20u8 {
        log.append(1, &[&[number; 50]]).unwrap();
    }
    assert!(log.is_longer_than(300) && !log.is_longer_than(1 << 20));
    assert_eq!(log.retain(300, 2).unwrap(), 1);
    assert_eq!(log.retain(300, 20).unwrap(), 6);
    let end = log.end();
    assert_eq!(read(dir.path(), end).unwrap()[0], [14u8; 50]);
    let error = LogReader::seek(dir.path(), 3, end).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("from record 3: it holds 14 to 20"), "{error}");
    let mut reader = LogReader::seek(dir.path(), 17, end).unwrap();
    let mut payload = Vec::new();
    reader.next(end, &mut payload).unwrap();
    assert_eq!(payload, [17u8; 50]);
    drop(log);
    let log = LogWriter::open(dir.path(), end, 100).unwrap();
    assert_eq!(log.end(), end);
}

#[test]
fn a_log_that_ends_before_what_was_decided_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = LogWriter::open(dir.path(), Place::default(), 100).unwrap();
    let error = log.cut(Place { byte: 10, next: 4 }).unwrap_err();
    let text = format!(
        "find record 4 of {}: the log ends at record 0; what was decided is not there any more: restore the folder from a backup, or start the job afresh",
        dir.path().display()
    );
    assert_eq!(error.to_string(), text);
}
