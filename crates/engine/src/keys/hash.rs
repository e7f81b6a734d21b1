//! The hash of a key: XXH3 with 128 bits over its canonical bytes, for all rows of a batch at once.
//!
//! A key of one column is hashed by its content alone, so that the usual key, one text column, is hashed in place without a copy; NULL has a seed of its own.
//! The upper 64 bits choose the key group; a fingerprint holds them, so that the group of a stored key is known without the key.

use arrow_array::RecordBatch;
use weir_base::{Result, key_group_of_hash};
use weir_plan::Schema;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::canonical::{CanonicalColumn, check_key_type};

/// A key's hash.
pub type KeyHash = u128;

const SEED_VALUE: u64 = 0;
const SEED_NULL: u64 = 1;
const SEED_SEVERAL: u64 = 2;

/// The key group of a key with this hash, in `0..max_parallelism`.
#[inline]
pub fn key_group(hash: KeyHash, max_parallelism: u16) -> u16 {
    let upper = u64::try_from(hash >> 64).expect("128 bits shifted by 64 are 64 bits");
    key_group_of_hash(upper, max_parallelism)
}

/// Hashes some columns of batches.
#[derive(Debug)]
pub struct KeyHasher {
    columns: Vec<usize>,
    scratch: Vec<u8>,
}

impl KeyHasher {
    /// A hasher of `columns` of batches with `schema`; no columns: all rows have the same key.
    ///
    /// # Errors
    /// A column's type cannot be a key.
    pub fn new(columns: &[usize], schema: &Schema) -> Result<Self> {
        for &column in columns {
            let field = &schema.fields[column];
            check_key_type(&field.name, &field.data_type.logical)?;
        }
        Ok(Self { columns: columns.to_vec(), scratch: Vec::new() })
    }

    /// The columns of the key.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Replaces `hashes` by the hashes of the rows of `data`.
    ///
    /// # Errors
    /// A column has a type that cannot be a key.
    pub fn hash(&mut self, data: &RecordBatch, hashes: &mut Vec<KeyHash>) -> Result<()> {
        hashes.clear();
        match self.columns.as_slice() {
            [] => hashes.resize(data.num_rows(), xxh3_128_with_seed(&[], SEED_SEVERAL)),
            [column] => {
                let column = CanonicalColumn::of(data.column(*column))?;
                self.hash_one(&column, data.num_rows(), hashes);
            }
            several => {
                let columns = several
                    .iter()
                    .map(|column| CanonicalColumn::of(data.column(*column)))
                    .collect::<Result<Vec<_>>>()?;
                for row in 0..data.num_rows() {
                    self.scratch.clear();
                    columns.iter().for_each(|column| column.write(row, &mut self.scratch));
                    hashes.push(xxh3_128_with_seed(&self.scratch, SEED_SEVERAL));
                }
            }
        }
        Ok(())
    }

    fn hash_one(&mut self, column: &CanonicalColumn<'_>, rows: usize, hashes: &mut Vec<KeyHash>) {
        let null = xxh3_128_with_seed(&[], SEED_NULL);
        match column {
            CanonicalColumn::Text(array) => hashes.extend(
                array.iter().map(|text| text.map_or(null, |text| xxh3_128_with_seed(text.as_bytes(), SEED_VALUE))),
            ),
            other => {
                for row in 0..rows {
                    if other.is_null(row) {
                        hashes.push(null);
                        continue;
                    }
                    self.scratch.clear();
                    other.write_content(row, &mut self.scratch);
                    hashes.push(xxh3_128_with_seed(&self.scratch, SEED_VALUE));
                }
            }
        }
    }
}
