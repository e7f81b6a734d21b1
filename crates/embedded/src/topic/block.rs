//! A block of records: the payload of a topic's frame.
//!
//! Layout, little endian, for n records: n timestamps (8 bytes), n lengths of keys, n lengths of values (4 bytes each; all ones: NULL), then all keys,
//! then all values.

use std::ops::Range;

use weir_base::Timestamp;
use weir_format::RawRecord;

/// A record of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its time, milliseconds since the epoch.
    pub timestamp: Timestamp,
}

const NULL: u32 = u32::MAX;

/// Collects the records of the next block.
#[derive(Debug, Default)]
pub(super) struct BlockBuilder {
    timestamps: Vec<u8>,
    key_lengths: Vec<u8>,
    value_lengths: Vec<u8>,
    keys: Vec<u8>,
    values: Vec<u8>,
    count: u32,
}

impl BlockBuilder {
    /// Adds a record.
    pub fn push(&mut self, record: &Record<'_>) {
        self.timestamps.extend_from_slice(&record.timestamp.to_le_bytes());
        add(record.key, &mut self.key_lengths, &mut self.keys);
        add(record.value, &mut self.value_lengths, &mut self.values);
        self.count += 1;
    }

    /// Records in it.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Bytes of the payload.
    pub fn bytes(&self) -> usize {
        self.parts().iter().map(|part| part.len()).sum()
    }

    /// The payload, to be written one part after the other.
    pub fn parts(&self) -> [&[u8]; 5] {
        [&self.timestamps, &self.key_lengths, &self.value_lengths, &self.keys, &self.values]
    }

    /// Makes it empty, keeping its memory.
    pub fn clear(&mut self) {
        let parts =
            [&mut self.timestamps, &mut self.key_lengths, &mut self.value_lengths, &mut self.keys, &mut self.values];
        parts.into_iter().for_each(Vec::clear);
        self.count = 0;
    }
}

fn add(bytes: Option<&[u8]>, lengths: &mut Vec<u8>, all: &mut Vec<u8>) {
    let length = bytes.map_or(NULL, |bytes| u32::try_from(bytes.len()).expect("a record is bounded far below 4 GiB"));
    lengths.extend_from_slice(&length.to_le_bytes());
    all.extend_from_slice(bytes.unwrap_or_default());
}

/// The records of a block that lies in `data` from byte `start` on: values and keys by where they lie in `data`.
pub(super) struct Block {
    pub records: Vec<RawRecord>,
    pub keys: Vec<Option<Range<u32>>>,
    pub timestamps: Vec<Timestamp>,
}

impl Block {
    /// Reads the block of `count` records from number `first` on; `None` when its lengths do not add up.
    pub fn parse(data: &[u8], start: usize, first: u64, count: u32) -> Option<Self> {
        let count = count as usize;
        let payload = &data[start..];
        let (timestamps, rest) = payload.split_at_checked(count * 8)?;
        let (key_lengths, rest) = rest.split_at_checked(count * 4)?;
        let (value_lengths, rest) = rest.split_at_checked(count * 4)?;
        let mut at = u32::try_from(data.len() - rest.len()).ok()?;
        let end = u32::try_from(data.len()).ok()?;
        let mut take = |length: u32| {
            let begin = at;
            at = if length == NULL { at } else { at.checked_add(length).filter(|at| *at <= end)? };
            Some(begin)
        };
        let mut keys = Vec::with_capacity(count);
        for length in words(key_lengths) {
            let begin = take(length)?;
            keys.push((length != NULL).then(|| begin..begin + length));
        }
        let mut records = Vec::with_capacity(count);
        for (offset, length) in (first..).zip(words(value_lengths)) {
            let begin = take(length)?;
            let null = length == NULL;
            records.push(RawRecord { start: begin, length: if null { 0 } else { length }, offset, null });
        }
        let time = |bytes: &[u8]| Timestamp::from_le_bytes(bytes.try_into().expect("chunks have 8 bytes"));
        (at == end).then(|| Self { records, keys, timestamps: timestamps.chunks_exact(8).map(time).collect() })
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().expect("chunks have 4 bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_reads_back_with_nulls_and_empty_values() {
        let mut builder = BlockBuilder::default();
        let records = [
            Record { key: None, value: Some(b"one"), timestamp: 1 },
            Record { key: Some(b"k"), value: None, timestamp: -2 },
            Record { key: Some(b""), value: Some(b""), timestamp: 3 },
        ];
        records.iter().for_each(|record| builder.push(record));
        let mut data = b"before".to_vec();
        builder.parts().iter().for_each(|part| data.extend_from_slice(part));
        let block = Block::parse(&data, 6, 40, 3).unwrap();
        for (index, record) in records.iter().enumerate() {
            let raw = block.records[index];
            let value = (!raw.null).then(|| &data[raw.start as usize..(raw.start + raw.length) as usize]);
            let key = block.keys[index].clone().map(|range| &data[range.start as usize..range.end as usize]);
            assert_eq!((key, value, block.timestamps[index]), (record.key, record.value, record.timestamp));
            assert_eq!(raw.offset, 40 + index as u64);
        }
        assert!(Block::parse(&data[..data.len() - 1], 6, 40, 3).is_none());
        assert!(Block::parse(&data, 6, 40, 4).is_none());
    }
}
