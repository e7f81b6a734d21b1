//! `JSON_ARRAYAGG(x)`: a JSON array of the values in the order of their arrival, `[]` where there is none. The argument is JSON text already. Where values are
//! taken back, the first of those that are equal goes.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray};
use weir_base::Result;

use super::elements::ElementSink;
use super::fold::Fold;
use super::rows::{Rows, other_type};
use super::sequence::Sequence;

/// Values as a JSON array.
#[derive(Debug, Clone)]
pub struct JsonArrayAgg {
    /// `ABSENT ON NULL`
    pub absent_on_null: bool,
    /// Values are taken back, too.
    pub retracts: bool,
}

impl JsonArrayAgg {
    /// Calls `take` with key and JSON of each value that counts.
    fn each(&self, rows: &Rows<'_>, mut take: impl FnMut(usize, &[u8])) -> Result<()> {
        let column = rows.argument(0)?;
        let texts = column.as_string_view_opt().ok_or_else(|| other_type(column))?;
        for (row, key) in rows.rows.iter().zip(rows.keys) {
            let row = *row as usize;
            if texts.is_valid(row) {
                take(*key as usize, texts.value(row).as_bytes());
            } else if !self.absent_on_null {
                take(*key as usize, b"null");
            }
        }
        Ok(())
    }
}

impl Fold for JsonArrayAgg {
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
        let array = |state: &Sequence| {
            let items: Vec<_> = state.iter().map(|item| String::from_utf8_lossy(item)).collect();
            Some(format!("[{}]", items.join(",")))
        };
        Ok(Arc::new(states.map(array).collect::<StringViewArray>()))
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
        std::str::from_utf8(value).ok()?;
        state.read(key, value, self.retracts, heap)
    }
}
