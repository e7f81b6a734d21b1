//! `COUNT(*)` and `COUNT(x)`.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array};
use weir_base::Result;

use super::fold::{Fixed, Fold};

/// Counts rows, or values that are not NULL.
#[derive(Debug, Clone)]
pub struct Count;

impl Fold for Count {
    type State = i64;

    fn update(&self, states: &mut [i64], column: Option<&dyn Array>, rows: &[u32], keys: &[u32]) -> Result<()> {
        match column.and_then(Array::logical_nulls) {
            None => keys.iter().for_each(|key| states[*key as usize] += 1),
            Some(nulls) => {
                for (row, key) in rows.iter().zip(keys) {
                    states[*key as usize] += i64::from(nulls.is_valid(*row as usize));
                }
            }
        }
        Ok(())
    }

    fn write(&self, state: &i64, out: &mut Vec<u8>) {
        state.put(out);
    }

    fn read(&self, bytes: &mut &[u8]) -> Option<i64> {
        i64::take(bytes)
    }

    fn finish(&self, states: &[i64]) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(states.iter().copied()))
    }
}
