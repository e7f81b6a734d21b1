//! The writer of one subtask: one part in progress across epochs, closed by the rolling policy or at the end.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use weir_base::{Clock, Epoch, Error, Result};
use weir_connector::{Batch, Flush, Prepared, Ready, Writer, WriterContext};
use weir_format::Encoder;

use crate::parts::{Names, Part, State, sync_folder};
use crate::sink::{RollingPolicy, Shared};

/// Encoded bytes that are handed to the system at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Writes the rows of one subtask.
pub(crate) struct FileWriter {
    names: Names,
    encoder: Box<dyn Encoder>,
    rolling: RollingPolicy,
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    subtask: u16,
    /// The number of the next part.
    next: u64,
    open: Option<OpenPart>,
    /// Closed parts without their final names: they are told, and made durable, again with each epoch until one is applied. A failed checkpoint
    /// loses none of them.
    closed: Vec<ClosedPart>,
    ends: Vec<usize>,
    /// Bytes encoded so far.
    bytes: u64,
    /// When ages were looked at last, microseconds.
    checked_us: u64,
    /// A write failed: what is in the file is not known, and recovery has to cut it off.
    failed: bool,
}

/// A part that is complete.
struct ClosedPart {
    /// The first epoch that told of it.
    epoch: Option<Epoch>,
    part: Part,
    file: Arc<File>,
}

/// A part in progress.
struct OpenPart {
    part: Part,
    file: Arc<File>,
    /// Encoded rows that are not in the file yet.
    buffer: Vec<u8>,
    created_us: u64,
    written_us: u64,
}

impl FileWriter {
    /// A writer whose first part has the number `next`.
    pub fn new(
        names: Names,
        encoder: Box<dyn Encoder>,
        rolling: RollingPolicy,
        shared: Arc<Shared>,
        context: &WriterContext,
        next: u64,
    ) -> Self {
        let clock = Arc::clone(&context.clock);
        Self {
            names,
            encoder,
            rolling,
            shared,
            checked_us: clock.monotonic_us(),
            clock,
            subtask: context.subtask,
            next,
            open: None,
            closed: Vec::new(),
            ends: Vec::new(),
            bytes: 0,
            failed: false,
        }
    }

    fn check_whole(&self) -> Result<()> {
        if self.failed {
            return Err(Error::internal("write into a file after a write into it failed"));
        }
        Ok(())
    }

    fn open_part(&mut self) -> Result<OpenPart> {
        let part = self.names.part(self.subtask, self.next);
        let path = self.names.path(&part.hidden);
        let file =
            File::create(&path).map_err(|source| Error::io(format!("create the file '{}'", path.display()), source))?;
        self.next += 1;
        let now = self.clock.monotonic_us();
        Ok(OpenPart { part, file: Arc::new(file), buffer: Vec::new(), created_us: now, written_us: now })
    }

    /// Writes out what is buffered.
    fn hand_over(&mut self) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.buffer.is_empty() {
            return Ok(());
        }
        let path = self.names.path(&open.part.hidden);
        if let Err(source) = (&*open.file).write_all(&open.buffer) {
            self.failed = true;
            return Err(write_error(&path, source));
        }
        open.buffer.clear();
        Ok(())
    }

    /// Closes the part in progress: no byte comes to it any more.
    fn close_part(&mut self) -> Result<()> {
        self.hand_over()?;
        if let Some(open) = self.open.take() {
            self.closed.push(ClosedPart { epoch: None, part: open.part, file: open.file });
        }
        Ok(())
    }

    /// Closes the part in progress if it is old enough, looking no more often than the policy says.
    fn roll_by_age(&mut self) -> Result<()> {
        let now = self.clock.monotonic_us();
        let elapsed = |since: u64| std::time::Duration::from_micros(now.saturating_sub(since));
        if elapsed(self.checked_us) < self.rolling.check_interval {
            return Ok(());
        }
        self.checked_us = now;
        let old = self.open.as_ref().is_some_and(|open| {
            elapsed(open.created_us) >= self.rolling.rollover_interval
                || elapsed(open.written_us) >= self.rolling.inactivity_interval
        });
        if old { self.close_part() } else { Ok(()) }
    }

    /// The work that makes all that was written so far durable.
    fn flush(&self) -> Option<Flush> {
        let closed = self.closed.iter().map(|closed| (&closed.part, &closed.file));
        let open = self.open.iter().map(|open| (&open.part, &open.file));
        let files: Vec<(PathBuf, Arc<File>)> =
            closed.chain(open).map(|(part, file)| (self.names.path(&part.hidden), Arc::clone(file))).collect();
        if files.is_empty() {
            return None;
        }
        let folder = self.names.folder.clone();
        Some(Box::new(move || {
            for (path, file) in files {
                file.sync_all().map_err(|source| write_error(&path, source))?;
            }
            sync_folder(&folder)
        }))
    }
}

fn write_error(path: &std::path::Path, source: std::io::Error) -> Error {
    let full = source.kind() == std::io::ErrorKind::StorageFull;
    let error = Error::io(format!("write the file '{}'", path.display()), source);
    if full { error.hint("free space on the disk; the job goes on from its last checkpoint") } else { error }
}

impl Writer for FileWriter {
    fn ready(&mut self) -> Result<Ready> {
        self.roll_by_age()?;
        Ok(Ready::Yes)
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        self.check_whole()?;
        if batch.rows() == 0 {
            return Ok(());
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.open_part()?,
        };
        self.ends.clear();
        let before = open.buffer.len();
        let encoded = self.encoder.encode(&batch.data, batch.kinds.as_deref(), &mut open.buffer, &mut self.ends);
        let encoded_bytes = (open.buffer.len() - before) as u64;
        open.part.bytes += encoded_bytes;
        self.bytes += encoded_bytes;
        open.written_us = self.clock.monotonic_us();
        let (buffered, bytes) = (open.buffer.len(), open.part.bytes);
        self.open = Some(open);
        if let Err(error) = encoded {
            self.failed = true;
            return Err(error);
        }
        if bytes >= self.rolling.file_bytes {
            return self.close_part();
        }
        if buffered >= BUFFER_BYTES { self.hand_over() } else { Ok(()) }
    }

    fn prepare(&mut self, epoch: Epoch) -> Result<(Prepared, Option<Flush>)> {
        self.check_whole()?;
        self.roll_by_age()?;
        self.hand_over()?;
        let applied = Epoch(self.shared.applied.load(Ordering::Acquire));
        self.closed.retain(|closed| closed.epoch.is_none_or(|epoch| epoch > applied));
        for closed in &mut self.closed {
            closed.epoch.get_or_insert(epoch);
        }
        let state = State {
            next: self.next,
            closed: self.closed.iter().map(|closed| closed.part.clone()).collect(),
            open: self.open.as_ref().map(|open| open.part.clone()),
        };
        let state = serde_json::to_vec(&state)
            .map_err(|source| Error::internal(format!("write down the state of a file sink: {source}")))?;
        Ok((Prepared { subtask: self.subtask, epoch, state }, self.flush()))
    }

    fn bytes_written(&self) -> Option<u64> {
        Some(self.bytes)
    }

    fn finish(&mut self) -> Result<()> {
        self.close_part()
    }
}
