//! Types as they are written in Flink's messages: Calcite's names in "Cannot apply", serializable names in sink schemas.

use weir_plan::{DataType, LogicalType};

/// The name in "Cannot apply 'X' to arguments of type 'X(<INTEGER>)'".
pub(in crate::binder) fn calcite_name(logical: &LogicalType) -> String {
    match logical {
        LogicalType::Int => "INTEGER".to_owned(),
        LogicalType::Varchar(length) => format!("VARCHAR({length})"),
        LogicalType::Varbinary(length) => format!("VARBINARY({length})"),
        LogicalType::TimestampLtz(precision) => format!("TIMESTAMP_WITH_LOCAL_TIME_ZONE({precision})"),
        LogicalType::IntervalDayTime => "INTERVAL DAY TO SECOND".to_owned(),
        LogicalType::Array(element) => format!("{} ARRAY", calcite_name(&element.logical)),
        LogicalType::Map(key, value) => {
            format!("({}, {}) MAP", calcite_name(&key.logical), calcite_name(&value.logical))
        }
        LogicalType::Row(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|field| format!("{} {}", calcite_name(&field.data_type.logical), field.name))
                .collect();
            format!("RecordType({})", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// The type without its parameters, in "implicit type conversion between INTEGER and VARCHAR".
pub(in crate::binder) fn root_name(logical: &LogicalType) -> String {
    let name = calcite_name(logical);
    name.split(['(', '<']).next().unwrap_or_default().to_owned()
}

/// The type in "Query schema: [a: INT, b: STRING NOT NULL]".
pub(in crate::binder) fn summary(data_type: &DataType) -> String {
    data_type.to_string()
}
