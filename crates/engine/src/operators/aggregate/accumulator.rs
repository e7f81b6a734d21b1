//! What an aggregate function is to an operator: a column of states, one for each key.

use std::any::Any;

use arrow_array::ArrayRef;
use weir_base::Result;

use super::elements::ElementSink;
use super::rows::Rows;

/// The states of one aggregate. Keys are the operator's: numbers from zero.
pub trait Accumulator: Send + Sync {
    /// Adds states until there are `keys`.
    fn grow(&mut self, keys: usize);

    /// Takes values in, in the order of the rows.
    ///
    /// # Errors
    /// A column has another type than the plan says, or the function does not take a value.
    fn update(&mut self, rows: &Rows<'_>) -> Result<()>;

    /// Takes values back, in the order of the rows.
    ///
    /// # Errors
    /// As `update`; or the accumulator was built for inserts only.
    fn retract(&mut self, rows: &Rows<'_>) -> Result<()>;

    /// Takes in what the states `from` of `other` have seen, each into the state of the same place in `to`.
    ///
    /// # Errors
    /// `other` is another function, or the function does not take a value.
    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()>;

    /// Makes the states of `keys` as if they had seen nothing. What checkpoints hold of their elements must have been forgotten before.
    fn reset(&mut self, keys: &[u32]);

    /// The states of `keys` alone, in that order.
    fn gather(&self, keys: &[u32]) -> Box<dyn Accumulator>;

    /// Adds the bytes of the state of `key`, without its elements.
    fn write(&self, key: usize, out: &mut Vec<u8>);

    /// Takes the state of `key` from the front of `bytes`; `None` if they are no such state.
    fn read(&mut self, key: usize, bytes: &mut &[u8]) -> Option<()>;

    /// Whether states have elements, which stand in checkpoints beside them.
    fn has_elements(&self) -> bool;

    /// Gives the elements of `key` that have changed since this was last called.
    fn freeze_elements(&mut self, key: usize, sink: &mut ElementSink<'_>);

    /// Gives all elements of `key` that some checkpoint may hold, as gone.
    fn forget_elements(&self, key: usize, sink: &mut ElementSink<'_>);

    /// Takes an element of `key` back; `None` if it is no such element.
    fn read_element(&mut self, key: usize, element: &[u8], value: &[u8]) -> Option<()>;

    /// The results for all keys.
    ///
    /// # Errors
    /// A result cannot be made.
    fn finish(&self) -> Result<ArrayRef>;

    /// The results for `keys`, in that order.
    ///
    /// # Errors
    /// As `finish`.
    fn finish_keys(&self, keys: &[u32]) -> Result<ArrayRef>;

    /// Bytes of memory that the states take; counted as they come.
    fn bytes(&self) -> usize;

    /// The same function without states.
    fn empty(&self) -> Box<dyn Accumulator>;

    /// For `merge`, to know its kind.
    fn as_any(&self) -> &dyn Any;
}
