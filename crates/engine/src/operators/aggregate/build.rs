//! From an aggregate call of the plan to the accumulator that does it.

use std::sync::Arc;

use arrow_schema::DataType as ArrowType;
use weir_base::{Error, Result};
use weir_plan::{AggregateCall, AggregateFunction, DataType, LogicalType};

use super::accumulator::Accumulator;
use super::array_agg::ArrayAgg;
use super::average::{AverageDecimal, AverageNumber};
use super::average_of_sum::{AverageOfSum, AverageOfSumDecimal};
use super::count::Count;
use super::distinct::Distinct;
use super::first_last::{OneValue, Which};
use super::first_last_retract::FirstLastRetract;
use super::fold::{Fold, Folding};
use super::json_array_agg::JsonArrayAgg;
use super::json_object_agg::JsonObjectAgg;
use super::list_agg::ListAgg;
use super::min_max::{MinMax, MinMaxBoolean, MinMaxText};
use super::min_max_retract::MinMaxRetract;
use super::percentile::Percentile;
use super::sum::{SumDecimal, SumNumber};
use super::sum_retract::{SumRetractDecimal, SumRetractNumber};
use super::sum_zero::{SumZeroDecimal, SumZeroNumber};
use super::variance::{Figure, Variance};

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

/// Builds a fold that has one form for each type of number, and one for DECIMAL.
macro_rules! by_number {
    ($call:expr, $argument:expr, $number:ident, $decimal:expr) => {{
        use arrow_array::types::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
        match $argument.logical {
            LogicalType::TinyInt => boxed($number::<Int8Type>::default()),
            LogicalType::SmallInt => boxed($number::<Int16Type>::default()),
            LogicalType::Int => boxed($number::<Int32Type>::default()),
            LogicalType::BigInt => boxed($number::<Int64Type>::default()),
            LogicalType::Float => boxed($number::<Float32Type>::default()),
            LogicalType::Double => boxed($number::<Float64Type>::default()),
            LogicalType::Decimal(_, scale) => boxed($decimal(scale, $call.data_type.arrow())),
            _ => return Err(refuse($call)),
        }
    }};
}

fn build_plain(call: &AggregateCall, retracts: bool) -> Result<Box<dyn Accumulator>> {
    use AggregateFunction as F;
    if call.function == F::Count {
        return Ok(boxed(Count));
    }
    let Some(argument) = call.argument_types.first() else { return Err(refuse(call)) };
    Ok(match call.function {
        F::Count => boxed(Count),
        F::Sum if retracts => by_number!(call, argument, SumRetractNumber, |_, output| SumRetractDecimal::new(output)),
        F::Sum => by_number!(call, argument, SumNumber, |_, output| SumDecimal::new(output)),
        F::SumZero => by_number!(call, argument, SumZeroNumber, |_, output| SumZeroDecimal::new(output)),
        F::Avg => by_number!(call, argument, AverageNumber, AverageDecimal::new),
        F::AvgOfSum => by_number!(call, argument, AverageOfSum, AverageOfSumDecimal::new),
        F::Min | F::Max if retracts => boxed(MinMaxRetract::new(call.function == F::Max, argument)?),
        F::Min | F::Max => return min_max(call),
        F::VarPop => variance(call, argument, Figure { sample: false, root: false })?,
        F::VarSamp => variance(call, argument, Figure { sample: true, root: false })?,
        F::StddevPop => variance(call, argument, Figure { sample: false, root: true })?,
        F::StddevSamp => variance(call, argument, Figure { sample: true, root: true })?,
        F::FirstValue if retracts => boxed(FirstLastRetract::new(false, argument)?),
        F::LastValue if retracts => boxed(FirstLastRetract::new(true, argument)?),
        F::FirstValue => boxed(OneValue::new(Which::First, argument)?),
        F::LastValue => boxed(OneValue::new(Which::Last, argument)?),
        F::SingleValue => boxed(OneValue::new(Which::Single, argument)?),
        F::ListAgg => {
            let separator = Arc::from(call.separator.as_deref().unwrap_or(","));
            boxed(ListAgg { separator, retracts })
        }
        F::ArrayAgg { ignore_nulls } => boxed(ArrayAgg::new(argument, ignore_nulls, retracts)?),
        F::JsonArrayAgg { absent_on_null } => boxed(JsonArrayAgg { absent_on_null, retracts }),
        F::JsonObjectAgg { absent_on_null } => boxed(JsonObjectAgg { absent_on_null }),
        F::Percentile => boxed(Percentile::new(&call.argument_types)),
    })
}

fn variance(call: &AggregateCall, argument: &DataType, figure: Figure) -> Result<Box<dyn Accumulator>> {
    if !argument.logical.is_numeric() {
        return Err(refuse(call));
    }
    Ok(boxed(Variance::new(figure, argument.logical.clone(), &call.data_type)))
}

fn min_max(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    use arrow_array::types::{
        Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    };
    use arrow_schema::TimeUnit;
    let output = call.data_type.arrow();
    let greatest = call.function == AggregateFunction::Max;
    macro_rules! of {
        ($type:ty) => {
            boxed(MinMax::<$type>::new(greatest, output.clone()))
        };
    }
    Ok(match &output {
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
