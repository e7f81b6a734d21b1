//! The manifest reader: a slot holds a checkpoint or a seal, or it is damaged, which is said with its place; what is read is written as it was read.

use weir_base::{Epoch, Kind};
use weir_state::{Slot, decode_slot};

/// Where the slot lies, as errors name it.
const PLACE: &str = "/checkpoints/chk-5/_metadata";

/// Reads `data` as the slot of checkpoint 5: as it is, and with checksums that are right for it, as somebody could have written who means harm.
pub fn manifest(data: &[u8]) {
    read(data);
    read(&with_checksums(data));
}

fn read(data: &[u8]) {
    match decode_slot(data, Epoch(5), PLACE) {
        Ok(Slot::Checkpoint(manifest)) => {
            let written = manifest.encode().expect("what was read can be written");
            let again = decode_slot(&written, Epoch(5), PLACE).expect("what was written can be read");
            assert_eq!(again, Slot::Checkpoint(manifest), "what was read is written as it was read");
        }
        Ok(Slot::Sealed(_)) => {}
        Err(damaged) => {
            assert_eq!(damaged.error.kind(), Kind::Corrupt, "a slot that does not read back is damaged");
            let words = damaged.error.message();
            assert!(words.starts_with("read the checkpoint /checkpoints/chk-5/_metadata: "), "{words}");
        }
    }
}

/// `data` with the checksum of its first line and that of the whole made right.
fn with_checksums(data: &[u8]) -> Vec<u8> {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (line, rest) = data.split_at(end);
    let mark = b" crc=";
    let text = line.windows(mark.len()).rposition(|window| window == mark).map_or(line, |at| &line[..at]);
    let mut whole = text.to_vec();
    whole.extend_from_slice(format!(" crc={:08x}", crc32fast::hash(text)).as_bytes());
    let body = rest.len().saturating_sub("\n00000000\n".len());
    whole.extend_from_slice(&rest[..body]);
    let checksum = crc32fast::hash(&whole);
    whole.extend_from_slice(format!("\n{checksum:08x}\n").as_bytes());
    whole
}
