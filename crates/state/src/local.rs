//! Storage in a folder of this machine.
//!
//! A file is written under a name that begins with a dot, made durable, and then renamed (`put`) or linked (`put_if_absent`: a link never replaces
//! anything) to its own; then the folder is made durable. Folders below the root are made on demand, the root never again after `open`: a root that
//! vanishes (an unmounted disk) must fail loudly rather than be written anew somewhere else.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use weir_base::{Error, Kind, Result};

use crate::storage::{Append, Storage};

/// What names of files that are not finished begin with.
const UNFINISHED: &str = ".unfinished-";

/// Storage in a folder.
#[derive(Debug, Clone)]
pub struct LocalStorage {
    root: Arc<PathBuf>,
    /// Makes names of unfinished files unique within the process; the process id does it between processes.
    counter: Arc<AtomicU64>,
}

impl LocalStorage {
    /// The storage in `root`, made (with its parents) if it is not there.
    ///
    /// # Errors
    /// The folder can be neither found nor made.
    pub fn open(root: PathBuf) -> Result<Self> {
        let root = std::path::absolute(&root).map_err(|source| explain("use the folder", &root, source))?;
        std::fs::create_dir_all(&root).map_err(|source| explain("make the folder", &root, source))?;
        sync_folder(root.parent().unwrap_or(&root))?;
        Ok(Self { root: Arc::new(root), counter: Arc::default() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The folder that `name` lies in, made if only it is missing.
    fn folder_of(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        let folder = path.parent().unwrap_or(&self.root).to_owned();
        if folder == **self.root || folder.is_dir() {
            return Ok(folder);
        }
        match std::fs::create_dir(&folder) {
            Ok(()) => sync_folder(folder.parent().unwrap_or(&self.root))?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(self.explain("make the folder", &folder, error)),
        }
        Ok(folder)
    }

    fn unfinished(&self, name: &str) -> Result<Unfinished> {
        let path = self.path(name);
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let mut folder = self.folder_of(name)?;
        let hidden = folder.join(format!("{UNFINISHED}{}-{number}", std::process::id()));
        let mut file = OpenOptions::new().write(true).create_new(true).open(&hidden);
        if matches!(&file, Err(error) if error.kind() == ErrorKind::NotFound) {
            // The folder was empty for a moment and `delete` on another thread took it away.
            folder = self.folder_of(name)?;
            file = OpenOptions::new().write(true).create_new(true).open(&hidden);
        }
        let file = file.map_err(|source| self.explain("write", &path, source))?;
        Ok(Unfinished { storage: self.clone(), file, hidden: Some(hidden), path, folder })
    }

    /// The error of `action` on `path`, told as a vanished root where that is the cause.
    fn explain(&self, action: &str, path: &Path, source: std::io::Error) -> Error {
        if source.kind() == ErrorKind::NotFound && !self.root.is_dir() {
            let message = format!("{action} {}: the folder {} has vanished", path.display(), self.root.display());
            return Error::new(Kind::NotFound, message)
                .hint("bring it back (a disk that is not mounted?) and start the job again")
                .caused_by(source);
        }
        explain(action, path, source)
    }
}

impl Storage for LocalStorage {
    fn put_if_absent(&self, name: &str, bytes: &[u8]) -> Result<bool> {
        let mut unfinished = self.unfinished(name)?;
        unfinished.append(bytes)?;
        unfinished.link()
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut unfinished = self.unfinished(name)?;
        unfinished.append(bytes)?;
        Box::new(unfinished).finish()
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path(name);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound && self.root.is_dir() => Ok(None),
            Err(error) => Err(self.explain("read", &path, error)),
        }
    }

    fn length(&self, name: &str) -> Result<Option<u64>> {
        let path = self.path(name);
        match std::fs::metadata(&path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == ErrorKind::NotFound && self.root.is_dir() => Ok(None),
            Err(error) => Err(self.explain("read", &path, error)),
        }
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Result<Vec<u8>> {
        let path = self.path(name);
        let mut bytes = vec![0; length];
        let file = File::open(&path).map_err(|source| self.explain("read", &path, source))?;
        match file.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                let message = format!("read {}: it ends before byte {}", path.display(), offset + length as u64);
                Err(Error::new(Kind::Corrupt, message).caused_by(error))
            }
            Err(error) => Err(self.explain("read", &path, error)),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        let path = self.path(folder);
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound && self.root.is_dir() => return Ok(Vec::new()),
            Err(error) => return Err(self.explain("list", &path, error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| self.explain("list", &path, source))?;
            // Names that are not UTF-8 are none of ours.
            if let Ok(name) = entry.file_name().into_string()
                && !name.starts_with(UNFINISHED)
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn delete(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.explain("delete", &path, error)),
        }
        if let Some(folder) = path.parent().filter(|folder| *folder != self.root.as_path()) {
            // Fails while it holds anything, which is as it should be.
            let _ = std::fs::remove_dir(folder);
        }
        Ok(())
    }

    fn create(&self, name: &str) -> Result<Box<dyn Append>> {
        Ok(Box::new(self.unfinished(name)?))
    }

    fn clear_unfinished(&self) -> Result<()> {
        let mut folders = vec![self.root.as_path().to_owned()];
        folders.extend(self.list("")?.iter().map(|name| self.path(name)).filter(|path| path.is_dir()));
        for folder in folders {
            let entries = std::fs::read_dir(&folder).map_err(|source| self.explain("list", &folder, source))?;
            for entry in entries {
                let path = entry.map_err(|source| self.explain("list", &folder, source))?.path();
                if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(UNFINISHED)) {
                    std::fs::remove_file(&path).map_err(|source| self.explain("delete", &path, source))?;
                }
            }
        }
        Ok(())
    }

    fn describe(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

/// A file under its hidden name; that name goes with it.
struct Unfinished {
    storage: LocalStorage,
    file: File,
    hidden: Option<PathBuf>,
    path: PathBuf,
    folder: PathBuf,
}

impl Unfinished {
    fn hidden(&self) -> &Path {
        self.hidden.as_deref().expect("only `finish`, which consumes it, takes the hidden name away")
    }

    fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|source| self.storage.explain("write", &self.path, source))
    }

    /// Shows the file under its name unless that is taken. Returns whether it did.
    fn link(self) -> Result<bool> {
        self.sync()?;
        match std::fs::hard_link(self.hidden(), &self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(self.storage.explain("write", &self.path, error)),
        }
        if let Err(error) = sync_folder(&self.folder) {
            // Whether the name outlives a power cut is unknown: take it back, so that "failed" means "not there".
            let _ = std::fs::remove_file(&self.path);
            return Err(error);
        }
        Ok(true)
    }
}

impl Append for Unfinished {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|source| self.storage.explain("write", &self.path, source))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.sync()?;
        std::fs::rename(self.hidden(), &self.path)
            .map_err(|source| self.storage.explain("write", &self.path, source))?;
        self.hidden = None;
        sync_folder(&self.folder)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(hidden) = &self.hidden {
            // What stays behind is hidden and harmless; there is nobody to tell.
            let _ = std::fs::remove_file(hidden);
        }
    }
}

fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| explain("make durable", folder, source))
}

/// An error of `action` on `path`, with what to do.
fn explain(action: &str, path: &Path, source: std::io::Error) -> Error {
    let hint = match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Some("free some space there, or move execution.checkpointing.dir")
        }
        ErrorKind::PermissionDenied => Some("let this user write there, or move execution.checkpointing.dir"),
        ErrorKind::ReadOnlyFilesystem => Some("mount it writable, or move execution.checkpointing.dir"),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            Some("a file stands where the folder must be: move it, or move execution.checkpointing.dir")
        }
        ErrorKind::Unsupported => {
            Some("the file system has no hard links: move execution.checkpointing.dir to one that has")
        }
        _ => None,
    };
    let error = Error::io(format_args!("{action} {}", path.display()), source);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests;
