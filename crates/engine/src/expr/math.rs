//! Numbers to numbers of their type: ABS, FLOOR, CEIL, ROUND, TRUNCATE, SIGN.
//!
//! ROUND and TRUNCATE of FLOAT and DOUBLE work on the digits that Java writes for the number, as Flink does: `ROUND(2.675, 2)` is 2.68.

use arrow_array::ArrayRef;
use arrow_array::ArrowPrimitiveType;
use arrow_array::types::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use weir_base::{Error, Result, Span};
use weir_plan::{CastMode, DataType, Function, LogicalType};

use super::compile::Family;
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, RowResult, Values, primitives, unary};
use super::zone::Zone;
use super::{cast, decimal};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[Function::Abs, Function::Floor, Function::Ceil, Function::Round, Function::Truncate, Function::Sign],
    compile: |call| compile(call.function, call.nodes, call.data_type, call.zone, call.span),
};

/// One of the functions above.
///
/// # Errors
/// An argument is no number: a broken plan.
pub(super) fn compile(
    function: Function,
    nodes: Vec<Node>,
    data_type: DataType,
    zone: &Zone,
    span: Span,
) -> Result<Node> {
    let broken = Error::internal(format!("compile {function:?}: its argument is {}", nodes[0].data_type));
    let from = nodes[0].data_type.logical.clone();
    if !from.is_numeric() {
        return Err(broken);
    }
    match function {
        Function::Round | Function::Truncate => rounding(function, nodes, data_type, zone, span),
        _ => {
            let node = Node::call(nodes, natural(function, &from), span, false, of_number(function, &from));
            cast::compile(node, &data_type, CastMode::Cast, zone, span)
        }
    }
}

/// The type in which ABS, FLOOR, CEIL and SIGN of this type are computed.
fn natural(function: Function, from: &LogicalType) -> DataType {
    DataType::nullable(match (function, from) {
        (Function::Floor | Function::Ceil, LogicalType::Decimal(precision, _)) => LogicalType::Decimal(*precision, 0),
        _ => from.clone(),
    })
}

/// ABS, FLOOR, CEIL, SIGN of a number.
fn of_number(function: Function, from: &LogicalType) -> Apply {
    match from {
        LogicalType::TinyInt => integers::<Int8Type>(function, i8::wrapping_abs, i8::signum),
        LogicalType::SmallInt => integers::<Int16Type>(function, i16::wrapping_abs, i16::signum),
        LogicalType::Int => integers::<Int32Type>(function, i32::wrapping_abs, i32::signum),
        LogicalType::BigInt => integers::<Int64Type>(function, i64::wrapping_abs, i64::signum),
        LogicalType::Float => {
            let f: fn(f32) -> f32 = match function {
                Function::Abs => f32::abs,
                Function::Floor => f32::floor,
                Function::Ceil => f32::ceil,
                _ => |value| if value == 0.0 { value } else { value.signum() },
            };
            Box::new(move |columns, _| Ok(unary::<Float32Type, Float32Type>(&columns[0], f)))
        }
        LogicalType::Double => {
            let f: fn(f64) -> f64 = match function {
                Function::Abs => f64::abs,
                Function::Floor => f64::floor,
                Function::Ceil => f64::ceil,
                _ => |value| if value == 0.0 { value } else { value.signum() },
            };
            Box::new(move |columns, _| Ok(unary::<Float64Type, Float64Type>(&columns[0], f)))
        }
        LogicalType::Decimal(precision, scale) => decimals(function, *precision, *scale),
        _ => Box::new(|columns, _| Ok(columns[0].array.clone())),
    }
}

/// ABS and SIGN of integers; FLOOR and CEIL leave them as they are.
fn integers<T: ArrowPrimitiveType>(
    function: Function,
    abs: fn(T::Native) -> T::Native,
    sign: fn(T::Native) -> T::Native,
) -> Apply {
    match function {
        Function::Abs => Box::new(move |columns, _| Ok(unary::<T, T>(&columns[0], abs))),
        Function::Sign => Box::new(move |columns, _| Ok(unary::<T, T>(&columns[0], sign))),
        _ => Box::new(|columns, _| Ok(columns[0].array.clone())),
    }
}

fn decimals(function: Function, precision: u8, scale: u8) -> Apply {
    let unit = decimal::power_of_ten(u32::from(scale));
    Box::new(move |columns, _| {
        let of = |f: &dyn Fn(i128) -> i128| unary::<Decimal128Type, Decimal128Type>(&columns[0], f);
        Ok(match function {
            Function::Abs => decimal::typed(&of(&i128::abs), precision, scale),
            Function::Floor => decimal::typed(&of(&|value| value.div_euclid(unit)), precision, 0),
            Function::Ceil => decimal::typed(&of(&|value| -(-value).div_euclid(unit)), precision, 0),
            _ => decimal::typed(&of(&|value| value.signum() * unit), precision, scale),
        })
    })
}

/// ROUND and TRUNCATE to a number of digits after the point; 0 where it is not given.
fn rounding(function: Function, mut nodes: Vec<Node>, data_type: DataType, zone: &Zone, span: Span) -> Result<Node> {
    let is_round = function == Function::Round;
    if nodes.len() > 1 {
        let digits = nodes.pop().expect("there are two");
        let int = DataType::nullable(LogicalType::Int);
        nodes.push(cast::compile(digits, &int, CastMode::Cast, zone, span)?);
    }
    let from = nodes[0].data_type.logical.clone();
    if let LogicalType::Decimal(_, from_scale) = from {
        let LogicalType::Decimal(precision, scale) = data_type.logical else {
            return Err(Error::internal(format!("compile {function:?} of a DECIMAL: its result is {data_type}")));
        };
        let apply: Apply = Box::new(move |columns, scope| {
            let values = Values::<Decimal128Type>::of(&columns[0]);
            let array = primitives::<Decimal128Type>(columns, scope, Failure::Raise, |row| {
                let rounded = at_digits(values.get(row), from_scale, digits_at(columns, row), is_round);
                Ok(rounded.and_then(|value| decimal::rescale(value, from_scale, scale, precision)))
            })?;
            Ok(decimal::typed(&array, precision, scale))
        });
        return Ok(Node::call(nodes, data_type, span, false, apply));
    }
    let is_float = matches!(from, LogicalType::Float | LogicalType::Double);
    let apply: Apply = match from {
        LogicalType::TinyInt => whole::<Int8Type>(is_round),
        LogicalType::SmallInt => whole::<Int16Type>(is_round),
        LogicalType::Int => whole::<Int32Type>(is_round),
        LogicalType::BigInt => whole::<Int64Type>(is_round),
        LogicalType::Float => Box::new(move |columns, scope| {
            let values = Values::<Float32Type>::of(&columns[0]);
            #[expect(clippy::cast_possible_truncation, reason = "the FLOAT nearest to the rounded digits")]
            primitives::<Float32Type>(columns, scope, Failure::Raise, |row| {
                let rounded = float_at_digits(f64::from(values.get(row)), digits_at(columns, row), is_round)?;
                Ok(rounded.map(|value| value as f32))
            })
        }),
        _ => Box::new(move |columns, scope| {
            let values = Values::<Float64Type>::of(&columns[0]);
            primitives::<Float64Type>(columns, scope, Failure::Raise, |row| {
                float_at_digits(values.get(row), digits_at(columns, row), is_round)
            })
        }),
    };
    let natural = DataType::nullable(from);
    cast::compile(Node::call(nodes, natural, span, is_float, apply), &data_type, CastMode::Cast, zone, span)
}

/// The second argument at `row`.
fn digits_at(columns: &[Column], row: usize) -> i32 {
    columns.get(1).map_or(0, |column| Values::<Int32Type>::of(column).get(row))
}

/// Integers: only digits before the point can go.
fn whole<T: ArrowPrimitiveType>(is_round: bool) -> Apply
where
    T::Native: Into<i128> + TryFrom<i128>,
{
    Box::new(move |columns: &[Column], scope: &Scope<'_>| -> Result<ArrayRef, EvalError> {
        let values = Values::<T>::of(&columns[0]);
        primitives::<T>(columns, scope, Failure::Raise, |row| {
            let rounded = at_digits(values.get(row).into(), 0, digits_at(columns, row), is_round).unwrap_or(0);
            let bits = size_of::<T::Native>() * 8;
            // As Java narrows a number that rounding has carried over the type's end: its low bits.
            let half = 1_i128 << (bits - 1);
            let wrapped = (rounded + half).rem_euclid(half * 2) - half;
            Ok(T::Native::try_from(wrapped).ok())
        })
    })
}

/// A number of this scale with its digits behind the `digits`-th after the point gone, rounded half up or cut.
fn at_digits(value: i128, scale: u8, digits: i32, is_round: bool) -> Option<i128> {
    let dropped = i32::from(scale).saturating_sub(digits);
    let Ok(dropped) = u32::try_from(dropped) else { return Some(value) };
    if dropped > decimal::PRECISION_MAX {
        return Some(0);
    }
    let unit = decimal::power_of_ten(dropped);
    let kept = if is_round { decimal::divide_half_up(value, unit) } else { value / unit };
    kept.checked_mul(unit)
}

/// A DOUBLE rounded or cut by the digits that Java writes for it.
fn float_at_digits(value: f64, digits: i32, is_round: bool) -> RowResult<f64> {
    if !value.is_finite() {
        let first = if value.is_nan() { 'N' } else { 'I' };
        return Err(format!(
            "Character {first} is neither a decimal digit number, decimal point, nor \"e\" notation exponential mark."
        ));
    }
    let mut buffer = ryu::Buffer::new();
    let shortest = buffer.format_finite(value.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let number = [whole, fraction].concat().parse::<i128>().unwrap_or(0);
    let exponent = exponent.parse::<i32>().unwrap_or(0) - i32::try_from(fraction.len()).unwrap_or(0);
    // The number is `number * 10^exponent`: digits below 10^-digits go.
    let dropped = exponent.saturating_neg().saturating_sub(digits);
    let Ok(dropped) = u32::try_from(dropped) else { return Ok(Some(value)) };
    if dropped > 20 {
        return Ok(Some(0.0));
    }
    let unit = decimal::power_of_ten(dropped);
    let kept = if is_round { decimal::divide_half_up(number, unit) } else { number / unit };
    let rounded: f64 = format!("{kept}e{}", -i64::from(digits)).parse().unwrap_or(0.0);
    Ok(Some(if value < 0.0 && rounded != 0.0 { -rounded } else { rounded }))
}

#[cfg(test)]
mod tests;
