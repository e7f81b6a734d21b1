//! Functions of real numbers against Java's results.

use weir_plan::Function as F;

use super::super::tests::*;

fn of(function: F, arguments: &[f64]) -> String {
    one(&call(function, arguments.iter().map(|value| double(*value)).collect(), T::Double))
}

#[test]
fn angles_and_logarithms_as_flink_gives_them() {
    assert_eq!(of(F::Acos, &[0.5]), "1.0471975511965979");
    assert_eq!(of(F::Acos, &[2.0]), "NaN");
    assert_eq!(of(F::Cosh, &[1.0]), "1.543080634815244");
    assert_eq!(of(F::Sinh, &[1.0]), "1.1752011936438014");
    assert_eq!(of(F::Tanh, &[1.0]), "0.7615941559557649");
    assert_eq!(of(F::Cot, &[0.0]), "inf");
    assert_eq!(of(F::Degrees, &[1.0]), "57.29577951308232");
    assert_eq!(of(F::Log, &[2.0, 8.0]), "3.0");
    assert_eq!(of(F::Log, &[2.5]), "0.9162907318741551");
    assert_eq!(of(F::Log2, &[0.0]), "-inf");
    assert_eq!(of(F::Atan2, &[1.0, 2.0]), "0.4636476090008061");
    assert_eq!(of(F::Pi, &[]), "3.141592653589793");
    assert_eq!(of(F::E, &[]), "2.718281828459045");
}

#[test]
fn hyperbolic_functions_at_their_bounds() {
    assert_eq!(of(F::Sinh, &[-0.0]), "-0.0");
    assert_eq!(of(F::Sinh, &[800.0]), "inf");
    assert_eq!(of(F::Cosh, &[f64::NEG_INFINITY]), "inf");
    assert_eq!(of(F::Tanh, &[-30.0]), "-1.0");
    assert_eq!(of(F::Tanh, &[f64::NAN]), "NaN");
}
