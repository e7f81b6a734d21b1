//! What readers of this process still need of a partition: retention leaves it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::signal::lock;

/// A reader's need, told until it is dropped.
#[derive(Clone)]
pub(super) struct Need(Arc<AtomicU64>);

static NEEDS: Mutex<BTreeMap<PathBuf, Vec<Weak<AtomicU64>>>> = Mutex::new(BTreeMap::new());

impl Need {
    /// Says that the records of the partition in `dir` are needed from number `from` on.
    pub fn tell(dir: &Path, from: u64) -> Self {
        let need = Arc::new(AtomicU64::new(from));
        let mut needs = lock(&NEEDS);
        let of_partition = needs.entry(dir.to_owned()).or_default();
        of_partition.retain(|need| need.strong_count() > 0);
        of_partition.push(Arc::downgrade(&need));
        Self(need)
    }

    /// Says that only those from number `from` on are needed any more.
    pub fn advance(&self, from: u64) {
        self.0.store(from, Ordering::Relaxed);
    }
}

/// The oldest record of the partition in `dir` that a reader of this process needs.
pub(super) fn needed(dir: &Path) -> Option<u64> {
    let needs = lock(&NEEDS);
    needs.get(dir)?.iter().filter_map(Weak::upgrade).map(|need| need.load(Ordering::Relaxed)).min()
}
