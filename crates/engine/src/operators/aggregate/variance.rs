//! `VAR_POP`, `VAR_SAMP`, `STDDEV_POP`, `STDDEV_SAMP`: by Welford's method in DOUBLE, as Flink's plan says it: the sum of squared distances from the mean,
//! divided by the number of values (less one for a sample), the root of it for a deviation, cast to the type of the argument as Java casts.
//!
//! NULL where no value is, and for the sample of one. Where the type has no room for NULL, Flink's code gives -1 (but for DECIMAL, which it fails).

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use arrow_array::{ArrayRef, Decimal128Array, PrimitiveArray};
use weir_base::{Error, Result};
use weir_plan::{DataType, LogicalType};

use super::bytes::Fixed;
use super::fold::Fold;
use super::rows::Rows;
use crate::expr::{decimal_of_double, decimal_to_double};

/// Which figure of the values.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Of a sample rather than of the whole population.
    pub sample: bool,
    /// The deviation rather than the variance.
    pub root: bool,
}

/// A variance or deviation.
#[derive(Debug, Clone)]
pub struct Variance {
    figure: Figure,
    argument: LogicalType,
    output: LogicalType,
    /// The figure where there is none.
    none: Option<f64>,
}

/// What has been seen of the values of a key.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moments {
    count: i64,
    mean: f64,
    /// The sum of squared distances from the mean.
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        if self.count <= 0 {
            return;
        }
        let before = value - self.mean;
        self.mean += before / double(self.count);
        self.squares += before * (value - self.mean);
    }

    fn remove(&mut self, value: f64) {
        self.count -= 1;
        if self.count <= 0 {
            if self.count == 0 {
                (self.mean, self.squares) = (0.0, 0.0);
            }
            return;
        }
        let after = value - self.mean;
        self.mean -= after / double(self.count);
        self.squares -= (value - self.mean) * after;
    }

    fn merge(&mut self, other: &Self) {
        if other.count <= 0 || self.count == 0 {
            let count = self.count + other.count;
            if other.count > 0 {
                *self = *other;
            }
            self.count = count;
        } else {
            let count = self.count + other.count;
            let distance = other.mean - self.mean;
            self.mean += double(other.count) / double(count) * distance;
            self.squares +=
                other.squares + double(self.count) * double(other.count) / double(count) * distance * distance;
            self.count = count;
        }
        if self.count <= 0 {
            (self.mean, self.squares) = (0.0, 0.0);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "Java's widening of a long")]
fn double(count: i64) -> f64 {
    count as f64
}

impl Variance {
    /// Of values of the type `argument`, as `output`.
    pub fn new(figure: Figure, argument: LogicalType, output: &DataType) -> Self {
        let has_null = output.nullable || matches!(output.logical, LogicalType::Decimal(..));
        Self { figure, argument, output: output.logical.clone(), none: (!has_null).then_some(-1.0) }
    }

    fn each(&self, rows: &Rows<'_>, mut take: impl FnMut(usize, f64)) -> Result<()> {
        match self.argument {
            LogicalType::TinyInt => rows.each_value::<Int8Type>(|key, value| take(key, value.into())),
            LogicalType::SmallInt => rows.each_value::<Int16Type>(|key, value| take(key, value.into())),
            LogicalType::Int => rows.each_value::<Int32Type>(|key, value| take(key, value.into())),
            LogicalType::BigInt => rows.each_value::<Int64Type>(|key, value| take(key, double(value))),
            LogicalType::Float => rows.each_value::<Float32Type>(|key, value| take(key, value.into())),
            LogicalType::Double => rows.each_value::<Float64Type>(take),
            LogicalType::Decimal(_, scale) => {
                rows.each_value::<Decimal128Type>(|key, value| take(key, decimal_to_double(value, scale)))
            }
            _ => Err(Error::internal(format!("a variance of {}", self.argument))),
        }
    }

    fn figure_of(&self, state: &Moments) -> Option<f64> {
        let divisor = if self.figure.sample { state.count - 1 } else { state.count };
        if state.count <= 0 || state.squares < 0.0 || divisor == 0 {
            return None;
        }
        let variance = state.squares / double(divisor);
        Some(if self.figure.root { variance.sqrt() } else { variance })
    }
}

/// Figures cast to a primitive type.
fn primitive<T: ArrowPrimitiveType>(
    figures: impl Iterator<Item = Option<f64>>,
    cast: impl Fn(f64) -> T::Native,
) -> ArrayRef {
    Arc::new(figures.map(|figure| figure.map(&cast)).collect::<PrimitiveArray<T>>())
}

impl Fold for Variance {
    type State = Moments;

    fn update(&self, states: &mut [Moments], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        self.each(rows, |key, value| states[key].add(value))
    }

    fn retract(&self, states: &mut [Moments], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        self.each(rows, |key, value| states[key].remove(value))
    }

    fn merge(&self, into: &mut Moments, _: &mut usize, from: &Moments) -> Result<()> {
        into.merge(from);
        Ok(())
    }

    fn write(&self, state: &Moments, out: &mut Vec<u8>) {
        state.count.put(out);
        state.mean.put(out);
        state.squares.put(out);
    }

    fn read(&self, bytes: &mut &[u8], _: &mut usize) -> Option<Moments> {
        Some(Moments { count: Fixed::take(bytes)?, mean: Fixed::take(bytes)?, squares: Fixed::take(bytes)? })
    }

    #[expect(clippy::cast_possible_truncation, reason = "as Java casts a double: to INT and BIGINT it saturates")]
    fn finish<'a>(&self, states: impl Iterator<Item = &'a Moments> + Clone) -> Result<ArrayRef> {
        let figures = states.map(|state| self.figure_of(state).or(self.none));
        Ok(match self.output {
            LogicalType::TinyInt => primitive::<Int8Type>(figures, |figure| figure as i32 as i8),
            LogicalType::SmallInt => primitive::<Int16Type>(figures, |figure| figure as i32 as i16),
            LogicalType::Int => primitive::<Int32Type>(figures, |figure| figure as i32),
            LogicalType::BigInt => primitive::<Int64Type>(figures, |figure| figure as i64),
            LogicalType::Float => primitive::<Float32Type>(figures, |figure| figure as f32),
            LogicalType::Decimal(precision, scale) => {
                let decimals = figures.map(|figure| match figure {
                    None => Ok(None),
                    Some(figure) => decimal_of_double(figure, precision, scale).map_err(Error::invalid),
                });
                let decimals: Decimal128Array = decimals.collect::<Result<Vec<_>>>()?.into();
                Arc::new(decimals.with_data_type(self.output.arrow()))
            }
            _ => primitive::<Float64Type>(figures, |figure| figure),
        })
    }
}
