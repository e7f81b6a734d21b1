//! Reads a delta file: its index at once, sections as they are asked for, each checked before an entry of it is given out.

use std::sync::Arc;

use weir_base::{Error, Kind, Result, Timestamp};

use super::entry::{Former, read_entry};
use super::index::{self, MAGIC, Part, Section, TRAILER};
use crate::manifest::StateFile;
use crate::storage::Storage;

/// A delta file whose index has been read.
pub struct DeltaFile {
    storage: Arc<dyn Storage>,
    file: Arc<StateFile>,
    parts: Vec<Part>,
}

impl DeltaFile {
    /// Opens a file that a manifest refers to.
    ///
    /// # Errors
    /// It is gone, cut short, damaged, or another than the manifest means.
    pub fn open(storage: &Arc<dyn Storage>, file: &Arc<StateFile>) -> Result<Self> {
        let damaged = |what: String| unreadable(storage.as_ref(), file, Kind::Corrupt, &what);
        let Some(length) = storage.length(&file.path)? else {
            return Err(unreadable(storage.as_ref(), file, Kind::NotFound, "it is gone"));
        };
        if length == 0 {
            return Err(damaged("it is empty".to_owned()));
        }
        if length != file.bytes {
            let what = if length < file.bytes { "cut short" } else { "too long" };
            return Err(damaged(format!("it is {what}: {length} bytes, it was written with {}", file.bytes)));
        }
        let bent = || damaged("its index is damaged".to_owned());
        let index_end = length.checked_sub(TRAILER as u64).ok_or_else(bent)?;
        let (index_offset, crc) = index::trailer(&storage.read(&file.path, index_end, TRAILER)?).ok_or_else(bent)?;
        let index_length = index_end.checked_sub(index_offset).and_then(|length| usize::try_from(length).ok());
        let bytes = storage.read(&file.path, index_offset, index_length.ok_or_else(bent)?)?;
        let computed = crc32fast::hash(&bytes);
        if computed != crc || crc != file.crc || storage.read(&file.path, 0, MAGIC.len())? != MAGIC {
            return Err(bent());
        }
        let parts = index::decode(&bytes).ok_or_else(bent)?;
        Ok(Self { storage: Arc::clone(storage), file: Arc::clone(file), parts })
    }

    /// Visits the entries of a part whose key group `wanted` says yes to, in the order in which they were written within their group.
    ///
    /// # Errors
    /// A section is damaged, or `visit` fails.
    pub fn visit<W, V>(&self, uid: &str, name: &str, wanted: W, mut visit: V) -> Result<()>
    where
        W: Fn(u16) -> bool,
        V: FnMut(u16, &[u8], Option<(&[u8], Timestamp)>) -> Result<()>,
    {
        let Some(part) = self.parts.iter().find(|part| part.uid == uid && part.name == name) else { return Ok(()) };
        for section in part.sections.iter().filter(|section| wanted(section.group)) {
            let bytes = self.section(part, section)?;
            let (mut rest, mut former) = (&bytes[..], Former::default());
            for _ in 0..section.entries {
                let (key, value) = read_entry(&mut rest, &mut former).ok_or_else(|| self.damaged(part, section, ""))?;
                visit(section.group, key, value)?;
            }
            if !rest.is_empty() {
                return Err(self.damaged(part, section, ""));
            }
        }
        Ok(())
    }

    fn section(&self, part: &Part, section: &Section) -> Result<Vec<u8>> {
        let length = usize::try_from(section.length).map_err(|_| self.damaged(part, section, ": it is too long"))?;
        let bytes = self.storage.read(&self.file.path, section.offset, length)?;
        let computed = crc32fast::hash(&bytes);
        if computed == section.crc {
            return Ok(bytes);
        }
        let what = format!(": its checksum is {computed:08x}, it was written with {:08x}", section.crc);
        Err(self.damaged(part, section, &what))
    }

    fn damaged(&self, part: &Part, section: &Section, what: &str) -> Error {
        let place = format!("key group {} of the state '{}' of the operator {}", section.group, part.name, part.uid);
        unreadable(self.storage.as_ref(), &self.file, Kind::Corrupt, &format!("{place} is damaged{what}"))
    }
}

fn unreadable(storage: &dyn Storage, file: &StateFile, kind: Kind, what: &str) -> Error {
    let message = format!("read the state file {}: {what}", storage.describe(&file.path));
    let hint = "restore it from a backup, or give an older checkpoint by -D execution.state-recovery.path, or --fresh";
    Error::new(kind, message).hint(hint)
}
