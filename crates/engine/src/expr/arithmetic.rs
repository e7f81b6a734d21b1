//! `+ - * / %` and unary minus of numbers.
//!
//! Integers wrap around as Java's do and fail on division by zero; FLOAT and DOUBLE never fail; DECIMAL is in `decimal`. The two sides are brought to the
//! wider of their types here only where the binder has left integers of different widths.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType};
use weir_base::{Error, Result, Span};
use weir_plan::{CastMode, DataType, Function, LogicalType};

use super::compile::Family;
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, Values, binary, primitives, unary};
use super::zone::Zone;
use super::{cast, decimal, time};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::Add,
        Function::Subtract,
        Function::Multiply,
        Function::Divide,
        Function::Modulo,
        Function::Negate,
    ],
    compile: |call| {
        if call.nodes.iter().any(|node| time::is_temporal(&node.data_type.logical)) {
            time::arithmetic(call.function, call.nodes, call.data_type, call.span)
        } else {
            compile(call.function, call.nodes, call.data_type, call.zone, call.span)
        }
    },
};

/// An operation on numbers.
///
/// # Errors
/// The types are not numbers: a broken plan.
pub(super) fn compile(
    function: Function,
    nodes: Vec<Node>,
    data_type: DataType,
    zone: &Zone,
    span: Span,
) -> Result<Node> {
    if function == Function::Negate {
        return negate(nodes, data_type, span);
    }
    if matches!(data_type.logical, LogicalType::Decimal(..)) {
        return decimal::arithmetic(function, nodes, data_type, span);
    }
    let common = wider(&nodes[0].data_type.logical, &nodes[1].data_type.logical).ok_or_else(|| {
        Error::internal(format!("compile {function:?} of {} and {}", nodes[0].data_type, nodes[1].data_type))
    })?;
    if let LogicalType::Decimal(..) = common {
        // MOD(DECIMAL, INT) and the like: computed as DECIMAL, given as the result's type.
        let exact = DataType::nullable(LogicalType::Decimal(38, scale_of(&nodes)));
        let node = decimal::arithmetic(function, nodes, exact, span)?;
        return cast::compile(node, &data_type, CastMode::Cast, zone, span);
    }
    let common = DataType::nullable(common);
    let sides = nodes
        .into_iter()
        .map(|node| cast::compile(node, &common, CastMode::Cast, zone, span))
        .collect::<Result<Vec<_>>>()?;
    let (apply, is_fallible): (Apply, bool) = match common.logical {
        LogicalType::TinyInt => integers::<Int8Type>(function, &sides),
        LogicalType::SmallInt => integers::<Int16Type>(function, &sides),
        LogicalType::Int => integers::<Int32Type>(function, &sides),
        LogicalType::BigInt => integers::<Int64Type>(function, &sides),
        LogicalType::Float => (floats::<Float32Type>(function), false),
        _ => (floats::<Float64Type>(function), false),
    };
    let node = Node::call(sides, common, span, is_fallible, apply);
    cast::compile(node, &data_type, CastMode::Cast, zone, span)
}

/// The larger scale of the arguments.
fn scale_of(nodes: &[Node]) -> u8 {
    nodes
        .iter()
        .filter_map(|node| decimal::shape_of(&node.data_type.logical))
        .map(|(_, scale)| scale)
        .max()
        .unwrap_or(0)
}

/// The type in which two numbers of these types meet.
pub(super) fn wider(left: &LogicalType, right: &LogicalType) -> Option<LogicalType> {
    use LogicalType as T;
    let rank = |logical: &T| {
        Some(match logical {
            T::TinyInt => 0,
            T::SmallInt => 1,
            T::Int => 2,
            T::BigInt => 3,
            T::Decimal(..) => 4,
            T::Float => 5,
            T::Double => 6,
            _ => return None,
        })
    };
    let (left_rank, right_rank) = (rank(left)?, rank(right)?);
    if (left_rank, right_rank) == (4, 5) || (left_rank, right_rank) == (5, 4) {
        return Some(T::Double);
    }
    Some(if left_rank >= right_rank { left.clone() } else { right.clone() })
}

/// `-a`
fn negate(nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let apply: Apply = match &data_type.logical {
        LogicalType::TinyInt => negated::<Int8Type>(),
        LogicalType::SmallInt => negated::<Int16Type>(),
        LogicalType::Int => negated::<Int32Type>(),
        LogicalType::BigInt => negated::<Int64Type>(),
        LogicalType::Float => Box::new(|columns, _| Ok(unary::<Float32Type, Float32Type>(&columns[0], |value| -value))),
        LogicalType::Double => {
            Box::new(|columns, _| Ok(unary::<Float64Type, Float64Type>(&columns[0], |value| -value)))
        }
        LogicalType::Decimal(precision, scale) => {
            let (precision, scale) = (*precision, *scale);
            Box::new(move |columns, _| {
                let negated = unary::<Decimal128Type, Decimal128Type>(&columns[0], i128::wrapping_neg);
                Ok(decimal::typed(&negated, precision, scale))
            })
        }
        other => return Err(Error::internal(format!("compile the negation of {other}"))),
    };
    Ok(Node::call(nodes, data_type, span, false, apply))
}

/// Negation of integers, wrapping.
fn negated<T: ArrowPrimitiveType>() -> Apply {
    Box::new(|columns, _| Ok(unary::<T, T>(&columns[0], ArrowNativeTypeOp::neg_wrapping)))
}

/// Integers: wrapping; division by zero fails, unless the divisor is a constant that is not zero.
fn integers<T: ArrowPrimitiveType>(function: Function, sides: &[Node]) -> (Apply, bool) {
    let wraps = |f: fn(T::Native, T::Native) -> T::Native| -> Apply {
        Box::new(move |columns: &[Column], scope: &Scope<'_>| Ok(binary::<T, T, T>(columns, scope.rows, f)))
    };
    match function {
        Function::Add => (wraps(ArrowNativeTypeOp::add_wrapping), false),
        Function::Subtract => (wraps(ArrowNativeTypeOp::sub_wrapping), false),
        Function::Multiply => (wraps(ArrowNativeTypeOp::mul_wrapping), false),
        _ => {
            let divide = if function == Function::Divide {
                ArrowNativeTypeOp::div_wrapping
            } else {
                ArrowNativeTypeOp::mod_wrapping
            };
            let divisor = sides[1].constant.as_ref();
            let is_safe =
                divisor.is_some_and(|array| array.is_valid(0) && !array.as_primitive::<T>().value(0).is_zero());
            if is_safe {
                return (wraps(divide), false);
            }
            (Box::new(move |columns, scope| divided::<T>(columns, scope, divide)), true)
        }
    }
}

/// Integer division or remainder by divisors that may be zero.
fn divided<T: ArrowPrimitiveType>(
    columns: &[Column],
    scope: &Scope<'_>,
    divide: fn(T::Native, T::Native) -> T::Native,
) -> Result<ArrayRef, EvalError> {
    let (left, right) = (Values::<T>::of(&columns[0]), Values::<T>::of(&columns[1]));
    primitives::<T>(columns, scope, Failure::Raise, |row| {
        let divisor = right.get(row);
        if divisor.is_zero() { Err("/ by zero".to_owned()) } else { Ok(Some(divide(left.get(row), divisor))) }
    })
}

/// FLOAT and DOUBLE: IEEE, as Java's.
fn floats<T: ArrowPrimitiveType>(function: Function) -> Apply {
    let f: fn(T::Native, T::Native) -> T::Native = match function {
        Function::Add => ArrowNativeTypeOp::add_wrapping,
        Function::Subtract => ArrowNativeTypeOp::sub_wrapping,
        Function::Multiply => ArrowNativeTypeOp::mul_wrapping,
        Function::Divide => ArrowNativeTypeOp::div_wrapping,
        _ => ArrowNativeTypeOp::mod_wrapping,
    };
    Box::new(move |columns, scope| Ok(binary::<T, T, T>(columns, scope.rows, f)))
}

#[cfg(test)]
mod tests;
