//! Flink's logical types, their text, and the Arrow type that holds each.

use std::fmt;
use std::sync::Arc;

use arrow_schema::{DataType as ArrowType, Field as ArrowField, Fields, IntervalUnit, SchemaRef, TimeUnit};

/// A logical type without its nullability. Precisions, scales and lengths are Flink's, with Flink's defaults already filled in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LogicalType {
    /// The type of a bare `NULL`.
    Null,
    /// `BOOLEAN`
    Boolean,
    /// `TINYINT`
    TinyInt,
    /// `SMALLINT`
    SmallInt,
    /// `INT`
    Int,
    /// `BIGINT`
    BigInt,
    /// `FLOAT`
    Float,
    /// `DOUBLE`
    Double,
    /// `DECIMAL(precision, scale)`, precision 1 to 38.
    Decimal(u8, u8),
    /// `CHAR(length)`
    Char(u32),
    /// `VARCHAR(length)`; `STRING` is `VARCHAR(2147483647)`.
    Varchar(u32),
    /// `BINARY(length)`
    Binary(u32),
    /// `VARBINARY(length)`; `BYTES` is `VARBINARY(2147483647)`.
    Varbinary(u32),
    /// `DATE`
    Date,
    /// `TIME(precision)`
    Time(u8),
    /// `TIMESTAMP(precision)`, precision 0 to 9.
    Timestamp(u8),
    /// `TIMESTAMP_LTZ(precision)`, precision 0 to 9.
    TimestampLtz(u8),
    /// `INTERVAL YEAR TO MONTH`: months.
    IntervalYearMonth,
    /// `INTERVAL DAY TO SECOND`: milliseconds.
    IntervalDayTime,
    /// `ARRAY<element>`
    Array(Box<DataType>),
    /// `MAP<key, value>`
    Map(Box<DataType>, Box<DataType>),
    /// `ROW<name type, ...>`
    Row(Vec<Field>),
}

/// The length of `STRING` and `BYTES`.
pub const LENGTH_MAX: u32 = 2_147_483_647;

/// A logical type with its nullability.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DataType {
    /// The type.
    pub logical: LogicalType,
    /// Whether NULL is a value of it.
    pub nullable: bool,
}

/// A named column or field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its name, as written.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
}

/// The columns of a stream, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Schema {
    /// The columns.
    pub fields: Vec<Field>,
}

impl DataType {
    /// `logical`, NULL allowed.
    pub fn nullable(logical: LogicalType) -> Self {
        Self { logical, nullable: true }
    }

    /// `logical NOT NULL`.
    pub fn not_null(logical: LogicalType) -> Self {
        Self { logical, nullable: false }
    }

    /// `STRING`, NULL allowed.
    pub fn string() -> Self {
        Self::nullable(LogicalType::Varchar(LENGTH_MAX))
    }

    /// The same type with another nullability.
    #[must_use]
    pub fn with_nullable(mut self, nullable: bool) -> Self {
        self.nullable = nullable;
        self
    }

    /// The Arrow type that holds its values.
    pub fn arrow(&self) -> ArrowType {
        self.logical.arrow()
    }
}

impl LogicalType {
    /// The Arrow type that holds values of this type.
    pub fn arrow(&self) -> ArrowType {
        match self {
            Self::Null => ArrowType::Null,
            Self::Boolean => ArrowType::Boolean,
            Self::TinyInt => ArrowType::Int8,
            Self::SmallInt => ArrowType::Int16,
            Self::Int => ArrowType::Int32,
            Self::BigInt => ArrowType::Int64,
            Self::Float => ArrowType::Float32,
            Self::Double => ArrowType::Float64,
            Self::Decimal(precision, scale) => {
                ArrowType::Decimal128(*precision, i8::try_from(*scale).expect("a scale is at most 38"))
            }
            Self::Char(_) | Self::Varchar(_) => ArrowType::Utf8View,
            Self::Binary(_) | Self::Varbinary(_) => ArrowType::BinaryView,
            Self::Date => ArrowType::Date32,
            Self::Time(_) => ArrowType::Time32(TimeUnit::Millisecond),
            Self::Timestamp(precision) => ArrowType::Timestamp(unit_of_precision(*precision), None),
            Self::TimestampLtz(precision) => ArrowType::Timestamp(unit_of_precision(*precision), Some("UTC".into())),
            Self::IntervalYearMonth => ArrowType::Interval(IntervalUnit::YearMonth),
            Self::IntervalDayTime => ArrowType::Duration(TimeUnit::Millisecond),
            Self::Array(element) => ArrowType::List(Arc::new(ArrowField::new("item", element.arrow(), true))),
            Self::Map(key, value) => {
                let entries = Fields::from(vec![
                    ArrowField::new("key", key.arrow(), false),
                    ArrowField::new("value", value.arrow(), true),
                ]);
                ArrowType::Map(Arc::new(ArrowField::new("entries", ArrowType::Struct(entries), false)), false)
            }
            Self::Row(fields) => ArrowType::Struct(fields.iter().map(Field::arrow).collect()),
        }
    }

    /// Whether it is CHAR or VARCHAR.
    pub fn is_string(&self) -> bool {
        matches!(self, Self::Char(_) | Self::Varchar(_))
    }

    /// Whether it is a number: integers, FLOAT, DOUBLE, DECIMAL.
    pub fn is_numeric(&self) -> bool {
        self.is_integer() || matches!(self, Self::Float | Self::Double | Self::Decimal(..))
    }

    /// Whether it is TINYINT, SMALLINT, INT or BIGINT.
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::TinyInt | Self::SmallInt | Self::Int | Self::BigInt)
    }

    /// Whether a watermark can be defined on it: TIMESTAMP or TIMESTAMP_LTZ of precision 0 to 3.
    pub fn is_rowtime(&self) -> bool {
        matches!(self, Self::Timestamp(0..=3) | Self::TimestampLtz(0..=3))
    }
}

/// The Arrow unit for a precision in digits after the second: milliseconds up to 3, microseconds up to 6, else nanoseconds.
fn unit_of_precision(precision: u8) -> TimeUnit {
    match precision {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

impl Field {
    /// A column called `name`.
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self { name: name.into(), data_type }
    }

    /// The Arrow field. All are nullable for Arrow: NOT NULL is enforced by the engine at sinks, where Flink does it.
    pub fn arrow(&self) -> ArrowField {
        ArrowField::new(&self.name, self.data_type.arrow(), true)
    }
}

impl Schema {
    /// A schema of `fields`.
    pub fn new(fields: Vec<Field>) -> Self {
        Self { fields }
    }

    /// The Arrow schema.
    pub fn arrow(&self) -> SchemaRef {
        Arc::new(arrow_schema::Schema::new(self.fields.iter().map(Field::arrow).collect::<Vec<_>>()))
    }

    /// The index of the column called exactly `name`.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.logical.fmt(f)?;
        if !self.nullable {
            f.write_str(" NOT NULL")?;
        }
        Ok(())
    }
}

impl fmt::Display for LogicalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::TinyInt => f.write_str("TINYINT"),
            Self::SmallInt => f.write_str("SMALLINT"),
            Self::Int => f.write_str("INT"),
            Self::BigInt => f.write_str("BIGINT"),
            Self::Float => f.write_str("FLOAT"),
            Self::Double => f.write_str("DOUBLE"),
            Self::Decimal(precision, scale) => write!(f, "DECIMAL({precision}, {scale})"),
            Self::Char(length) => write!(f, "CHAR({length})"),
            Self::Varchar(LENGTH_MAX) => f.write_str("STRING"),
            Self::Varchar(length) => write!(f, "VARCHAR({length})"),
            Self::Binary(length) => write!(f, "BINARY({length})"),
            Self::Varbinary(LENGTH_MAX) => f.write_str("BYTES"),
            Self::Varbinary(length) => write!(f, "VARBINARY({length})"),
            Self::Date => f.write_str("DATE"),
            Self::Time(precision) => write!(f, "TIME({precision})"),
            Self::Timestamp(precision) => write!(f, "TIMESTAMP({precision})"),
            Self::TimestampLtz(precision) => write!(f, "TIMESTAMP_LTZ({precision})"),
            Self::IntervalYearMonth => f.write_str("INTERVAL YEAR TO MONTH"),
            Self::IntervalDayTime => f.write_str("INTERVAL DAY TO SECOND(3)"),
            Self::Array(element) => write!(f, "ARRAY<{element}>"),
            Self::Map(key, value) => write!(f, "MAP<{key}, {value}>"),
            Self::Row(fields) => {
                f.write_str("ROW<")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}`{}` {}", field.name, field.data_type)?;
                }
                f.write_str(">")
            }
        }
    }
}
