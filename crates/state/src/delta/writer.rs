//! Writes a delta file: entries come in any order, are gathered by key group, and go out as sections.

use std::ops::Range;
use std::sync::Arc;

use weir_base::limits::DELTA_BUFFER_BYTES_MAX;
use weir_base::{Epoch, Error, Result, Timestamp};
use weir_ports::Entries;

use super::entry::{Former, write_entry};
use super::index::{self, MAGIC, Part, Section};
use crate::manifest::StateFile;
use crate::storage::{Append, Storage};

/// A delta file that is being written. Dropping it leaves nothing.
pub struct DeltaWriter {
    file: Box<dyn Append>,
    path: String,
    epoch: Epoch,
    offset: u64,
    parts: Vec<Part>,
}

/// What a finished file holds of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartSummary {
    /// The operator.
    pub uid: String,
    /// The part's name.
    pub part: String,
    /// The key groups of which there are entries: a hull.
    pub groups: Range<u16>,
    /// Bytes of its sections.
    pub bytes: u64,
    /// Entries in them.
    pub entries: u64,
    /// When the last of them will have expired.
    pub expires_max: Timestamp,
}

impl DeltaWriter {
    /// Begins the file at `path` in `storage`.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn create(storage: &dyn Storage, path: String, epoch: Epoch) -> Result<Self> {
        let mut file = storage.create(&path)?;
        file.append(MAGIC)?;
        Ok(Self { file, path, epoch, offset: MAGIC.len() as u64, parts: Vec::new() })
    }

    /// Writes what `give` gives out as a part of operator `uid`: entries of these key groups. A part may be written piece by piece (by its subtasks).
    ///
    /// # Errors
    /// The file cannot be written, or an entry lies outside of `groups`.
    pub fn part<F>(&mut self, uid: &str, name: &str, groups: Range<u16>, give: F) -> Result<()>
    where
        F: FnOnce(&mut dyn Entries) -> Result<()>,
    {
        let known = self.parts.iter().position(|part| part.uid == uid && part.name == name);
        let part = known.unwrap_or_else(|| {
            self.parts.push(Part { uid: uid.to_owned(), name: name.to_owned(), sections: Vec::new() });
            self.parts.len() - 1
        });
        let buckets = groups.clone().map(|_| Bucket::default()).collect();
        let mut entries = Buckets { writer: self, part, first: groups.start, buckets, bytes: 0 };
        give(&mut entries)?;
        entries.flush()
    }

    /// Whether no entry was given yet.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.sections.is_empty())
    }

    /// Makes the file durable and shows it.
    ///
    /// # Errors
    /// It cannot be made durable; then it is not there.
    pub fn finish(mut self) -> Result<(Arc<StateFile>, Vec<PartSummary>)> {
        let (index, crc) = index::encode(&self.parts, self.offset);
        self.file.append(&index)?;
        self.file.finish()?;
        let bytes = self.offset + index.len() as u64;
        let file = StateFile { path: self.path, epoch: self.epoch, bytes, crc };
        Ok((Arc::new(file), self.parts.iter().filter_map(summary).collect()))
    }
}

fn summary(part: &Part) -> Option<PartSummary> {
    let sections = || part.sections.iter();
    Some(PartSummary {
        uid: part.uid.clone(),
        part: part.name.clone(),
        groups: sections().map(|section| section.group).min()?..sections().map(|section| section.group + 1).max()?,
        bytes: sections().map(|section| section.length).sum(),
        entries: sections().map(|section| section.entries).sum(),
        expires_max: sections().map(|section| section.expires_max).max()?,
    })
}

/// The entries of one key group that are not written yet.
struct Bucket {
    bytes: Vec<u8>,
    former: Former,
    entries: u64,
    expires_max: Timestamp,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { bytes: Vec::new(), former: Former::default(), entries: 0, expires_max: Timestamp::MIN }
    }
}

/// Gathers the entries of one part.
struct Buckets<'a> {
    writer: &'a mut DeltaWriter,
    part: usize,
    first: u16,
    buckets: Vec<Bucket>,
    bytes: usize,
}

impl Buckets<'_> {
    #[inline]
    fn add(&mut self, group: u16, key: &[u8], value: Option<(&[u8], Timestamp)>) -> Result<()> {
        let index = usize::from(group.wrapping_sub(self.first));
        let Some(bucket) = self.buckets.get_mut(index) else { return Err(self.stray(group)) };
        let before = bucket.bytes.len();
        write_entry(&mut bucket.bytes, &mut bucket.former, key, value);
        bucket.entries += 1;
        // An entry that has gone may be forgotten only with the oldest file, whatever the time: it does not hold the file.
        bucket.expires_max = bucket.expires_max.max(value.map_or(Timestamp::MIN, |(_, expires)| expires));
        self.bytes += bucket.bytes.len() - before;
        if self.bytes >= DELTA_BUFFER_BYTES_MAX { self.flush() } else { Ok(()) }
    }

    /// Writes the gathered entries as sections.
    fn flush(&mut self) -> Result<()> {
        for (group, bucket) in (self.first..).zip(&mut self.buckets) {
            if bucket.entries == 0 {
                continue;
            }
            let Bucket { bytes, entries, expires_max, .. } = std::mem::take(bucket);
            let (offset, length) = (self.writer.offset, bytes.len() as u64);
            let section = Section { group, offset, length, entries, expires_max, crc: crc32fast::hash(&bytes) };
            self.writer.file.append(&bytes)?;
            self.writer.offset += length;
            self.writer.parts[self.part].sections.push(section);
        }
        self.bytes = 0;
        Ok(())
    }

    #[cold]
    fn stray(&self, group: u16) -> Error {
        let part = &self.writer.parts[self.part];
        let groups = usize::from(self.first)..usize::from(self.first) + self.buckets.len();
        let what = format!("an entry of key group {group} came from the subtask of key groups {groups:?}");
        Error::internal(format!("write the state '{}' of the operator {}: {what}", part.name, part.uid))
    }
}

impl Entries for Buckets<'_> {
    fn put(&mut self, key_group: u16, key: &[u8], value: &[u8], expires: Timestamp) -> Result<()> {
        self.add(key_group, key, Some((value, expires)))
    }

    fn delete(&mut self, key_group: u16, key: &[u8]) -> Result<()> {
        self.add(key_group, key, None)
    }
}
