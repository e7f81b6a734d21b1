//! Constant values in a plan.

/// A constant; NULL is `Value::Null` of whatever type its expression says.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL
    Null,
    /// BOOLEAN
    Boolean(bool),
    /// TINYINT, SMALLINT, INT, BIGINT
    Integer(i64),
    /// FLOAT, DOUBLE
    Double(f64),
    /// DECIMAL: the unscaled number; the scale is the type's.
    Decimal(i128),
    /// CHAR, VARCHAR
    String(String),
    /// BINARY, VARBINARY
    Bytes(Vec<u8>),
    /// DATE: days since the epoch.
    Date(i32),
    /// TIME: milliseconds of the day.
    Time(i32),
    /// TIMESTAMP, TIMESTAMP_LTZ: nanoseconds since the epoch.
    Timestamp(i128),
    /// INTERVAL YEAR TO MONTH: months.
    Months(i32),
    /// INTERVAL DAY TO SECOND: milliseconds.
    Milliseconds(i64),
}
