//! Writing a log: appending frames, rolling segments, cutting what must not stay.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_base::{Error, Kind, Result};

use super::frame::{Frame, HEADER_BYTES};
use super::{Place, segments};

/// The one writer of a log.
pub(crate) struct LogWriter {
    dir: PathBuf,
    segment_bytes_max: u64,
    /// Where each segment begins.
    starts: Vec<Place>,
    /// The last segment, once something was appended to it.
    file: Option<Arc<File>>,
    end: Place,
    unsynced: Vec<Arc<File>>,
    names_changed: bool,
    buffer: Vec<u8>,
}

/// Files that a power cut could still lose.
pub(crate) struct Unsynced {
    dir: PathBuf,
    files: Vec<Arc<File>>,
    names_changed: bool,
}

impl LogWriter {
    /// Opens the log in `dir`, making it if there is none, and cuts off a torn tail. All before `known` is taken as whole.
    ///
    /// # Errors
    /// The folder cannot be read or written, or segments are missing in the middle.
    pub(crate) fn open(dir: &Path, known: Place, segment_bytes_max: u64) -> Result<Self> {
        std::fs::create_dir_all(dir).map_err(|error| Error::io(format!("make the folder {}", dir.display()), error))?;
        let starts = segments::list(dir)?;
        let mut log = Self {
            dir: dir.to_owned(),
            segment_bytes_max,
            end: starts.first().copied().unwrap_or(known),
            starts,
            file: None,
            unsynced: Vec::new(),
            names_changed: false,
            buffer: Vec::new(),
        };
        log.find_end(known)?;
        Ok(log)
    }

    /// Its folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The end of what was appended.
    pub(crate) fn end(&self) -> Place {
        self.end
    }

    /// Appends a frame of `count` records; a failed append leaves nothing behind.
    ///
    /// # Errors
    /// The disk is full, or fails.
    pub(crate) fn append(&mut self, count: u32, payload: &[&[u8]]) -> Result<()> {
        let length: usize = payload.iter().map(|part| part.len()).sum();
        let length = u32::try_from(length).map_err(|_| {
            Error::new(Kind::Exhausted, format!("append {length} bytes to {} at once", self.dir.display()))
        })?;
        self.buffer.clear();
        self.buffer.extend_from_slice(&Frame::seal(self.end.next, count, length, payload));
        payload.iter().for_each(|part| self.buffer.extend_from_slice(part));
        let (start, file) = self.writable()?;
        let mut sink: &File = &file;
        if let Err(error) = sink.write_all(&self.buffer) {
            // What was half written must not stay in front of the next frame.
            let cut = file.set_len(self.end.byte - start.byte);
            let path = segments::path_of(&self.dir, start);
            let mut failed = Error::io(format!("append to {}", path.display()), error);
            if cut.is_err() {
                failed = failed.hint("the half-written frame could not be cut off: the next start does it");
            }
            return Err(failed);
        }
        self.end = Place { byte: self.end.byte + self.buffer.len() as u64, next: self.end.next + u64::from(count) };
        Ok(())
    }

    /// Cuts off all behind `place`, which must lie between two frames.
    ///
    /// # Errors
    /// The log ends before it, or the disk fails.
    pub(crate) fn cut(&mut self, place: Place) -> Result<()> {
        if place.byte > self.end.byte {
            return Err(Error::new(
                Kind::Corrupt,
                format!(
                    "find record {} of {}: the log ends at record {}",
                    place.next,
                    self.dir.display(),
                    self.end.next
                ),
            )
            .hint(
                "what was decided is not there any more: restore the folder from a backup, or start the job afresh",
            ));
        }
        if place == self.end {
            return Ok(());
        }
        self.file = None;
        while let Some(start) = self.starts.last().copied().filter(|start| start.byte >= place.byte) {
            let path = segments::path_of(&self.dir, start);
            std::fs::remove_file(&path).map_err(|error| Error::io(format!("delete {}", path.display()), error))?;
            self.starts.pop();
            self.names_changed = true;
        }
        self.end = place;
        if let Some(start) = self.starts.last().copied() {
            let file = self.open_last(start)?;
            let path = segments::path_of(&self.dir, start);
            let cut = file.set_len(place.byte - start.byte).and_then(|()| file.sync_all());
            cut.map_err(|error| Error::io(format!("cut {}", path.display()), error))?;
            self.file = Some(file);
        }
        Ok(())
    }

    /// Takes over what must be synced for all appended so far to survive a power cut.
    pub(crate) fn unsynced(&mut self) -> Unsynced {
        let files = std::mem::take(&mut self.unsynced);
        Unsynced { dir: self.dir.clone(), files, names_changed: std::mem::take(&mut self.names_changed) }
    }

    /// Whether at least `bytes` would stay without the oldest segment.
    pub(crate) fn is_longer_than(&self, bytes: u64) -> bool {
        self.starts.get(1).is_some_and(|second| self.end.byte - second.byte >= bytes)
    }

    /// Deletes the oldest segments while at least `bytes_max` bytes stay and each that goes lies wholly before record `needed`. Returns how many went.
    ///
    /// # Errors
    /// A file cannot be deleted.
    pub(crate) fn retain(&mut self, bytes_max: u64, needed: u64) -> Result<usize> {
        let mut gone = 0;
        while let [first, second, ..] = self.starts[..] {
            if self.end.byte - second.byte < bytes_max || second.next > needed {
                break;
            }
            let path = segments::path_of(&self.dir, first);
            std::fs::remove_file(&path).map_err(|error| Error::io(format!("delete {}", path.display()), error))?;
            self.starts.remove(0);
            gone += 1;
        }
        Ok(gone)
    }

    /// Where the segments begin to which nothing will be appended any more, and where the next one begins.
    pub(crate) fn sealed(&self) -> impl Iterator<Item = (Place, Place)> {
        self.starts.windows(2).map(|pair| (pair[0], pair[1]))
    }

    /// Replaces the sealed segment from `start` to `end` by one that holds only `frames` (records and payload of each). It is the old one or the new one
    /// at any moment; what readers have open stays as it was. Its places stay: a filler takes the room that is left, without taking disk.
    ///
    /// # Errors
    /// The new content is not smaller, or the disk fails: then all is as before.
    pub(crate) fn rewrite(&mut self, start: Place, end: Place, frames: &[(u32, Vec<u8>)]) -> Result<()> {
        let path = segments::path_of(&self.dir, start);
        let mut bytes = Vec::new();
        let mut next = start.next;
        for (count, payload) in frames {
            let length =
                u32::try_from(payload.len()).map_err(|_| Error::internal("rewrite a segment of larger frames"))?;
            bytes.extend_from_slice(&Frame::seal(next, *count, length, &[payload]));
            bytes.extend_from_slice(payload);
            next += u64::from(*count);
        }
        let room = (end.byte - start.byte).checked_sub((bytes.len() + HEADER_BYTES) as u64);
        let room = room.and_then(|room| u32::try_from(room).ok());
        let gone = end.next.checked_sub(next).and_then(|gone| u32::try_from(gone).ok());
        let (Some(room), Some(gone)) = (room, gone) else {
            return Err(Error::internal(format!("rewrite {}: it would not shrink", path.display())));
        };
        bytes.extend_from_slice(&Frame::fill(next, gone, room));
        let beside = path.with_extension("new");
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&beside)?;
            file.write_all(&bytes)?;
            file.set_len(end.byte - start.byte)?;
            file.sync_all()?;
            std::fs::rename(&beside, &path)
        };
        self.names_changed = true;
        write().map_err(|error| Error::io(format!("rewrite {}", path.display()), error))
    }

    /// The segment that takes the next frame.
    fn writable(&mut self) -> Result<(Place, Arc<File>)> {
        let last = self.starts.last().copied().filter(|start| self.end.byte - start.byte < self.segment_bytes_max);
        let start = match last {
            Some(start) => start,
            None => {
                self.starts.push(self.end);
                self.file = None;
                self.names_changed = true;
                self.end
            }
        };
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => self.open_last(start)?,
        };
        self.file = Some(Arc::clone(&file));
        if !self.unsynced.last().is_some_and(|last| Arc::ptr_eq(last, &file)) {
            self.unsynced.push(Arc::clone(&file));
        }
        Ok((start, file))
    }

    fn open_last(&self, start: Place) -> Result<Arc<File>> {
        let path = segments::path_of(&self.dir, start);
        let opened = OpenOptions::new().read(true).append(true).create(true).open(&path);
        opened.map(Arc::new).map_err(|error| Error::io(format!("open {}", path.display()), error))
    }

    /// Walks the frames from the segment of `known` on to the first that is not whole, and cuts there.
    fn find_end(&mut self, known: Place) -> Result<()> {
        let mut index = self.starts.iter().rposition(|start| start.byte <= known.byte).unwrap_or(0);
        while let Some(start) = self.starts.get(index).copied() {
            let path = segments::path_of(&self.dir, start);
            let failed = |error| Error::io(format!("read {}", path.display()), error);
            let file = File::open(&path).map_err(failed)?;
            let bytes = file.metadata().map_err(failed)?.len();
            let mut at = if known.byte > start.byte && known.byte <= start.byte + bytes { known } else { start };
            while let Some(frame) = whole_frame(&file, at.byte - start.byte, at.next).map_err(failed)? {
                at = Place { byte: at.byte + frame.bytes(), next: at.next + u64::from(frame.count) };
            }
            self.end = at;
            index += 1;
            let continues = self.starts.get(index).is_none_or(|next| *next == at);
            if at.byte < start.byte + bytes || !continues {
                return self.drop_tail(index, start, bytes);
            }
        }
        Ok(())
    }

    /// Cuts the segment `last` at the end found, and drops the segments from `index` on: nothing behind a torn frame was ever acknowledged.
    fn drop_tail(&mut self, index: usize, last: Place, bytes: u64) -> Result<()> {
        for start in self.starts.drain(index..) {
            let path = segments::path_of(&self.dir, start);
            std::fs::remove_file(&path).map_err(|error| Error::io(format!("delete {}", path.display()), error))?;
        }
        if self.end.byte < last.byte + bytes {
            let file = self.open_last(last)?;
            let path = segments::path_of(&self.dir, last);
            file.set_len(self.end.byte - last.byte)
                .map_err(|error| Error::io(format!("cut the torn end of {}", path.display()), error))?;
        }
        Ok(())
    }
}

/// The frame at byte `at` of `file` if it is whole and begins with record `next`.
fn whole_frame(file: &File, at: u64, next: u64) -> std::io::Result<Option<Frame>> {
    let mut header = [0; HEADER_BYTES];
    if !read_all(file, &mut header, at)? {
        return Ok(None);
    }
    let rest = file.metadata()?.len() - at - HEADER_BYTES as u64;
    let Some(frame) = Frame::parse(&header).filter(|frame| frame.first == next && u64::from(frame.length) <= rest)
    else {
        return Ok(None);
    };
    let mut payload = vec![0; frame.length as usize];
    let whole = read_all(file, &mut payload, at + HEADER_BYTES as u64)? && frame.is_intact(&header, &payload);
    Ok(whole.then_some(frame))
}

/// Fills `buffer` from byte `at`; false if the file ends before.
fn read_all(file: &File, buffer: &mut [u8], at: u64) -> std::io::Result<bool> {
    match file.read_exact_at(buffer, at) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

impl Unsynced {
    /// Makes them durable.
    ///
    /// # Errors
    /// The disk fails.
    pub(crate) fn sync(self) -> Result<()> {
        let failed = |error| Error::io(format!("sync {}", self.dir.display()), error);
        for file in &self.files {
            file.sync_data().map_err(failed)?;
        }
        if self.names_changed {
            File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
        }
        Ok(())
    }
}
