//! Stored keys: how whole keys stand in state. A stored key is its 16-byte hash followed by its canonical bytes: restoring hashes nothing, and no two keys are
//! ever mixed up.

use std::sync::Arc;

use arrow_array::RecordBatch;
use weir_base::{Error, Kind, Result};

use super::canonical::CanonicalColumn;
use super::hash::{KeyHash, key_group};

const HASH_BYTES: usize = size_of::<KeyHash>();

/// A stored key; shared by tables and deltas.
pub type StoredKey = Arc<[u8]>;

/// Writes the stored keys of a batch's rows.
pub struct KeyReader<'a> {
    columns: Vec<CanonicalColumn<'a>>,
}

impl<'a> KeyReader<'a> {
    /// Reads `columns` of `data`.
    ///
    /// # Errors
    /// A column cannot be a key.
    pub fn new(columns: &[usize], data: &'a RecordBatch) -> Result<Self> {
        let columns = columns.iter().map(|column| CanonicalColumn::of(data.column(*column))).collect::<Result<_>>()?;
        Ok(Self { columns })
    }

    /// Replaces `key` by the stored key of `row`, whose hash is `hash`.
    #[inline]
    pub fn read(&self, row: usize, hash: KeyHash, key: &mut Vec<u8>) {
        key.clear();
        key.extend(hash.to_be_bytes());
        self.columns.iter().for_each(|column| column.write(row, key));
    }
}

/// The key group of a stored key.
pub fn group_of(key: &[u8], max_parallelism: u16) -> u16 {
    key_group(hash_of(key), max_parallelism)
}

/// Checks a key that comes out of a checkpoint.
///
/// # Errors
/// It is too short to be one.
pub fn check_stored(key: &[u8]) -> Result<()> {
    if key.len() < HASH_BYTES {
        let length = key.len();
        return Err(Error::new(Kind::Corrupt, format!("read a key: it has {length} bytes, fewer than {HASH_BYTES}")));
    }
    Ok(())
}

/// The hash in front of a stored key.
#[inline]
pub fn hash_of(key: &[u8]) -> KeyHash {
    KeyHash::from_be_bytes(key[..HASH_BYTES].try_into().expect("a stored key begins with its hash"))
}
