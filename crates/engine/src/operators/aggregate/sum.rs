//! `SUM(x)` where values only come: NULL where no value came. Integers keep their type and wrap around, as in Flink; a DECIMAL that no longer fits becomes
//! NULL, and, as in Flink, the next value begins anew.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, DecimalType};
use arrow_array::{ArrayRef, ArrowNativeTypeOp, PrimitiveArray};
use arrow_schema::DataType as ArrowType;
use weir_base::Result;

use super::bytes::{Fixed, put_option, take_option};
use super::fold::Fold;
use super::rows::Rows;

/// The sum of integers, or of FLOAT or DOUBLE values in their own precision.
#[derive(Debug)]
pub struct SumNumber<T>(PhantomData<fn() -> T>);

/// The sum of DECIMAL values.
#[derive(Debug, Clone)]
pub struct SumDecimal {
    output: ArrowType,
}

impl SumDecimal {
    /// Sums of the type `output`.
    pub fn new(output: ArrowType) -> Self {
        Self { output }
    }
}

/// `sum` if it has at most as many digits as `precision`.
pub fn fitting(sum: Option<i128>, precision: u8) -> Option<i128> {
    sum.filter(|sum| Decimal128Type::is_valid_decimal_precision(*sum, precision))
}

/// The precision of a DECIMAL type.
pub fn precision_of(decimal: &ArrowType) -> u8 {
    match decimal {
        ArrowType::Decimal128(precision, _) => *precision,
        _ => 38,
    }
}

impl<T> Default for SumNumber<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> Clone for SumNumber<T> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<T: ArrowPrimitiveType> Fold for SumNumber<T>
where
    T::Native: Fixed,
{
    type State = Option<T::Native>;

    fn update(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<T>(|key, value| {
            let state = &mut states[key];
            *state = Some(state.map_or(value, |sum| sum.add_wrapping(value)));
        })
    }

    fn merge(&self, into: &mut Self::State, _: &mut usize, from: &Self::State) -> Result<()> {
        if let Some(other) = *from {
            *into = Some(into.map_or(other, |sum| sum.add_wrapping(other)));
        }
        Ok(())
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        put_option(*state, out);
    }

    fn read(&self, bytes: &mut &[u8], _: &mut usize) -> Option<Self::State> {
        take_option(bytes)
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        Ok(Arc::new(states.copied().collect::<PrimitiveArray<T>>()))
    }
}

impl SumDecimal {
    fn add(&self, sum: Option<i128>, value: i128) -> Option<i128> {
        match sum {
            None => Some(value),
            Some(sum) => fitting(sum.checked_add(value), precision_of(&self.output)),
        }
    }
}

impl Fold for SumDecimal {
    type State = Option<i128>;

    fn update(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<Decimal128Type>(|key, value| states[key] = self.add(states[key], value))
    }

    fn merge(&self, into: &mut Self::State, _: &mut usize, from: &Self::State) -> Result<()> {
        if let Some(other) = *from {
            *into = self.add(*into, other);
        }
        Ok(())
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        put_option(*state, out);
    }

    fn read(&self, bytes: &mut &[u8], _: &mut usize) -> Option<Self::State> {
        take_option(bytes)
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        let sums: PrimitiveArray<Decimal128Type> = states.copied().collect();
        Ok(Arc::new(sums.with_data_type(self.output.clone())))
    }
}
