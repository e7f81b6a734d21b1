//! Which casts Flink has: implicit ones at sinks and arguments, explicit ones by `CAST` and `TRY_CAST`.

use weir_plan::{DataType, LogicalType};

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
        (from, T::Boolean) => from.is_integer(),
        (from, T::IntervalYearMonth | T::IntervalDayTime) => from.is_integer(),
        (T::IntervalYearMonth | T::IntervalDayTime, to) => to.is_integer(),
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
        | (T::TimestampLtz(_), T::Date | T::Time(_) | T::Timestamp(_) | T::TimestampLtz(_))
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
        let types = [
            ("STRING", T::Varchar(weir_plan::LENGTH_MAX)),
            ("BYTES", T::Varbinary(weir_plan::LENGTH_MAX)),
            ("BOOLEAN", T::Boolean),
            ("DECIMAL", T::Decimal(10, 2)),
            ("INT", T::Int),
            ("DOUBLE", T::Double),
            ("DATE", T::Date),
            ("TIME", T::Time(0)),
            ("TIMESTAMP", T::Timestamp(3)),
            ("LTZ", T::TimestampLtz(3)),
            ("INTERVAL", T::IntervalDayTime),
            ("ARRAY", T::Array(Box::new(DataType::nullable(T::Int)))),
        ];
        // Rows: from; columns: to, in the order above.
        let matrix = [
            "YYYYYYYYYYNN",
            "YYNNNNNNNNNN",
            "YNYYYYNNNNNN",
            "YNNYYYNNNNNN",
            "YNYYYYNNNNYN",
            "YNNYYYNNNNNN",
            "YNNNNNYNYYNN",
            "YNNNNNNYYYNN",
            "YNNNNNYYYYNN",
            "YNNNNNYYYYNN",
            "YNNNYNNNNNYN",
            "YNNNNNNNNNNY",
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
    }
}
