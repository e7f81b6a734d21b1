//! What an aggregate function is to a window: a column of states, one for each key.

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType as ArrowType;
use weir_base::{Error, Result};
use weir_plan::{AggregateCall, AggregateFunction, LogicalType};

use super::average::{AverageDecimal, AverageFloat, AverageInteger};
use super::count::Count;
use super::distinct::Distinct;
use super::fold::Folding;
use super::min_max::{MinMax, MinMaxBoolean, MinMaxText};
use super::sum::{SumDecimal, SumNumber};

/// The states of one aggregate for the keys of one window.
pub trait Accumulator: Send + Sync {
    /// Adds states until there are `keys`.
    fn grow(&mut self, keys: usize);

    /// Takes values: for each place the row of `column` and the key it goes to. `None`: `COUNT(*)`.
    ///
    /// # Errors
    /// The column has another type than the plan says.
    fn update(&mut self, column: Option<&dyn Array>, rows: &[u32], keys: &[u32]) -> Result<()>;

    /// The states of `keys` alone, in that order.
    fn gather(&self, keys: &[u32]) -> Box<dyn Accumulator>;

    /// Adds the bytes of the state of `key`.
    fn write(&self, key: usize, out: &mut Vec<u8>);

    /// Takes the state of `key` from the front of `bytes`; `None` if they are no such state.
    fn read(&mut self, key: usize, bytes: &mut &[u8]) -> Option<()>;

    /// The results for all keys.
    fn finish(&self) -> ArrayRef;

    /// Bytes of memory that the states take.
    fn bytes(&self) -> usize;

    /// The same function without states.
    fn empty(&self) -> Box<dyn Accumulator>;
}

/// The accumulator of `call`.
///
/// # Errors
/// The function is not there for the argument's type.
pub fn build(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    let plain = build_plain(call)?;
    // The least and the greatest of the distinct values are those of all values.
    let extreme = matches!(call.function, AggregateFunction::Min | AggregateFunction::Max);
    Ok(if call.distinct && !extreme { Box::new(Distinct::new(plain)) } else { plain })
}

fn build_plain(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    use arrow_array::types::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
    let Some(argument) = &call.argument_type else {
        return if call.function == AggregateFunction::Count { Ok(boxed(Count)) } else { Err(refuse(call, "nothing")) };
    };
    let scales = match (&argument.logical, &call.data_type.logical) {
        (LogicalType::Decimal(_, from), LogicalType::Decimal(_, to)) => (*from, *to),
        _ => (0, 0),
    };
    let output = call.data_type.arrow();
    Ok(match (call.function, &argument.logical) {
        (AggregateFunction::Count, _) => boxed(Count),
        (AggregateFunction::Sum, LogicalType::TinyInt) => boxed(SumNumber::<Int8Type>::default()),
        (AggregateFunction::Sum, LogicalType::SmallInt) => boxed(SumNumber::<Int16Type>::default()),
        (AggregateFunction::Sum, LogicalType::Int) => boxed(SumNumber::<Int32Type>::default()),
        (AggregateFunction::Sum, LogicalType::BigInt) => boxed(SumNumber::<Int64Type>::default()),
        (AggregateFunction::Sum, LogicalType::Float) => boxed(SumNumber::<Float32Type>::default()),
        (AggregateFunction::Sum, LogicalType::Double) => boxed(SumNumber::<Float64Type>::default()),
        (AggregateFunction::Sum, LogicalType::Decimal(..)) => boxed(SumDecimal::new(output)),
        (AggregateFunction::Avg, LogicalType::TinyInt) => boxed(AverageInteger::<Int8Type>::default()),
        (AggregateFunction::Avg, LogicalType::SmallInt) => boxed(AverageInteger::<Int16Type>::default()),
        (AggregateFunction::Avg, LogicalType::Int) => boxed(AverageInteger::<Int32Type>::default()),
        (AggregateFunction::Avg, LogicalType::BigInt) => boxed(AverageInteger::<Int64Type>::default()),
        (AggregateFunction::Avg, LogicalType::Float) => boxed(AverageFloat::<Float32Type>::default()),
        (AggregateFunction::Avg, LogicalType::Double) => boxed(AverageFloat::<Float64Type>::default()),
        (AggregateFunction::Avg, LogicalType::Decimal(..)) => boxed(AverageDecimal::new(scales.0, output)),
        (AggregateFunction::Min | AggregateFunction::Max, _) => {
            return min_max(call, &output);
        }
        (_, other) => return Err(refuse(call, &other.to_string())),
    })
}

fn min_max(call: &AggregateCall, output: &ArrowType) -> Result<Box<dyn Accumulator>> {
    use arrow_array::types::{
        Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
        Int64Type, IntervalYearMonthType, Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType,
    };
    use arrow_schema::{IntervalUnit, TimeUnit};
    let greatest = call.function == AggregateFunction::Max;
    macro_rules! of {
        ($type:ty) => {
            boxed(MinMax::<$type>::new(greatest, output.clone()))
        };
    }
    Ok(match output {
        ArrowType::Int8 => of!(Int8Type),
        ArrowType::Int16 => of!(Int16Type),
        ArrowType::Int32 => of!(Int32Type),
        ArrowType::Int64 => of!(Int64Type),
        ArrowType::Float32 => of!(Float32Type),
        ArrowType::Float64 => of!(Float64Type),
        ArrowType::Decimal128(..) => of!(Decimal128Type),
        ArrowType::Date32 => of!(Date32Type),
        ArrowType::Time32(TimeUnit::Millisecond) => of!(Time32MillisecondType),
        ArrowType::Timestamp(TimeUnit::Millisecond, _) => of!(TimestampMillisecondType),
        ArrowType::Timestamp(TimeUnit::Microsecond, _) => of!(TimestampMicrosecondType),
        ArrowType::Timestamp(TimeUnit::Nanosecond, _) => of!(TimestampNanosecondType),
        ArrowType::Interval(IntervalUnit::YearMonth) => of!(IntervalYearMonthType),
        ArrowType::Duration(TimeUnit::Millisecond) => of!(DurationMillisecondType),
        ArrowType::Utf8View => boxed(MinMaxText { greatest }),
        ArrowType::Boolean => boxed(MinMaxBoolean { greatest }),
        _ => return Err(refuse(call, &call.data_type.logical.to_string())),
    })
}

fn boxed<F: super::fold::Fold>(fold: F) -> Box<dyn Accumulator> {
    Box::new(Folding::new(fold))
}

fn refuse(call: &AggregateCall, argument: &str) -> Error {
    Error::invalid(format!("aggregate by {}({argument}): it is not there for this type", call.function.name()))
}
