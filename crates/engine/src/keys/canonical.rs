//! Canonical bytes of values: the same key gives the same bytes on every machine and in every version.
//!
//! A value is a marker (0 for NULL, else 1) and its content. Whole numbers, times and intervals are 8 bytes, DECIMAL is 16, all little-endian; text, bytes
//! and arrays carry their length in front where something may follow.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalYearMonthType, Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use arrow_array::{
    Array, BinaryViewArray, BooleanArray, Decimal128Array, Float32Array, Float64Array, ListArray, PrimitiveArray,
    StringViewArray, StructArray,
};
use arrow_schema::{DataType as ArrowType, IntervalUnit, TimeUnit};
use weir_base::{Error, Result};
use weir_plan::LogicalType;

const NULL: u8 = 0;
const VALUE: u8 = 1;

/// Checks that a column called `name` can be part of a key.
///
/// # Errors
/// It is, or holds, a MAP: the order of a map's entries is not part of its value.
pub fn check_key_type(name: &str, logical: &LogicalType) -> Result<()> {
    match logical {
        LogicalType::Map(..) => {
            Err(Error::invalid(format!("use the column '{name}' as a key: {logical} has no order"))
                .hint("use the values that matter, such as map['name']"))
        }
        LogicalType::Array(element) => check_key_type(name, &element.logical),
        LogicalType::Row(fields) => fields.iter().try_for_each(|field| check_key_type(name, &field.data_type.logical)),
        _ => Ok(()),
    }
}

/// A column whose values are written as canonical bytes; looks through the type once for a whole batch.
pub enum CanonicalColumn<'a> {
    /// All NULL.
    Null,
    /// BOOLEAN
    Boolean(&'a BooleanArray),
    /// TINYINT
    Int8(&'a PrimitiveArray<Int8Type>),
    /// SMALLINT
    Int16(&'a PrimitiveArray<Int16Type>),
    /// INT
    Int32(&'a PrimitiveArray<Int32Type>),
    /// BIGINT
    Int64(&'a PrimitiveArray<Int64Type>),
    /// FLOAT
    Float32(&'a Float32Array),
    /// DOUBLE
    Float64(&'a Float64Array),
    /// DECIMAL
    Decimal(&'a Decimal128Array),
    /// CHAR, VARCHAR
    Text(&'a StringViewArray),
    /// BINARY, VARBINARY
    Bytes(&'a BinaryViewArray),
    /// DATE
    Date(&'a PrimitiveArray<Date32Type>),
    /// TIME
    Time(&'a PrimitiveArray<Time32MillisecondType>),
    /// TIMESTAMP, TIMESTAMP_LTZ up to milliseconds
    Milliseconds(&'a PrimitiveArray<TimestampMillisecondType>),
    /// TIMESTAMP, TIMESTAMP_LTZ up to microseconds
    Microseconds(&'a PrimitiveArray<TimestampMicrosecondType>),
    /// TIMESTAMP, TIMESTAMP_LTZ up to nanoseconds
    Nanoseconds(&'a PrimitiveArray<TimestampNanosecondType>),
    /// INTERVAL YEAR TO MONTH
    Months(&'a PrimitiveArray<IntervalYearMonthType>),
    /// INTERVAL DAY TO SECOND
    Duration(&'a PrimitiveArray<DurationMillisecondType>),
    /// ARRAY: the lists and their items.
    List(&'a ListArray, Box<CanonicalColumn<'a>>),
    /// ROW: the rows and their fields.
    Struct(&'a StructArray, Vec<CanonicalColumn<'a>>),
}

impl<'a> CanonicalColumn<'a> {
    /// Looks at `array`.
    ///
    /// # Errors
    /// Its type cannot be part of a key.
    pub fn of(array: &'a dyn Array) -> Result<Self> {
        Ok(match array.data_type() {
            ArrowType::Null => Self::Null,
            ArrowType::Boolean => Self::Boolean(array.as_boolean()),
            ArrowType::Int8 => Self::Int8(array.as_primitive()),
            ArrowType::Int16 => Self::Int16(array.as_primitive()),
            ArrowType::Int32 => Self::Int32(array.as_primitive()),
            ArrowType::Int64 => Self::Int64(array.as_primitive()),
            ArrowType::Float32 => Self::Float32(array.as_primitive::<Float32Type>()),
            ArrowType::Float64 => Self::Float64(array.as_primitive::<Float64Type>()),
            ArrowType::Decimal128(..) => Self::Decimal(array.as_primitive::<Decimal128Type>()),
            ArrowType::Utf8View => Self::Text(array.as_string_view()),
            ArrowType::BinaryView => Self::Bytes(array.as_binary_view()),
            ArrowType::Date32 => Self::Date(array.as_primitive()),
            ArrowType::Time32(TimeUnit::Millisecond) => Self::Time(array.as_primitive()),
            ArrowType::Timestamp(TimeUnit::Millisecond, _) => Self::Milliseconds(array.as_primitive()),
            ArrowType::Timestamp(TimeUnit::Microsecond, _) => Self::Microseconds(array.as_primitive()),
            ArrowType::Timestamp(TimeUnit::Nanosecond, _) => Self::Nanoseconds(array.as_primitive()),
            ArrowType::Interval(IntervalUnit::YearMonth) => Self::Months(array.as_primitive()),
            ArrowType::Duration(TimeUnit::Millisecond) => Self::Duration(array.as_primitive()),
            ArrowType::List(_) => {
                let list = array.as_list::<i32>();
                Self::List(list, Box::new(Self::of(list.values())?))
            }
            ArrowType::Struct(_) => {
                let rows = array.as_struct();
                Self::Struct(rows, rows.columns().iter().map(|field| Self::of(field)).collect::<Result<_>>()?)
            }
            other => return Err(Error::internal(format!("use a column of {other} as a key: no canonical bytes"))),
        })
    }

    /// Whether the value at `row` is NULL.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Null => true,
            Self::Boolean(array) => array.is_null(row),
            Self::Int8(array) => array.is_null(row),
            Self::Int16(array) => array.is_null(row),
            Self::Int32(array) => array.is_null(row),
            Self::Int64(array) => array.is_null(row),
            Self::Float32(array) => array.is_null(row),
            Self::Float64(array) => array.is_null(row),
            Self::Decimal(array) => array.is_null(row),
            Self::Text(array) => array.is_null(row),
            Self::Bytes(array) => array.is_null(row),
            Self::Date(array) => array.is_null(row),
            Self::Time(array) => array.is_null(row),
            Self::Milliseconds(array) => array.is_null(row),
            Self::Microseconds(array) => array.is_null(row),
            Self::Nanoseconds(array) => array.is_null(row),
            Self::Months(array) => array.is_null(row),
            Self::Duration(array) => array.is_null(row),
            Self::List(array, _) => array.is_null(row),
            Self::Struct(array, _) => array.is_null(row),
        }
    }

    /// Adds marker and content of the value at `row`, such that more may follow.
    #[inline]
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            out.push(NULL);
            return;
        }
        out.push(VALUE);
        match self {
            Self::Text(array) => write_length(array.value(row).len(), out),
            Self::Bytes(array) => write_length(array.value(row).len(), out),
            _ => {}
        }
        self.write_content(row, out);
    }

    /// Adds the content of the value at `row`, which is not NULL; text and bytes without their length.
    #[inline]
    pub fn write_content(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Null => {}
            Self::Boolean(array) => out.push(u8::from(array.value(row))),
            Self::Int8(array) => write_integer(array.value(row), out),
            Self::Int16(array) => write_integer(array.value(row), out),
            Self::Int32(array) => write_integer(array.value(row), out),
            Self::Int64(array) => write_integer(array.value(row), out),
            Self::Float32(array) => out.extend(canonical_f32(array.value(row)).to_le_bytes()),
            Self::Float64(array) => out.extend(canonical_f64(array.value(row)).to_le_bytes()),
            Self::Decimal(array) => out.extend(array.value(row).to_le_bytes()),
            Self::Text(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Self::Bytes(array) => out.extend_from_slice(array.value(row)),
            Self::Date(array) => write_integer(array.value(row), out),
            Self::Time(array) => write_integer(array.value(row), out),
            Self::Milliseconds(array) => write_integer(array.value(row), out),
            Self::Microseconds(array) => write_integer(array.value(row), out),
            Self::Nanoseconds(array) => write_integer(array.value(row), out),
            Self::Months(array) => write_integer(array.value(row), out),
            Self::Duration(array) => write_integer(array.value(row), out),
            Self::List(array, items) => {
                let offsets = array.value_offsets();
                let bound = |index: usize| usize::try_from(offsets[index]).expect("a list's offset is not negative");
                write_length(bound(row + 1) - bound(row), out);
                (bound(row)..bound(row + 1)).for_each(|item| items.write(item, out));
            }
            Self::Struct(_, fields) => fields.iter().for_each(|field| field.write(row, out)),
        }
    }
}

#[inline]
fn write_integer(value: impl Into<i64>, out: &mut Vec<u8>) {
    out.extend(value.into().to_le_bytes());
}

#[inline]
fn write_length(length: usize, out: &mut Vec<u8>) {
    let length = u32::try_from(length).expect("a value is shorter than 4 GiB: a record is bounded far below");
    out.extend(length.to_le_bytes());
}

/// The bits of `value` where -0.0 is 0.0 and all NaN are one.
#[inline]
fn canonical_f64(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}

/// As `canonical_f64`.
#[inline]
fn canonical_f32(value: f32) -> u32 {
    if value.is_nan() { f32::NAN.to_bits() } else { (value + 0.0).to_bits() }
}
