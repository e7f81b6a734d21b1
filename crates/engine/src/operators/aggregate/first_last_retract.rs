//! `FIRST_VALUE(x)` and `LAST_VALUE(x)` where values are taken back, too: all values that are not NULL are kept in the order of their arrival; the first of
//! those that are equal goes.

use arrow_array::{Array, ArrayRef};
use weir_base::Result;
use weir_plan::DataType;

use super::elements::ElementSink;
use super::fold::Fold;
use super::rows::Rows;
use super::sequence::Sequence;
use super::values::ValueCodec;

/// The first or last value of any type.
#[derive(Debug, Clone)]
pub struct FirstLastRetract {
    last: bool,
    codec: ValueCodec,
}

impl FirstLastRetract {
    /// Of values of `data_type`; the last rather than the first, if `last`.
    ///
    /// # Errors
    /// Values of the type cannot be kept.
    pub fn new(last: bool, data_type: &DataType) -> Result<Self> {
        Ok(Self { last, codec: ValueCodec::new(std::slice::from_ref(data_type))? })
    }

    /// Calls `take` with key and bytes of each value that is not NULL.
    fn each(&self, rows: &Rows<'_>, mut take: impl FnMut(usize, &[u8])) -> Result<()> {
        let column = rows.taken(0)?;
        let values = self.codec.encode(std::slice::from_ref(&column))?;
        for (place, key) in rows.keys.iter().enumerate().filter(|(place, _)| column.is_valid(*place)) {
            take(*key as usize, values.row(place).data());
        }
        Ok(())
    }
}

impl Fold for FirstLastRetract {
    type State = Sequence;

    fn update(&self, states: &mut [Sequence], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        self.each(rows, |key, value| states[key].push(value, true, heap))
    }

    fn retract(&self, states: &mut [Sequence], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        self.each(rows, |key, value| states[key].remove(value, heap))
    }

    fn merge(&self, into: &mut Sequence, heap: &mut usize, from: &Sequence) -> Result<()> {
        into.merge(from, true, heap);
        Ok(())
    }

    fn write(&self, _: &Sequence, _: &mut Vec<u8>) {}

    fn read(&self, _: &mut &[u8], _: &mut usize) -> Option<Sequence> {
        Some(Sequence::default())
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Sequence> + Clone) -> Result<ArrayRef> {
        self.codec.decode(states.map(|state| if self.last { state.last() } else { state.first() }))
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
        state.read(key, value, true, heap)
    }
}
