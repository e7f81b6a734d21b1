//! The data directory, held by one process at a time.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use weir_base::{Error, Kind, Result};

/// A locked data directory; unlocked when dropped, or when the process ends however it ends.
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the directory if there is none, and locks it.
    ///
    /// # Errors
    /// It cannot be made, or another process holds it.
    pub fn lock(path: &Path) -> Result<Self> {
        let what = |verb: &str| format!("{verb} the data directory '{}'", path.display());
        std::fs::create_dir_all(path).map_err(|source| Error::io(what("make"), source))?;
        let lock = File::create(path.join("LOCK")).map_err(|source| Error::io(what("lock"), source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::new(Kind::Conflict, format!("{}: another weir process uses it", what("lock")))
                    .hint("stop that process, or give this one a directory of its own with --data-dir"))
            }
            Err(TryLockError::Error(source)) => Err(Error::io(what("lock"), source)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
