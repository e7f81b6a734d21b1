//! Compaction: which stretch of a chain is worth merging (pure), and the merge itself, key group by key group.
//!
//! Sizes along a chain fall from old to new, as in a log-structured merge tree: a stretch is merged when the chain is longer than
//! `limits::DELTAS_MAX`, and takes in older files only while they are no larger than all that is newer. So an entry is written again about as often as
//! the chain's length has digits, and a large old file is left in peace. In a merge the newest entry of a key wins; what has expired goes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;
use weir_base::limits::DELTAS_MAX;
use weir_base::{Epoch, Result, Timestamp};
use weir_ports::Entries;

use crate::chain::{Chains, PartKey};
use crate::delta::{DeltaFile, DeltaWriter};
use crate::manifest::{ChainItem, StateFile};
use crate::storage::Storage;

/// A file is worth rewriting when less than one byte in this many is still referred to.
const DEAD_SHARE: u64 = 4;
/// Files smaller than this are not worth it.
const DEAD_BYTES_MIN: u64 = 1 << 20;

/// What to merge: for each part a stretch of its chain.
pub(crate) type Plan = BTreeMap<PartKey, Vec<ChainItem>>;

/// Chooses what is worth merging; empty: nothing.
pub(crate) fn choose(chains: &Chains) -> Plan {
    let mut referred: BTreeMap<&str, u64> = BTreeMap::new();
    for item in chains.items() {
        *referred.entry(&item.file.path).or_default() += item.bytes;
    }
    let is_mostly_dead = |item: &ChainItem| {
        item.file.bytes >= DEAD_BYTES_MIN && referred[&*item.file.path] * DEAD_SHARE < item.file.bytes
    };
    let mut plan = Plan::new();
    for (key, items) in chains.iter() {
        let stretch = choose_stretch(items).or_else(|| {
            let first = items.iter().position(is_mostly_dead)?;
            let last = items.iter().rposition(is_mostly_dead)?;
            Some(first..last + 1)
        });
        if let Some(stretch) = stretch {
            plan.insert(key.clone(), items[stretch].to_vec());
        }
    }
    plan
}

/// The stretch at the new end of a chain that is too long.
fn choose_stretch(items: &[ChainItem]) -> Option<Range<usize>> {
    if items.len() <= DELTAS_MAX {
        return None;
    }
    // Half of the room must be free afterwards, or the next checkpoints would merge again at once.
    let mut start = DELTAS_MAX / 2 - 1;
    let mut bytes: u64 = items[start..].iter().map(|item| item.bytes).sum();
    while start > 0 && items[start - 1].bytes <= bytes {
        start -= 1;
        bytes += items[start].bytes;
    }
    Some(start..items.len())
}

/// What a merge made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Merged {
    /// The file; `None` if nothing was left.
    pub file: Option<Arc<StateFile>>,
    /// For each part: what was merged, and what takes its place.
    pub parts: Vec<(PartKey, Vec<ChainItem>, Option<ChainItem>)>,
}

/// Merges what `plan` says into the file `path`. `chains` are those that the plan was chosen from.
///
/// # Errors
/// A file cannot be read or written.
pub(crate) fn merge(
    storage: &Arc<dyn Storage>,
    chains: &Chains,
    plan: &Plan,
    path: String,
    epoch: Epoch,
    now: Timestamp,
) -> Result<Merged> {
    let mut writer = DeltaWriter::create(storage.as_ref(), path, epoch)?;
    for ((uid, part), items) in plan {
        let is_oldest = chains.get(uid, part).first() == items.first();
        let files: Vec<(&ChainItem, DeltaFile)> =
            items.iter().map(|item| Ok((item, DeltaFile::open(storage, &item.file)?))).collect::<Result<_>>()?;
        let first = items.iter().map(|item| item.groups.start).min().unwrap_or_default();
        let last = items.iter().map(|item| item.groups.end).max().unwrap_or_default();
        writer.part(uid, part, first..last, |out| {
            (first..last).try_for_each(|group| merge_group(&files, (uid, part), group, is_oldest, now, out))
        })?;
    }
    let (file, summaries) = writer.finish()?;
    let parts = plan.iter().map(|(key, items)| {
        let summary = summaries.iter().find(|summary| summary.uid == key.0 && summary.part == key.1);
        let merged = summary.map(|summary| ChainItem {
            file: Arc::clone(&file),
            groups: summary.groups.clone(),
            bytes: summary.bytes,
            entries: summary.entries,
            expires_max: summary.expires_max,
        });
        (key.clone(), items.clone(), merged)
    });
    let parts = parts.collect();
    if summaries.is_empty() {
        storage.delete(&file.path)?;
        return Ok(Merged { file: None, parts });
    }
    Ok(Merged { file: Some(file), parts })
}

/// Merges one key group of one part.
fn merge_group(
    files: &[(&ChainItem, DeltaFile)],
    (uid, part): (&str, &str),
    group: u16,
    is_oldest: bool,
    now: Timestamp,
    out: &mut dyn Entries,
) -> Result<()> {
    let mut newest: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut values: Vec<Option<(Vec<u8>, Timestamp)>> = Vec::new();
    for (item, file) in files {
        if !item.groups.contains(&group) {
            continue;
        }
        file.visit(
            uid,
            part,
            |found| found == group,
            |_, key, value| {
                let value = value.filter(|(_, expires)| *expires > now);
                let value = value.map(|(value, expires)| (value.to_vec(), expires));
                match newest.get(key) {
                    Some(index) => values[*index] = value,
                    None => {
                        newest.insert(key.to_vec(), values.len());
                        values.push(value);
                    }
                }
                Ok(())
            },
        )?;
    }
    // In the order in which the keys came first: the same input gives the same file.
    let mut keys: Vec<(Vec<u8>, usize)> = newest.into_iter().collect();
    keys.sort_unstable_by_key(|(_, index)| *index);
    for (key, index) in keys {
        match &values[index] {
            Some((value, expires)) => out.put(group, &key, value, *expires)?,
            // With nothing older there is nothing to hide.
            None if is_oldest => {}
            None => out.delete(group, &key)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(sizes: &[u64]) -> Vec<ChainItem> {
        let item = |(bytes, number): (&u64, u64)| {
            let file = StateFile { path: format!("shared/{number}"), epoch: Epoch(number), bytes: *bytes, crc: 0 };
            ChainItem { file: Arc::new(file), groups: 0..8, bytes: *bytes, entries: 1, expires_max: 9 }
        };
        sizes.iter().zip(1..).map(item).collect()
    }

    #[test]
    fn a_short_chain_is_left_alone_and_a_large_old_file_is_left_in_peace() {
        assert_eq!(choose_stretch(&items(&[5; DELTAS_MAX])), None);
        assert_eq!(choose_stretch(&items(&[5; DELTAS_MAX + 1])), Some(0..DELTAS_MAX + 1));
        let mut sizes = vec![1; DELTAS_MAX + 1];
        sizes[0] = 1_000_000;
        assert_eq!(choose_stretch(&items(&sizes)), Some(1..DELTAS_MAX + 1));
    }

    #[test]
    fn the_work_of_merging_grows_with_the_logarithm_of_the_chain() {
        let (mut sizes, mut written) = (Vec::<u64>::new(), 0);
        for _ in 0..10_000 {
            sizes.push(1);
            if let Some(stretch) = choose_stretch(&items(&sizes)) {
                let merged = sizes[stretch.clone()].iter().sum::<u64>();
                written += merged;
                sizes.splice(stretch, [merged]);
            }
            assert!(sizes.len() <= DELTAS_MAX);
        }
        assert!(written < 10 * 10_000, "each entry was written again {} times", written / 10_000);
    }

    #[test]
    fn a_file_that_little_refers_to_is_rewritten() {
        let big = Arc::new(StateFile { path: "shared/1".to_owned(), epoch: Epoch(1), bytes: 8 << 20, crc: 0 });
        let item = |bytes| ChainItem { file: Arc::clone(&big), groups: 0..8, bytes, entries: 1, expires_max: 9 };
        let mut chains = Chains::default();
        chains.set("a", "small", vec![item(100)]);
        assert_eq!(choose(&chains).len(), 1);
        chains.set("a", "large", vec![item(7 << 20)]);
        assert!(choose(&chains).is_empty());
    }
}
