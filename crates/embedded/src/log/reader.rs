//! Reading a log: frame after frame up to a visible place, from any process, while it is written.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_base::{Error, Kind, Result};

use super::frame::{Frame, HEADER_BYTES, corrupt};
use super::{Place, segments};

/// A reader at a place of a log.
pub(crate) struct LogReader {
    dir: PathBuf,
    at: Place,
    /// The segment open, with where it begins.
    open: Option<(Place, Arc<File>)>,
    /// All segments opened so far, if they are to stay as they were at first sight while others rewrite them.
    kept: Option<BTreeMap<Place, Arc<File>>>,
}

impl LogReader {
    /// A reader of the log in `dir` at `at`, which must lie between two frames.
    pub(crate) fn at(dir: &Path, at: Place) -> Self {
        Self { dir: dir.to_owned(), at, open: None, kept: None }
    }

    /// A reader at the oldest frame that there still is; at `end` if there is none.
    pub(crate) fn oldest(dir: &Path, end: Place) -> Result<Self> {
        let oldest = segments::list(dir)?.first().copied().unwrap_or(end);
        Ok(Self::at(dir, oldest))
    }

    /// A reader at the frame that holds record `number`, or at `end` if that is where it will be.
    ///
    /// # Errors
    /// The record lies before the oldest segment or behind `end`.
    pub(crate) fn seek(dir: &Path, number: u64, end: Place) -> Result<Self> {
        if number == end.next {
            return Ok(Self::at(dir, end));
        }
        let starts = segments::list(dir)?;
        let oldest = starts.first().copied().unwrap_or(end);
        let start = starts.iter().rev().find(|start| start.next <= number);
        let Some(start) = start.filter(|_| number < end.next) else {
            let range = format!("{} to {}", oldest.next, end.next);
            return Err(Error::invalid(format!("read {} from record {number}: it holds {range}", dir.display()))
                .hint("older records have gone by its retention, or the log was deleted since: start the job afresh"));
        };
        let mut reader = Self::at(dir, *start);
        while let Some(frame) = reader.peek(end)? {
            if number < frame.first + u64::from(frame.count) {
                break;
            }
            reader.skip(&frame);
        }
        Ok(reader)
    }

    /// Keeps each segment open once it was read, so that going back finds the same frames although it was compacted meanwhile.
    pub(crate) fn keeping(mut self) -> Self {
        self.kept = Some(BTreeMap::new());
        self
    }

    /// The log's folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The place of the next frame.
    pub(crate) fn place(&self) -> Place {
        self.at
    }

    /// The header of the next frame, if it lies before `visible`.
    pub(crate) fn peek(&mut self, visible: Place) -> Result<Option<Frame>> {
        Ok(self.header(visible)?.map(|(_, frame)| frame))
    }

    /// Goes to `place`, which must lie between two frames.
    pub(crate) fn go(&mut self, place: Place) {
        self.at = place;
    }

    /// The first bytes of the next frame's payload, not checked yet: whoever needs more than a hint calls `next`.
    pub(crate) fn glance<const N: usize>(&mut self, visible: Place) -> Result<Option<(Frame, [u8; N])>> {
        let Some((_, frame)) = self.header(visible)? else { return Ok(None) };
        let Some((start, file)) = &self.open else { return Ok(None) };
        let path = segments::path_of(&self.dir, *start);
        let in_file = self.at.byte - start.byte;
        let mut bytes = [0; N];
        if (frame.length as usize) < N {
            return Err(corrupt(&path, in_file, "a frame is shorter than its own head"));
        }
        file.read_exact_at(&mut bytes, in_file + HEADER_BYTES as u64)
            .map_err(|error| cut_off(error, &path, in_file))?;
        Ok(Some((frame, bytes)))
    }

    /// Goes past `frame`, which `peek` gave.
    pub(crate) fn skip(&mut self, frame: &Frame) {
        self.at = Place { byte: self.at.byte + frame.bytes(), next: frame.first + u64::from(frame.count) };
    }

    /// Appends the payload of the next frame to `into`, if it lies before `visible`.
    ///
    /// # Errors
    /// It does not read back as it was written, or its segment has gone.
    pub(crate) fn next(&mut self, visible: Place, into: &mut Vec<u8>) -> Result<Option<Frame>> {
        let Some((header, frame)) = self.header(visible)? else { return Ok(None) };
        let Some((start, file)) = &self.open else { return Ok(None) };
        let begin = into.len();
        into.resize(begin + frame.length as usize, 0);
        let in_file = self.at.byte - start.byte;
        let path = segments::path_of(&self.dir, *start);
        file.read_exact_at(&mut into[begin..], in_file + HEADER_BYTES as u64)
            .map_err(|error| cut_off(error, &path, in_file))?;
        if !frame.is_intact(&header, &into[begin..]) {
            return Err(corrupt(&path, in_file, "a frame does not match its checksum"));
        }
        self.skip(&frame);
        Ok(Some(frame))
    }

    fn header(&mut self, visible: Place) -> Result<Option<([u8; HEADER_BYTES], Frame)>> {
        while self.at.byte < visible.byte {
            self.open_segment()?;
            let Some((start, file)) = &self.open else { return Ok(None) };
            let in_file = self.at.byte - start.byte;
            let path = segments::path_of(&self.dir, *start);
            let mut header = [0; HEADER_BYTES];
            file.read_exact_at(&mut header, in_file).map_err(|error| cut_off(error, &path, in_file))?;
            let frame = Frame::parse(&header).ok_or_else(|| corrupt(&path, in_file, "there is no frame"))?;
            if self.at.byte + frame.bytes() > visible.byte {
                return Err(corrupt(&path, in_file, "a frame is longer than the log"));
            }
            if frame.first != self.at.next {
                let text = format!("a frame begins with record {} where {} was due", frame.first, self.at.next);
                return Err(corrupt(&path, in_file, &text));
            }
            if !frame.filler {
                return Ok(Some((header, frame)));
            }
            self.skip(&frame);
        }
        Ok(None)
    }

    /// Makes `open` the segment that holds the next frame.
    fn open_segment(&mut self) -> Result<()> {
        if let Some((start, file)) = &self.open {
            let path = || segments::path_of(&self.dir, *start);
            let bytes = file
                .metadata()
                .map_err(|error| Error::io(format!("ask for the length of {}", path().display()), error))?;
            if (start.byte..start.byte + bytes.len()).contains(&self.at.byte) {
                return Ok(());
            }
        }
        let starts = segments::list(&self.dir)?;
        let Some(start) = starts.iter().rev().find(|start| start.byte <= self.at.byte).copied() else {
            return Err(Error::new(
                Kind::NotFound,
                format!("read {} from record {}: it has gone", self.dir.display(), self.at.next),
            )
            .hint("the reader fell behind the retention of the topic"));
        };
        let path = segments::path_of(&self.dir, start);
        let open =
            || File::open(&path).map(Arc::new).map_err(|error| Error::io(format!("open {}", path.display()), error));
        let file = match &mut self.kept {
            None => open()?,
            Some(kept) => match kept.get(&start) {
                Some(file) => Arc::clone(file),
                None => Arc::clone(kept.entry(start).or_insert(open()?)),
            },
        };
        self.open = Some((start, file));
        Ok(())
    }
}

fn cut_off(error: std::io::Error, path: &Path, byte: u64) -> Error {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => corrupt(path, byte, "the file ends before what it was said to hold"),
        _ => Error::io(format!("read {} at byte {byte}", path.display()), error),
    }
}
