//! Raw records as a reader fetches them: one buffer, and where each record lies in it.

use std::ops::Range;

use arrow_buffer::Buffer;
use weir_base::Timestamp;

/// Records of one split, in order, in one buffer that decoded string columns may share.
#[derive(Debug, Clone, Default)]
pub struct RawRecords {
    /// The bytes of all values (and keys).
    pub data: Buffer,
    /// The records.
    pub records: Vec<RawRecord>,
    /// Keys of the records, parallel to `records`, where the connector has keys; `None` entries are NULL keys.
    pub keys: Option<Vec<Option<Range<u32>>>>,
    /// The connector's timestamps, parallel to `records`, where it has any (Kafka's record timestamp).
    pub timestamps: Option<Vec<Timestamp>>,
    /// Records that were longer than `limits::RECORD_BYTES_MAX`, in order: `data` holds only their first bytes, and no decoder gives a row for them.
    pub oversized: Vec<Oversized>,
}

/// A record too long to be held in memory, of which only the beginning was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oversized {
    /// Its index in the records.
    pub record: u32,
    /// Bytes of the whole record.
    pub length: u64,
    /// XXH3 (64 bits) of the whole record.
    pub hash: u64,
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRecord {
    /// First byte of its value in `data`.
    pub start: u32,
    /// Bytes of its value; meaningless when `null`.
    pub length: u32,
    /// Where it stands in its split: a byte offset in a file, an offset in a partition.
    pub offset: u64,
    /// Whether its value is NULL (a tombstone) rather than empty.
    pub null: bool,
}

impl RawRecords {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The value of record `index`; empty for a NULL.
    #[inline]
    pub fn value(&self, index: usize) -> &[u8] {
        let record = self.records[index];
        if record.null { &[] } else { &self.data[record.start as usize..(record.start + record.length) as usize] }
    }

    /// Whether every record is UTF-8, checked in one pass over all of them.
    pub(crate) fn are_utf8(&self) -> bool {
        let data = self.data.as_slice();
        let ends = |record: &RawRecord| record.start as usize + record.length as usize;
        let values = || self.records.iter().filter(|record| !record.null);
        let Some(start) = values().map(|record| record.start as usize).min() else { return true };
        let end = values().map(ends).max().unwrap_or(start);
        // Two records side by side could each hold a half of one character: neither may begin or end inside of one.
        let inside = |at: usize| at < end && data[at] & 0xC0 == 0x80;
        simdutf8::basic::from_utf8(&data[start..end]).is_ok()
            && !values().any(|record| inside(record.start as usize) || inside(ends(record)))
    }

    /// What is known of record `index` if only its beginning was kept.
    pub fn oversized(&self, index: usize) -> Option<Oversized> {
        self.oversized.iter().copied().find(|oversized| oversized.record as usize == index)
    }

    /// The key of record `index`.
    pub fn key(&self, index: usize) -> Option<&[u8]> {
        let range = self.keys.as_ref()?[index].clone()?;
        Some(&self.data[range.start as usize..range.end as usize])
    }
}
