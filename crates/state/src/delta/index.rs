//! The index of a delta file: which section holds which key group of which part.

use weir_base::Timestamp;

use super::entry::{read_length, read_number, read_signed, take, write_number, write_signed};

/// What a file begins with.
pub(super) const MAGIC: &[u8; 8] = b"WEIRDLT1";
/// What it ends with.
const MAGIC_END: &[u8; 8] = b"WEIRDEND";
/// Bytes behind the index.
pub(super) const TRAILER: usize = 20;

/// The entries of one key group of one part. A part may have several sections of a group; later ones hold later entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Section {
    pub group: u16,
    pub offset: u64,
    pub length: u64,
    pub entries: u64,
    pub expires_max: Timestamp,
    pub crc: u32,
}

/// A part of an operator's state in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub uid: String,
    pub name: String,
    pub sections: Vec<Section>,
}

/// The index and what stands behind it. `offset` is where it begins. Returns the checksum of the index as well.
pub(super) fn encode(parts: &[Part], offset: u64) -> (Vec<u8>, u32) {
    let mut bytes = Vec::new();
    write_number(&mut bytes, parts.len() as u64);
    for part in parts {
        for text in [&part.uid, &part.name] {
            write_number(&mut bytes, text.len() as u64);
            bytes.extend_from_slice(text.as_bytes());
        }
        write_number(&mut bytes, part.sections.len() as u64);
        for section in &part.sections {
            write_number(&mut bytes, u64::from(section.group));
            write_number(&mut bytes, section.offset);
            write_number(&mut bytes, section.length);
            write_number(&mut bytes, section.entries);
            write_signed(&mut bytes, section.expires_max);
            bytes.extend_from_slice(&section.crc.to_le_bytes());
        }
    }
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&offset.to_le_bytes());
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.extend_from_slice(MAGIC_END);
    (bytes, crc)
}

/// Where the index begins and its checksum, from the last `TRAILER` bytes; `None` if they are not a trailer.
pub(super) fn trailer(bytes: &[u8]) -> Option<(u64, u32)> {
    let mut rest = bytes;
    let offset = u64::from_le_bytes(take(&mut rest, 8)?.try_into().ok()?);
    let crc = u32::from_le_bytes(take(&mut rest, 4)?.try_into().ok()?);
    (rest == MAGIC_END).then_some((offset, crc))
}

/// Reads an index; `None` if the bytes are not one.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Part>> {
    let mut rest = bytes;
    let count = read_length(&mut rest)?;
    // A count is worth nothing before the bytes behind it are seen: no capacity is reserved for it.
    let mut parts = Vec::new();
    for _ in 0..count {
        let uid = text(&mut rest)?;
        let name = text(&mut rest)?;
        let sections = read_length(&mut rest)?;
        let sections = (0..sections).map(|_| section(&mut rest)).collect::<Option<_>>()?;
        parts.push(Part { uid, name, sections });
    }
    rest.is_empty().then_some(parts)
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    let length = read_length(bytes)?;
    String::from_utf8(take(bytes, length)?.to_vec()).ok()
}

fn section(bytes: &mut &[u8]) -> Option<Section> {
    Some(Section {
        group: u16::try_from(read_number(bytes)?).ok()?,
        offset: read_number(bytes)?,
        length: read_number(bytes)?,
        entries: read_number(bytes)?,
        expires_max: read_signed(bytes)?,
        crc: u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?),
    })
}
