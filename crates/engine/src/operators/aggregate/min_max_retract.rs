//! `MIN(x)` and `MAX(x)` where values are taken back, too: all values are kept in order, with how often each is there. Floats are ordered as Java's
//! `Double.compare` orders them: -0.0 before 0.0, NaN last.

use arrow_array::{Array, ArrayRef};
use weir_base::Result;
use weir_plan::DataType;

use super::elements::ElementSink;
use super::fold::Fold;
use super::multiset::OrderedMultiset;
use super::rows::Rows;
use super::values::ValueCodec;

/// Of any type that has an order.
#[derive(Debug, Clone)]
pub struct MinMaxRetract {
    greatest: bool,
    codec: ValueCodec,
}

impl MinMaxRetract {
    /// Of values of `data_type`; MAX rather than MIN, if `greatest`.
    ///
    /// # Errors
    /// Values of the type cannot be kept.
    pub fn new(greatest: bool, data_type: &DataType) -> Result<Self> {
        Ok(Self { greatest, codec: ValueCodec::new(std::slice::from_ref(data_type))? })
    }

    fn add(&self, states: &mut [OrderedMultiset], heap: &mut usize, rows: &Rows<'_>, step: i64) -> Result<()> {
        let column = rows.taken(0)?;
        let values = self.codec.encode(std::slice::from_ref(&column))?;
        for (place, key) in rows.keys.iter().enumerate().filter(|(place, _)| column.is_valid(*place)) {
            states[*key as usize].add(values.row(place).data(), step, heap);
        }
        Ok(())
    }
}

impl Fold for MinMaxRetract {
    type State = OrderedMultiset;

    fn update(&self, states: &mut [Self::State], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        self.add(states, heap, rows, 1)
    }

    fn retract(&self, states: &mut [Self::State], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        self.add(states, heap, rows, -1)
    }

    fn merge(&self, into: &mut Self::State, heap: &mut usize, from: &Self::State) -> Result<()> {
        into.merge(from, heap);
        Ok(())
    }

    fn write(&self, _: &Self::State, _: &mut Vec<u8>) {}

    fn read(&self, _: &mut &[u8], _: &mut usize) -> Option<Self::State> {
        Some(OrderedMultiset::default())
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        self.codec.decode(states.map(|state| if self.greatest { state.last() } else { state.first() }))
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.bytes()
    }

    fn has_elements(&self) -> bool {
        true
    }

    fn freeze_elements(&self, state: &mut Self::State, sink: &mut ElementSink<'_>) {
        state.freeze(sink);
    }

    fn forget_elements(&self, state: &Self::State, sink: &mut ElementSink<'_>) {
        state.forget(sink);
    }

    fn read_element(&self, state: &mut Self::State, heap: &mut usize, key: &[u8], value: &[u8]) -> Option<()> {
        state.read(key, value, heap)
    }
}
