//! The JSON encoder: rows to objects, as Jackson writes them for Flink.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalYearMonthType, Time32MillisecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch, StringViewArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType as ArrowType, TimeUnit};
use weir_base::{Error, Result, RowKind};
use weir_plan::{DataType, Field, LogicalType};

use crate::Encoder;
use crate::json::decode::timestamp_format;
use crate::json::escape::{Padded, write_string, write_view};
use crate::options::FormatOptions;
use crate::parse::TimestampFormat;
use crate::text::{
    Fraction, primitive, timestamp_value, write_base64, write_date, write_decimal, write_decimal_stripped,
    write_double, write_float, write_integer, write_time, write_timestamp,
};

/// Encodes rows as JSON objects.
pub(crate) struct JsonEncoder {
    names: Vec<Name>,
    style: Style,
    delimiter: Vec<u8>,
}

/// What the options say of how values are written.
struct Style {
    timestamp_format: TimestampFormat,
    ignore_null_fields: bool,
    plain_decimals: bool,
    null_keys: NullKeys,
}

enum NullKeys {
    Fail,
    Drop,
    Literal(String),
}

impl JsonEncoder {
    /// An encoder of `fields` that puts `delimiter` behind each row.
    ///
    /// # Errors
    /// Options with values that are none, or a MAP whose keys are no strings.
    pub fn new(options: &FormatOptions<'_>, fields: &[Field], delimiter: &[u8]) -> Result<Self> {
        fields.iter().try_for_each(|field| check(&field.name, &field.data_type))?;
        let null_keys = match options.one_of("map-null-key.mode", &["FAIL", "DROP", "LITERAL"])? {
            0 => NullKeys::Fail,
            1 => NullKeys::Drop,
            _ => NullKeys::Literal(options.text("map-null-key.literal").unwrap_or("null").into()),
        };
        let style = Style {
            timestamp_format: timestamp_format(options)?,
            ignore_null_fields: options.boolean("encode.ignore-null-fields", false)?,
            plain_decimals: options.boolean("encode.decimal-as-plain-number", false)?,
            null_keys,
        };
        let names = fields.iter().map(|field| Name::new(&field.name, &field.data_type)).collect();
        Ok(Self { names, style, delimiter: delimiter.to_vec() })
    }
}

/// A field's name as it is written, and those of the fields within it.
struct Name {
    /// `,"name":`, escaped.
    text: Padded,
    inner: Vec<Name>,
}

impl Name {
    fn new(name: &str, data_type: &DataType) -> Self {
        let mut text = vec![b','];
        write_string(name.as_bytes(), &mut text);
        text.push(b':');
        let inner = match &data_type.logical {
            LogicalType::Row(fields) => fields.iter().map(|field| Self::new(&field.name, &field.data_type)).collect(),
            _ => Vec::new(),
        };
        Self { text: Padded::new(text), inner }
    }
}

fn check(path: &str, data_type: &DataType) -> Result<()> {
    match &data_type.logical {
        LogicalType::Map(key, _) if !key.logical.is_string() => Err(Error::invalid(format!(
            "encode the column '{path}': JSON format doesn't support non-string as key type of map; the type is {data_type}"
        ))),
        LogicalType::Map(_, inner) | LogicalType::Array(inner) => check(path, inner),
        LogicalType::Row(fields) => {
            fields.iter().try_for_each(|field| check(&format!("{path}.{}", field.name), &field.data_type))
        }
        _ => Ok(()),
    }
}

impl Encoder for JsonEncoder {
    fn encode(
        &mut self,
        batch: &RecordBatch,
        kinds: Option<&[RowKind]>,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<()> {
        crate::only_inserts("json", kinds)?;
        let columns: Vec<Writer<'_>> = writers(batch.columns(), &self.names);
        ends.reserve(batch.num_rows());
        for row in 0..batch.num_rows() {
            write_row(&columns, row, &self.style, out).map_err(|error| error.within(format!("encode row {row}")))?;
            out.extend_from_slice(&self.delimiter);
            ends.push(out.len());
        }
        Ok(())
    }
}

/// A column with its kind looked up once.
struct Writer<'a> {
    name: &'a Padded,
    array: &'a dyn Array,
    nulls: Option<&'a NullBuffer>,
    kind: Kind<'a>,
}

enum Kind<'a> {
    String(&'a StringViewArray),
    Double(&'a [f64]),
    Long(&'a [i64]),
    Row(Vec<Writer<'a>>),
    Other,
}

fn writers<'a>(columns: &'a [ArrayRef], names: &'a [Name]) -> Vec<Writer<'a>> {
    columns.iter().zip(names).map(|(column, name)| Writer::of(column.as_ref(), name)).collect()
}

/// Appends row `row` of `columns` as an object.
fn write_row(columns: &[Writer<'_>], row: usize, style: &Style, out: &mut Vec<u8>) -> Result<()> {
    let start = out.len();
    for column in columns {
        let null = column.nulls.is_some_and(|nulls| nulls.is_null(row));
        if null && style.ignore_null_fields {
            continue;
        }
        column.name.write(out);
        if null {
            out.extend_from_slice(b"null");
        } else {
            column.write(row, style, out)?;
        }
    }
    // Each name brings the comma before it; the first one's place is the brace's.
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
    Ok(())
}

impl<'a> Writer<'a> {
    fn of(array: &'a dyn Array, name: &'a Name) -> Self {
        let kind = match array.data_type() {
            ArrowType::Utf8View => Kind::String(array.as_string_view()),
            ArrowType::Float64 => Kind::Double(array.as_primitive::<Float64Type>().values()),
            ArrowType::Int64 => Kind::Long(array.as_primitive::<Int64Type>().values()),
            ArrowType::Struct(_) => Kind::Row(writers(array.as_struct().columns(), &name.inner)),
            _ => Kind::Other,
        };
        Self { name: &name.text, array, nulls: array.nulls(), kind }
    }

    #[inline]
    fn write(&self, row: usize, style: &Style, out: &mut Vec<u8>) -> Result<()> {
        match &self.kind {
            Kind::String(array) => write_view(array, row, out),
            Kind::Double(values) => write_json_double(values[row], out),
            Kind::Long(values) => write_integer(values[row], out),
            Kind::Row(columns) => return write_row(columns, row, style, out),
            Kind::Other => return write_value(self.array, row, style, out),
        }
        Ok(())
    }
}

/// Jackson puts what is no JSON number in quotes.
fn write_json_double(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        write_double(value, out);
    } else {
        out.push(b'"');
        write_double(value, out);
        out.push(b'"');
    }
}

fn write_value(array: &dyn Array, row: usize, style: &Style, out: &mut Vec<u8>) -> Result<()> {
    if array.is_null(row) {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    match array.data_type() {
        ArrowType::Null => out.extend_from_slice(b"null"),
        ArrowType::Boolean if array.as_boolean().value(row) => out.extend_from_slice(b"true"),
        ArrowType::Boolean => out.extend_from_slice(b"false"),
        ArrowType::Int8 => write_integer(primitive::<Int8Type>(array, row).into(), out),
        ArrowType::Int16 => write_integer(primitive::<Int16Type>(array, row).into(), out),
        ArrowType::Int32 => write_integer(primitive::<Int32Type>(array, row).into(), out),
        ArrowType::Int64 => write_integer(primitive::<Int64Type>(array, row), out),
        ArrowType::Interval(_) => write_integer(primitive::<IntervalYearMonthType>(array, row).into(), out),
        ArrowType::Duration(_) => write_integer(primitive::<DurationMillisecondType>(array, row), out),
        ArrowType::Float32 => {
            let value = primitive::<Float32Type>(array, row);
            if value.is_finite() { write_float(value, out) } else { write_json_double(f64::from(value), out) }
        }
        ArrowType::Float64 => write_json_double(primitive::<Float64Type>(array, row), out),
        ArrowType::Decimal128(_, scale) => {
            let scale = u8::try_from(*scale).unwrap_or_default();
            let unscaled = primitive::<Decimal128Type>(array, row);
            if style.plain_decimals {
                write_decimal(unscaled, scale, true, out);
            } else {
                write_decimal_stripped(unscaled, scale, out);
            }
        }
        ArrowType::Utf8View => write_string(array.as_string_view().value(row).as_bytes(), out),
        ArrowType::BinaryView => {
            out.push(b'"');
            write_base64(array.as_binary_view().value(row), out);
            out.push(b'"');
        }
        ArrowType::Date32 | ArrowType::Time32(_) | ArrowType::Timestamp(..) => {
            out.push(b'"');
            write_temporal(array, row, style, out);
            out.push(b'"');
        }
        _ => write_nested(array, row, style, out)?,
    }
    Ok(())
}

fn write_temporal(array: &dyn Array, row: usize, style: &Style, out: &mut Vec<u8>) {
    match array.data_type() {
        ArrowType::Date32 => write_date(primitive::<Date32Type>(array, row).into(), out),
        // Flink's JSON writes whole seconds only.
        ArrowType::Time32(_) => {
            let millis = i64::from(primitive::<Time32MillisecondType>(array, row));
            write_time(millis / 1000, 0, Fraction::Needed, out);
        }
        ArrowType::Timestamp(unit, zone) => {
            let unit: TimeUnit = *unit;
            let value = timestamp_value(array, unit, row);
            write_timestamp(value, unit, style.timestamp_format.separator(), Fraction::Needed, out);
            if zone.is_some() {
                out.push(b'Z');
            }
        }
        _ => {}
    }
}

fn write_nested(array: &dyn Array, row: usize, style: &Style, out: &mut Vec<u8>) -> Result<()> {
    match array.data_type() {
        ArrowType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            out.push(b'[');
            for index in 0..items.len() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(&items, index, style, out)?;
            }
            out.push(b']');
        }
        ArrowType::Map(..) => write_map(array, row, style, out)?,
        ArrowType::Struct(fields) => {
            let columns = array.as_struct().columns();
            out.push(b'{');
            let mut first = true;
            for (field, column) in fields.iter().zip(columns) {
                if style.ignore_null_fields && column.is_null(row) {
                    continue;
                }
                if !first {
                    out.push(b',');
                }
                first = false;
                write_string(field.name().as_bytes(), out);
                out.push(b':');
                write_value(column, row, style, out)?;
            }
            out.push(b'}');
        }
        other => return Err(Error::internal(format!("write a value of the type {other} as JSON"))),
    }
    Ok(())
}

fn write_map(array: &dyn Array, row: usize, style: &Style, out: &mut Vec<u8>) -> Result<()> {
    let entries = array.as_map().value(row);
    let (keys, values) = (entries.column(0).as_string_view(), entries.column(1));
    out.push(b'{');
    let mut first = true;
    for index in 0..entries.len() {
        let key = match (&style.null_keys, keys.is_null(index)) {
            (_, false) => keys.value(index),
            (NullKeys::Literal(literal), true) => literal,
            (NullKeys::Drop, true) => continue,
            (NullKeys::Fail, true) => {
                return Err(Error::invalid("a MAP has a NULL key, which JSON cannot write")
                    .hint("set 'json.map-null-key.mode' to 'DROP' or 'LITERAL'"));
            }
        };
        if !first {
            out.push(b',');
        }
        first = false;
        write_string(key.as_bytes(), out);
        out.push(b':');
        write_value(values, index, style, out)?;
    }
    out.push(b'}');
    Ok(())
}
