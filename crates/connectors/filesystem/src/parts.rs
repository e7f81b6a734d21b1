//! Parts: their names, hidden and final, and what a checkpoint remembers of them.
//!
//! A part in progress is called `.part-<uid>-<subtask>-<number>.inprogress.<generation>`, a committed one `part-<uid>-<subtask>-<number>`. The
//! generation keeps a process that was left behind from ever writing into a file of its successor.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weir_base::{Error, Kind, Result};
use weir_connector::Prepared;

/// A part that is not visible yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Its hidden name.
    pub hidden: String,
    /// The name it gets when it is committed.
    pub name: String,
    /// Bytes of it that belong to the epoch and those before.
    pub bytes: u64,
}

/// What a writer says at a barrier.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The number of the next part.
    pub next: u64,
    /// Parts that are complete and wait for their final names.
    pub closed: Vec<Part>,
    /// The part in progress.
    pub open: Option<Part>,
}

impl State {
    /// The state in `prepared`.
    ///
    /// # Errors
    /// It is none that a file sink wrote.
    pub fn of(prepared: &Prepared) -> Result<Self> {
        serde_json::from_slice(&prepared.state).map_err(|source| {
            let message = format!("read what subtask {} of a file sink prepared: {source}", prepared.subtask);
            Error::new(Kind::Corrupt, message).caused_by(source)
        })
    }
}

/// The names of one sink's parts in one folder.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// The folder.
    pub folder: PathBuf,
    /// What tells this sink's parts from those of all others; the same at every start of the job.
    pub uid: String,
    /// This start of the job.
    pub generation: u64,
}

impl Names {
    /// A part that has nothing in it yet.
    pub fn part(&self, subtask: u16, number: u64) -> Part {
        let name = format!("part-{}-{subtask}-{number}", self.uid);
        Part { hidden: format!(".{name}.inprogress.{}", self.generation), name, bytes: 0 }
    }

    /// The full path of a name in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Names in the folder that this sink gave, hidden ones too; none if there is no folder.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn list(&self) -> Result<Vec<String>> {
        let about = |source| Error::io(format!("list the folder '{}'", self.folder.display()), source);
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(about(error)),
        };
        let prefix = format!("part-{}-", self.uid);
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(about)?.file_name();
            if let Some(name) = name.to_str()
                && name.strip_prefix('.').unwrap_or(name).starts_with(&prefix)
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// For each subtask the first number that no part in the folder has.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn next_numbers(&self) -> Result<BTreeMap<u16, u64>> {
        let prefix = format!("part-{}-", self.uid);
        let mut next = BTreeMap::new();
        for name in self.list()? {
            let numbers = name.trim_start_matches('.').strip_prefix(&prefix).and_then(|rest| {
                let (subtask, number) = rest.split('.').next()?.split_once('-')?;
                Some((subtask.parse::<u16>().ok()?, number.parse::<u64>().ok()?))
            });
            if let Some((subtask, number)) = numbers {
                let known: &mut u64 = next.entry(subtask).or_default();
                *known = (*known).max(number + 1);
            }
        }
        Ok(next)
    }

    /// Whether `name` is a hidden one.
    pub fn is_hidden(name: &str) -> bool {
        name.starts_with('.')
    }

    /// Makes renamings and removals in the folder durable.
    ///
    /// # Errors
    /// The disk fails.
    pub fn sync_folder(&self) -> Result<()> {
        sync_folder(&self.folder)
    }
}

/// Makes the names in `folder` durable.
///
/// # Errors
/// The disk fails.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| Error::io(format!("make the names in the folder '{}' durable", folder.display()), source))
}
