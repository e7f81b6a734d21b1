//! DECIMAL: numbers of up to 38 digits with a fixed scale, in `i128`; what does not fit the result's precision is NULL.
//!
//! Sums and products are exact in 256 bits, then rounded half up to the result's scale. A quotient is first rounded to 38 significant digits, as Flink's is.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_buffer::i256;
use arrow_schema::DataType as ArrowType;
use weir_base::{Error, Result, Span};
use weir_plan::{DataType, Function, LogicalType};

use super::node::{Column, EvalError, Node, Scope};
use super::rows::{Failure, Values, primitives, unary};

/// The most digits of a DECIMAL.
pub(super) const PRECISION_MAX: u32 = 38;

/// `10^exponent`; the exponent is at most 38.
pub(super) fn power_of_ten(exponent: u32) -> i128 {
    10_i128.pow(exponent)
}

/// `10^exponent` in 256 bits; the exponent is at most 76.
fn wide_power_of_ten(exponent: u32) -> i256 {
    i256::from_i128(10).wrapping_pow(exponent)
}

/// Whether `unscaled` has at most `precision` digits.
pub(super) fn fits(unscaled: i128, precision: u8) -> bool {
    unscaled.unsigned_abs() < power_of_ten(u32::from(precision)).unsigned_abs()
}

/// `value` divided by `divisor` (positive), rounded half away from zero.
pub(super) fn divide_half_up(value: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (value / divisor, value % divisor);
    if rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs() {
        quotient + value.signum()
    } else {
        quotient
    }
}

fn wide_divide_half_up(value: i256, divisor: i256) -> i256 {
    let (quotient, rest) = (value.wrapping_div(divisor), value.wrapping_rem(divisor));
    let rest = rest.wrapping_abs();
    if rest >= divisor.wrapping_sub(rest) {
        let one = if value.is_negative() { i256::MINUS_ONE } else { i256::ONE };
        quotient.wrapping_add(one)
    } else {
        quotient
    }
}

/// `unscaled` from one scale to another, rounded half up; None if it then has more than `precision` digits.
pub(super) fn rescale(unscaled: i128, from: u8, to: u8, precision: u8) -> Option<i128> {
    let moved = if to >= from {
        unscaled.checked_mul(power_of_ten(u32::from(to - from)))?
    } else {
        divide_half_up(unscaled, power_of_ten(u32::from(from - to)))
    };
    fits(moved, precision).then_some(moved)
}

/// As [`rescale`], from 256 bits.
fn wide_rescale(unscaled: i256, from: u32, to: u32, precision: u8) -> Option<i128> {
    let moved = if to >= from {
        unscaled.checked_mul(wide_power_of_ten(to - from))?
    } else if from - to > 76 {
        i256::ZERO
    } else {
        wide_divide_half_up(unscaled, wide_power_of_ten(from - to))
    };
    moved.to_i128().filter(|moved| fits(*moved, precision))
}

/// The precision and scale of numbers of this type as decimals; None for what is no exact number.
pub(super) fn shape_of(logical: &LogicalType) -> Option<(u8, u8)> {
    match logical {
        LogicalType::TinyInt => Some((3, 0)),
        LogicalType::SmallInt => Some((5, 0)),
        LogicalType::Int => Some((10, 0)),
        LogicalType::BigInt => Some((19, 0)),
        LogicalType::Decimal(precision, scale) => Some((*precision, *scale)),
        _ => None,
    }
}

/// Integers as decimals of scale 0, decimals as they are.
pub(super) fn widened(array: &ArrayRef) -> ArrayRef {
    let column = Column::of_rows(array.clone());
    match array.data_type() {
        ArrowType::Int8 => unary::<Int8Type, Decimal128Type>(&column, i128::from),
        ArrowType::Int16 => unary::<Int16Type, Decimal128Type>(&column, i128::from),
        ArrowType::Int32 => unary::<Int32Type, Decimal128Type>(&column, i128::from),
        ArrowType::Int64 => unary::<Int64Type, Decimal128Type>(&column, i128::from),
        _ => array.clone(),
    }
}

/// The columns with integers widened.
fn all_widened(columns: &[Column]) -> Vec<Column> {
    columns.iter().map(|column| Column { array: widened(&column.array), is_constant: column.is_constant }).collect()
}

/// `array`, its numbers already of this scale, typed so.
pub(super) fn typed(array: &ArrayRef, precision: u8, scale: u8) -> ArrayRef {
    let scale = i8::try_from(scale).expect("a scale is at most 38");
    let array: PrimitiveArray<Decimal128Type> = array.as_primitive::<Decimal128Type>().clone();
    std::sync::Arc::new(array.with_data_type(ArrowType::Decimal128(precision, scale)))
}

/// Two sides of a comparison brought to the larger scale; a number that then does not fit 128 bits cannot occur within 38 digits of each side.
///
/// # Errors
/// A side is no exact number: a broken plan.
pub(super) fn of_one_scale(sides: Vec<Node>) -> Result<Vec<Node>> {
    let shapes: Vec<(u8, u8)> = sides
        .iter()
        .map(|side| shape_of(&side.data_type.logical))
        .collect::<Option<_>>()
        .ok_or_else(|| Error::internal("compile a comparison with a DECIMAL: the other side is no exact number"))?;
    let scale = shapes.iter().map(|(_, scale)| *scale).max().unwrap_or(0);
    Ok(sides.into_iter().zip(shapes).map(|(side, (_, from))| to_scale(side, from, scale)).collect())
}

/// `side`, of scale `from`, in scale `to`. A number too large for 128 bits saturates: it still compares as larger than all others of its sign.
fn to_scale(side: Node, from: u8, to: u8) -> Node {
    let data_type = DataType { logical: LogicalType::Decimal(38, to), nullable: side.data_type.nullable };
    let factor = power_of_ten(u32::from(to - from));
    let apply = move |columns: &[Column], _: &Scope<'_>| -> Result<ArrayRef, EvalError> {
        let column = Column::of_rows(widened(&columns[0].array));
        let scaled = unary::<Decimal128Type, Decimal128Type>(&column, |value| value.saturating_mul(factor));
        Ok(typed(&scaled, 38, to))
    };
    Node::call(vec![side], data_type, Span::default(), false, Box::new(apply))
}

/// `+ - * / %` of exact numbers with a DECIMAL result.
///
/// # Errors
/// An argument is no exact number: a broken plan.
pub(super) fn arithmetic(function: Function, sides: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let broken =
        || Error::internal(format!("compile {function:?} with result {data_type}: an argument is no exact number"));
    let shapes: Vec<(u8, u8)> =
        sides.iter().map(|side| shape_of(&side.data_type.logical)).collect::<Option<_>>().ok_or_else(broken)?;
    let LogicalType::Decimal(precision, scale) = data_type.logical else { return Err(broken()) };
    let (left, right) = (shapes[0].1, shapes[1].1);
    let divides = matches!(function, Function::Divide | Function::Modulo);
    let is_fallible = divides && !is_non_zero(&sides[1]);
    let apply = move |columns: &[Column], scope: &Scope<'_>| {
        let columns = all_widened(columns);
        let (a, b) = (Values::<Decimal128Type>::of(&columns[0]), Values::<Decimal128Type>::of(&columns[1]));
        let array = primitives::<Decimal128Type>(&columns, scope, Failure::Raise, |row| {
            let (a, b) = (a.get(row), b.get(row));
            match function {
                Function::Divide => quotient(a, left, b, right, precision, scale),
                Function::Modulo => remainder(a, left, b, right, precision, scale),
                _ => Ok(exact(function, (a, left), (b, right), precision, scale)),
            }
        })?;
        Ok(typed(&array, precision, scale))
    };
    Ok(Node::call(sides, data_type, span, is_fallible, Box::new(apply)))
}

/// Whether a divisor is a constant other than zero.
fn is_non_zero(node: &Node) -> bool {
    node.constant
        .as_ref()
        .is_some_and(|constant| constant.is_null(0) || widened(constant).as_primitive::<Decimal128Type>().value(0) != 0)
}

/// Sum, difference or product of two numbers with their scales.
fn exact(function: Function, a: (i128, u8), b: (i128, u8), precision: u8, scale: u8) -> Option<i128> {
    let (wide_a, wide_b) = (i256::from_i128(a.0), i256::from_i128(b.0));
    if function == Function::Multiply {
        return wide_rescale(wide_a.checked_mul(wide_b)?, u32::from(a.1 + b.1), u32::from(scale), precision);
    }
    let common = u32::from(a.1.max(b.1));
    let wide_a = wide_a.checked_mul(wide_power_of_ten(common - u32::from(a.1)))?;
    let wide_b = wide_b.checked_mul(wide_power_of_ten(common - u32::from(b.1)))?;
    let sum = if function == Function::Add { wide_a.checked_add(wide_b) } else { wide_a.checked_sub(wide_b) };
    wide_rescale(sum?, common, u32::from(scale), precision)
}

/// The number of decimal digits; 1 for 0.
fn digits(value: u128) -> u32 {
    value.checked_ilog10().unwrap_or(0) + 1
}

/// `a / b`: to 38 significant digits, then to the result's scale, half up each time.
fn quotient(a: i128, scale_a: u8, b: i128, scale_b: u8, precision: u8, scale: u8) -> Result<Option<i128>, String> {
    if b == 0 {
        return Err(if a == 0 { "Division undefined".to_owned() } else { "Division by zero".to_owned() });
    }
    let (digits_a, digits_b) = (digits(a.unsigned_abs()), digits(b.unsigned_abs()));
    // a * 10^shift has 38 + digits(b) digits: the quotient has 38 or 39.
    let shift = PRECISION_MAX + digits_b - digits_a;
    let (numerator, divisor) = (i256::from_i128(a).wrapping_mul(wide_power_of_ten(shift)), i256::from_i128(b));
    let mut value = numerator.wrapping_div(divisor);
    let mut value_scale = i64::from(scale_a) - i64::from(scale_b) + i64::from(shift);
    let is_39_digits = value.wrapping_abs() >= wide_power_of_ten(PRECISION_MAX);
    let negative = (a < 0) != (b < 0);
    let step = |value: i256| if negative { value.wrapping_sub(i256::ONE) } else { value.wrapping_add(i256::ONE) };
    if is_39_digits {
        // What was cut off below the 39th digit cannot change a rounding half up at it.
        value = wide_divide_half_up(value, i256::from_i128(10));
        value_scale -= 1;
    } else {
        let rest = numerator.wrapping_rem(divisor).wrapping_abs();
        if rest >= divisor.wrapping_abs().wrapping_sub(rest) {
            value = step(value);
        }
    }
    Ok(match u32::try_from(value_scale) {
        Ok(from) => wide_rescale(value, from, u32::from(scale), precision),
        Err(_) => None,
    })
}

/// `a % b`, with the sign of a.
fn remainder(a: i128, scale_a: u8, b: i128, scale_b: u8, precision: u8, scale: u8) -> Result<Option<i128>, String> {
    if b == 0 {
        return Err("Division by zero".to_owned());
    }
    let common = u32::from(scale_a.max(scale_b));
    let wide_a = i256::from_i128(a).wrapping_mul(wide_power_of_ten(common - u32::from(scale_a)));
    let wide_b = i256::from_i128(b).wrapping_mul(wide_power_of_ten(common - u32::from(scale_b)));
    Ok(wide_rescale(wide_a.wrapping_rem(wide_b), common, u32::from(scale), precision))
}

/// `10^-scale` times a number, as Java's `BigDecimal.doubleValue` gives it: the nearest DOUBLE.
pub(crate) fn to_double(unscaled: i128, scale: u8) -> f64 {
    // Exact inputs of up to 53 bits and a power of ten up to 22 divide correctly rounded; all else goes by its digits.
    #[expect(clippy::cast_precision_loss, reason = "the number has at most 53 bits")]
    if unscaled.unsigned_abs() < 1 << 53 && scale <= 22 {
        return unscaled as f64 / 10_f64.powi(i32::from(scale));
    }
    format!("{unscaled}e-{scale}").parse().expect("digits with an exponent are a number")
}

#[cfg(test)]
mod tests;
