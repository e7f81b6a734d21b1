//! Delta files: what is written is read by key group; any damage is detected and named.

use std::collections::BTreeSet;
use std::sync::Arc;

use weir_base::{Epoch, Kind, Timestamp};

use super::*;
use crate::local::LocalStorage;
use crate::manifest::StateFile;
use crate::storage::Storage;

type ReadEntry = (u16, Vec<u8>, Option<(Vec<u8>, Timestamp)>);
type Read = Vec<ReadEntry>;

fn storage() -> (tempfile::TempDir, Arc<dyn Storage>) {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::open(folder.path().join("job")).unwrap();
    (folder, Arc::new(storage))
}

fn sample(storage: &dyn Storage) -> (Arc<StateFile>, Vec<PartSummary>) {
    let mut writer = DeltaWriter::create(storage, "shared/a".to_owned(), Epoch(3)).unwrap();
    let give = |entries: &mut dyn weir_ports::Entries| {
        entries.put(5, b"k5", b"five", 50)?;
        entries.put(4, b"k4", b"four", 40)?;
        entries.delete(5, b"gone")?;
        entries.put(5, b"k5", b"again", 60)
    };
    writer.part("dedup", "keys", 4..8, give).unwrap();
    writer.part("dedup", "timers", 4..8, |entries| entries.put(7, b"", b"", Timestamp::MAX)).unwrap();
    writer.part("dedup", "keys", 0..4, |entries| entries.put(0, b"k0", b"", 10)).unwrap();
    writer.part("dedup", "nothing", 0..4, |_| Ok(())).unwrap();
    writer.finish().unwrap()
}

fn read(
    storage: &Arc<dyn Storage>,
    file: &Arc<StateFile>,
    part: &str,
    groups: std::ops::Range<u16>,
) -> weir_base::Result<Read> {
    let mut read = Vec::new();
    DeltaFile::open(storage, file)?.visit(
        "dedup",
        part,
        |group| groups.contains(&group),
        |group, key, value| {
            read.push((group, key.to_vec(), value.map(|(value, expires)| (value.to_vec(), expires))));
            Ok(())
        },
    )?;
    Ok(read)
}

fn put(group: u16, key: &[u8], value: &[u8], expires: Timestamp) -> ReadEntry {
    (group, key.to_vec(), Some((value.to_vec(), expires)))
}

#[test]
fn a_file_is_read_by_part_and_key_group() {
    let (_folder, storage) = storage();
    let (file, summaries) = sample(storage.as_ref());
    assert_eq!(storage.length("shared/a").unwrap(), Some(file.bytes));
    let told: Vec<_> =
        summaries.iter().map(|part| (&*part.part, part.groups.clone(), part.entries, part.expires_max)).collect();
    assert_eq!(told, [("keys", 0..6, 5, 60), ("timers", 7..8, 1, Timestamp::MAX)]);
    let five = vec![put(5, b"k5", b"five", 50), (5, b"gone".to_vec(), None), put(5, b"k5", b"again", 60)];
    assert_eq!(read(&storage, &file, "keys", 5..6).unwrap(), five);
    assert_eq!(read(&storage, &file, "keys", 0..1).unwrap(), [put(0, b"k0", b"", 10)]);
    assert_eq!(read(&storage, &file, "keys", 0..8).unwrap().len(), 5);
    assert_eq!(read(&storage, &file, "timers", 0..8).unwrap(), [put(7, b"", b"", Timestamp::MAX)]);
    assert!(read(&storage, &file, "nothing", 0..8).unwrap().is_empty());
    assert!(read(&storage, &file, "unknown", 0..8).unwrap().is_empty());
}

#[test]
fn an_entry_outside_of_its_subtask_s_key_groups_is_refused() {
    let (_folder, storage) = storage();
    for group in [3, 8] {
        let mut writer = DeltaWriter::create(storage.as_ref(), "shared/a".to_owned(), Epoch(3)).unwrap();
        let error = writer.part("dedup", "keys", 4..8, |entries| entries.put(group, b"k", b"", 0)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "write the state 'keys' of the operator dedup: an entry of key group {group} came from the subtask of key groups 4..8"
            )
        );
    }
    assert!(storage.list("shared").unwrap().is_empty());
}

#[test]
fn any_flipped_bit_is_detected() {
    let (_folder, storage) = storage();
    let (file, _) = sample(storage.as_ref());
    let whole = storage.get("shared/a").unwrap().unwrap();
    for index in 0..whole.len() {
        for bit in 0..8 {
            let mut bent = whole.clone();
            bent[index] ^= 1 << bit;
            storage.put("shared/a", &bent).unwrap();
            let all = read(&storage, &file, "keys", 0..8).and_then(|_| read(&storage, &file, "timers", 0..8));
            assert_eq!(all.unwrap_err().kind(), Kind::Corrupt, "byte {index}");
        }
    }
}

#[test]
fn damage_is_named() {
    let (_folder, storage) = storage();
    let (file, _) = sample(storage.as_ref());
    let whole = storage.get("shared/a").unwrap().unwrap();
    let place = format!("read the state file {}", storage.describe("shared/a"));
    let rest = "restore it from a backup, or give an older checkpoint by -D execution.state-recovery.path, or --fresh";
    let said = |bytes: Option<&[u8]>| {
        match bytes {
            Some(bytes) => storage.put("shared/a", bytes).unwrap(),
            None => storage.delete("shared/a").unwrap(),
        }
        read(&storage, &file, "keys", 0..8).unwrap_err().to_string()
    };
    let bent = |index: usize| {
        whole.iter().enumerate().map(|(at, byte)| if at == index { byte ^ 4 } else { *byte }).collect::<Vec<u8>>()
    };
    assert_eq!(said(Some(b"")), format!("{place}: it is empty; {rest}"));
    let cut = whole.len() - 1;
    assert_eq!(
        said(Some(&whole[..cut])),
        format!("{place}: it is cut short: {cut} bytes, it was written with {}; {rest}", whole.len())
    );
    assert_eq!(said(Some(&bent(cut))), format!("{place}: its index is damaged; {rest}"));
    let section = said(Some(&bent(9)));
    let damaged =
        format!("{place}: key group 4 of the state 'keys' of the operator dedup is damaged: its checksum is ");
    assert!(section.starts_with(&damaged), "{section}");
    assert_eq!(said(None), format!("{place}: it is gone; {rest}"));
}

#[test]
fn more_than_the_buffer_holds_goes_out_in_several_sections() {
    let (_folder, storage) = storage();
    let mut writer = DeltaWriter::create(storage.as_ref(), "shared/a".to_owned(), Epoch(1)).unwrap();
    let value = vec![7u8; 1 << 20];
    let give = |entries: &mut dyn weir_ports::Entries| {
        (0..80u8).try_for_each(|number| entries.put(u16::from(number % 2), &[number], &value, Timestamp::MAX))
    };
    writer.part("dedup", "keys", 0..2, give).unwrap();
    let (file, _) = writer.finish().unwrap();
    let one = read(&storage, &file, "keys", 1..2).unwrap();
    let keys: Vec<u8> = one.iter().map(|(_, key, _)| key[0]).collect();
    assert_eq!(keys, (0..80).filter(|number| number % 2 == 1).collect::<Vec<_>>());
    assert!(one.iter().all(|(_, _, entry)| entry.as_ref().unwrap().0 == value));
}

/// Microseconds that this thread has spent on a CPU; 0 where the system does not tell.
fn cpu_us() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<u64>().ok()).unwrap_or(0) / 1000
}

#[test]
fn half_a_million_deduplication_entries_take_at_most_24_bytes_each() {
    let (_folder, storage) = storage();
    let mut random = weir_base::Rng::new(7);
    let entries: Vec<(u16, [u8; 12])> = (0..500_000)
        .map(|_| {
            let mut key = [0; 12];
            key[..8].copy_from_slice(&random.next_u64().to_le_bytes());
            (u16::try_from(random.below(128)).unwrap(), key)
        })
        .collect();
    let start = cpu_us();
    let mut writer = DeltaWriter::create(storage.as_ref(), "shared/a".to_owned(), Epoch(1)).unwrap();
    writer
        .part("dedup", "keys", 0..128, |out| {
            entries
                .iter()
                .zip(0i64..)
                .try_for_each(|((group, key), number)| out.put(*group, key, &[1, 2, 3, 4], 1_000_000 + number / 500))
        })
        .unwrap();
    let encoded = cpu_us();
    let (file, summaries) = writer.finish().unwrap();
    println!(
        "500,000 entries: {} us of CPU, then {} us to make them durable, {} bytes",
        encoded - start,
        cpu_us() - encoded,
        file.bytes
    );
    assert_eq!(summaries[0].entries, 500_000);
    assert!(file.bytes <= 24 * 500_000, "{} bytes", file.bytes);
    let mut seen = BTreeSet::new();
    DeltaFile::open(&storage, &file)
        .unwrap()
        .visit(
            "dedup",
            "keys",
            |_| true,
            |group, key, _| {
                seen.insert((group, <[u8; 12]>::try_from(key).unwrap()));
                Ok(())
            },
        )
        .unwrap();
    assert_eq!(seen, entries.into_iter().collect());
}
