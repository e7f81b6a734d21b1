//! The common shape of accumulators: a state for each key, folded over values.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use weir_base::{Error, Result};

use super::accumulator::Accumulator;

/// An aggregate function over states.
pub trait Fold: Clone + Send + Sync + 'static {
    /// What is kept for a key.
    type State: Clone + Default + Send + Sync + 'static;

    /// Takes values of `column` into the states.
    ///
    /// # Errors
    /// The column has another type than the plan says.
    fn update(&self, states: &mut [Self::State], column: Option<&dyn Array>, rows: &[u32], keys: &[u32]) -> Result<()>;

    /// Adds the bytes of a state.
    fn write(&self, state: &Self::State, out: &mut Vec<u8>);

    /// Takes a state from the front of `bytes`.
    fn read(&self, bytes: &mut &[u8]) -> Option<Self::State>;

    /// The results.
    fn finish(&self, states: &[Self::State]) -> ArrayRef;

    /// Bytes that a state takes beside itself.
    fn heap_bytes(&self, state: &Self::State) -> usize {
        let _ = state;
        0
    }
}

/// The accumulator of a fold.
pub struct Folding<F: Fold> {
    fold: F,
    states: Vec<F::State>,
}

impl<F: Fold> Folding<F> {
    /// Without states.
    pub fn new(fold: F) -> Self {
        Self { fold, states: Vec::new() }
    }
}

impl<F: Fold> Accumulator for Folding<F> {
    fn grow(&mut self, keys: usize) {
        self.states.resize(keys, F::State::default());
    }

    fn update(&mut self, column: Option<&dyn Array>, rows: &[u32], keys: &[u32]) -> Result<()> {
        self.fold.update(&mut self.states, column, rows, keys)
    }

    fn gather(&self, keys: &[u32]) -> Box<dyn Accumulator> {
        let states = keys.iter().map(|key| self.states[*key as usize].clone()).collect();
        Box::new(Self { fold: self.fold.clone(), states })
    }

    fn write(&self, key: usize, out: &mut Vec<u8>) {
        self.fold.write(&self.states[key], out);
    }

    fn read(&mut self, key: usize, bytes: &mut &[u8]) -> Option<()> {
        self.states[key] = self.fold.read(bytes)?;
        Some(())
    }

    fn finish(&self) -> ArrayRef {
        self.fold.finish(&self.states)
    }

    fn bytes(&self) -> usize {
        let heap: usize = self.states.iter().map(|state| self.fold.heap_bytes(state)).sum();
        self.states.capacity() * size_of::<F::State>() + heap
    }

    fn empty(&self) -> Box<dyn Accumulator> {
        Box::new(Self::new(self.fold.clone()))
    }
}

/// Calls `add` for each value of `column` that is not NULL, with its key.
///
/// # Errors
/// The column is none of `T`.
#[inline]
pub fn each_value<T: ArrowPrimitiveType>(
    column: Option<&dyn Array>,
    rows: &[u32],
    keys: &[u32],
    mut add: impl FnMut(usize, T::Native),
) -> Result<()> {
    let column = present(column)?;
    let values = column.as_primitive_opt::<T>().ok_or_else(|| other_type(column))?;
    if values.null_count() == 0 {
        let values = values.values();
        rows.iter().zip(keys).for_each(|(row, key)| add(*key as usize, values[*row as usize]));
    } else {
        for (row, key) in rows.iter().zip(keys).filter(|(row, _)| values.is_valid(**row as usize)) {
            add(*key as usize, values.value(*row as usize));
        }
    }
    Ok(())
}

/// The column, which all but `COUNT(*)` have.
///
/// # Errors
/// There is none.
pub fn present(column: Option<&dyn Array>) -> Result<&dyn Array> {
    column.ok_or_else(|| Error::internal("aggregate without an argument"))
}

/// A column of a type that the plan does not say.
pub fn other_type(column: &dyn Array) -> Error {
    Error::internal(format!("aggregate a column of {}: the plan says another type", column.data_type()))
}

/// A number of fixed width in a state.
pub trait Fixed: Copy {
    /// Adds its bytes.
    fn put(self, out: &mut Vec<u8>);
    /// Takes it from the front of `bytes`.
    fn take(bytes: &mut &[u8]) -> Option<Self>;
}

macro_rules! fixed {
    ($($type:ty),*) => {$(
        impl Fixed for $type {
            fn put(self, out: &mut Vec<u8>) {
                out.extend(self.to_le_bytes());
            }

            fn take(bytes: &mut &[u8]) -> Option<Self> {
                let (number, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(Self::from_le_bytes(*number))
            }
        }
    )*};
}

fixed!(u8, u32, u64, i8, i16, i32, i64, i128, f32, f64);

/// Adds an optional number: a byte that says whether it is there, then the number.
pub fn put_option<N: Fixed>(number: Option<N>, out: &mut Vec<u8>) {
    u8::from(number.is_some()).put(out);
    if let Some(number) = number {
        number.put(out);
    }
}

/// Takes what `put_option` wrote.
pub fn take_option<N: Fixed>(bytes: &mut &[u8]) -> Option<Option<N>> {
    match u8::take(bytes)? {
        0 => Some(None),
        _ => N::take(bytes).map(Some),
    }
}

/// Adds bytes with their length.
pub fn put_bytes(value: &[u8], out: &mut Vec<u8>) {
    u32::try_from(value.len()).expect("a value is shorter than 4 GiB: a record is bounded far below").put(out);
    out.extend_from_slice(value);
}

/// Takes what `put_bytes` wrote.
pub fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u32::take(bytes)?).ok()?;
    let (value, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(value)
}
