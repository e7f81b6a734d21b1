//! `AVG(x)`: NULL where no value is. An integer's average is summed as BIGINT (wrapping around) and cut; a FLOAT is summed as DOUBLE; a DECIMAL is divided
//! with HALF_UP, and is NULL once its sum no longer fits 38 digits.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, DecimalType};
use arrow_array::{ArrayRef, PrimitiveArray};
use arrow_buffer::i256;
use arrow_schema::DataType as ArrowType;
use weir_base::Result;

use super::bytes::{Fixed, put_option, take_option};
use super::fold::Fold;
use super::rows::Rows;
use super::sum::fitting;

/// Digits of a DECIMAL's sum.
const SUM_PRECISION: u8 = 38;

/// The average of DECIMAL values.
#[derive(Debug, Clone)]
pub struct AverageDecimal {
    scale: u8,
    output: ArrowType,
}

/// How the values of one type are summed and divided.
pub trait Averaged: Copy + Default + Send + Sync + 'static {
    /// What they are summed in.
    type Sum: Fixed + Default + Send + Sync + 'static;
    /// `sum + value`
    fn add(sum: Self::Sum, value: Self) -> Self::Sum;
    /// `sum - value`
    fn subtract(sum: Self::Sum, value: Self) -> Self::Sum;
    /// `sum + other`
    fn merge(sum: Self::Sum, other: Self::Sum) -> Self::Sum;
    /// `sum / count`, for a count that is not zero, narrowed as Java casts.
    fn divide(sum: Self::Sum, count: i64) -> Self;
}

macro_rules! averaged_integer {
    ($($type:ty),*) => {$(
        impl Averaged for $type {
            type Sum = i64;

            fn add(sum: i64, value: Self) -> i64 {
                sum.wrapping_add(value.into())
            }

            fn subtract(sum: i64, value: Self) -> i64 {
                sum.wrapping_sub(value.into())
            }

            fn merge(sum: i64, other: i64) -> i64 {
                sum.wrapping_add(other)
            }

            fn divide(sum: i64, count: i64) -> Self {
                sum.wrapping_div(count) as Self
            }
        }
    )*};
}

averaged_integer!(i8, i16, i32, i64);

macro_rules! averaged_float {
    ($($type:ty),*) => {$(
        impl Averaged for $type {
            type Sum = f64;

            fn add(sum: f64, value: Self) -> f64 {
                sum + f64::from(value)
            }

            fn subtract(sum: f64, value: Self) -> f64 {
                sum - f64::from(value)
            }

            fn merge(sum: f64, other: f64) -> f64 {
                sum + other
            }

            fn divide(sum: f64, count: i64) -> Self {
                (sum / count as f64) as Self
            }
        }
    )*};
}

averaged_float!(f32, f64);

/// The average of integers, or of FLOAT or DOUBLE values.
#[derive(Debug)]
pub struct AverageNumber<T>(PhantomData<fn() -> T>);

impl<T> Default for AverageNumber<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> Clone for AverageNumber<T> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<T: ArrowPrimitiveType> Fold for AverageNumber<T>
where
    T::Native: Averaged,
{
    /// Sum and number of values.
    type State = (<T::Native as Averaged>::Sum, i64);

    fn update(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<T>(|key, value| {
            let state = &mut states[key];
            state.0 = T::Native::add(state.0, value);
            state.1 += 1;
        })
    }

    fn retract(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<T>(|key, value| {
            let state = &mut states[key];
            state.0 = T::Native::subtract(state.0, value);
            state.1 -= 1;
        })
    }

    fn merge(&self, into: &mut Self::State, _: &mut usize, from: &Self::State) -> Result<()> {
        into.0 = T::Native::merge(into.0, from.0);
        into.1 += from.1;
        Ok(())
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        state.0.put(out);
        state.1.put(out);
    }

    fn read(&self, bytes: &mut &[u8], _: &mut usize) -> Option<Self::State> {
        Some((Fixed::take(bytes)?, Fixed::take(bytes)?))
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        let averages = states.map(|(sum, count)| (*count != 0).then(|| T::Native::divide(*sum, *count)));
        Ok(Arc::new(averages.collect::<PrimitiveArray<T>>()))
    }
}

impl AverageDecimal {
    /// Averages of values with `scale` digits after the point, of the type `output`.
    pub fn new(scale: u8, output: ArrowType) -> Self {
        Self { scale, output }
    }

    fn divide(&self, sum: i128, count: i64) -> Option<i128> {
        divide_decimal(sum, count, self.scale, &self.output)
    }
}

/// `sum / count` rounded HALF_UP, for a sum with `scale` digits after the point, as a value of `output`; `None` if it does not fit.
pub fn divide_decimal(sum: i128, count: i64, scale: u8, output: &ArrowType) -> Option<i128> {
    let ArrowType::Decimal128(precision, output_scale) = *output else { return None };
    let digits = u32::try_from(output_scale).ok()?.checked_sub(u32::from(scale))?;
    let scaled = i256::from_i128(sum).checked_mul(i256::from_i128(10_i128.checked_pow(digits)?))?;
    let count = i256::from_i128(i128::from(count));
    let quotient = scaled.checked_div(count)?;
    let rest = scaled.checked_rem(count)?.wrapping_abs();
    let up = rest.checked_add(rest)? >= count;
    let step = i256::from_i128(if !up {
        0
    } else if sum < 0 {
        -1
    } else {
        1
    });
    let average = quotient.checked_add(step)?.to_i128()?;
    Decimal128Type::is_valid_decimal_precision(average, precision).then_some(average)
}

/// Sum and number of DECIMAL values.
#[derive(Debug, Clone)]
pub struct DecimalState {
    /// `None`: it did not fit.
    sum: Option<i128>,
    count: i64,
}

impl Default for DecimalState {
    fn default() -> Self {
        Self { sum: Some(0), count: 0 }
    }
}

impl Fold for AverageDecimal {
    type State = DecimalState;

    fn update(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<Decimal128Type>(|key, value| states[key].add(Some(value), 1))
    }

    fn retract(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        rows.each_value::<Decimal128Type>(|key, value| states[key].add(Some(-value), -1))
    }

    fn merge(&self, into: &mut Self::State, _: &mut usize, from: &Self::State) -> Result<()> {
        into.add(from.sum, from.count);
        Ok(())
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        put_option(state.sum, out);
        state.count.put(out);
    }

    fn read(&self, bytes: &mut &[u8], _: &mut usize) -> Option<Self::State> {
        Some(DecimalState { sum: take_option(bytes)?, count: Fixed::take(bytes)? })
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        let average =
            |state: &DecimalState| state.sum.filter(|_| state.count != 0).and_then(|sum| self.divide(sum, state.count));
        let averages: PrimitiveArray<Decimal128Type> = states.map(average).collect();
        Ok(Arc::new(averages.with_data_type(self.output.clone())))
    }
}

impl DecimalState {
    fn add(&mut self, sum: Option<i128>, count: i64) {
        self.sum = self.sum.zip(sum).and_then(|(sum, other)| fitting(sum.checked_add(other), SUM_PRECISION));
        self.count += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Halves have no other way in: a DECIMAL average has at least six digits.
    #[test]
    fn halves_go_away_from_zero() {
        let average = AverageDecimal::new(0, ArrowType::Decimal128(38, 0));
        assert_eq!([average.divide(1, 2), average.divide(-1, 2)], [Some(1), Some(-1)]);
    }
}
