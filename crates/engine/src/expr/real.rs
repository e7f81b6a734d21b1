//! Functions of real numbers, computed as DOUBLE: powers, logarithms, angles.
//!
//! Java computes the arcs and the hyperbolic functions by fdlibm, whose last bit differs now and then from the C library's: these come from `libm`,
//! which has the same origin, and the hyperbolic ones are put together as fdlibm does it. The others are exact enough everywhere to agree.

use arrow_array::types::Float64Type;
use weir_base::Result;
use weir_plan::{CastMode, DataType, Function, LogicalType};

use super::cast;
use super::compile::{Called, Family};
use super::node::{Apply, Node};
use super::rows::{Failure, binary, primitives, unary};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::Power,
        Function::Sqrt,
        Function::Exp,
        Function::Ln,
        Function::Log10,
        Function::Log2,
        Function::Log,
        Function::Sin,
        Function::Cos,
        Function::Tan,
        Function::Cot,
        Function::Asin,
        Function::Acos,
        Function::Atan,
        Function::Atan2,
        Function::Sinh,
        Function::Cosh,
        Function::Tanh,
        Function::Degrees,
        Function::Radians,
        Function::Pi,
        Function::E,
    ],
    compile,
};

/// One of the functions above, its arguments as DOUBLE.
fn compile(call: Called<'_>) -> Result<Node> {
    let Called { function, nodes, data_type, zone, span } = call;
    let double = DataType::nullable(LogicalType::Double);
    let nodes = nodes.into_iter().map(|node| cast::compile(node, &double, CastMode::Cast, zone, span));
    let nodes = nodes.collect::<Result<Vec<_>>>()?;
    let apply: Apply = match nodes.len() {
        0 => constant(if function == Function::Pi { std::f64::consts::PI } else { std::f64::consts::E }),
        1 => {
            let f = of_one(function);
            Box::new(move |columns, _| Ok(unary::<Float64Type, Float64Type>(&columns[0], f)))
        }
        _ => {
            let f = of_two(function);
            Box::new(move |columns, scope| Ok(binary::<Float64Type, Float64Type, Float64Type>(columns, scope.rows, f)))
        }
    };
    Ok(Node::call(nodes, data_type, span, false, apply))
}

fn constant(value: f64) -> Apply {
    Box::new(move |columns, scope| primitives::<Float64Type>(columns, scope, Failure::Raise, |_| Ok(Some(value))))
}

fn of_one(function: Function) -> fn(f64) -> f64 {
    match function {
        Function::Sqrt => f64::sqrt,
        Function::Exp => f64::exp,
        Function::Log10 => f64::log10,
        Function::Log2 => |value| value.ln() / 2_f64.ln(),
        Function::Sin => f64::sin,
        Function::Cos => f64::cos,
        Function::Tan => f64::tan,
        Function::Cot => |value| 1.0 / value.tan(),
        Function::Asin => libm::asin,
        Function::Acos => libm::acos,
        Function::Atan => libm::atan,
        Function::Sinh => sinh,
        Function::Cosh => cosh,
        Function::Tanh => tanh,
        Function::Degrees => |value| value * DEGREES_PER_RADIAN,
        Function::Radians => |value| value * RADIANS_PER_DEGREE,
        _ => f64::ln,
    }
}

fn of_two(function: Function) -> fn(f64, f64) -> f64 {
    match function {
        Function::Power => power,
        Function::Atan2 => libm::atan2,
        _ => |base, value| value.ln() / base.ln(),
    }
}

/// Java's constants.
const DEGREES_PER_RADIAN: f64 = 57.295_779_513_082_32;
const RADIANS_PER_DEGREE: f64 = 0.017_453_292_519_943_295;

/// Java's `Math.pow`: unlike C's, NaN as exponent is NaN, and so is one to an infinite power.
fn power(base: f64, exponent: f64) -> f64 {
    let is_undefined = exponent.is_nan() || (exponent.is_infinite() && base.abs() == 1.0);
    if is_undefined { f64::NAN } else { base.powf(exponent) }
}

/// Beyond this `exp` overflows, while half of it does not yet.
const EXP_MAX: f64 = 709.782_712_893_384;

/// `e^x / 2` for an x so large that `e^x` itself may overflow.
fn half_exp_of_large(x: f64) -> f64 {
    let root = libm::exp(0.5 * x);
    0.5 * root * root
}

fn sinh(x: f64) -> f64 {
    if !x.is_finite() {
        return x;
    }
    let (half, size) = (if x < 0.0 { -0.5 } else { 0.5 }, x.abs());
    if size < 22.0 {
        if size < 2_f64.powi(-28) {
            return x;
        }
        let t = libm::expm1(size);
        let sum = if size < 1.0 { 2.0 * t - t * t / (t + 1.0) } else { t + t / (t + 1.0) };
        return half * sum;
    }
    if size <= EXP_MAX { half * libm::exp(size) } else { half * 2.0 * half_exp_of_large(size) }
}

fn cosh(x: f64) -> f64 {
    if !x.is_finite() {
        return x * x;
    }
    let size = x.abs();
    if size < 0.5 * std::f64::consts::LN_2 {
        let t = libm::expm1(size);
        let w = 1.0 + t;
        return if size < 2_f64.powi(-55) { w } else { 1.0 + t * t / (w + w) };
    }
    if size < 22.0 {
        let t = libm::exp(size);
        return 0.5 * t + 0.5 / t;
    }
    if size <= EXP_MAX { 0.5 * libm::exp(size) } else { half_exp_of_large(size) }
}

fn tanh(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let size = x.abs();
    let positive = if size >= 22.0 {
        1.0
    } else if size < 2_f64.powi(-55) {
        return x;
    } else if size >= 1.0 {
        1.0 - 2.0 / (libm::expm1(2.0 * size) + 2.0)
    } else {
        let t = libm::expm1(-2.0 * size);
        -t / (t + 2.0)
    };
    if x < 0.0 { -positive } else { positive }
}

#[cfg(test)]
mod tests;
