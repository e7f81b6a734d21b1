//! `AVG(x)`: NULL where no value came. An integer's average is summed as BIGINT (wrapping around) and cut; a FLOAT is summed as DOUBLE; a DECIMAL is
//! divided with HALF_UP, and is NULL once its sum no longer fits 38 digits.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, DecimalType};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_buffer::i256;
use arrow_schema::DataType as ArrowType;
use weir_base::Result;

use super::fold::{Fixed, Fold, each_value, put_option, take_option};
use super::sum::add_decimal;

/// Digits of a DECIMAL's sum.
const SUM_PRECISION: u8 = 38;

/// The average of integers.
#[derive(Debug)]
pub struct AverageInteger<T>(PhantomData<fn() -> T>);

/// The average of FLOAT or DOUBLE values.
#[derive(Debug)]
pub struct AverageFloat<T>(PhantomData<fn() -> T>);

/// The average of DECIMAL values.
#[derive(Debug, Clone)]
pub struct AverageDecimal {
    scale: u8,
    output: ArrowType,
}

/// A narrowing back to the argument's type, as Java casts.
pub trait FromSum<S>: Sized {
    /// The value of `sum` in this type.
    fn from_sum(sum: S) -> Self;
}

macro_rules! from_sum {
    ($($from:ty => $to:ty),*) => {$(
        impl FromSum<$from> for $to {
            fn from_sum(sum: $from) -> Self {
                sum as Self
            }
        }
    )*};
}

from_sum!(i64 => i8, i64 => i16, i64 => i32, i64 => i64, f64 => f32, f64 => f64);

macro_rules! average {
    ($name:ident, $sum:ty, $add:expr, $divide:expr, $widen:expr) => {
        impl<T> Default for $name<T> {
            fn default() -> Self {
                Self(PhantomData)
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self(PhantomData)
            }
        }

        impl<T: ArrowPrimitiveType> Fold for $name<T>
        where
            T::Native: Into<$sum> + FromSum<$sum>,
        {
            /// Sum and number of values.
            type State = ($sum, i64);

            fn update(
                &self,
                states: &mut [Self::State],
                column: Option<&dyn Array>,
                rows: &[u32],
                keys: &[u32],
            ) -> Result<()> {
                each_value::<T>(column, rows, keys, |key, value| {
                    let state = &mut states[key];
                    state.0 = $add(state.0, value.into());
                    state.1 += 1;
                })
            }

            fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
                state.0.put(out);
                state.1.put(out);
            }

            fn read(&self, bytes: &mut &[u8]) -> Option<Self::State> {
                Some((Fixed::take(bytes)?, Fixed::take(bytes)?))
            }

            fn finish(&self, states: &[Self::State]) -> ArrayRef {
                let average = |(sum, count): &Self::State| {
                    (*count != 0).then(|| T::Native::from_sum($divide(*sum, $widen(*count))))
                };
                Arc::new(states.iter().map(average).collect::<PrimitiveArray<T>>())
            }
        }
    };
}

average!(AverageInteger, i64, i64::wrapping_add, i64::wrapping_div, std::convert::identity);
average!(AverageFloat, f64, std::ops::Add::add, std::ops::Div::div, count_as_double);

/// Java's widening of a long to a double.
fn count_as_double(count: i64) -> f64 {
    count as f64
}

impl AverageDecimal {
    /// Averages of values with `scale` digits after the point, of the type `output`.
    pub fn new(scale: u8, output: ArrowType) -> Self {
        Self { scale, output }
    }

    pub(super) fn divide(&self, sum: i128, count: i64) -> Option<i128> {
        let ArrowType::Decimal128(precision, scale) = self.output else { return None };
        let digits = u32::try_from(scale).ok()?.checked_sub(u32::from(self.scale))?;
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

    fn update(&self, states: &mut [Self::State], column: Option<&dyn Array>, rows: &[u32], keys: &[u32]) -> Result<()> {
        each_value::<Decimal128Type>(column, rows, keys, |key, value| {
            let state = &mut states[key];
            state.sum = state.sum.and_then(|sum| add_decimal(sum, value, SUM_PRECISION));
            state.count += 1;
        })
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        put_option(state.sum, out);
        state.count.put(out);
    }

    fn read(&self, bytes: &mut &[u8]) -> Option<Self::State> {
        Some(DecimalState { sum: take_option(bytes)?, count: Fixed::take(bytes)? })
    }

    fn finish(&self, states: &[Self::State]) -> ArrayRef {
        let average =
            |state: &DecimalState| state.sum.filter(|_| state.count != 0).and_then(|sum| self.divide(sum, state.count));
        let averages: PrimitiveArray<Decimal128Type> = states.iter().map(average).collect();
        Arc::new(averages.with_data_type(self.output.clone()))
    }
}
