//! `SUM(x)`: NULL where no value came. Integers keep their type and wrap around, as in Flink; a DECIMAL that no longer fits becomes NULL, and, as in Flink,
//! the next value begins anew.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, DecimalType};
use arrow_array::{Array, ArrayRef, ArrowNativeTypeOp, PrimitiveArray};
use arrow_schema::DataType as ArrowType;
use weir_base::Result;

use super::fold::{Fixed, Fold, each_value, put_option, take_option};

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

/// `a + b` if it has at most as many digits as `precision`.
pub fn add_decimal(a: i128, b: i128, precision: u8) -> Option<i128> {
    a.checked_add(b).filter(|sum| Decimal128Type::is_valid_decimal_precision(*sum, precision))
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

    fn update(&self, states: &mut [Self::State], column: Option<&dyn Array>, rows: &[u32], keys: &[u32]) -> Result<()> {
        each_value::<T>(column, rows, keys, |key, value| {
            let state = &mut states[key];
            *state = Some(state.map_or(value, |sum| sum.add_wrapping(value)));
        })
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        put_option(*state, out);
    }

    fn read(&self, bytes: &mut &[u8]) -> Option<Self::State> {
        take_option(bytes)
    }

    fn finish(&self, states: &[Self::State]) -> ArrayRef {
        Arc::new(states.iter().copied().collect::<PrimitiveArray<T>>())
    }
}

impl Fold for SumDecimal {
    type State = Option<i128>;

    fn update(&self, states: &mut [Self::State], column: Option<&dyn Array>, rows: &[u32], keys: &[u32]) -> Result<()> {
        let precision = precision_of(&self.output);
        each_value::<Decimal128Type>(column, rows, keys, |key, value| {
            let state = &mut states[key];
            *state = match *state {
                None => Some(value),
                Some(sum) => add_decimal(sum, value, precision),
            };
        })
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        put_option(*state, out);
    }

    fn read(&self, bytes: &mut &[u8]) -> Option<Self::State> {
        take_option(bytes)
    }

    fn finish(&self, states: &[Self::State]) -> ArrayRef {
        let sums: PrimitiveArray<Decimal128Type> = states.iter().copied().collect();
        Arc::new(sums.with_data_type(self.output.clone()))
    }
}
