//! The rows that an accumulator is given.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch, UInt32Array};
use arrow_select::take::take;
use weir_base::{Error, Result};

/// Rows of a batch, each with the key whose state takes it.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The batch.
    pub data: &'a RecordBatch,
    /// The columns of the function's arguments in it; none: `COUNT(*)`.
    pub arguments: &'a [usize],
    /// The rows.
    pub rows: &'a [u32],
    /// For each row the number of its key.
    pub keys: &'a [u32],
}

impl<'a> Rows<'a> {
    /// The column of an argument.
    ///
    /// # Errors
    /// The function has no such argument.
    pub fn argument(&self, index: usize) -> Result<&'a ArrayRef> {
        let column = self.arguments.get(index);
        column.map(|column| self.data.column(*column)).ok_or_else(|| Error::internal("aggregate without an argument"))
    }

    /// The column of an argument as numbers.
    ///
    /// # Errors
    /// It holds others.
    pub fn numbers<T: ArrowPrimitiveType>(&self, index: usize) -> Result<&'a PrimitiveArray<T>> {
        let column = self.argument(index)?;
        column.as_primitive_opt::<T>().ok_or_else(|| other_type(column))
    }

    /// The values of an argument in the rows, in their order.
    ///
    /// # Errors
    /// There is no such argument.
    pub fn taken(&self, index: usize) -> Result<ArrayRef> {
        let column = self.argument(index)?;
        let all = self.rows.len() == column.len() && self.rows.iter().zip(0..).all(|(row, place)| *row == place);
        if all {
            return Ok(ArrayRef::clone(column));
        }
        let rows = UInt32Array::from(self.rows.to_vec());
        take(column, &rows, None).map_err(|error| Error::internal(format!("take values to aggregate: {error}")))
    }

    /// Calls `add` for each first argument that is not NULL, with its key.
    ///
    /// # Errors
    /// The column is none of `T`.
    #[inline]
    pub fn each_value<T: ArrowPrimitiveType>(&self, mut add: impl FnMut(usize, T::Native)) -> Result<()> {
        let values = self.numbers::<T>(0)?;
        if values.null_count() == 0 {
            let values = values.values();
            self.rows.iter().zip(self.keys).for_each(|(row, key)| add(*key as usize, values[*row as usize]));
        } else {
            for (row, key) in self.rows.iter().zip(self.keys).filter(|(row, _)| values.is_valid(**row as usize)) {
                add(*key as usize, values.value(*row as usize));
            }
        }
        Ok(())
    }

    /// Calls `add` for each row whose value of `column` is not NULL, with its key.
    #[inline]
    pub fn each_valid(&self, column: &dyn Array, mut add: impl FnMut(usize, usize)) {
        for (row, key) in self.rows.iter().zip(self.keys).filter(|(row, _)| column.is_valid(**row as usize)) {
            add(*key as usize, *row as usize);
        }
    }
}

/// A column of a type that the plan does not say.
pub fn other_type(column: &dyn Array) -> Error {
    Error::internal(format!("aggregate a column of {}: the plan says another type", column.data_type()))
}
