//! The sink: recovery before the writers start, and the committer that gives parts their final names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use weir_base::{Epoch, Error, Kind, Result};
use weir_connector::{Committer, JobContext, Prepared, Role, Sink, Writer, WriterContext};
use weir_format::encoder;
use weir_plan::{Field, SinkSpec, TableOptions};

use crate::options::{duration, memory_size};
use crate::parts::{Names, Part, State};
use crate::writer::FileWriter;

/// When a part is closed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RollingPolicy {
    /// At this size.
    pub file_bytes: u64,
    /// At this age.
    pub rollover_interval: Duration,
    /// After this long without a row.
    pub inactivity_interval: Duration,
    /// Ages are looked at this often.
    pub check_interval: Duration,
}

impl RollingPolicy {
    fn of(options: &TableOptions) -> Result<Self> {
        let minutes = |key: &str, minutes: u64| {
            Ok::<_, Error>(duration(options, key)?.unwrap_or(Duration::from_secs(60 * minutes)))
        };
        Ok(Self {
            file_bytes: memory_size(options, "sink.rolling-policy.file-size")?.unwrap_or(128 << 20),
            rollover_interval: minutes("sink.rolling-policy.rollover-interval", 30)?,
            inactivity_interval: minutes("sink.rolling-policy.inactivity-interval", 30)?,
            check_interval: minutes("sink.rolling-policy.check-interval", 1)?,
        })
    }
}

/// A folder that is written as a table.
pub(crate) struct FileSink {
    names: Names,
    format: String,
    options: TableOptions,
    fields: Vec<Field>,
    rolling: RollingPolicy,
    shared: Arc<Shared>,
}

/// What writers, committer and recovery know in common.
#[derive(Default)]
pub(crate) struct Shared {
    /// The newest epoch whose parts all have their final names.
    pub applied: AtomicU64,
    /// For each subtask the first number never given, as far as checkpoints and the folder tell.
    next: Mutex<BTreeMap<u16, u64>>,
    /// Final names that recovery has dealt with.
    settled: Mutex<BTreeSet<String>>,
}

impl FileSink {
    /// The sink number `index` of a job into `folder`.
    ///
    /// # Errors
    /// Options that cannot be honoured.
    pub fn new(spec: &SinkSpec, format: &str, folder: PathBuf, index: usize, context: &JobContext) -> Result<Self> {
        let uid = if index == 0 { context.job.to_string() } else { format!("{}x{index}", context.job) };
        let sink = Self {
            names: Names { folder, uid, generation: context.generation.0 },
            format: format.to_owned(),
            options: spec.options.clone(),
            fields: spec.physical.fields.clone(),
            rolling: RollingPolicy::of(&spec.options)?,
            shared: Arc::default(),
        };
        // Refuses a format that cannot write these columns now rather than at the first row.
        encoder(&sink.format, &sink.options, "", &sink.fields, b"\n")?;
        Ok(sink)
    }

    fn make_folder(&self) -> Result<()> {
        let folder = &self.names.folder;
        if fs::metadata(folder).is_ok_and(|metadata| !metadata.is_dir()) {
            let message = format!("write into '{}': it is a file, and a sink writes into a folder", folder.display());
            return Err(Error::new(Kind::Conflict, message).hint("name another path, or move the file away"));
        }
        fs::create_dir_all(folder)
            .map_err(|source| Error::io(format!("create the folder '{}'", folder.display()), source))
    }

    /// Publishes the first bytes of the part that was in progress: as a copy, for a process that was left behind may still hold the file open.
    fn publish_open(&self, part: &Part) -> Result<()> {
        let (hidden, last) = (self.names.path(&part.hidden), self.names.path(&part.name));
        if part.bytes == 0 || check_published(&last, part)? {
            return Ok(());
        }
        let copy = self.names.path(&format!(".{}.recovering.{}", part.name, self.names.generation));
        copy_prefix(&hidden, &copy, part.bytes)?;
        rename(&copy, &last)
    }
}

/// Whether the part already has its final name.
fn check_published(last: &Path, part: &Part) -> Result<bool> {
    match fs::metadata(last) {
        Ok(metadata) if metadata.len() >= part.bytes => Ok(true),
        Ok(metadata) => Err(Error::new(
            Kind::Corrupt,
            format!(
                "recover the file '{}': it has {} bytes, and the checkpoint knows of {}",
                last.display(),
                metadata.len(),
                part.bytes
            ),
        )
        .hint("put the file back as it was, or start afresh with --fresh")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io(format!("look at the file '{}'", last.display()), error)),
    }
}

fn copy_prefix(from: &Path, to: &Path, bytes: u64) -> Result<()> {
    let lost = |found: u64| {
        let message = format!(
            "recover the file '{}': the checkpoint knows of {bytes} bytes of it, and {found} are there",
            from.display()
        );
        Error::new(Kind::Corrupt, message).hint("put the file back, or start afresh with --fresh")
    };
    let source = match File::open(from) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(lost(0)),
        Err(error) => return Err(Error::io(format!("recover the file '{}'", from.display()), error)),
    };
    let about = |source| Error::io(format!("write the file '{}'", to.display()), source);
    let mut target = File::create(to).map_err(about)?;
    let copied = std::io::copy(&mut source.take(bytes), &mut target).map_err(about)?;
    if copied < bytes {
        return Err(lost(copied));
    }
    target.flush().and_then(|()| target.sync_all()).map_err(about)
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to)
        .map_err(|source| Error::io(format!("rename '{}' to '{}'", from.display(), to.display()), source))
}

impl Sink for FileSink {
    fn role(&self) -> Role {
        Role::Local
    }

    fn recover(&self, prepared: &[Prepared]) -> Result<()> {
        self.make_folder()?;
        let mut next = self.names.next_numbers()?;
        let mut settled = BTreeSet::new();
        for prepared in prepared {
            let state = State::of(prepared)?;
            let number = next.entry(prepared.subtask).or_default();
            *number = (*number).max(state.next);
            for part in &state.closed {
                let (hidden, last) = (self.names.path(&part.hidden), self.names.path(&part.name));
                if !check_published(&last, part)? {
                    if hidden.exists() {
                        rename(&hidden, &last)?;
                    } else {
                        // Hidden names of decided parts are never removed, so it was published; somebody has taken it since.
                        tracing::warn!(file = %last.display(), "a committed file is not there any more");
                    }
                }
                settled.insert(part.name.clone());
            }
            if let Some(part) = &state.open {
                self.publish_open(part)?;
            }
        }
        for name in self.names.list()?.iter().filter(|name| Names::is_hidden(name)) {
            let path = self.names.path(name);
            fs::remove_file(&path)
                .map_err(|source| Error::io(format!("remove the undecided file '{}'", path.display()), source))?;
        }
        self.names.sync_folder()?;
        *self.shared.next.lock().unwrap_or_else(PoisonError::into_inner) = next;
        *self.shared.settled.lock().unwrap_or_else(PoisonError::into_inner) = settled;
        Ok(())
    }

    fn writer(&self, context: &WriterContext) -> Result<Box<dyn Writer>> {
        let encoder = encoder(&self.format, &self.options, "", &self.fields, b"\n")?;
        let next = self.shared.next.lock().unwrap_or_else(PoisonError::into_inner);
        let next = next.get(&context.subtask).copied().unwrap_or(0);
        let shared = Arc::clone(&self.shared);
        Ok(Box::new(FileWriter::new(self.names.clone(), encoder, self.rolling, shared, context, next)))
    }

    fn committer(&self) -> Result<Box<dyn Committer>> {
        Ok(Box::new(FileCommitter { names: self.names.clone(), shared: Arc::clone(&self.shared) }))
    }
}

/// Gives the parts of decided epochs their final names.
struct FileCommitter {
    names: Names,
    shared: Arc<Shared>,
}

impl Committer for FileCommitter {
    fn apply(&mut self, epoch: Epoch, prepared: &[Prepared]) -> Result<()> {
        let settled = self.shared.settled.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut renamed = false;
        for prepared in prepared {
            for part in State::of(prepared)?.closed.iter().filter(|part| !settled.contains(&part.name)) {
                let (hidden, last) = (self.names.path(&part.hidden), self.names.path(&part.name));
                if hidden.exists() {
                    rename(&hidden, &last)?;
                    renamed = true;
                } else if !check_published(&last, part)? && epoch.0 > self.shared.applied.load(Ordering::Acquire) {
                    let message =
                        format!("commit the file '{}': neither it nor '{}' is there", last.display(), part.hidden);
                    return Err(
                        Error::new(Kind::Corrupt, message).hint("its rows are lost; start from an older checkpoint")
                    );
                }
            }
        }
        if renamed {
            self.names.sync_folder()?;
        }
        self.shared.applied.fetch_max(epoch.0, Ordering::AcqRel);
        Ok(())
    }
}
