//! Segments: the rows of one epoch and subtask on disk, in blocks with a checksum each, and what a checkpoint says of one.
//!
//! A segment is called `<generation>-<epoch>-<subtask>.rows`; one being written ends with `.open`. Beside them lies `applied`: the newest epoch up to
//! which all rows are in QuestDB, with its generation, so that a segment that is not there any more can be told from one that was lost.

use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use weir_base::{Epoch, Error, Generation, Kind, Result};

/// Bytes before each block: rows, bytes, CRC-32, each 32 bits, little-endian.
const HEADER_BYTES: usize = 12;

/// What a checkpoint says of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The file's name in the table's folder.
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
    /// The columns it was written for.
    pub columns: String,
}

impl Reference {
    /// The text in `Prepared::state`.
    pub(crate) fn to_state(&self) -> Vec<u8> {
        format!("1 {} {} {} {}", self.name, self.rows, self.bytes, self.columns).into_bytes()
    }

    /// Reads it back; `None` for an epoch without rows.
    ///
    /// # Errors
    /// A state that was not written by `to_state`.
    pub(crate) fn of_state(state: &[u8]) -> Result<Option<Self>> {
        if state.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(state);
        let parts: Vec<&str> = text.split(' ').collect();
        let read = || match parts.as_slice() {
            ["1", name, rows, bytes, columns] if !name.contains('/') => Some(Self {
                name: (*name).to_owned(),
                rows: rows.parse().ok()?,
                bytes: bytes.parse().ok()?,
                columns: (*columns).to_owned(),
            }),
            _ => None,
        };
        read().map(Some).ok_or_else(|| {
            Error::new(
                Kind::Corrupt,
                format!("read what a checkpoint says of rows for QuestDB: '{text}' is not of this version"),
            )
        })
    }
}

/// The name of a segment.
pub(crate) fn name(generation: Generation, epoch: Epoch, subtask: u16) -> String {
    format!("{generation}-{epoch}-{subtask}.rows")
}

/// The generation and epoch in a segment's name.
pub(crate) fn parse_name(name: &str) -> Option<(Generation, Epoch)> {
    let mut parts = name.strip_suffix(".rows")?.split('-');
    Some((Generation(parts.next()?.parse().ok()?), Epoch(parts.next()?.parse().ok()?)))
}

/// Appends a block of `rows` rows.
///
/// # Errors
/// The disk.
pub(crate) fn append(file: &mut File, path: &Path, rows: u32, bytes: &[u8]) -> Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| {
        Error::new(Kind::Exhausted, format!("write {}: a block of rows is larger than 4 GiB", path.display()))
    })?;
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&rows.to_le_bytes());
    header[4..8].copy_from_slice(&length.to_le_bytes());
    header[8..].copy_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    let written = file.write_all(&header).and_then(|()| file.write_all(bytes));
    written.map_err(|source| Error::io(format!("write {}", path.display()), source))
}

/// Reads the blocks of a segment.
pub(crate) struct Blocks {
    file: BufReader<File>,
    path: PathBuf,
    left: u64,
}

impl Blocks {
    /// Opens the segment at `path`, of `bytes` bytes.
    ///
    /// # Errors
    /// It is not there, or shorter than the checkpoint says.
    pub(crate) fn open(path: &Path, bytes: u64) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::io(format!("read {}", path.display()), source))?;
        Ok(Self { file: BufReader::new(file), path: path.to_owned(), left: bytes })
    }

    /// The next block's rows, into `out`; `false` at the end.
    ///
    /// # Errors
    /// The disk, or a checksum that does not fit.
    pub(crate) fn next(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        out.clear();
        if self.left == 0 {
            return Ok(false);
        }
        let corrupt = |path: &Path, why: &str| {
            Error::new(Kind::Corrupt, format!("read carried rows in {}: {why}", path.display()))
        };
        let mut header = [0; HEADER_BYTES];
        self.file.read_exact(&mut header).map_err(|_| corrupt(&self.path, "it is cut off"))?;
        let field = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let length = u64::from(field(4));
        let whole = length + HEADER_BYTES as u64;
        if whole > self.left {
            return Err(corrupt(&self.path, "a block reaches behind its end"));
        }
        self.left -= whole;
        out.resize(usize::try_from(length).map_err(|_| corrupt(&self.path, "a block is too large"))?, 0);
        self.file.read_exact(out).map_err(|_| corrupt(&self.path, "it is cut off"))?;
        if crc32fast::hash(out) != field(8) {
            return Err(corrupt(&self.path, "a checksum does not fit"));
        }
        Ok(true)
    }
}

/// Makes what was renamed or removed in a folder last.
///
/// # Errors
/// The disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| Error::io(format!("sync {}", folder.display()), source))
}

/// Writes the mark `applied`.
///
/// # Errors
/// The disk.
pub(crate) fn write_applied(folder: &Path, generation: Generation, epoch: Epoch) -> Result<()> {
    let (new, path) = (folder.join("applied.new"), folder.join("applied"));
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(format!("{generation}:{epoch}\n").as_bytes())?;
        file.sync_data()?;
        fs::rename(&new, &path)
    };
    write().map_err(|source| Error::io(format!("write {}", path.display()), source))
}

/// Reads the mark `applied`; `None` if there is none.
///
/// # Errors
/// The disk, or a mark that cannot be read.
pub(crate) fn read_applied(folder: &Path) -> Result<Option<(Generation, Epoch)>> {
    let path = folder.join("applied");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::io(format!("read {}", path.display()), source)),
    };
    let read = || {
        let (generation, epoch) = text.trim().split_once(':')?;
        Some((Generation(generation.parse().ok()?), Epoch(epoch.parse().ok()?)))
    };
    read()
        .map(Some)
        .ok_or_else(|| Error::new(Kind::Corrupt, format!("read {}: it holds '{}'", path.display(), text.trim())))
}
