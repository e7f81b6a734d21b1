//! Keys: canonical bytes of one or several columns, their hash, and the way of rows to the subtasks that own their keys.
//!
//! Equal keys have equal canonical bytes (-0.0 is 0.0, all NaN are one, text is text whatever its declared length) and so equal hashes; the hash chooses
//! the key group. Bytes and hashes stand in checkpoints: they are fixed by golden values and never change.

mod canonical;
mod hash;
mod partition;
mod stored;

pub use canonical::{CanonicalColumn, check_key_type};
pub use hash::{KeyHash, KeyHasher, key_group};
pub use partition::Partitioner;
pub use stored::{KeyReader, StoredKey, check_stored, group_of, hash_of};

#[cfg(test)]
mod tests;
