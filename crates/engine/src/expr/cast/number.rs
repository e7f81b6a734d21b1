//! Casts among numbers and BOOLEAN, as Java converts them: integers wrap, fractions are cut, DOUBLE to integer saturates; a DECIMAL that does not fit is NULL.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, ArrowPrimitiveType, BooleanArray};
use arrow_buffer::BooleanBuffer;
use weir_plan::LogicalType;

use super::super::decimal;
use super::super::node::Column;
use super::super::rows::{Failure, Values, primitives, unary};
use super::read_decimal::decimal_of_double;
use super::{CastKernel, shared};

/// Whether it is a number or BOOLEAN.
pub(super) fn is_number_or_boolean(logical: &LogicalType) -> bool {
    logical.is_numeric() || *logical == LogicalType::Boolean
}

/// The conversion between two different types of numbers, or to or from BOOLEAN.
pub(super) fn between(from: &LogicalType, to: &LogicalType) -> CastKernel {
    let (from, target) = (from.clone(), to.clone());
    match to {
        LogicalType::Decimal(precision, scale) => to_decimal(from, *precision, *scale),
        LogicalType::Boolean => CastKernel::infallible(move |columns, _| Ok(to_boolean(&from, &columns[0]))),
        _ => CastKernel::infallible(move |columns, _| Ok(convert(&from, &target, &columns[0]))),
    }
}

/// TRUE where the number is not 0.
fn to_boolean(from: &LogicalType, column: &Column) -> ArrayRef {
    fn of<T: ArrowPrimitiveType>(column: &Column) -> ArrayRef
    where
        T::Native: PartialEq + Default,
    {
        let array = column.array.as_primitive::<T>();
        let values = array.values();
        let bits = BooleanBuffer::collect_bool(values.len(), |row| values[row] != T::Native::default());
        shared(BooleanArray::new(bits, array.nulls().cloned()))
    }
    use arrow_array::Array;
    match from {
        LogicalType::TinyInt => of::<Int8Type>(column),
        LogicalType::SmallInt => of::<Int16Type>(column),
        LogicalType::Int => of::<Int32Type>(column),
        LogicalType::BigInt => of::<Int64Type>(column),
        LogicalType::Float => of::<Float32Type>(column),
        LogicalType::Double => of::<Float64Type>(column),
        _ => of::<Decimal128Type>(column),
    }
}

/// A number of Java's arithmetic: what every primitive can be made from.
#[derive(Clone, Copy)]
enum Number {
    Integer(i64),
    Double(f64),
}

/// Reads `column` as numbers and gives them as `to`.
fn convert(from: &LogicalType, to: &LogicalType, column: &Column) -> ArrayRef {
    let from_integer = |value: i64| Number::Integer(value);
    match from {
        LogicalType::TinyInt => from_primitive::<Int8Type>(to, column, |value| from_integer(value.into())),
        LogicalType::SmallInt => from_primitive::<Int16Type>(to, column, |value| from_integer(value.into())),
        LogicalType::Int => from_primitive::<Int32Type>(to, column, |value| from_integer(value.into())),
        LogicalType::BigInt => from_primitive::<Int64Type>(to, column, from_integer),
        LogicalType::Float => from_primitive::<Float32Type>(to, column, |value| Number::Double(value.into())),
        LogicalType::Double => from_primitive::<Float64Type>(to, column, Number::Double),
        LogicalType::Decimal(_, scale) => {
            let (scale, unit) = (*scale, decimal::power_of_ten(u32::from(*scale)));
            let is_fraction = matches!(to, LogicalType::Float | LogicalType::Double);
            #[expect(clippy::cast_possible_truncation, reason = "as Java's BigDecimal.longValue: the low 64 bits")]
            let number = move |value: i128| {
                if is_fraction {
                    Number::Double(decimal::to_double(value, scale))
                } else {
                    Number::Integer((value / unit) as i64)
                }
            };
            from_primitive::<Decimal128Type>(to, column, number)
        }
        _ => {
            let zero_or_one = arrow_array::Int8Array::new(
                column.array.as_boolean().values().iter().map(i8::from).collect(),
                arrow_array::Array::nulls(column.array.as_boolean()).cloned(),
            );
            let column = Column { array: shared(zero_or_one), is_constant: column.is_constant };
            convert(&LogicalType::TinyInt, to, &column)
        }
    }
}

/// Numbers as Java's narrowing and widening conversions give them.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "these conversions are Java's, which are Rust's: integers wrap, floats saturate, NaN is 0"
)]
fn from_primitive<A: ArrowPrimitiveType>(
    to: &LogicalType,
    column: &Column,
    number: impl Fn(A::Native) -> Number,
) -> ArrayRef {
    let small = |value| match number(value) {
        Number::Integer(value) => value as i32,
        Number::Double(value) => value as i32,
    };
    match to {
        LogicalType::TinyInt => unary::<A, Int8Type>(column, |value| small(value) as i8),
        LogicalType::SmallInt => unary::<A, Int16Type>(column, |value| small(value) as i16),
        LogicalType::Int => unary::<A, Int32Type>(column, small),
        LogicalType::BigInt => unary::<A, Int64Type>(column, |value| match number(value) {
            Number::Integer(value) => value,
            Number::Double(value) => value as i64,
        }),
        LogicalType::Float => unary::<A, Float32Type>(column, |value| match number(value) {
            Number::Integer(value) => value as f32,
            Number::Double(value) => value as f32,
        }),
        _ => unary::<A, Float64Type>(column, |value| match number(value) {
            Number::Integer(value) => value as f64,
            Number::Double(value) => value,
        }),
    }
}

/// Numbers as DECIMAL; NULL where they do not fit. NaN and infinities fail, in a TRY_CAST too: Flink guards only casts that it expects to fail.
fn to_decimal(from: LogicalType, precision: u8, scale: u8) -> CastKernel {
    if let Some((_, from_scale)) = decimal::shape_of(&from) {
        return CastKernel::infallible(move |columns, scope| {
            let columns = [Column { array: decimal::widened(&columns[0].array), is_constant: columns[0].is_constant }];
            let values = Values::<Decimal128Type>::of(&columns[0]);
            let array = primitives::<Decimal128Type>(&columns, scope, Failure::Raise, |row| {
                Ok(decimal::rescale(values.get(row), from_scale, scale, precision))
            })?;
            Ok(decimal::typed(&array, precision, scale))
        });
    }
    if from == LogicalType::Boolean {
        return CastKernel::infallible(move |columns, scope| {
            let values = columns[0].array.as_boolean();
            let array = primitives::<Decimal128Type>(columns, scope, Failure::Raise, |row| {
                let one = i128::from(values.value(columns[0].index(row)));
                Ok(decimal::rescale(one, 0, scale, precision))
            })?;
            Ok(decimal::typed(&array, precision, scale))
        });
    }
    CastKernel::fallible(Failure::Raise, move |columns, scope| {
        let column = match from {
            LogicalType::Float => {
                let array = unary::<Float32Type, Float64Type>(&columns[0], f64::from);
                Column { array, is_constant: columns[0].is_constant }
            }
            _ => columns[0].clone(),
        };
        let columns = [column];
        let values = Values::<Float64Type>::of(&columns[0]);
        let array = primitives::<Decimal128Type>(&columns, scope, Failure::Raise, |row| {
            decimal_of_double(values.get(row), precision, scale)
        })?;
        Ok(decimal::typed(&array, precision, scale))
    })
}
