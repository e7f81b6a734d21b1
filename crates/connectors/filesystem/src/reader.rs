//! The reader: one file after another, each from its position to its end.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use arrow_array::builder::StringViewBuilder;
use arrow_array::{ArrayRef, Int64Array, TimestampMillisecondArray};
use weir_base::{Clock, Error, Kind, Result};
use weir_connector::{Fetch, Payload, Position, Reader, SplitId};

use crate::lines::{Bounds, Lines};

/// Reads the files it was given, in the order they were given.
pub(crate) struct FileReader {
    metadata: Vec<String>,
    clock: Arc<dyn Clock>,
    waiting: VecDeque<(SplitId, Position)>,
    open: Option<OpenFile>,
}

struct OpenFile {
    split: SplitId,
    lines: Lines<File>,
    bytes: i64,
    modified: i64,
}

impl FileReader {
    /// A reader that gives the metadata columns `metadata`.
    pub fn new(metadata: Vec<String>, clock: Arc<dyn Clock>) -> Self {
        Self { metadata, clock, waiting: VecDeque::new(), open: None }
    }

    /// The metadata columns for `rows` records of `file`.
    fn metadata_columns(&self, file: &OpenFile, rows: usize) -> Result<Vec<ArrayRef>> {
        let path = &*file.split.0;
        let text = |text: &str| -> ArrayRef {
            let mut builder = StringViewBuilder::with_capacity(rows).with_deduplicate_strings();
            (0..rows).for_each(|_| builder.append_value(text));
            Arc::new(builder.finish())
        };
        let column = |key: &String| -> Result<ArrayRef> {
            Ok(match key.as_str() {
                "file.path" => text(path),
                "file.name" => text(path.rsplit('/').next().unwrap_or(path)),
                "file.size" => Arc::new(Int64Array::from_value(file.bytes, rows)),
                "file.modification-time" => {
                    Arc::new(TimestampMillisecondArray::from_value(file.modified, rows).with_timezone("UTC"))
                }
                other => return Err(Error::internal(format!("give the metadata column '{other}'"))),
            })
        };
        self.metadata.iter().map(column).collect()
    }
}

/// Opens the file of `split` at `from`.
fn open(split: SplitId, from: Position) -> Result<OpenFile> {
    let about = |source| Error::io(format!("read the file '{split}'"), source);
    let mut file = File::open(&*split.0).map_err(about)?;
    let metadata = file.metadata().map_err(about)?;
    check_length(&split, metadata.len(), from)?;
    file.seek(SeekFrom::Start(from.offset)).map_err(about)?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    Ok(OpenFile {
        lines: Lines::new(file, from, Bounds::DEFAULT),
        bytes: i64::try_from(metadata.len()).unwrap_or(i64::MAX),
        modified: i64::try_from(modified.as_millis()).unwrap_or(i64::MAX),
        split,
    })
}

fn check_length(split: &SplitId, bytes: u64, from: Position) -> Result<()> {
    if bytes >= from.offset {
        return Ok(());
    }
    let message = format!(
        "go on reading the file '{split}' at byte {}: it has only {bytes} bytes, so it was cut or replaced since the checkpoint",
        from.offset
    );
    Err(Error::new(Kind::Corrupt, message).hint("put the file back as it was, or start afresh with --fresh"))
}

/// Refuses an end that comes before the one that the file had: its last line would be half of one, and what followed it lost.
fn check_end(file: &OpenFile) -> Result<()> {
    let (OpenFile { split, bytes, .. }, end) = (file, file.lines.position().offset);
    if !file.lines.is_at_end() || i64::try_from(end).is_ok_and(|end| end >= *bytes) {
        return Ok(());
    }
    let message = format!(
        "read the file '{split}': it had {bytes} bytes and ends at byte {end}, so it was cut while it was read"
    );
    Err(Error::new(Kind::Corrupt, message)
        .hint("put the file back as it was; the job goes on from its last checkpoint"))
}

impl Reader for FileReader {
    fn add(&mut self, split: SplitId, from: Option<Position>) -> Result<()> {
        let from = from.unwrap_or_default();
        let metadata = fs::metadata(Path::new(&*split.0))
            .map_err(|source| Error::io(format!("read the file '{split}'"), source))?;
        check_length(&split, metadata.len(), from)?;
        self.waiting.push_back((split, from));
        Ok(())
    }

    fn fetch(&mut self, wait: Duration) -> Result<Fetch> {
        if self.open.is_none() {
            let Some((split, from)) = self.waiting.pop_front() else {
                self.clock.sleep(wait);
                return Ok(Fetch::Nothing);
            };
            self.open = Some(open(split, from)?);
        }
        let Some(mut file) = self.open.take() else { return Ok(Fetch::Nothing) };
        let first = file.lines.position();
        let lines = file.lines.next_lines();
        let lines = lines
            .map_err(|source| Error::io(format!("read the file '{}' at byte {}", file.split, first.offset), source))?;
        check_end(&file)?;
        let Some(records) = lines else { return Ok(Fetch::End(file.split)) };
        let fetch = Fetch::Records {
            split: file.split.clone(),
            metadata: self.metadata_columns(&file, records.len())?,
            payload: Payload::Raw(records),
            first,
            next: file.lines.position(),
        };
        self.open = Some(file);
        Ok(fetch)
    }
}
