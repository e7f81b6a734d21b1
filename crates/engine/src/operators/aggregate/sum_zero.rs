//! `$SUM0(x)`: the sum, 0 where no value is. Integers wrap around; a DECIMAL that no longer fits is NULL from then on.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Decimal128Type};
use arrow_array::{ArrayRef, ArrowNativeTypeOp, PrimitiveArray};
use arrow_schema::DataType as ArrowType;
use weir_base::Result;

use super::bytes::{Fixed, put_option, take_option};
use super::fold::Fold;
use super::rows::Rows;
use super::sum::{fitting, precision_of};

/// The sum of integers, or of FLOAT or DOUBLE values in their own precision.
#[derive(Debug)]
pub struct SumZeroNumber<T>(PhantomData<fn() -> T>);

impl<T> Default for SumZeroNumber<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> Clone for SumZeroNumber<T> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<T: ArrowPrimitiveType> Fold for SumZeroNumber<T>
where
    T::Native: Fixed,
{
    type State = T::Native;

    fn update(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<T>(|key, value| states[key] = states[key].add_wrapping(value))
    }

    fn retract(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<T>(|key, value| states[key] = states[key].sub_wrapping(value))
    }

    fn merge(&self, into: &mut Self::State, _: &mut usize, from: &Self::State) -> Result<()> {
        *into = into.add_wrapping(*from);
        Ok(())
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        state.put(out);
    }

    fn read(&self, bytes: &mut &[u8], _: &mut usize) -> Option<Self::State> {
        Fixed::take(bytes)
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        Ok(Arc::new(PrimitiveArray::<T>::from_iter_values(states.copied())))
    }
}

/// The sum of DECIMAL values.
#[derive(Debug, Clone)]
pub struct SumZeroDecimal {
    output: ArrowType,
}

/// `None`: it did not fit.
#[derive(Debug, Clone, Copy)]
pub struct DecimalSum(Option<i128>);

impl Default for DecimalSum {
    fn default() -> Self {
        Self(Some(0))
    }
}

impl SumZeroDecimal {
    /// Sums of the type `output`.
    pub fn new(output: ArrowType) -> Self {
        Self { output }
    }

    fn add(&self, state: &mut DecimalSum, value: Option<i128>) {
        let sum = state.0.zip(value).and_then(|(sum, value)| sum.checked_add(value));
        state.0 = fitting(sum, precision_of(&self.output));
    }
}

impl Fold for SumZeroDecimal {
    type State = DecimalSum;

    fn update(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<Decimal128Type>(|key, value| self.add(&mut states[key], Some(value)))
    }

    fn retract(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<Decimal128Type>(|key, value| self.add(&mut states[key], Some(-value)))
    }

    fn merge(&self, into: &mut Self::State, _: &mut usize, from: &Self::State) -> Result<()> {
        self.add(into, from.0);
        Ok(())
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        put_option(state.0, out);
    }

    fn read(&self, bytes: &mut &[u8], _: &mut usize) -> Option<Self::State> {
        take_option(bytes).map(DecimalSum)
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        let sums: PrimitiveArray<Decimal128Type> = states.map(|state| state.0).collect();
        Ok(Arc::new(sums.with_data_type(self.output.clone())))
    }
}
