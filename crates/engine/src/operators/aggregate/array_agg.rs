//! `ARRAY_AGG(x)`: the values in the order of their arrival, with NULL unless it says IGNORE NULLS; NULL where there is none. Where values are taken back, the
//! first of those that are equal goes.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, ListArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::Field;
use weir_base::{Error, Result};
use weir_plan::DataType;

use super::elements::ElementSink;
use super::fold::Fold;
use super::rows::Rows;
use super::sequence::Sequence;
use super::values::ValueCodec;

/// Values as an array.
#[derive(Debug, Clone)]
pub struct ArrayAgg {
    codec: ValueCodec,
    ignore_nulls: bool,
    retracts: bool,
}

impl ArrayAgg {
    /// Of values of `element`; `retracts`: they are taken back, too.
    ///
    /// # Errors
    /// Values of the type cannot be kept.
    pub fn new(element: &DataType, ignore_nulls: bool, retracts: bool) -> Result<Self> {
        Ok(Self { codec: ValueCodec::new(std::slice::from_ref(element))?, ignore_nulls, retracts })
    }

    /// Calls `take` with key and bytes of each value that counts.
    fn each(&self, rows: &Rows<'_>, mut take: impl FnMut(usize, &[u8])) -> Result<()> {
        let column = rows.taken(0)?;
        let values = self.codec.encode(std::slice::from_ref(&column))?;
        for (place, key) in rows.keys.iter().enumerate() {
            if !self.ignore_nulls || column.is_valid(place) {
                take(*key as usize, values.row(place).data());
            }
        }
        Ok(())
    }
}

impl Fold for ArrayAgg {
    type State = Sequence;

    fn update(&self, states: &mut [Sequence], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        self.each(rows, |key, value| states[key].push(value, self.retracts, heap))
    }

    fn retract(&self, states: &mut [Sequence], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        self.each(rows, |key, value| states[key].remove(value, heap))
    }

    fn merge(&self, into: &mut Sequence, heap: &mut usize, from: &Sequence) -> Result<()> {
        into.merge(from, self.retracts, heap);
        Ok(())
    }

    fn write(&self, _: &Sequence, _: &mut Vec<u8>) {}

    fn read(&self, _: &mut &[u8], _: &mut usize) -> Option<Sequence> {
        Some(Sequence::default())
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Sequence> + Clone) -> Result<ArrayRef> {
        let items = self.codec.decode(states.clone().flat_map(Sequence::iter).map(Some))?;
        let offsets = OffsetBuffer::from_lengths(states.clone().map(Sequence::len));
        let nulls = NullBuffer::from_iter(states.map(|state| !state.is_empty()));
        let field = Field::new("item", items.data_type().clone(), true);
        let arrays = ListArray::try_new(Arc::new(field), offsets, items, Some(nulls));
        Ok(Arc::new(arrays.map_err(|error| Error::internal(format!("put values into arrays: {error}")))?))
    }

    fn heap_bytes(&self, state: &Sequence) -> usize {
        state.bytes()
    }

    fn has_elements(&self) -> bool {
        true
    }

    fn freeze_elements(&self, state: &mut Sequence, sink: &mut ElementSink<'_>) {
        state.freeze(sink);
    }

    fn forget_elements(&self, state: &Sequence, sink: &mut ElementSink<'_>) {
        state.forget(sink);
    }

    fn read_element(&self, state: &mut Sequence, heap: &mut usize, key: &[u8], value: &[u8]) -> Option<()> {
        state.read(key, value, self.retracts, heap)
    }
}
