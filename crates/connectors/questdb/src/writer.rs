//! The writer of one subtask: rows into blocks, blocks into the segment of the epoch, the segment into the checkpoint.

use std::fs::{self, File, OpenOptions};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use weir_base::{Epoch, Error, Generation, Result, RowKind};
use weir_connector::{Batch, Flush, Prepared, Ready, Writer, WriterContext};

use crate::columns::Columns;
use crate::frame;
use crate::segment::{Reference, append, name, sync_folder};
use crate::sender::Shared;

/// Bytes of a block: rows wait in memory up to here, and are read back so.
const BLOCK_BYTES_MAX: usize = 1 << 20;

/// Writes rows down.
pub(crate) struct QuestDbWriter {
    shared: Arc<Shared>,
    columns: Columns,
    columns_text: String,
    folder: PathBuf,
    generation: Generation,
    subtask: u16,
    batch_rows: usize,
    /// Bytes of prepared rows, of all subtasks, at which it takes no more.
    carried_bytes_max: u64,
    parallelism: u64,
    block: Vec<u8>,
    block_rows: u32,
    segment: Option<Open>,
    /// Bytes of encoded rows.
    bytes: u64,
}

/// A segment being written.
struct Open {
    file: File,
    path: PathBuf,
    rows: u64,
    bytes: u64,
}

impl QuestDbWriter {
    pub(crate) fn new(
        shared: Arc<Shared>,
        columns: Columns,
        folder: PathBuf,
        generation: Generation,
        batch_rows: usize,
        carried_bytes_max: u64,
        context: &WriterContext,
    ) -> Self {
        Self {
            shared,
            columns_text: columns.fingerprint(),
            columns,
            folder,
            generation,
            subtask: context.subtask,
            batch_rows,
            carried_bytes_max,
            parallelism: u64::from(context.parallelism),
            block: Vec::new(),
            block_rows: 0,
            segment: None,
            bytes: 0,
        }
    }

    /// Writes the block to the segment.
    fn write_block(&mut self) -> Result<()> {
        if self.block_rows == 0 {
            return Ok(());
        }
        if self.segment.is_none() {
            let path = self.folder.join(format!("{}-{}.open", self.generation, self.subtask));
            let opened = OpenOptions::new().create(true).write(true).truncate(true).open(&path);
            let file = opened.map_err(|source| Error::io(format!("write {}", path.display()), source))?;
            self.segment = Some(Open { file, path, rows: 0, bytes: 0 });
        }
        let open = self.segment.as_mut().expect("opened above");
        append(&mut open.file, &open.path, self.block_rows, &self.block)?;
        let bytes = self.block.len() as u64 + 12;
        open.rows += u64::from(self.block_rows);
        open.bytes += bytes;
        self.block.clear();
        self.block_rows = 0;
        Ok(())
    }
}

impl Writer for QuestDbWriter {
    fn ready(&mut self) -> Result<Ready> {
        let room = self.carried_bytes_max.saturating_sub(self.shared.carried.load(Ordering::Relaxed));
        let open = self.segment.as_ref().map_or(0, |open| open.bytes).saturating_mul(self.parallelism);
        Ok(match room {
            // What is prepared is sent without any further barrier, so waiting for it ends when QuestDB is back.
            0 => Ready::No,
            // Half of what is left, not of the whole: while much is carried there must not be one checkpoint after the other.
            room if open >= room / 2 && open > 0 => Ready::WantsCheckpoint,
            _ => Ready::Yes,
        })
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        let mut from = 0;
        // -U says what +U replaces: the key stays, so there is nothing to do.
        let skipped = |row: usize| batch.kind(row) == RowKind::UpdateBefore;
        if let Some(row) = (0..batch.rows()).find(|row| batch.kind(*row) == RowKind::Delete) {
            return Err(Error::invalid(format!(
                "write row {row} to QuestDB: it is a -D row, and QuestDB deletes no rows"
            ))
            .hint("write a query without deletions, or filter them"));
        }
        while from < batch.rows() {
            if skipped(from) {
                from += 1;
                continue;
            }
            let room = self.batch_rows.saturating_sub(self.block_rows as usize).max(1);
            let to =
                (from..batch.rows()).take(room).take_while(|row| !skipped(*row)).last().map_or(from, |last| last + 1);
            let before = self.block.len();
            frame::encode(&batch.data.slice(from, to - from), &self.columns, &mut self.block)?;
            self.bytes += (self.block.len() - before) as u64;
            self.block_rows += u32::try_from(to - from).expect("a batch has at most BATCH_ROWS_MAX rows");
            from = to;
            if self.block.len() >= BLOCK_BYTES_MAX || self.block_rows as usize >= self.batch_rows {
                self.write_block()?;
            }
        }
        Ok(())
    }

    fn bytes_written(&self) -> Option<u64> {
        Some(self.bytes)
    }

    fn prepare(&mut self, epoch: Epoch) -> Result<(Prepared, Option<Flush>)> {
        self.write_block()?;
        let Some(open) = self.segment.take() else {
            return Ok((Prepared { subtask: self.subtask, epoch, state: Vec::new() }, None));
        };
        let name = name(self.generation, epoch, self.subtask);
        let path = self.folder.join(&name);
        fs::rename(&open.path, &path)
            .map_err(|source| Error::io(format!("rename {} to {name}", open.path.display()), source))?;
        let reference = Reference { name, rows: open.rows, bytes: open.bytes, columns: self.columns_text.clone() };
        self.shared.carried.fetch_add(open.bytes, Ordering::Relaxed);
        let folder = self.folder.clone();
        let flush: Flush = Box::new(move || {
            open.file.sync_data().map_err(|source| Error::io(format!("sync {}", path.display()), source))?;
            sync_folder(&folder)
        });
        Ok((Prepared { subtask: self.subtask, epoch, state: reference.to_state() }, Some(flush)))
    }
}
