//! `AVG(x)` where Flink's plan makes it of `SUM(x)` and `COUNT(x)`, which it does beside a variance and where both are there anyway: the sum is of the
//! argument's own type and wraps around there; a FLOAT is summed as FLOAT; a DECIMAL's sum begins anew after it did not fit.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Decimal128Type};
use arrow_array::{ArrayRef, PrimitiveArray};
use arrow_schema::DataType as ArrowType;
use weir_base::Result;

use super::average::{Averaged, divide_decimal};
use super::bytes::Fixed;
use super::fold::Fold;
use super::rows::Rows;
use super::sum_retract::{SumRetractDecimal, SumRetractNumber};

/// The average of integers, or of FLOAT or DOUBLE values.
#[derive(Debug)]
pub struct AverageOfSum<T>(SumRetractNumber<T>);

/// The average of DECIMAL values.
#[derive(Debug, Clone)]
pub struct AverageOfSumDecimal {
    sum: SumRetractDecimal,
    scale: u8,
    output: ArrowType,
}

impl<T> Default for AverageOfSum<T> {
    fn default() -> Self {
        Self(SumRetractNumber::default())
    }
}

impl<T> Clone for AverageOfSum<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl AverageOfSumDecimal {
    /// Averages of values with `scale` digits after the point, of the type `output`.
    pub fn new(scale: u8, output: ArrowType) -> Self {
        let sum = ArrowType::Decimal128(38, i8::try_from(scale).expect("a scale is at most 38"));
        Self { sum: SumRetractDecimal::new(sum), scale, output }
    }
}

/// Delegates all but the result to the sum with its count.
macro_rules! of_sum {
    ($sum:tt, $state:ty) => {
        type State = $state;

        fn update(&self, states: &mut [Self::State], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
            self.$sum.update(states, heap, rows)
        }

        fn retract(&self, states: &mut [Self::State], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
            self.$sum.retract(states, heap, rows)
        }

        fn merge(&self, into: &mut Self::State, heap: &mut usize, from: &Self::State) -> Result<()> {
            self.$sum.merge(into, heap, from)
        }

        fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
            self.$sum.write(state, out);
        }

        fn read(&self, bytes: &mut &[u8], heap: &mut usize) -> Option<Self::State> {
            self.$sum.read(bytes, heap)
        }
    };
}

impl<T: ArrowPrimitiveType> Fold for AverageOfSum<T>
where
    T::Native: Fixed + Averaged,
{
    of_sum!(0, <SumRetractNumber<T> as Fold>::State);

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        let averages = states.map(|(sum, count)| {
            sum.filter(|_| *count != 0).map(|sum| T::Native::divide(T::Native::add(Default::default(), sum), *count))
        });
        Ok(Arc::new(averages.collect::<PrimitiveArray<T>>()))
    }
}

impl Fold for AverageOfSumDecimal {
    of_sum!(sum, <SumRetractDecimal as Fold>::State);

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        let averages = states.map(|(sum, count)| {
            sum.filter(|_| *count != 0).and_then(|sum| divide_decimal(sum, *count, self.scale, &self.output))
        });
        let averages: PrimitiveArray<Decimal128Type> = averages.collect();
        Ok(Arc::new(averages.with_data_type(self.output.clone())))
    }
}
