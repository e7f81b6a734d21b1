//! What an aggregate function is to an operator: a column of states, one for each key.

use std::any::Any;

use arrow_array::ArrayRef;
use arrow_schema::DataType as ArrowType;
use weir_base::{Error, Result};
use weir_plan::{AggregateCall, AggregateFunction, DataType, LogicalType};

use super::average::{AverageDecimal, AverageNumber};
use super::count::Count;
use super::distinct::Distinct;
use super::elements::ElementSink;
use super::fold::{Fold, Folding};
use super::min_max::{MinMax, MinMaxBoolean, MinMaxText};
use super::min_max_retract::MinMaxRetract;
use super::rows::Rows;
use super::sum::{SumDecimal, SumNumber};
use super::sum_retract::{SumRetractDecimal, SumRetractNumber};

/// The states of one aggregate. Keys are the operator's: numbers from zero.
pub trait Accumulator: Send + Sync {
    /// Adds states until there are `keys`.
    fn grow(&mut self, keys: usize);

    /// Takes values in, in the order of the rows.
    ///
    /// # Errors
    /// A column has another type than the plan says, or the function does not take a value.
    fn update(&mut self, rows: &Rows<'_>) -> Result<()>;

    /// Takes values back, in the order of the rows.
    ///
    /// # Errors
    /// As `update`; or the accumulator was built for inserts only.
    fn retract(&mut self, rows: &Rows<'_>) -> Result<()>;

    /// Takes in what the states `from` of `other` have seen, each into the state of the same place in `to`.
    ///
    /// # Errors
    /// `other` is another function, or the function does not take a value.
    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()>;

    /// Makes the states of `keys` as if they had seen nothing. What checkpoints hold of their elements must have been forgotten before.
    fn reset(&mut self, keys: &[u32]);

    /// The states of `keys` alone, in that order.
    fn gather(&self, keys: &[u32]) -> Box<dyn Accumulator>;

    /// Adds the bytes of the state of `key`, without its elements.
    fn write(&self, key: usize, out: &mut Vec<u8>);

    /// Takes the state of `key` from the front of `bytes`; `None` if they are no such state.
    fn read(&mut self, key: usize, bytes: &mut &[u8]) -> Option<()>;

    /// Whether states have elements, which stand in checkpoints beside them.
    fn has_elements(&self) -> bool;

    /// Gives the elements of `key` that have changed since this was last called.
    fn freeze_elements(&mut self, key: usize, sink: &mut ElementSink<'_>);

    /// Gives all elements of `key` that some checkpoint may hold, as gone.
    fn forget_elements(&self, key: usize, sink: &mut ElementSink<'_>);

    /// Takes an element of `key` back; `None` if it is no such element.
    fn read_element(&mut self, key: usize, element: &[u8], value: &[u8]) -> Option<()>;

    /// The results for all keys.
    ///
    /// # Errors
    /// A result cannot be made.
    fn finish(&self) -> Result<ArrayRef>;

    /// The results for `keys`, in that order.
    ///
    /// # Errors
    /// As `finish`.
    fn finish_keys(&self, keys: &[u32]) -> Result<ArrayRef>;

    /// Bytes of memory that the states take; counted as they come.
    fn bytes(&self) -> usize;

    /// The same function without states.
    fn empty(&self) -> Box<dyn Accumulator>;

    /// For `merge`, to know its kind.
    fn as_any(&self) -> &dyn Any;
}

/// The accumulator of `call`; `retracts`: values are taken back, too.
///
/// # Errors
/// The function is not there for the argument's type.
pub fn build(call: &AggregateCall, retracts: bool) -> Result<Box<dyn Accumulator>> {
    // The least and the greatest of the distinct values are those of all values.
    let extreme = matches!(call.function, AggregateFunction::Min | AggregateFunction::Max);
    let plain = build_plain(call, retracts)?;
    Ok(if call.distinct && !extreme { Box::new(Distinct::new(plain, &call.argument_types, retracts)?) } else { plain })
}

fn build_plain(call: &AggregateCall, retracts: bool) -> Result<Box<dyn Accumulator>> {
    if call.function == AggregateFunction::Count {
        return Ok(boxed(Count));
    }
    let Some(argument) = call.argument_types.first() else { return Err(refuse(call)) };
    match call.function {
        AggregateFunction::Count => Ok(boxed(Count)),
        AggregateFunction::Sum if retracts => sum_retract(call, argument),
        AggregateFunction::Sum => sum(call, argument),
        AggregateFunction::Avg => average(call, argument),
        AggregateFunction::Min | AggregateFunction::Max if retracts => {
            Ok(boxed(MinMaxRetract::new(call.function == AggregateFunction::Max, argument)?))
        }
        AggregateFunction::Min | AggregateFunction::Max => min_max(call, &call.data_type.arrow()),
    }
}

fn sum(call: &AggregateCall, argument: &DataType) -> Result<Box<dyn Accumulator>> {
    use arrow_array::types::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
    Ok(match argument.logical {
        LogicalType::TinyInt => boxed(SumNumber::<Int8Type>::default()),
        LogicalType::SmallInt => boxed(SumNumber::<Int16Type>::default()),
        LogicalType::Int => boxed(SumNumber::<Int32Type>::default()),
        LogicalType::BigInt => boxed(SumNumber::<Int64Type>::default()),
        LogicalType::Float => boxed(SumNumber::<Float32Type>::default()),
        LogicalType::Double => boxed(SumNumber::<Float64Type>::default()),
        LogicalType::Decimal(..) => boxed(SumDecimal::new(call.data_type.arrow())),
        _ => return Err(refuse(call)),
    })
}

fn sum_retract(call: &AggregateCall, argument: &DataType) -> Result<Box<dyn Accumulator>> {
    use arrow_array::types::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
    Ok(match argument.logical {
        LogicalType::TinyInt => boxed(SumRetractNumber::<Int8Type>::default()),
        LogicalType::SmallInt => boxed(SumRetractNumber::<Int16Type>::default()),
        LogicalType::Int => boxed(SumRetractNumber::<Int32Type>::default()),
        LogicalType::BigInt => boxed(SumRetractNumber::<Int64Type>::default()),
        LogicalType::Float => boxed(SumRetractNumber::<Float32Type>::default()),
        LogicalType::Double => boxed(SumRetractNumber::<Float64Type>::default()),
        LogicalType::Decimal(..) => boxed(SumRetractDecimal::new(call.data_type.arrow())),
        _ => return Err(refuse(call)),
    })
}

fn average(call: &AggregateCall, argument: &DataType) -> Result<Box<dyn Accumulator>> {
    use arrow_array::types::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
    Ok(match argument.logical {
        LogicalType::TinyInt => boxed(AverageNumber::<Int8Type>::default()),
        LogicalType::SmallInt => boxed(AverageNumber::<Int16Type>::default()),
        LogicalType::Int => boxed(AverageNumber::<Int32Type>::default()),
        LogicalType::BigInt => boxed(AverageNumber::<Int64Type>::default()),
        LogicalType::Float => boxed(AverageNumber::<Float32Type>::default()),
        LogicalType::Double => boxed(AverageNumber::<Float64Type>::default()),
        LogicalType::Decimal(_, scale) => boxed(AverageDecimal::new(scale, call.data_type.arrow())),
        _ => return Err(refuse(call)),
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
        _ => return Err(refuse(call)),
    })
}

fn boxed<F: Fold>(fold: F) -> Box<dyn Accumulator> {
    Box::new(Folding::new(fold))
}

fn refuse(call: &AggregateCall) -> Error {
    Error::invalid(format!("aggregate by {call}: it is not there for this type"))
}
