//! Common types: what CASE, COALESCE, IN, UNION and comparisons make of different types.

use weir_plan::{DataType, Field, LogicalType};

use super::arithmetic::decimal_of;

/// Whose rules find a type for values of two types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    /// Flink's own, at functions: FLOAT and DOUBLE make DOUBLE, TIMESTAMP and TIMESTAMP_LTZ make TIMESTAMP_LTZ.
    Flink,
    /// Calcite's, at operators: of FLOAT and DOUBLE, and of TIMESTAMP and TIMESTAMP_LTZ, the first one stays.
    Calcite,
}

/// The least type that holds all values of `types`, as Flink's functions find it (COALESCE, GREATEST, IFNULL): `None` where there is none.
/// It is nullable when one of them is. A bare NULL takes part with its nullability only.
pub(in crate::binder) fn least_common_type(types: &[DataType]) -> Option<DataType> {
    folded(types, Rules::Flink)
}

/// As [`least_common_type`], but as Flink's operators find it: CASE, ARRAY, MAP, UNION, VALUES, `=`.
pub(in crate::binder) fn least_restrictive_type(types: &[DataType]) -> Option<DataType> {
    folded(types, Rules::Calcite)
}

fn folded(types: &[DataType], rules: Rules) -> Option<DataType> {
    let nullable = types.iter().any(|data_type| data_type.nullable || data_type.logical == LogicalType::Null);
    let mut common: Option<LogicalType> = None;
    for data_type in types.iter().filter(|data_type| data_type.logical != LogicalType::Null) {
        common = Some(match common {
            None => data_type.logical.clone(),
            Some(so_far) => merged(&so_far, &data_type.logical, rules)?,
        });
    }
    Some(DataType { logical: common.unwrap_or(LogicalType::Null), nullable })
}

/// The type in which `<` and its kin compare two values that are no texts beside something else: numbers in their common type (a DECIMAL
/// against FLOAT or DOUBLE as DOUBLE, as Flink's runtime does it), texts as they are. `None` where Flink compares nothing.
pub(in crate::binder) fn ordering_type(left: &LogicalType, right: &LogicalType) -> Option<LogicalType> {
    use LogicalType::{Float, Null, Timestamp, TimestampLtz};
    match (left, right) {
        (Null, other) | (other, Null) => Some(other.clone()),
        (Timestamp(a), TimestampLtz(b)) | (TimestampLtz(a), Timestamp(b)) => Some(TimestampLtz(*a.max(b))),
        (Float, LogicalType::Double) => Some(LogicalType::Double),
        _ => merged(left, right, Rules::Calcite),
    }
}

/// The type in which `=` and its kin compare two values, of which none is a text beside something else.
pub(in crate::binder) fn equality_type(left: &LogicalType, right: &LogicalType) -> Option<LogicalType> {
    match (left, right) {
        (LogicalType::Null, other) | (other, LogicalType::Null) => Some(other.clone()),
        _ => merged(left, right, Rules::Calcite),
    }
}

/// The common type of two types that are not NULL.
fn merged(left: &LogicalType, right: &LogicalType, rules: Rules) -> Option<LogicalType> {
    use LogicalType as T;
    if left == right {
        return Some(left.clone());
    }
    match (left, right) {
        (T::Char(a) | T::Varchar(a), T::Char(b) | T::Varchar(b)) => Some(T::Varchar(*a.max(b))),
        (T::Binary(a) | T::Varbinary(a), T::Binary(b) | T::Varbinary(b)) => Some(T::Varbinary(*a.max(b))),
        (a, b) if a.is_numeric() && b.is_numeric() => Some(merged_numbers(a, b, rules)),
        (T::Time(a), T::Time(b)) => Some(T::Time(*a.max(b))),
        (T::Timestamp(a), T::Timestamp(b)) => Some(T::Timestamp(*a.max(b))),
        (T::Timestamp(a), T::TimestampLtz(b)) if rules == Rules::Calcite => Some(T::Timestamp(*a.max(b))),
        (T::TimestampLtz(a), T::TimestampLtz(b) | T::Timestamp(b)) | (T::Timestamp(a), T::TimestampLtz(b)) => {
            Some(T::TimestampLtz(*a.max(b)))
        }
        // A timestamp goes into a DATE without being asked, a DATE into no timestamp.
        (T::Date, T::Timestamp(_)) | (T::Timestamp(_), T::Date) => (rules == Rules::Flink).then_some(T::Date),
        (T::Array(a), T::Array(b)) => Some(T::Array(Box::new(pair(a, b, rules)?))),
        (T::Map(key_a, value_a), T::Map(key_b, value_b)) => {
            Some(T::Map(Box::new(pair(key_a, key_b, rules)?), Box::new(pair(value_a, value_b, rules)?)))
        }
        (T::Row(a), T::Row(b)) if a.len() == b.len() => {
            let fields =
                a.iter().zip(b).map(|(a, b)| Some(Field::new(&a.name, pair(&a.data_type, &b.data_type, rules)?)));
            fields.collect::<Option<Vec<_>>>().map(T::Row)
        }
        _ => None,
    }
}

fn pair(left: &DataType, right: &DataType, rules: Rules) -> Option<DataType> {
    folded(&[left.clone(), right.clone()], rules)
}

fn merged_numbers(left: &LogicalType, right: &LogicalType, rules: Rules) -> LogicalType {
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
        (None, None) if rules == Rules::Calcite => left.clone(),
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
            (&[T::Date, T::Timestamp(3)], "DATE"),
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
    fn operators_keep_the_first_of_two_kinds() {
        use LogicalType as T;
        let cases: &[(&[T], &str)] = &[
            (&[T::Float, T::Double], "FLOAT"),
            (&[T::Double, T::Float], "DOUBLE"),
            (&[T::Float, T::Int, T::Double], "FLOAT"),
            (&[T::Float, T::Decimal(2, 1)], "DOUBLE"),
            (&[T::Timestamp(3), T::TimestampLtz(6)], "TIMESTAMP(6)"),
            (&[T::TimestampLtz(3), T::Timestamp(0)], "TIMESTAMP_LTZ(3)"),
            (&[T::Date, T::Timestamp(3)], "none"),
        ];
        for (types, expected) in cases {
            let nullable: Vec<_> = types.iter().cloned().map(DataType::nullable).collect();
            let got = least_restrictive_type(&nullable);
            let got = got.map_or("none".to_owned(), |data_type| data_type.logical.to_string());
            assert_eq!(&got, expected, "{types:?}");
        }
    }

    #[test]
    fn what_is_compared_as_what() {
        use LogicalType as T;
        let cases = [
            (T::Int, T::Double, Some(T::Double), Some(T::Double)),
            (T::Float, T::Double, Some(T::Double), Some(T::Float)),
            (T::Timestamp(3), T::TimestampLtz(3), Some(T::TimestampLtz(3)), Some(T::Timestamp(3))),
            (T::Date, T::Timestamp(3), None, None),
            (T::Int, T::Char(1), None, None),
            (T::Boolean, T::Boolean, Some(T::Boolean), Some(T::Boolean)),
        ];
        for (left, right, ordered, equal) in cases {
            assert_eq!(ordering_type(&left, &right), ordered, "{left} < {right}");
            assert_eq!(equality_type(&left, &right), equal, "{left} = {right}");
        }
    }
}
