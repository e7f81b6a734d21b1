//! Result types of arithmetic: DECIMAL precisions and scales, SUM and AVG.
//!
//! The formulas are those of SQL Server with Hive's way of giving up scale, as Flink's `LogicalTypeMerging` documents them:
//! past 38 digits the scale is cut, but not below six digits (or the scale itself, if smaller).

use weir_plan::LogicalType;

/// Digits of a DECIMAL at most.
const PRECISION_MAX: i32 = 38;
/// Scale that is kept when digits have to be given up.
const SCALE_KEPT: i32 = 6;

/// The DECIMAL (precision, scale) that holds every value of an exact number; `None` for other types.
pub(in crate::binder) fn decimal_of(logical: &LogicalType) -> Option<(u8, u8)> {
    match logical {
        LogicalType::TinyInt => Some((3, 0)),
        LogicalType::SmallInt => Some((5, 0)),
        LogicalType::Int => Some((10, 0)),
        LogicalType::BigInt => Some((19, 0)),
        LogicalType::Decimal(precision, scale) => Some((*precision, *scale)),
        _ => None,
    }
}

/// `DECIMAL + DECIMAL` and `DECIMAL - DECIMAL`.
pub(in crate::binder) fn decimal_add(left: (u8, u8), right: (u8, u8)) -> LogicalType {
    let scale = scale(left).max(scale(right));
    adjusted(whole(left).max(whole(right)) + scale + 1, scale)
}

/// `DECIMAL * DECIMAL`.
pub(in crate::binder) fn decimal_multiply(left: (u8, u8), right: (u8, u8)) -> LogicalType {
    adjusted(i32::from(left.0) + i32::from(right.0) + 1, scale(left) + scale(right))
}

/// `DECIMAL / DECIMAL`.
pub(in crate::binder) fn decimal_divide(left: (u8, u8), right: (u8, u8)) -> LogicalType {
    let result_scale = (scale(left) + i32::from(right.0) + 1).max(6);
    adjusted(whole(left) + scale(right) + result_scale, result_scale)
}

/// `DECIMAL % DECIMAL`.
pub(in crate::binder) fn decimal_modulo(left: (u8, u8), right: (u8, u8)) -> LogicalType {
    let scale = scale(left).max(scale(right));
    adjusted(whole(left).min(whole(right)) + scale, scale)
}

/// `ROUND(DECIMAL, digits)` for digits known at planning.
pub(in crate::binder) fn decimal_round(decimal: (u8, u8), digits: i32) -> LogicalType {
    if digits >= scale(decimal) {
        return LogicalType::Decimal(decimal.0, decimal.1);
    }
    let digits_kept = digits.max(0);
    adjusted((1 + whole(decimal) + digits_kept).min(PRECISION_MAX), digits_kept)
}

/// The type of `SUM` over `argument`, before nullability.
pub(in crate::binder) fn sum_type(argument: &LogicalType) -> LogicalType {
    match argument {
        LogicalType::Decimal(_, scale) => LogicalType::Decimal(38, *scale),
        other => other.clone(),
    }
}

/// The type of `AVG` over `argument`, before nullability: an integer's average is an integer of the same type.
pub(in crate::binder) fn average_type(argument: &LogicalType) -> LogicalType {
    match argument {
        LogicalType::Decimal(_, scale) => decimal_divide((38, *scale), (20, 0)),
        other => other.clone(),
    }
}

fn scale(decimal: (u8, u8)) -> i32 {
    i32::from(decimal.1)
}

/// Digits before the point.
fn whole(decimal: (u8, u8)) -> i32 {
    i32::from(decimal.0) - i32::from(decimal.1)
}

/// Cuts a derived precision and scale to what a DECIMAL can hold.
fn adjusted(precision: i32, scale: i32) -> LogicalType {
    let (precision, scale) = if precision <= PRECISION_MAX {
        (precision.max(1), scale)
    } else {
        (PRECISION_MAX, (PRECISION_MAX - (precision - scale)).max(scale.min(SCALE_KEPT)))
    };
    let small = |number: i32| u8::try_from(number).expect("a DECIMAL has at most 38 digits");
    LogicalType::Decimal(small(precision), small(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_results_follow_flinks_table() {
        let cases: [(&str, LogicalType, &str); 10] = [
            ("(10,2)+(5,4)", decimal_add((10, 2), (5, 4)), "DECIMAL(13, 4)"),
            ("(38,8)+(32,8)", decimal_add((38, 8), (32, 8)), "DECIMAL(38, 7)"),
            ("(5,2)*(5,2)", decimal_multiply((5, 2), (5, 2)), "DECIMAL(11, 4)"),
            ("(38,10)*(38,10)", decimal_multiply((38, 10), (38, 10)), "DECIMAL(38, 6)"),
            ("(10,2)/(5,0)", decimal_divide((10, 2), (5, 0)), "DECIMAL(16, 8)"),
            ("(10,0)/(2,1)", decimal_divide((10, 0), (2, 1)), "DECIMAL(17, 6)"),
            ("(10,2)%(5,4)", decimal_modulo((10, 2), (5, 4)), "DECIMAL(5, 4)"),
            ("round (10,4) to 2", decimal_round((10, 4), 2), "DECIMAL(9, 2)"),
            ("round (10,4) to -1", decimal_round((10, 4), -1), "DECIMAL(7, 0)"),
            ("avg (10,2)", average_type(&LogicalType::Decimal(10, 2)), "DECIMAL(38, 6)"),
        ];
        for (what, got, expected) in cases {
            assert_eq!(got.to_string(), expected, "{what}");
        }
    }

    #[test]
    fn sum_and_average_of_integers_keep_their_type() {
        assert_eq!(sum_type(&LogicalType::Int), LogicalType::Int);
        assert_eq!(average_type(&LogicalType::BigInt), LogicalType::BigInt);
        assert_eq!(sum_type(&LogicalType::Decimal(5, 2)), LogicalType::Decimal(38, 2));
    }
}
