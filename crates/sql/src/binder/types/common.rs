//! Common types: what CASE, COALESCE, IN, UNION and comparisons make of different types.

use weir_plan::{DataType, Field, LogicalType};

use super::arithmetic::decimal_of;

/// The least type that holds all values of `types`, as Flink finds it for CASE, COALESCE, UNION, ARRAY: `None` where there is none.
/// It is nullable when one of them is. A bare NULL takes part with its nullability only.
pub(in crate::binder) fn least_common_type(types: &[DataType]) -> Option<DataType> {
    let nullable = types.iter().any(|data_type| data_type.nullable || data_type.logical == LogicalType::Null);
    let mut common: Option<LogicalType> = None;
    for data_type in types.iter().filter(|data_type| data_type.logical != LogicalType::Null) {
        common = Some(match common {
            None => data_type.logical.clone(),
            Some(so_far) => merged(&so_far, &data_type.logical)?,
        });
    }
    Some(DataType { logical: common.unwrap_or(LogicalType::Null), nullable })
}

/// The type in which two values are compared: numbers in their common type (a DECIMAL against FLOAT or DOUBLE as DOUBLE, as Flink's
/// runtime does it), texts as they are, a text against a date or time as that date or time. `None` where Flink compares nothing.
pub(in crate::binder) fn comparison_type(left: &LogicalType, right: &LogicalType) -> Option<LogicalType> {
    use LogicalType::{Date, Time, Timestamp, TimestampLtz};
    match (left, right) {
        (LogicalType::Null, other) | (other, LogicalType::Null) => Some(other.clone()),
        (point @ (Date | Time(_)), text) | (text, point @ (Date | Time(_))) if text.is_string() => Some(point.clone()),
        (point @ (Timestamp(_) | TimestampLtz(_)), text) | (text, point @ (Timestamp(_) | TimestampLtz(_)))
            if text.is_string() =>
        {
            Some(point.clone())
        }
        (Timestamp(_), TimestampLtz(_)) | (TimestampLtz(_), Timestamp(_)) => None,
        _ => merged(left, right),
    }
}

/// The common type of two types that are not NULL.
fn merged(left: &LogicalType, right: &LogicalType) -> Option<LogicalType> {
    use LogicalType as T;
    if left == right {
        return Some(left.clone());
    }
    match (left, right) {
        (T::Char(a) | T::Varchar(a), T::Char(b) | T::Varchar(b)) => Some(T::Varchar(*a.max(b))),
        (T::Binary(a) | T::Varbinary(a), T::Binary(b) | T::Varbinary(b)) => Some(T::Varbinary(*a.max(b))),
        (a, b) if a.is_numeric() && b.is_numeric() => Some(merged_numbers(a, b)),
        (T::Time(a), T::Time(b)) => Some(T::Time(*a.max(b))),
        (T::Timestamp(a), T::Timestamp(b)) => Some(T::Timestamp(*a.max(b))),
        (T::TimestampLtz(a), T::TimestampLtz(b) | T::Timestamp(b)) | (T::Timestamp(a), T::TimestampLtz(b)) => {
            Some(T::TimestampLtz(*a.max(b)))
        }
        (T::Date, point @ (T::Timestamp(_) | T::TimestampLtz(_)))
        | (point @ (T::Timestamp(_) | T::TimestampLtz(_)), T::Date) => Some(point.clone()),
        (T::Array(a), T::Array(b)) => Some(T::Array(Box::new(pair(a, b)?))),
        (T::Map(key_a, value_a), T::Map(key_b, value_b)) => {
            Some(T::Map(Box::new(pair(key_a, key_b)?), Box::new(pair(value_a, value_b)?)))
        }
        (T::Row(a), T::Row(b)) if a.len() == b.len() => {
            let fields = a.iter().zip(b).map(|(a, b)| Some(Field::new(&a.name, pair(&a.data_type, &b.data_type)?)));
            fields.collect::<Option<Vec<_>>>().map(T::Row)
        }
        _ => None,
    }
}

fn pair(left: &DataType, right: &DataType) -> Option<DataType> {
    least_common_type(&[left.clone(), right.clone()])
}

fn merged_numbers(left: &LogicalType, right: &LogicalType) -> LogicalType {
    use LogicalType as T;
    match (decimal_of(left), decimal_of(right)) {
        (Some(_), Some(_)) if left.is_integer() && right.is_integer() => {
            if decimal_of(left) >= decimal_of(right) {
                left.clone()
            } else {
                right.clone()
            }
        }
        (Some((p1, s1)), Some((p2, s2))) => {
            let whole = (p1 - s1).max(p2 - s2).min(38);
            let scale = s1.max(s2).min(38 - whole);
            T::Decimal(whole + scale, scale)
        }
        // One is FLOAT or DOUBLE: an exact integer does not widen a FLOAT, a DECIMAL makes it DOUBLE.
        _ => {
            let double = |logical: &LogicalType| matches!(logical, T::Double | T::Decimal(..));
            if double(left) || double(right) { T::Double } else { T::Float }
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_plan::LENGTH_MAX;

    use super::*;

    #[test]
    fn least_common_types() {
        use LogicalType as T;
        let cases: &[(&[T], &str)] = &[
            (&[T::Int, T::BigInt], "BIGINT"),
            (&[T::TinyInt, T::SmallInt], "SMALLINT"),
            (&[T::Int, T::Decimal(5, 2)], "DECIMAL(12, 2)"),
            (&[T::Int, T::BigInt, T::Decimal(2, 2)], "DECIMAL(21, 2)"),
            (&[T::Float, T::Int], "FLOAT"),
            (&[T::Float, T::Decimal(2, 1)], "DOUBLE"),
            (&[T::Double, T::Float], "DOUBLE"),
            (&[T::Char(3), T::Char(5)], "VARCHAR(5)"),
            (&[T::Char(3), T::Char(3)], "CHAR(3)"),
            (&[T::Char(3), T::Varchar(LENGTH_MAX)], "STRING"),
            (&[T::Timestamp(3), T::Timestamp(6)], "TIMESTAMP(6)"),
            (&[T::Timestamp(6), T::TimestampLtz(3)], "TIMESTAMP_LTZ(6)"),
            (&[T::Date, T::Timestamp(3)], "TIMESTAMP(3)"),
            (&[T::Decimal(38, 30), T::BigInt], "DECIMAL(38, 19)"),
            (&[T::Null, T::Int], "INT"),
            (&[T::Null], "NULL"),
            (&[T::Int, T::Varchar(LENGTH_MAX)], "none"),
            (&[T::Boolean, T::Int], "none"),
            (&[T::Date, T::Time(0)], "none"),
        ];
        for (types, expected) in cases {
            let nullable: Vec<_> = types.iter().cloned().map(DataType::nullable).collect();
            let got = least_common_type(&nullable).map_or("none".to_owned(), |data_type| data_type.logical.to_string());
            assert_eq!(&got, expected, "{types:?}");
        }
    }

    #[test]
    fn a_null_makes_the_common_type_nullable() {
        let types = [DataType::not_null(LogicalType::Int), DataType::nullable(LogicalType::Null)];
        assert_eq!(least_common_type(&types), Some(DataType::nullable(LogicalType::Int)));
        let types = [DataType::not_null(LogicalType::Int), DataType::not_null(LogicalType::BigInt)];
        assert_eq!(least_common_type(&types), Some(DataType::not_null(LogicalType::BigInt)));
    }

    #[test]
    fn what_is_compared_as_what() {
        use LogicalType as T;
        let cases = [
            (T::Int, T::Double, Some(T::Double)),
            (T::Timestamp(3), T::Char(19), Some(T::Timestamp(3))),
            (T::Char(10), T::Date, Some(T::Date)),
            (T::Timestamp(3), T::TimestampLtz(3), None),
            (T::Int, T::Char(1), None),
            (T::Boolean, T::Boolean, Some(T::Boolean)),
        ];
        for (left, right, expected) in cases {
            assert_eq!(comparison_type(&left, &right), expected, "{left} and {right}");
        }
    }
}
