//! The common shape of accumulators: a state for each key, folded over values.

use std::any::Any;

use arrow_array::ArrayRef;
use weir_base::{Error, Result};

use super::accumulator::Accumulator;
use super::elements::ElementSink;
use super::rows::Rows;

/// An aggregate function over states.
pub trait Fold: Clone + Send + Sync + 'static {
    /// What is kept for a key.
    type State: Clone + Default + Send + Sync + 'static;

    /// Takes values into the states; `heap` counts what they hold beside themselves.
    ///
    /// # Errors
    /// A column has another type than the plan says, or the function does not take a value.
    fn update(&self, states: &mut [Self::State], heap: &mut usize, rows: &Rows<'_>) -> Result<()>;

    /// Takes values back out of the states.
    ///
    /// # Errors
    /// As `update`; or the function was built for inserts only.
    fn retract(&self, states: &mut [Self::State], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        let _ = (states, heap, rows);
        Err(inserts_only())
    }

    /// Takes in what `from` has seen, all of it after what `into` has.
    ///
    /// # Errors
    /// The function does not take a value.
    fn merge(&self, into: &mut Self::State, heap: &mut usize, from: &Self::State) -> Result<()>;

    /// Adds the bytes of a state, without its elements.
    fn write(&self, state: &Self::State, out: &mut Vec<u8>);

    /// Takes a state from the front of `bytes`.
    fn read(&self, bytes: &mut &[u8], heap: &mut usize) -> Option<Self::State>;

    /// The results of states.
    ///
    /// # Errors
    /// A result cannot be made.
    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef>;

    /// Bytes that a state takes beside itself.
    fn heap_bytes(&self, state: &Self::State) -> usize {
        let _ = state;
        0
    }

    /// Whether states have elements, which stand in checkpoints beside them.
    fn has_elements(&self) -> bool {
        false
    }

    /// Gives the elements that have changed since this was last called.
    fn freeze_elements(&self, state: &mut Self::State, sink: &mut ElementSink<'_>) {
        let _ = (state, sink);
    }

    /// Gives all elements that some checkpoint may hold, as gone.
    fn forget_elements(&self, state: &Self::State, sink: &mut ElementSink<'_>) {
        let _ = (state, sink);
    }

    /// Takes an element back.
    fn read_element(&self, state: &mut Self::State, heap: &mut usize, key: &[u8], value: &[u8]) -> Option<()> {
        let _ = (state, heap, key, value);
        None
    }
}

/// The error of a function that was built for inserts only.
pub fn inserts_only() -> Error {
    Error::internal("retract from an aggregate that was built for inserts only")
}

/// The accumulator of a fold.
pub struct Folding<F: Fold> {
    fold: F,
    states: Vec<F::State>,
    heap: usize,
}

impl<F: Fold> Folding<F> {
    /// Without states.
    pub fn new(fold: F) -> Self {
        Self { fold, states: Vec::new(), heap: 0 }
    }

    fn heap_of<'a>(&self, states: impl IntoIterator<Item = &'a F::State>) -> usize {
        states.into_iter().map(|state| self.fold.heap_bytes(state)).sum()
    }
}

impl<F: Fold> Accumulator for Folding<F> {
    fn grow(&mut self, keys: usize) {
        self.states.resize_with(keys, F::State::default);
    }

    fn update(&mut self, rows: &Rows<'_>) -> Result<()> {
        self.fold.update(&mut self.states, &mut self.heap, rows)
    }

    fn retract(&mut self, rows: &Rows<'_>) -> Result<()> {
        self.fold.retract(&mut self.states, &mut self.heap, rows)
    }

    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()> {
        let other = other
            .as_any()
            .downcast_ref::<Self>()
            .ok_or_else(|| Error::internal("merge the states of two different aggregates"))?;
        for (from, to) in from.iter().zip(to) {
            self.fold.merge(&mut self.states[*to as usize], &mut self.heap, &other.states[*from as usize])?;
        }
        Ok(())
    }

    fn reset(&mut self, keys: &[u32]) {
        for key in keys {
            let state = std::mem::take(&mut self.states[*key as usize]);
            self.heap -= self.fold.heap_bytes(&state);
        }
    }

    fn gather(&self, keys: &[u32]) -> Box<dyn Accumulator> {
        let states: Vec<_> = keys.iter().map(|key| self.states[*key as usize].clone()).collect();
        Box::new(Self { fold: self.fold.clone(), heap: self.heap_of(&states), states })
    }

    fn write(&self, key: usize, out: &mut Vec<u8>) {
        self.fold.write(&self.states[key], out);
    }

    fn read(&mut self, key: usize, bytes: &mut &[u8]) -> Option<()> {
        self.states[key] = self.fold.read(bytes, &mut self.heap)?;
        Some(())
    }

    fn has_elements(&self) -> bool {
        self.fold.has_elements()
    }

    fn freeze_elements(&mut self, key: usize, sink: &mut ElementSink<'_>) {
        self.fold.freeze_elements(&mut self.states[key], sink);
    }

    fn forget_elements(&self, key: usize, sink: &mut ElementSink<'_>) {
        self.fold.forget_elements(&self.states[key], sink);
    }

    fn read_element(&mut self, key: usize, element: &[u8], value: &[u8]) -> Option<()> {
        self.fold.read_element(&mut self.states[key], &mut self.heap, element, value)
    }

    fn finish(&self) -> Result<ArrayRef> {
        self.fold.finish(self.states.iter())
    }

    fn finish_keys(&self, keys: &[u32]) -> Result<ArrayRef> {
        self.fold.finish(keys.iter().map(|key| &self.states[*key as usize]))
    }

    fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<F::State>() + self.heap
    }

    fn empty(&self) -> Box<dyn Accumulator> {
        Box::new(Self::new(self.fold.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
