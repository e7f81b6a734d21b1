//! Chains: for each part of each operator's state, the files that hold it, oldest first. Pure: what a checkpoint adds, what a full part or a merged
//! file replaces, what has expired.
//!
//! A chain belongs to an operator's part rather than to a subtask: key groups have one owner at a time, so a chain stays right when a job is rescaled.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use weir_base::Timestamp;

use crate::manifest::{ChainItem, StateFile};

/// An operator's uid and the name of a part of its state.
pub type PartKey = (String, String);

/// All chains of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chains {
    parts: BTreeMap<PartKey, Vec<ChainItem>>,
}

impl Chains {
    /// The chains, by operator and part.
    pub fn iter(&self) -> impl Iterator<Item = (&PartKey, &Vec<ChainItem>)> {
        self.parts.iter()
    }

    /// All items of all chains.
    pub fn items(&self) -> impl Iterator<Item = &ChainItem> {
        self.parts.values().flatten()
    }

    /// The chain of a part, oldest first.
    pub fn get(&self, uid: &str, part: &str) -> &[ChainItem] {
        self.parts.get(&(uid.to_owned(), part.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Sets the chain of a part.
    pub fn set(&mut self, uid: &str, part: &str, items: Vec<ChainItem>) {
        self.parts.insert((uid.to_owned(), part.to_owned()), items);
    }

    /// The files, each once, by path.
    pub fn files(&self) -> Vec<Arc<StateFile>> {
        let mut files: Vec<_> = self.items().map(|item| Arc::clone(&item.file)).collect();
        files.sort();
        files.dedup();
        files
    }

    /// What the chain holds for `groups` is replaced from here on.
    pub fn clear(&mut self, uid: &str, part: &str, groups: &Range<u16>) {
        let Some(items) = self.parts.get_mut(&(uid.to_owned(), part.to_owned())) else { return };
        *items = items.iter().flat_map(|item| without(item, groups)).collect();
    }

    /// Adds what the newest file holds of a part.
    pub fn push(&mut self, uid: &str, part: &str, item: ChainItem) {
        self.parts.entry((uid.to_owned(), part.to_owned())).or_default().push(item);
    }

    /// Leaves out files at the old end of each chain all of whose entries had expired at `now`. Only there: elsewhere they hide older entries.
    pub fn drop_expired(&mut self, now: Timestamp) {
        for items in self.parts.values_mut() {
            let expired = items.iter().take_while(|item| item.expires_max <= now).count();
            items.drain(..expired);
        }
    }

    /// Puts `merged` in the place of `from`, if the chain still holds exactly that stretch; of one at the old end, files may be missing whose entries had
    /// all expired at `now`. Returns whether it did.
    pub fn replace(&mut self, key: &PartKey, from: &[ChainItem], merged: Option<&ChainItem>, now: Timestamp) -> bool {
        let Some(items) = self.parts.get_mut(key) else { return false };
        if let Some(start) = items.windows(from.len()).position(|window| window == from) {
            items.splice(start..start + from.len(), merged.cloned());
            return true;
        }
        // Only expired ones: a file that a full part replaced is missing too, and must not come back.
        let expired = from.iter().take_while(|item| item.expires_max <= now).count();
        let left = (1..from.len()).filter(|gone| *gone <= expired).map(|gone| &from[gone..]);
        let mut left = left;
        let Some(left) = left.find(|left| items.starts_with(left)) else { return false };
        items.splice(..left.len(), merged.cloned());
        true
    }
}

/// What is left of `item` without `groups`.
fn without(item: &ChainItem, groups: &Range<u16>) -> Vec<ChainItem> {
    let left = item.groups.start..item.groups.end.min(groups.start);
    let right = item.groups.start.max(groups.end)..item.groups.end;
    let parts = if groups.is_empty() { vec![item.groups.clone()] } else { vec![left, right] };
    parts.into_iter().filter(|part| !part.is_empty()).map(|groups| ChainItem { groups, ..item.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use weir_base::Epoch;

    use super::*;

    fn item(epoch: u64, groups: Range<u16>) -> ChainItem {
        let file = StateFile { path: format!("shared/{epoch}"), epoch: Epoch(epoch), bytes: 10, crc: 0 };
        ChainItem { file: Arc::new(file), groups, bytes: 10, entries: 1, expires_max: i64::try_from(epoch).unwrap() }
    }

    fn groups(chains: &Chains) -> Vec<(u64, Range<u16>)> {
        chains.get("a", "p").iter().map(|item| (item.file.epoch.0, item.groups.clone())).collect()
    }

    #[test]
    fn a_full_part_replaces_only_its_own_key_groups() {
        for (cleared, left) in [
            (0..8, vec![]),
            (0..4, vec![(1, 4..8), (2, 4..8)]),
            (4..8, vec![(1, 0..4), (2, 2..4)]),
            (3..5, vec![(1, 0..3), (1, 5..8), (2, 2..3), (2, 5..8)]),
            (0..3, vec![(1, 3..8), (2, 3..8)]),
            (5..5, vec![(1, 0..8), (2, 2..8)]),
            (8..9, vec![(1, 0..8), (2, 2..8)]),
        ] {
            let mut chains = Chains::default();
            chains.push("a", "p", item(1, 0..8));
            chains.push("a", "p", item(2, 2..8));
            chains.clear("a", "p", &cleared);
            assert_eq!(groups(&chains), left, "{cleared:?}");
        }
    }

    #[test]
    fn expired_files_go_only_from_the_old_end() {
        let mut chains = Chains::default();
        for epoch in [3, 9, 4] {
            chains.push("a", "p", item(epoch, 0..8));
        }
        chains.drop_expired(5);
        assert_eq!(groups(&chains), [(9, 0..8), (4, 0..8)]);
    }

    #[test]
    fn a_merged_file_takes_the_place_of_what_it_was_made_of_or_of_nothing() {
        let key = ("a".to_owned(), "p".to_owned());
        let mut chains = Chains::default();
        chains.set("a", "p", (1..=4).map(|epoch| item(epoch, 0..8)).collect());
        let from = [item(2, 0..8), item(3, 0..8)];
        assert!(chains.replace(&key, &from, Some(&item(7, 0..8)), 0));
        assert_eq!(groups(&chains), [(1, 0..8), (7, 0..8), (4, 0..8)]);
        assert!(!chains.replace(&key, &from, Some(&item(8, 0..8)), 0));
        assert!(chains.replace(&key, &[item(1, 0..8)], None, 0));
        assert_eq!(groups(&chains), [(7, 0..8), (4, 0..8)]);
        // 6 had expired and was dropped since the merge began.
        let from = [item(6, 0..8), item(7, 0..8), item(4, 0..8)];
        assert!(!chains.replace(&key, &from, Some(&item(9, 0..8)), 5));
        assert!(chains.replace(&key, &from, Some(&item(9, 0..8)), 6));
        assert_eq!(groups(&chains), [(9, 0..8)]);
    }
}
