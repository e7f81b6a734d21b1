//! Lines out of a stream of bytes, in chunks: without copying a line, and without ever holding one that is too long.
//!
//! A line ends with `\n`; a `\r` before it belongs to the end. The last line needs no end.

use std::io::{ErrorKind, Read};

use arrow_buffer::Buffer;
use weir_base::limits;
use weir_connector::Position;
use weir_format::{Oversized, RawRecord, RawRecords};
use xxhash_rust::xxh3::Xxh3;

/// How much is read at once, and when a line is too long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes of a chunk.
    pub chunk_bytes: usize,
    /// Bytes of a line at most.
    pub line_bytes: usize,
    /// Bytes kept of a longer one.
    pub kept_bytes: usize,
    /// Lines given at once at most.
    pub lines: usize,
}

impl Bounds {
    /// The program's limits.
    pub const DEFAULT: Self = Self {
        chunk_bytes: limits::FETCH_BYTES_MAX,
        line_bytes: limits::RECORD_BYTES_MAX,
        kept_bytes: limits::DEAD_LETTER_BYTES_MAX,
        lines: limits::BATCH_ROWS_MAX,
    };
}

/// The lines of `input` from a position on.
pub(crate) struct Lines<R> {
    input: R,
    bounds: Bounds,
    /// What was read.
    chunk: Buffer,
    /// Where the next line begins in the chunk.
    at: usize,
    /// Where the next line begins in the input.
    position: Position,
    /// Whether the input has ended with the chunk.
    ended: bool,
}

impl<R: Read> Lines<R> {
    /// The lines of `input`, which stands at `position`.
    pub fn new(input: R, position: Position, bounds: Bounds) -> Self {
        Self { input, bounds, chunk: Buffer::default(), at: 0, position, ended: false }
    }

    /// Where the next line begins.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Whether all that the input gave has been handed out, and it gives no more.
    pub fn is_at_end(&self) -> bool {
        self.ended && self.at == self.chunk.len()
    }

    /// The next lines: at least one, at most a chunk of them; `None` at the end of the input.
    ///
    /// # Errors
    /// What the input says.
    pub fn next_lines(&mut self) -> std::io::Result<Option<RawRecords>> {
        // How far the line that the chunk ends in is known to have no end.
        let mut searched = self.at;
        loop {
            let records = self.whole_lines(searched);
            if !records.is_empty() {
                return Ok(Some(RawRecords { data: self.chunk.clone(), records, ..RawRecords::default() }));
            }
            let rest = self.chunk.len() - self.at;
            if rest > self.bounds.line_bytes {
                return self.oversized_line().map(Some);
            }
            if self.ended {
                return Ok((rest > 0).then(|| self.last_line(rest)));
            }
            self.read_chunk(rest)?;
            searched = rest;
        }
    }

    /// The lines that end within the chunk, beginning at `self.at`; the first of them has no end before `searched`.
    fn whole_lines(&mut self, searched: usize) -> Vec<RawRecord> {
        let chunk = self.chunk.as_slice();
        let mut records = Vec::new();
        for found in memchr::memchr_iter(b'\n', &chunk[searched..]) {
            let (start, end) = (self.at, searched + found);
            if end - start > self.bounds.line_bytes {
                break;
            }
            records.push(record(chunk, start, end, self.position.offset));
            self.at = end + 1;
            self.position.offset += (end + 1 - start) as u64;
            self.position.records += 1;
            if records.len() == self.bounds.lines {
                break;
            }
        }
        records
    }

    /// The `rest` bytes at the end of the input, which nothing ends.
    fn last_line(&mut self, rest: usize) -> RawRecords {
        let record = record(&self.chunk, self.at, self.at + rest, self.position.offset);
        self.at += rest;
        self.position.offset += rest as u64;
        self.position.records += 1;
        RawRecords { data: self.chunk.clone(), records: vec![record], ..RawRecords::default() }
    }

    /// Reads a new chunk behind the `rest` bytes of the old one that make no line yet.
    fn read_chunk(&mut self, rest: usize) -> std::io::Result<()> {
        // A line longer than a chunk doubles the next one, so that it is copied a few times only.
        let room = (2 * rest).clamp(self.bounds.chunk_bytes, self.bounds.line_bytes.max(self.bounds.chunk_bytes) + 2);
        let mut bytes = Vec::with_capacity(room);
        bytes.extend_from_slice(&self.chunk[self.at..]);
        let wanted = room - rest;
        let read = (&mut self.input).take(wanted as u64).read_to_end(&mut bytes)?;
        self.ended = read < wanted;
        self.chunk = Buffer::from_vec(bytes);
        self.at = 0;
        Ok(())
    }

    /// Moves over a line that is too long: its beginning, its length and its hash.
    fn oversized_line(&mut self) -> std::io::Result<RawRecords> {
        let first = self.position.offset;
        let chunk = self.chunk.slice(self.at);
        let mut hash = Xxh3::new();
        let mut length: u64 = 0;
        let mut bytes = chunk.as_slice();
        let mut block = vec![0u8; self.bounds.chunk_bytes.min(1 << 18)];
        let mut ended = false;
        loop {
            let end = memchr::memchr(b'\n', bytes);
            let part = &bytes[..end.unwrap_or(bytes.len())];
            hash.update(part);
            length += part.len() as u64;
            if let Some(end) = end {
                self.chunk = Buffer::from_slice_ref(&bytes[end + 1..]);
                break;
            }
            let read = read_some(&mut self.input, &mut block)?;
            if read == 0 {
                self.chunk = Buffer::default();
                ended = true;
                break;
            }
            bytes = &block[..read];
        }
        self.at = 0;
        self.ended = ended;
        self.position.offset = first + length + u64::from(!ended);
        self.position.records += 1;
        let kept = chunk.len().min(self.bounds.kept_bytes);
        let kept32 = u32::try_from(kept).expect("what is kept of a record fits in 32 bits");
        Ok(RawRecords {
            data: Buffer::from_slice_ref(&chunk.as_slice()[..kept]),
            records: vec![RawRecord { start: 0, length: kept32, offset: first, null: false }],
            oversized: vec![Oversized { record: 0, length, hash: hash.digest() }],
            ..RawRecords::default()
        })
    }
}

fn read_some(input: &mut impl Read, block: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match input.read(block) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn record(chunk: &[u8], start: usize, end: usize, offset: u64) -> RawRecord {
    let end = if end > start && chunk[end - 1] == b'\r' { end - 1 } else { end };
    let small = |number: usize| u32::try_from(number).expect("a chunk is smaller than 4 GiB");
    RawRecord { start: small(start), length: small(end - start), offset, null: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Bounds = Bounds { chunk_bytes: 8, line_bytes: 20, kept_bytes: 5, lines: 3 };

    fn all(text: &[u8], bounds: Bounds) -> Vec<(String, u64)> {
        let mut lines = Lines::new(text, Position::default(), bounds);
        let mut found = Vec::new();
        while let Some(records) = lines.next_lines().unwrap() {
            assert!(records.len() <= bounds.lines);
            for index in 0..records.len() {
                let mut line = String::from_utf8(records.value(index).to_vec()).unwrap();
                if let Some(oversized) = records.oversized(index) {
                    line = format!("{line}... {}", oversized.length);
                }
                found.push((line, records.records[index].offset));
            }
        }
        assert_eq!(lines.position(), Position { offset: text.len() as u64, records: found.len() as u64 });
        assert!(lines.is_at_end());
        found
    }

    #[test]
    fn lines_are_cut_as_flink_cuts_them_whatever_the_chunks() {
        let cases: &[(&str, &[(&str, u64)])] = &[
            ("", &[]),
            ("a", &[("a", 0)]),
            ("a\n", &[("a", 0)]),
            ("a\n\nb", &[("a", 0), ("", 2), ("b", 3)]),
            ("\n", &[("", 0)]),
            ("a\r\nb\r\n", &[("a", 0), ("b", 3)]),
            ("a\r", &[("a", 0)]),
            (
                "1\n2\n3\n4\n5\n6\n7\n8\n",
                &[("1", 0), ("2", 2), ("3", 4), ("4", 6), ("5", 8), ("6", 10), ("7", 12), ("8", 14)],
            ),
            ("fourteen bytes\nx\n", &[("fourteen bytes", 0), ("x", 15)]),
            ("exactly twenty bytes\nx", &[("exactly twenty bytes", 0), ("x", 21)]),
            ("more than twenty bytes\nx\ny", &[("more ... 22", 0), ("x", 23), ("y", 25)]),
            ("more than twenty bytes, without an end", &[("more ... 38", 0)]),
        ];
        for (text, expected) in cases {
            let expected: Vec<(String, u64)> = expected.iter().map(|(line, at)| ((*line).to_owned(), *at)).collect();
            for chunk_bytes in [1, 2, 3, 7, 8, 64] {
                assert_eq!(
                    all(text.as_bytes(), Bounds { chunk_bytes, ..SMALL }),
                    expected,
                    "{text:?} by {chunk_bytes}"
                );
            }
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_known_by_its_hash() {
        let text = "0123456789".repeat(10);
        let mut lines = Lines::new(text.as_bytes(), Position::default(), SMALL);
        let records = lines.next_lines().unwrap().unwrap();
        let expected = Oversized { record: 0, length: 100, hash: xxhash_rust::xxh3::xxh3_64(text.as_bytes()) };
        assert_eq!(records.oversized, [expected]);
        assert_eq!(records.value(0), b"01234");
    }
}
