//! `LISTAGG(x [, separator])`: the texts that are not NULL in the order of their arrival; NULL where there is none. Where values are taken back, the first of
//! those that are equal goes.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, StringViewArray};
use weir_base::Result;

use super::elements::ElementSink;
use super::fold::Fold;
use super::rows::{Rows, other_type};
use super::sequence::Sequence;

/// Texts put together.
#[derive(Debug, Clone)]
pub struct ListAgg {
    /// What stands between two of them.
    pub separator: Arc<str>,
    /// Values are taken back, too.
    pub retracts: bool,
}

impl Fold for ListAgg {
    type State = Sequence;

    fn update(&self, states: &mut [Sequence], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        let column = rows.argument(0)?;
        let texts = column.as_string_view_opt().ok_or_else(|| other_type(column))?;
        rows.each_valid(texts, |key, row| states[key].push(texts.value(row).as_bytes(), self.retracts, heap));
        Ok(())
    }

    fn retract(&self, states: &mut [Sequence], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        let column = rows.argument(0)?;
        let texts = column.as_string_view_opt().ok_or_else(|| other_type(column))?;
        rows.each_valid(texts, |key, row| states[key].remove(texts.value(row).as_bytes(), heap));
        Ok(())
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
        let list = |state: &Sequence| {
            let texts: Vec<_> = state.iter().map(|text| String::from_utf8_lossy(text)).collect();
            (!texts.is_empty()).then(|| texts.join(&self.separator))
        };
        Ok(Arc::new(states.map(list).collect::<StringViewArray>()))
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
