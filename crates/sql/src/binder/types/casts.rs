//! Which casts Flink has: implicit ones at sinks and arguments, explicit ones by `CAST` and `TRY_CAST`.

use weir_plan::{DataType, LogicalType};

use super::names::calcite_name;

/// Why there is no `CAST(from AS to)`, in Flink's words; `None` where there is one.
pub(in crate::binder) fn cast_refusal(from: &LogicalType, to: &LogicalType) -> Option<String> {
    use LogicalType as T;
    if explicit_cast_exists(from, to) {
        return None;
    }
    let is_binary = matches!(from, T::Binary(_) | T::Varbinary(_));
    Some(match (from, to) {
        (from, T::Timestamp(_)) if from.is_numeric() => {
            "The cast from NUMERIC type to TIMESTAMP type is not allowed. It's recommended to use \
             TO_TIMESTAMP(FROM_UNIXTIME(numeric_col)) instead, note the numeric is in seconds."
                .to_owned()
        }
        (from, T::TimestampLtz(_)) if from.is_numeric() => {
            "The cast from NUMERIC type to TIMESTAMP_LTZ type is not allowed. It's recommended to use \
             TO_TIMESTAMP_LTZ(numeric_col, precision) instead."
                .to_owned()
        }
        (T::Timestamp(_), to) if to.is_numeric() => {
            "The cast from TIMESTAMP type to NUMERIC type is not allowed. It's recommended to use \
             UNIX_TIMESTAMP(CAST(timestamp_col AS STRING)) instead."
                .to_owned()
        }
        (T::TimestampLtz(_), to) if to.is_numeric() => {
            "The cast from TIMESTAMP_LTZ type to NUMERIC type is not allowed.".to_owned()
        }
        (from, T::IntervalYearMonth | T::IntervalDayTime | T::Array(_)) if from.is_string() => {
            format!("Unsupported cast from '{from}' to '{to}'.")
        }
        (T::Decimal(..), T::IntervalYearMonth | T::IntervalDayTime) => {
            format!("Unsupported cast from '{from}' to '{to}'.")
        }
        (_, T::Date | T::Time(_) | T::Timestamp(_) | T::TimestampLtz(_)) if is_binary => {
            format!("Unsupported cast from '{from}' to '{to}'.")
        }
        _ => {
            let (from, to) = (calcite_name(from), calcite_name(to));
            format!("Cast function cannot convert value of type {from} to type {to}")
        }
    })
}

/// Whether `CAST(from AS to)` exists.
pub(in crate::binder) fn explicit_cast_exists(from: &LogicalType, to: &LogicalType) -> bool {
    use LogicalType as T;
    if from == to {
        return true;
    }
    let time_point = |logical: &T| matches!(logical, T::Date | T::Time(_) | T::Timestamp(_) | T::TimestampLtz(_));
    let nested = |from: &DataType, to: &DataType| explicit_cast_exists(&from.logical, &to.logical);
    match (from, to) {
        (T::Null, _) => true,
        (_, T::Char(_) | T::Varchar(_)) => true,
        (T::Char(_) | T::Varchar(_), T::Binary(_) | T::Varbinary(_) | T::Boolean) => true,
        (T::Char(_) | T::Varchar(_), to) => to.is_numeric() || time_point(to),
        (T::Binary(_) | T::Varbinary(_), T::Binary(_) | T::Varbinary(_)) => true,
        (T::Boolean, to) => to.is_numeric(),
        (from, T::Boolean) => from.is_numeric(),
        (from, T::IntervalYearMonth | T::IntervalDayTime) => from.is_integer(),
        (from, to) if from.is_numeric() => to.is_numeric(),
        (T::Date, T::Time(_)) | (T::Time(_), T::Date) => false,
        (from, to) if time_point(from) => time_point(to),
        (T::Array(from), T::Array(to)) => nested(from, to),
        (T::Map(key, value), T::Map(key_to, value_to)) => nested(key, key_to) && nested(value, value_to),
        (T::Row(from), T::Row(to)) => {
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| nested(&from.data_type, &to.data_type))
        }
        _ => false,
    }
}

/// Whether a value of `from` is taken where `to` is wanted without a written cast: widening only, as in Java.
pub(in crate::binder) fn implicit_cast_exists(from: &LogicalType, to: &LogicalType) -> bool {
    use LogicalType as T;
    if from == to {
        return true;
    }
    let nested = |from: &DataType, to: &DataType| implicit_cast_exists(&from.logical, &to.logical);
    match (from, to) {
        (T::Null, _) => true,
        (T::Char(_), T::Char(_)) | (T::Char(_) | T::Varchar(_), T::Varchar(_)) => true,
        (T::Binary(_), T::Binary(_)) | (T::Binary(_) | T::Varbinary(_), T::Varbinary(_)) => true,
        (from, T::Decimal(..) | T::Double) => from.is_numeric(),
        (from, T::Float) => from.is_integer() || matches!(from, T::Decimal(..)),
        (T::TinyInt, T::SmallInt | T::Int | T::BigInt)
        | (T::SmallInt, T::Int | T::BigInt)
        | (T::Int, T::BigInt)
        | (T::Timestamp(_), T::Date | T::Time(_) | T::Timestamp(_) | T::TimestampLtz(_))
        | (T::TimestampLtz(_), T::Timestamp(_) | T::TimestampLtz(_))
        | (T::Time(_), T::Time(_)) => true,
        (T::Array(from), T::Array(to)) => nested(from, to),
        (T::Map(key, value), T::Map(key_to, value_to)) => nested(key, key_to) && nested(value, value_to),
        (T::Row(from), T::Row(to)) => {
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| nested(&from.data_type, &to.data_type))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_of_explicit_casts() {
        use LogicalType as T;
        // As a real Flink 2.3 answers for each pair.
        let int = || Box::new(DataType::nullable(T::Int));
        let types = [
            ("BOOLEAN", T::Boolean),
            ("TINYINT", T::TinyInt),
            ("SMALLINT", T::SmallInt),
            ("INT", T::Int),
            ("BIGINT", T::BigInt),
            ("FLOAT", T::Float),
            ("DOUBLE", T::Double),
            ("DECIMAL", T::Decimal(10, 2)),
            ("CHAR", T::Char(3)),
            ("VARCHAR", T::Varchar(5)),
            ("BINARY", T::Binary(3)),
            ("VARBINARY", T::Varbinary(5)),
            ("DATE", T::Date),
            ("TIME", T::Time(3)),
            ("TIMESTAMP", T::Timestamp(3)),
            ("LTZ", T::TimestampLtz(3)),
            ("MONTHS", T::IntervalYearMonth),
            ("SECONDS", T::IntervalDayTime),
            ("ARRAY", T::Array(int())),
            ("MAP", T::Map(int(), int())),
            ("ROW", T::Row(vec![weir_plan::Field::new("a", DataType::nullable(T::Int))])),
        ];
        // Rows: from; columns: to, in the order above.
        let matrix = [
            "YYYYYYYYYYNNNNNNNNNNN",
            "YYYYYYYYYYNNNNNNYYNNN",
            "YYYYYYYYYYNNNNNNYYNNN",
            "YYYYYYYYYYNNNNNNYYNNN",
            "YYYYYYYYYYNNNNNNYYNNN",
            "YYYYYYYYYYNNNNNNNNNNN",
            "YYYYYYYYYYNNNNNNNNNNN",
            "YYYYYYYYYYNNNNNNNNNNN",
            "YYYYYYYYYYYYYYYYNNNNN",
            "YYYYYYYYYYYYYYYYNNNNN",
            "NNNNNNNNYYYYNNNNNNNNN",
            "NNNNNNNNYYYYNNNNNNNNN",
            "NNNNNNNNYYNNYNYYNNNNN",
            "NNNNNNNNYYNNNYYYNNNNN",
            "NNNNNNNNYYNNYYYYNNNNN",
            "NNNNNNNNYYNNYYYYNNNNN",
            "NNNNNNNNYYNNNNNNYNNNN",
            "NNNNNNNNYYNNNNNNNYNNN",
            "NNNNNNNNYYNNNNNNNNYNN",
            "NNNNNNNNYYNNNNNNNNNYN",
            "NNNNNNNNYYNNNNNNNNNNY",
        ];
        for ((name, from), row) in types.iter().zip(matrix) {
            let got: String =
                types.iter().map(|(_, to)| if explicit_cast_exists(from, to) { 'Y' } else { 'N' }).collect();
            assert_eq!(got, row, "CAST from {name}");
        }
    }

    #[test]
    fn implicit_casts_only_widen() {
        use LogicalType as T;
        assert!(implicit_cast_exists(&T::Int, &T::BigInt));
        assert!(!implicit_cast_exists(&T::BigInt, &T::Int));
        assert!(implicit_cast_exists(&T::BigInt, &T::Float));
        assert!(!implicit_cast_exists(&T::Double, &T::Float));
        assert!(!implicit_cast_exists(&T::Int, &T::Varchar(10)));
        assert!(!implicit_cast_exists(&T::Varchar(10), &T::Int));
        assert!(implicit_cast_exists(&T::Null, &T::Date));
        assert!(implicit_cast_exists(&T::Timestamp(3), &T::Date));
        assert!(!implicit_cast_exists(&T::TimestampLtz(3), &T::Date));
    }
}
