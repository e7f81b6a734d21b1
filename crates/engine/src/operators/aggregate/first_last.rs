//! `FIRST_VALUE(x)`, `LAST_VALUE(x)` where values only come, and `SINGLE_VALUE(x)`: one value by order of arrival. The first two leave NULL out.

use arrow_array::{Array, ArrayRef};
use weir_base::{Error, Result};
use weir_plan::DataType;

use super::bytes::{Fixed, put_bytes, take_bytes};
use super::fold::Fold;
use super::multiset::Value;
use super::rows::Rows;
use super::values::ValueCodec;

/// Which value stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The first that is not NULL.
    First,
    /// The last that is not NULL.
    Last,
    /// The only one, NULL too; a second fails the job.
    Single,
}

/// One value of any type.
#[derive(Debug, Clone)]
pub struct OneValue {
    which: Which,
    codec: ValueCodec,
}

impl OneValue {
    /// Of values of `data_type`.
    ///
    /// # Errors
    /// Values of the type cannot be kept.
    pub fn new(which: Which, data_type: &DataType) -> Result<Self> {
        Ok(Self { which, codec: ValueCodec::new(std::slice::from_ref(data_type))? })
    }

    fn take(&self, state: &mut Option<Value>, heap: &mut usize, value: &[u8]) -> Result<()> {
        match (self.which, &state) {
            (Which::First, Some(_)) => return Ok(()),
            (Which::Single, Some(_)) => {
                return Err(Error::invalid("SingleValueAggFunction received more than one element."));
            }
            _ => {}
        }
        *heap = *heap + bytes_of(value) - state.as_ref().map_or(0, |former| bytes_of(former));
        *state = Some(value.into());
        Ok(())
    }
}

impl Fold for OneValue {
    type State = Option<Value>;

    fn update(&self, states: &mut [Self::State], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        let column = rows.taken(0)?;
        let values = self.codec.encode(std::slice::from_ref(&column))?;
        for (place, key) in rows.keys.iter().enumerate() {
            if self.which == Which::Single || column.is_valid(place) {
                self.take(&mut states[*key as usize], heap, values.row(place).data())?;
            }
        }
        Ok(())
    }

    fn retract(&self, states: &mut [Self::State], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        if self.which != Which::Single {
            return Err(super::fold::inserts_only());
        }
        for key in rows.keys {
            if let Some(former) = states[*key as usize].take() {
                *heap -= bytes_of(&former);
            }
        }
        Ok(())
    }

    fn merge(&self, into: &mut Self::State, heap: &mut usize, from: &Self::State) -> Result<()> {
        from.as_ref().map_or(Ok(()), |value| self.take(into, heap, value))
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        u8::from(state.is_some()).put(out);
        if let Some(value) = state {
            put_bytes(value, out);
        }
    }

    fn read(&self, bytes: &mut &[u8], heap: &mut usize) -> Option<Self::State> {
        match u8::take(bytes)? {
            0 => Some(None),
            _ => {
                let value = take_bytes(bytes)?;
                *heap += bytes_of(value);
                Some(Some(value.into()))
            }
        }
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        self.codec.decode(states.map(Option::as_ref))
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.as_ref().map_or(0, |value| bytes_of(value))
    }
}

/// Bytes of a shared value on the heap: two counters stand before it.
fn bytes_of(value: &[u8]) -> usize {
    2 * size_of::<usize>() + value.len()
}
