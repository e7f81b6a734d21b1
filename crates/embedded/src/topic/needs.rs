//! What readers still need of a partition: retention leaves it.
//!
//! A reader of this process says so in memory, up to date. With each checkpoint it also notes it in the file `needs/READER` beside the log: what a job
//! that is not running now will go on from stays too. A note is behind rather than ahead, so that losing the newest one loses no record.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use weir_base::{Error, Result};

use crate::signal::lock;

/// The folder of the notes, in that of the partition.
const FOLDER: &str = "needs";

/// A reader's need, told until it is dropped, and noted for longer.
#[derive(Clone)]
pub(super) struct Need {
    from: Arc<AtomicU64>,
    note: PathBuf,
}

static NEEDS: Mutex<BTreeMap<PathBuf, Vec<Weak<AtomicU64>>>> = Mutex::new(BTreeMap::new());

impl Need {
    /// Says that `reader` (a name for a file, the same in each run) needs the records of the partition in `dir` from number `from` on.
    pub fn tell(dir: &Path, reader: &str, from: u64) -> Self {
        let need = Arc::new(AtomicU64::new(from));
        let mut needs = lock(&NEEDS);
        let of_partition = needs.entry(dir.to_owned()).or_default();
        of_partition.retain(|need| need.strong_count() > 0);
        of_partition.push(Arc::downgrade(&need));
        Self { from: need, note: dir.join(FOLDER).join(reader) }
    }

    /// Says, and notes, that only those from number `from` on are needed any more: a checkpoint that holds this is complete.
    ///
    /// # Errors
    /// The note cannot be written; the former one stays.
    pub fn advance(&self, from: u64) -> Result<()> {
        if self.from.swap(from, Ordering::Relaxed) == from && self.note.exists() {
            return Ok(());
        }
        let failed = |source| Error::io(format!("write {}", self.note.display()), source);
        if let Some(folder) = self.note.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let unfinished = self.note.with_extension("new");
        std::fs::write(&unfinished, from.to_string()).map_err(failed)?;
        std::fs::rename(&unfinished, &self.note).map_err(failed)
    }
}

/// The oldest record of the partition in `dir` that a reader needs; `None`: none needs any.
///
/// # Errors
/// The notes cannot be read.
pub(super) fn needed(dir: &Path) -> Result<Option<u64>> {
    let mut all = noted(dir)?;
    if let Some(told) = lock(&NEEDS).get(dir) {
        all.extend(told.iter().filter_map(Weak::upgrade).map(|need| need.load(Ordering::Relaxed)));
    }
    Ok(all.into_iter().min())
}

/// What is noted. A note that does not read back needs everything.
fn noted(dir: &Path) -> Result<Vec<u64>> {
    let folder = dir.join(FOLDER);
    let failed = |source| Error::io(format!("read {}", folder.display()), source);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut needs = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some() {
            continue;
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => needs.push(text.parse().unwrap_or(0)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(needs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stopped_job_goes_on_from_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        assert_eq!(needed(dir).unwrap(), None);
        let (one, other) = (Need::tell(dir, "job-1", 5), Need::tell(dir, "job-2", 9));
        assert_eq!(needed(dir).unwrap(), Some(5));
        one.advance(12).unwrap();
        assert_eq!(needed(dir).unwrap(), Some(9));
        other.advance(20).unwrap();
        drop((one, other));
        assert_eq!(needed(dir).unwrap(), Some(12), "of jobs that run no more");
        let again = Need::tell(dir, "job-1", 12);
        again.advance(40).unwrap();
        assert_eq!(needed(dir).unwrap(), Some(20));
        std::fs::write(dir.join("needs/job-2"), "twenty").unwrap();
        assert_eq!(needed(dir).unwrap(), Some(0), "a note that says nothing");
    }
}
