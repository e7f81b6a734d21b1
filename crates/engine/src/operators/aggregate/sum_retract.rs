//! `SUM(x)` where values are taken back, too: beside the sum stands the number of values, and the sum is NULL where it is zero. What floating-point addition
//! leaves behind stays in the sum, as in Flink.

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
pub struct SumRetractNumber<T>(PhantomData<fn() -> T>);

/// The sum of DECIMAL values.
#[derive(Debug, Clone)]
pub struct SumRetractDecimal {
    output: ArrowType,
}

impl<T> Default for SumRetractNumber<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> Clone for SumRetractNumber<T> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<T: ArrowPrimitiveType> Fold for SumRetractNumber<T>
where
    T::Native: Fixed,
{
    /// The sum and the number of values in it.
    type State = (Option<T::Native>, i64);

    fn update(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<T>(|key, value| {
            let (sum, count) = &mut states[key];
            *sum = Some(sum.map_or(value, |sum| sum.add_wrapping(value)));
            *count += 1;
        })
    }

    fn retract(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<T>(|key, value| {
            let (sum, count) = &mut states[key];
            *sum = Some(sum.unwrap_or_default().sub_wrapping(value));
            *count -= 1;
        })
    }

    fn merge(&self, into: &mut Self::State, _: &mut usize, from: &Self::State) -> Result<()> {
        if let Some(other) = from.0 {
            into.0 = Some(into.0.map_or(other, |sum| sum.add_wrapping(other)));
        }
        into.1 += from.1;
        Ok(())
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        put_option(state.0, out);
        state.1.put(out);
    }

    fn read(&self, bytes: &mut &[u8], _: &mut usize) -> Option<Self::State> {
        Some((take_option(bytes)?, Fixed::take(bytes)?))
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        let sums = states.map(|(sum, count)| sum.filter(|_| *count != 0));
        Ok(Arc::new(sums.collect::<PrimitiveArray<T>>()))
    }
}

impl SumRetractDecimal {
    /// Sums of the type `output`.
    pub fn new(output: ArrowType) -> Self {
        Self { output }
    }

    fn add(&self, sum: Option<i128>, value: i128) -> Option<i128> {
        match sum {
            None => Some(value),
            Some(sum) => fitting(sum.checked_add(value), precision_of(&self.output)),
        }
    }
}

impl Fold for SumRetractDecimal {
    /// The sum and the number of values in it.
    type State = (Option<i128>, i64);

    fn update(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<Decimal128Type>(|key, value| {
            let (sum, count) = &mut states[key];
            *sum = self.add(*sum, value);
            *count += 1;
        })
    }

    fn retract(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<Decimal128Type>(|key, value| {
            let (sum, count) = &mut states[key];
            *sum = self.add(*sum, -value);
            *count -= 1;
        })
    }

    fn merge(&self, into: &mut Self::State, _: &mut usize, from: &Self::State) -> Result<()> {
        if let Some(other) = from.0 {
            into.0 = self.add(into.0, other);
        }
        into.1 += from.1;
        Ok(())
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        put_option(state.0, out);
        state.1.put(out);
    }

    fn read(&self, bytes: &mut &[u8], _: &mut usize) -> Option<Self::State> {
        Some((take_option(bytes)?, Fixed::take(bytes)?))
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        let sums = states.map(|(sum, count)| sum.filter(|_| *count != 0));
        let sums: PrimitiveArray<Decimal128Type> = sums.collect();
        Ok(Arc::new(sums.with_data_type(self.output.clone())))
    }
}
