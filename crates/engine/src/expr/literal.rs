//! Constants of a plan as Arrow arrays of one value.
//!
//! It owns the conversion of `weir_plan::Value` into the physical type of its logical type, and nothing else.

use std::sync::Arc;

use arrow_array::types::{
    ArrowTimestampType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{
    ArrayRef, BinaryViewArray, BooleanArray, Date32Array, Decimal128Array, DurationMillisecondArray,
    IntervalYearMonthArray, PrimitiveArray, StringViewArray, Time32MillisecondArray, new_null_array,
};
use arrow_schema::{DataType as ArrowType, TimeUnit};
use weir_base::{Error, Result};
use weir_plan::{DataType, LogicalType, Value};

/// `value` as an array of length 1 in the Arrow type of `data_type`.
///
/// # Errors
/// The value is not one of the type: a broken plan.
pub(super) fn array_of(value: &Value, data_type: &DataType) -> Result<ArrayRef> {
    let misfit = || Error::internal(format!("compile the constant {value:?}: it is no {data_type}"));
    let array: ArrayRef = match (value, &data_type.logical) {
        (Value::Null, _) => new_null_array(&data_type.arrow(), 1),
        (Value::Boolean(value), LogicalType::Boolean) => Arc::new(BooleanArray::from(vec![*value])),
        (Value::Integer(value), LogicalType::Decimal(precision, scale)) => {
            decimal(i128::from(*value) * 10_i128.pow(u32::from(*scale)), *precision, *scale)
        }
        (Value::Integer(value), logical) => integer(*value, logical).ok_or_else(misfit)?,
        (Value::Double(value), LogicalType::Float) => {
            #[expect(clippy::cast_possible_truncation, reason = "a FLOAT constant is the float nearest to it")]
            let value = *value as f32;
            Arc::new(PrimitiveArray::<Float32Type>::from_value(value, 1))
        }
        (Value::Double(value), LogicalType::Double) => Arc::new(PrimitiveArray::<Float64Type>::from_value(*value, 1)),
        (Value::Decimal(value), LogicalType::Decimal(precision, scale)) => decimal(*value, *precision, *scale),
        (Value::String(text), LogicalType::Char(_) | LogicalType::Varchar(_)) => {
            Arc::new(StringViewArray::from_iter_values([text]))
        }
        (Value::Bytes(bytes), LogicalType::Binary(_) | LogicalType::Varbinary(_)) => {
            Arc::new(BinaryViewArray::from_iter_values([bytes]))
        }
        (Value::Date(days), LogicalType::Date) => Arc::new(Date32Array::from(vec![*days])),
        (Value::Time(millis), LogicalType::Time(_)) => Arc::new(Time32MillisecondArray::from(vec![*millis])),
        (Value::Timestamp(nanos), logical) => timestamp(*nanos, logical).ok_or_else(misfit)?,
        (Value::Months(months), LogicalType::IntervalYearMonth) => {
            Arc::new(IntervalYearMonthArray::from(vec![*months]))
        }
        (Value::Milliseconds(millis), LogicalType::IntervalDayTime) => {
            Arc::new(DurationMillisecondArray::from(vec![*millis]))
        }
        _ => return Err(misfit()),
    };
    Ok(array)
}

/// A DECIMAL of one row from its unscaled number.
fn decimal(unscaled: i128, precision: u8, scale: u8) -> ArrayRef {
    let scale = i8::try_from(scale).expect("a scale is at most 38");
    let array = Decimal128Array::from(vec![unscaled]).with_precision_and_scale(precision, scale);
    Arc::new(array.expect("the planner keeps precision and scale within bounds"))
}

/// An integer, or a number standing for another type of numbers.
fn integer(value: i64, logical: &LogicalType) -> Option<ArrayRef> {
    #[expect(clippy::cast_precision_loss, reason = "an integer constant for DOUBLE or FLOAT is the nearest one")]
    Some(match logical {
        LogicalType::TinyInt => Arc::new(PrimitiveArray::<Int8Type>::from_value(i8::try_from(value).ok()?, 1)),
        LogicalType::SmallInt => Arc::new(PrimitiveArray::<Int16Type>::from_value(i16::try_from(value).ok()?, 1)),
        LogicalType::Int => Arc::new(PrimitiveArray::<Int32Type>::from_value(i32::try_from(value).ok()?, 1)),
        LogicalType::BigInt => Arc::new(PrimitiveArray::<Int64Type>::from_value(value, 1)),
        LogicalType::Float => Arc::new(PrimitiveArray::<Float32Type>::from_value(value as f32, 1)),
        LogicalType::Double => Arc::new(PrimitiveArray::<Float64Type>::from_value(value as f64, 1)),
        _ => return None,
    })
}

/// A TIMESTAMP or TIMESTAMP_LTZ from nanoseconds since the epoch, cut to the unit of its precision.
fn timestamp(nanos: i128, logical: &LogicalType) -> Option<ArrayRef> {
    let ArrowType::Timestamp(unit, zone) = logical.arrow() else { return None };
    let value = |divisor: i128| i64::try_from(nanos.div_euclid(divisor)).ok();
    Some(match unit {
        TimeUnit::Millisecond => stamped::<TimestampMillisecondType>(value(1_000_000)?, zone),
        TimeUnit::Microsecond => stamped::<TimestampMicrosecondType>(value(1_000)?, zone),
        TimeUnit::Nanosecond => stamped::<TimestampNanosecondType>(value(1)?, zone),
        TimeUnit::Second => return None,
    })
}

/// One timestamp of unit `T`.
fn stamped<T: ArrowTimestampType>(value: i64, zone: Option<Arc<str>>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::from_value(value, 1).with_timezone_opt(zone))
}
