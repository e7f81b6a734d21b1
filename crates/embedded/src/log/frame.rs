//! The frame: the unit that is appended, checked by a CRC and made visible as a whole.
//!
//! Layout, little endian: magic (4 bytes), length of the payload (4), CRC32 (4) of all that follows and the length, number of records (4), number of the
//! first record (8), payload. A filler has another magic: it stands for records that were compacted away and for bytes that are not there.

use std::path::Path;

use weir_base::{Error, Kind};

/// Bytes of a frame before its payload.
pub(super) const HEADER_BYTES: usize = 24;

const MAGIC: [u8; 4] = *b"WEIR";
const FILLER: [u8; 4] = *b"SKIP";

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Number of its first record.
    pub first: u64,
    /// Number of its records.
    pub count: u32,
    /// Bytes of its payload.
    pub length: u32,
    /// Whether it stands for nothing: its payload was never written.
    pub(super) filler: bool,
    crc: u32,
}

impl Frame {
    /// The header for `payload`, which holds `count` records from `first` on; the header's bytes go in front of the payload.
    pub(super) fn seal(first: u64, count: u32, length: u32, payload: &[&[u8]]) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(&MAGIC);
        header[4..8].copy_from_slice(&length.to_le_bytes());
        header[12..16].copy_from_slice(&count.to_le_bytes());
        header[16..].copy_from_slice(&first.to_le_bytes());
        let crc = checksum(&header, payload);
        header[8..12].copy_from_slice(&crc.to_le_bytes());
        header
    }

    /// Reads a header; `None` when it is none.
    pub(super) fn parse(header: &[u8; HEADER_BYTES]) -> Option<Self> {
        let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let first = u64::from(word(16)) | (u64::from(word(20)) << 32);
        let filler = header[..4] == FILLER;
        let frame = Self { first, count: word(12), length: word(4), crc: word(8), filler };
        let known = if filler { checksum(header, &[]) == frame.crc } else { header[..4] == MAGIC };
        known.then_some(frame)
    }

    /// The header of a filler that stands for `count` records and `length` bytes behind it.
    pub(super) fn fill(first: u64, count: u32, length: u32) -> [u8; HEADER_BYTES] {
        let mut header = Self::seal(first, count, length, &[]);
        header[..4].copy_from_slice(&FILLER);
        header
    }

    /// Whether `payload` is what was written.
    pub(super) fn is_intact(&self, header: &[u8; HEADER_BYTES], payload: &[u8]) -> bool {
        checksum(header, &[payload]) == self.crc
    }

    /// Bytes of header and payload.
    pub(super) fn bytes(&self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.length)
    }
}

fn checksum(header: &[u8; HEADER_BYTES], payload: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[4..8]);
    hasher.update(&header[12..]);
    payload.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

/// The error of a frame that does not read back as it was written.
pub(super) fn corrupt(path: &Path, byte: u64, what: &str) -> Error {
    Error::new(Kind::Corrupt, format!("read {} at byte {byte}: {what}", path.display()))
        .hint("the disk gave back other bytes than were written: restore the folder from a backup, or delete this topic or table")
}
