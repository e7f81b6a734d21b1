//! The mark: the end of what readers may see, in a file of two slots of which the newest intact one counts.
//!
//! Writing alternates between the slots, so that a reader, or a restart after a crash in the middle of a write, always finds one that is whole.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use weir_base::{Error, Kind, Result};

use super::Place;

const FILE: &str = "mark";
const SLOT_BYTES: usize = 32;

/// The mark of a log, as its writer holds it.
pub(crate) struct Mark {
    path: PathBuf,
    file: File,
    sequence: u64,
    place: Place,
}

impl Mark {
    /// Opens the mark of the log in `dir`, making one at the log's start if there is none.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(|error| Error::io(format!("open {}", path.display()), error))?;
        let (sequence, place) = read(&file, &path)?;
        Ok(Self { path, file, sequence, place })
    }

    /// Where it stands.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Moves it, also backwards: callers know which way is right.
    pub(crate) fn set(&mut self, place: Place) -> Result<()> {
        let sequence = self.sequence + 1;
        let mut slot = [0; SLOT_BYTES];
        slot[..8].copy_from_slice(&sequence.to_le_bytes());
        slot[8..16].copy_from_slice(&place.byte.to_le_bytes());
        slot[16..24].copy_from_slice(&place.next.to_le_bytes());
        let crc = crc32fast::hash(&slot[..24]);
        slot[24..28].copy_from_slice(&crc.to_le_bytes());
        let at = (sequence % 2) * SLOT_BYTES as u64;
        let written = self.file.write_all_at(&slot, at);
        written.map_err(|error| Error::io(format!("write {}", self.path.display()), error))?;
        (self.sequence, self.place) = (sequence, place);
        Ok(())
    }
}

/// The mark of a log, as readers of any process see it.
pub(crate) struct MarkReader {
    path: PathBuf,
    file: Option<File>,
}

impl MarkReader {
    /// The mark of the log in `dir`.
    pub(crate) fn new(dir: &Path) -> Self {
        Self { path: dir.join(FILE), file: None }
    }

    /// Where it stands now; at the log's start while nothing was ever made visible.
    pub(crate) fn place(&mut self) -> Result<Place> {
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Place::default()),
                Err(error) => return Err(Error::io(format!("open {}", self.path.display()), error)),
            }
        }
        self.file.as_ref().map_or(Ok(Place::default()), |file| Ok(read(file, &self.path)?.1))
    }
}

fn read(file: &File, path: &Path) -> Result<(u64, Place)> {
    let failed = |error| Error::io(format!("read {}", path.display()), error);
    let mut slots = [0; 2 * SLOT_BYTES];
    let mut filled = 0;
    while filled < slots.len() {
        match file.read_at(&mut slots[filled..], filled as u64).map_err(failed)? {
            0 => break,
            bytes => filled += bytes,
        }
    }
    let newest = slots.chunks_exact(SLOT_BYTES).filter_map(parse).max_by_key(|(sequence, _)| *sequence);
    match newest {
        Some(newest) => Ok(newest),
        None if slots.iter().all(|byte| *byte == 0) => Ok((0, Place::default())),
        None => Err(Error::new(Kind::Corrupt, format!("read {}: neither of its two slots is intact", path.display()))
            .hint("restore the folder from a backup, or delete this topic or table")),
    }
}

fn parse(slot: &[u8]) -> Option<(u64, Place)> {
    let word = |at: usize| u64::from_le_bytes(slot[at..at + 8].try_into().expect("a slot has 32 bytes"));
    let crc = u32::from_le_bytes(slot[24..28].try_into().expect("a slot has 32 bytes"));
    let intact = word(0) > 0 && crc32fast::hash(&slot[..24]) == crc;
    intact.then(|| (word(0), Place { byte: word(8), next: word(16) }))
}
