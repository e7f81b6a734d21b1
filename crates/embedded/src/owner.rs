//! Who may write in a folder: one job's run at a time. A newer run of the same job takes over and fences the older one; another job is refused.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use weir_base::{Error, Generation, JobId, Kind, Result};
use weir_connector::JobContext;

use crate::signal::lock;

/// A run of a job, or a program of its own, that wants to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    /// How errors call it.
    pub name: String,
    /// The job; `None` for a plain producer.
    pub job: Option<(JobId, Generation)>,
}

impl Holder {
    /// A run of a job.
    pub(crate) fn of_job(context: &JobContext) -> Self {
        Self { name: format!("the job '{}'", context.name), job: Some((context.job, context.generation)) }
    }
}

/// The right to write in a folder, held until it is dropped or taken over.
pub(crate) struct Owner {
    folder: PathBuf,
    holder: Holder,
    fenced: Mutex<bool>,
    /// Keeps other processes out while it is open.
    lock: Arc<File>,
}

static OWNERS: Mutex<BTreeMap<PathBuf, Vec<std::sync::Weak<Owner>>>> = Mutex::new(BTreeMap::new());

impl Owner {
    /// Claims `folder`, which must exist, for `holder`. Older runs of the same job in this process are fenced.
    ///
    /// # Errors
    /// Somebody else writes there.
    pub(crate) fn claim(folder: &Path, holder: &Holder) -> Result<Arc<Self>> {
        let mut owners = lock(&OWNERS);
        owners.retain(|_, held| held.iter().any(|owner| owner.strong_count() > 0));
        let held: Vec<Arc<Self>> =
            owners.get(folder).into_iter().flatten().filter_map(std::sync::Weak::upgrade).collect();
        let mut inherited = None;
        for owner in held {
            let same_job =
                holder.job.is_some() && owner.holder.job.map(|(job, _)| job) == holder.job.map(|(job, _)| job);
            let mut fenced = lock(&owner.fenced);
            if !same_job && !*fenced {
                return Err(taken(folder, &owner.holder.name));
            }
            *fenced = true;
            inherited = Some(Arc::clone(&owner.lock));
        }
        let lock = match inherited {
            Some(lock) => lock,
            None => Arc::new(lock_file(folder)?),
        };
        let owner =
            Arc::new(Self { folder: folder.to_owned(), holder: holder.clone(), fenced: Mutex::new(false), lock });
        owners.entry(folder.to_owned()).or_default().push(Arc::downgrade(&owner));
        Ok(owner)
    }

    /// Permission to write, good while the guard lives.
    ///
    /// # Errors
    /// A newer run has taken over.
    pub(crate) fn permit(&self) -> Result<MutexGuard<'_, bool>> {
        let fenced = lock(&self.fenced);
        if *fenced {
            return Err(Error::new(
                Kind::Conflict,
                format!(
                    "write to {} as {}: a newer run of the job has taken over",
                    self.folder.display(),
                    self.holder.name
                ),
            ));
        }
        Ok(fenced)
    }
}

fn lock_file(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let file = opened.map_err(|error| Error::io(format!("open {}", path.display()), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(taken(folder, "another process")),
        Err(TryLockError::Error(error)) => Err(Error::io(format!("lock {}", path.display()), error)),
    }
}

fn taken(folder: &Path, by: &str) -> Error {
    Error::new(Kind::Conflict, format!("write to {}: {by} writes there", folder.display()))
        .hint("an embedded topic has one writing job at a time: stop the other one, or write to another topic")
}
