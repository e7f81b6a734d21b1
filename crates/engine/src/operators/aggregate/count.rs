//! `COUNT(*)` and `COUNT(x, ...)`.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array};
use arrow_buffer::NullBuffer;
use weir_base::Result;

use super::bytes::Fixed;
use super::fold::Fold;
use super::rows::Rows;

/// Counts rows, or those where no argument is NULL.
#[derive(Debug, Clone)]
pub struct Count;

impl Count {
    fn add(states: &mut [i64], rows: &Rows<'_>, step: i64) {
        let nulls = rows.arguments.iter().map(|argument| rows.data.column(*argument).logical_nulls());
        match nulls.fold(None, |all, nulls| NullBuffer::union(all.as_ref(), nulls.as_ref())) {
            None => rows.keys.iter().for_each(|key| states[*key as usize] += step),
            Some(nulls) => {
                for (row, key) in rows.rows.iter().zip(rows.keys) {
                    states[*key as usize] += step * i64::from(nulls.is_valid(*row as usize));
                }
            }
        }
    }
}

impl Fold for Count {
    type State = i64;

    fn update(&self, states: &mut [i64], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        Self::add(states, rows, 1);
        Ok(())
    }

    fn retract(&self, states: &mut [i64], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        Self::add(states, rows, -1);
        Ok(())
    }

    fn merge(&self, into: &mut i64, _: &mut usize, from: &i64) -> Result<()> {
        *into += from;
        Ok(())
    }

    fn write(&self, state: &i64, out: &mut Vec<u8>) {
        state.put(out);
    }

    fn read(&self, bytes: &mut &[u8], _: &mut usize) -> Option<i64> {
        i64::take(bytes)
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a i64> + Clone) -> Result<ArrayRef> {
        Ok(Arc::new(Int64Array::from_iter_values(states.copied())))
    }
}
