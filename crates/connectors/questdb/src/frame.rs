//! Rows as bytes: what a segment holds. A row is its length and, for each column, a byte that says whether it is there and its value.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType,
};
use arrow_array::{Array, BooleanArray, PrimitiveArray, RecordBatch, StringViewArray};
use arrow_schema::{DataType as ArrowType, TimeUnit};
use weir_base::{Error, Kind as ErrorKind, Result};

use crate::columns::{Column, Columns, Kind};

/// A column of a batch, ready to be read row by row.
enum Values<'a> {
    Boolean(&'a BooleanArray),
    Int8(&'a PrimitiveArray<Int8Type>),
    Int16(&'a PrimitiveArray<Int16Type>),
    Int32(&'a PrimitiveArray<Int32Type>),
    Int64(&'a PrimitiveArray<Int64Type>),
    Float32(&'a PrimitiveArray<Float32Type>),
    Float64(&'a PrimitiveArray<Float64Type>),
    Text(&'a StringViewArray),
    Millis(&'a PrimitiveArray<TimestampMillisecondType>),
    Micros(&'a PrimitiveArray<TimestampMicrosecondType>),
}

impl<'a> Values<'a> {
    fn of(column: &Column, array: &'a dyn Array) -> Result<Self> {
        Ok(match array.data_type() {
            ArrowType::Boolean => Self::Boolean(array.as_boolean()),
            ArrowType::Int8 => Self::Int8(array.as_primitive()),
            ArrowType::Int16 => Self::Int16(array.as_primitive()),
            ArrowType::Int32 => Self::Int32(array.as_primitive()),
            ArrowType::Int64 => Self::Int64(array.as_primitive()),
            ArrowType::Float32 => Self::Float32(array.as_primitive()),
            ArrowType::Float64 => Self::Float64(array.as_primitive()),
            ArrowType::Utf8View => Self::Text(array.as_string_view()),
            ArrowType::Timestamp(TimeUnit::Millisecond, _) => Self::Millis(array.as_primitive()),
            ArrowType::Timestamp(TimeUnit::Microsecond, _) => Self::Micros(array.as_primitive()),
            other => {
                return Err(Error::internal(format!("write column '{}' to QuestDB: it comes as {other}", column.name)));
            }
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Boolean(array) => array.is_null(row),
            Self::Int8(array) => array.is_null(row),
            Self::Int16(array) => array.is_null(row),
            Self::Int32(array) => array.is_null(row),
            Self::Int64(array) => array.is_null(row),
            Self::Float32(array) => array.is_null(row),
            Self::Float64(array) => array.is_null(row),
            Self::Text(array) => array.is_null(row),
            Self::Millis(array) => array.is_null(row),
            Self::Micros(array) => array.is_null(row),
        }
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Boolean(array) => out.push(u8::from(array.value(row))),
            Self::Int8(array) => out.extend_from_slice(&i64::from(array.value(row)).to_le_bytes()),
            Self::Int16(array) => out.extend_from_slice(&i64::from(array.value(row)).to_le_bytes()),
            Self::Int32(array) => out.extend_from_slice(&i64::from(array.value(row)).to_le_bytes()),
            Self::Int64(array) => out.extend_from_slice(&array.value(row).to_le_bytes()),
            Self::Float32(array) => out.extend_from_slice(&f64::from(array.value(row)).to_le_bytes()),
            Self::Float64(array) => out.extend_from_slice(&array.value(row).to_le_bytes()),
            Self::Text(array) => {
                let text = array.value(row).as_bytes();
                out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
                out.extend_from_slice(text);
            }
            // A time past the year 292,000 stays at the last microsecond that there is: QuestDB refuses it by name.
            Self::Millis(array) => out.extend_from_slice(&array.value(row).saturating_mul(1000).to_le_bytes()),
            Self::Micros(array) => out.extend_from_slice(&array.value(row).to_le_bytes()),
        }
    }
}

/// Appends all rows of `batch` to `out`.
///
/// # Errors
/// A row without a designated timestamp, by its index.
pub(crate) fn encode(batch: &RecordBatch, columns: &Columns, out: &mut Vec<u8>) -> Result<()> {
    let pairs = columns.all.iter().zip(batch.columns());
    let values = pairs.map(|(column, array)| Values::of(column, array.as_ref())).collect::<Result<Vec<_>>>()?;
    for row in 0..batch.num_rows() {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        for (index, column) in values.iter().enumerate() {
            let null = column.is_null(row);
            if null && index == columns.timestamp {
                let name = &columns.all[index].name;
                return Err(Error::invalid(format!(
                    "write row {row} to QuestDB: its designated timestamp '{name}' is NULL"
                )));
            }
            out.push(u8::from(!null));
            if !null {
                column.write(row, out);
            }
        }
        let length = u32::try_from(out.len() - start - 4).map_err(|_| {
            Error::new(ErrorKind::Exhausted, format!("write row {row} to QuestDB: it is larger than 4 GiB"))
        })?;
        out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }
    Ok(())
}

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Boolean(bool),
    Long(i64),
    Double(f64),
    Text(&'a str),
    /// Microseconds since the epoch.
    Timestamp(i64),
}

/// Splits the rows of a block; each as its bytes without the length.
pub(crate) fn rows(mut bytes: &[u8]) -> Result<Vec<&[u8]>> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        rows.push(take_text(&mut bytes)?);
    }
    Ok(rows)
}

/// The values of a row.
///
/// # Errors
/// Bytes that were not written by `encode` for these columns.
pub(crate) fn decode<'a>(mut row: &'a [u8], columns: &Columns, values: &mut Vec<Value<'a>>) -> Result<()> {
    values.clear();
    for column in &columns.all {
        let present = take::<1>(&mut row)?[0] == 1;
        values.push(match column.kind {
            _ if !present => Value::Null,
            Kind::Boolean => Value::Boolean(take::<1>(&mut row)?[0] == 1),
            Kind::Int | Kind::Long => Value::Long(i64::from_le_bytes(take(&mut row)?)),
            Kind::Float | Kind::Double => Value::Double(f64::from_le_bytes(take(&mut row)?)),
            Kind::Timestamp => Value::Timestamp(i64::from_le_bytes(take(&mut row)?)),
            Kind::Varchar | Kind::Symbol => {
                let text = std::str::from_utf8(take_text(&mut row)?).map_err(|_| corrupt())?;
                Value::Text(text)
            }
        });
    }
    if row.is_empty() { Ok(()) } else { Err(corrupt()) }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>().ok_or_else(corrupt)?;
    *bytes = rest;
    Ok(*head)
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8]> {
    let length = usize::try_from(u32::from_le_bytes(take(bytes)?)).map_err(|_| corrupt())?;
    let (head, rest) = bytes.split_at_checked(length).ok_or_else(corrupt)?;
    *bytes = rest;
    Ok(head)
}

fn corrupt() -> Error {
    Error::new(ErrorKind::Corrupt, "read carried rows for QuestDB: they do not fit the table's columns")
}

/// A row as JSON, for dead letters.
pub(crate) fn json(row: &[u8], columns: &Columns) -> String {
    let mut values = Vec::new();
    if decode(row, columns, &mut values).is_err() {
        return String::new();
    }
    let mut out = String::from("{");
    for (column, value) in columns.all.iter().zip(&values) {
        if out.len() > 1 {
            out.push(',');
        }
        quote(&column.name, &mut out);
        out.push(':');
        match value {
            Value::Null => out.push_str("null"),
            Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Long(value) | Value::Timestamp(value) => out.push_str(&value.to_string()),
            Value::Double(value) if value.is_finite() => out.push_str(&value.to_string()),
            Value::Double(value) => quote(&value.to_string(), &mut out),
            Value::Text(text) => quote(text, &mut out),
        }
    }
    out.push('}');
    out
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}
