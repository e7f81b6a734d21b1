//! `raw`: a record is the value of the table's only column.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_buffer::Buffer;
use arrow_schema::{DataType as ArrowType, SchemaRef};
use weir_base::{Error, Result, RowKind};
use weir_plan::{Field, LogicalType, Schema};

use crate::column::{Column, Values, put};
use crate::json::unreadable;
use crate::options::FormatOptions;
use crate::rows::RowMap;
use crate::text::primitive;
use crate::view::{RECORDS, view_of};
use crate::{BadKind, BadRecord, Decoded, Decoder, Encoder, RawRecords};

/// Whether numbers stand with their lowest byte first.
fn little_endian(options: &FormatOptions<'_>) -> Result<bool> {
    options.one_of("charset", &["UTF-8"])?;
    Ok(options.one_of("endianness", &["big-endian", "little-endian"])? == 1)
}

fn check(fields: &[Field]) -> Result<()> {
    let [field] = fields else {
        let names: Vec<String> = fields.iter().map(|field| format!("'{}'", field.name)).collect();
        return Err(Error::invalid(format!(
            "use the format raw: the 'raw' format only supports single physical column, and the table has {}",
            names.join(", ")
        )));
    };
    use LogicalType::{BigInt, Binary, Boolean, Char, Double, Float, Int, SmallInt, TinyInt, Varbinary, Varchar};
    match field.data_type.logical {
        Boolean | TinyInt | SmallInt | Int | BigInt | Float | Double | Char(_) | Varchar(_) | Binary(_)
        | Varbinary(_) => Ok(()),
        _ => {
            let message = format!("use the format raw: the column '{}' is a {}", field.name, field.data_type);
            Err(Error::invalid(message).hint("raw holds strings, bytes, numbers and BOOLEAN"))
        }
    }
}

/// Decodes records that are one value.
pub(crate) struct RawDecoder {
    schema: SchemaRef,
    /// The column, unless nobody reads it.
    column: Option<Column>,
    little_endian: bool,
}

impl RawDecoder {
    /// A decoder of the one column of `physical`, if `fields` has it.
    ///
    /// # Errors
    /// Not exactly one column, or a type that is no plain value.
    pub fn new(options: &FormatOptions<'_>, fields: &[Field], physical: &Schema) -> Result<Self> {
        check(&physical.fields)?;
        let column = fields.first().map(|field| Column::new(&field.name, &field.data_type)).transpose()?;
        Ok(Self { schema: Schema::new(fields.to_vec()).arrow(), column, little_endian: little_endian(options)? })
    }
}

/// The bytes of a number, highest first.
fn number<const N: usize>(bytes: &[u8], little_endian: bool) -> Option<[u8; N]> {
    let mut number: [u8; N] = bytes.try_into().ok()?;
    if little_endian {
        number.reverse();
    }
    Some(number)
}

/// Puts `data[start..end]` into `column`; `None` if it has the wrong size.
fn read(column: &mut Column, row: usize, data: &[u8], (start, end): (usize, usize), little: bool) -> Option<()> {
    let bytes = &data[start..end];
    match &mut column.values {
        Values::String(views) | Values::Binary(views) => put(views, row, view_of(data, start, end, RECORDS)),
        Values::Boolean(values) => put(values, row, number::<1>(bytes, little)? != [0]),
        Values::Int8(values) => put(values, row, i8::from_be_bytes(number(bytes, little)?)),
        Values::Int16(values) => put(values, row, i16::from_be_bytes(number(bytes, little)?)),
        Values::Int32(values) => put(values, row, i32::from_be_bytes(number(bytes, little)?)),
        Values::Int64(values) => put(values, row, i64::from_be_bytes(number(bytes, little)?)),
        Values::Float32(values) => put(values, row, f32::from_be_bytes(number(bytes, little)?)),
        Values::Float64(values) => put(values, row, f64::from_be_bytes(number(bytes, little)?)),
        _ => return None,
    }
    column.mark(row, true);
    Some(())
}

impl Decoder for RawDecoder {
    fn decode(&mut self, records: &RawRecords) -> Result<Decoded> {
        let text = self.column.as_ref().is_some_and(|column| matches!(column.values, Values::String(_)));
        let all_utf8 = !text || records.are_utf8();
        let (mut rows, mut bad) = (RowMap::default(), Vec::new());
        for (index, record) in records.records.iter().enumerate() {
            let index32 = u32::try_from(index).map_err(|_| Error::internal("decode more than 2^32 records at once"))?;
            let (start, end) = (record.start as usize, record.start as usize + record.length as usize);
            let mut fault = unreadable(records, index, all_utf8);
            if let Some(column) = self.column.as_mut().filter(|_| fault.is_none()) {
                if record.null {
                    column.mark(rows.count(), false);
                } else if read(column, rows.count(), &records.data, (start, end), self.little_endian).is_none() {
                    let cause = format!("{} bytes are no {}", record.length, column.data_type);
                    fault = Some((start, cause));
                }
            }
            match fault {
                None => rows.keep(index32),
                Some((at, cause)) => {
                    rows.leave_out(index);
                    let column = u32::try_from(at - start).unwrap_or(u32::MAX).saturating_add(1);
                    bad.push(BadRecord { record: index32, kind: BadKind::Record, cause, column });
                }
            }
        }
        let (count, rows) = rows.finish();
        let buffers: Arc<[Buffer]> = Arc::from([records.data.clone()]);
        let arrays = self.column.iter_mut().map(|column| column.finish(count, &buffers)).collect::<Result<_>>()?;
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(count));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|source| Error::internal(format!("put decoded columns together: {source}")).caused_by(source))?;
        Ok(Decoded { batch, rows, bad, skipped: 0 })
    }
}

/// Encodes rows of one value; NULL is a record without bytes.
pub(crate) struct RawEncoder {
    little_endian: bool,
    delimiter: Vec<u8>,
}

impl RawEncoder {
    /// An encoder of the one column `fields` that puts `delimiter` behind each row.
    ///
    /// # Errors
    /// Not exactly one column, or a type that is no plain value.
    pub fn new(options: &FormatOptions<'_>, fields: &[Field], delimiter: &[u8]) -> Result<Self> {
        check(fields)?;
        Ok(Self { little_endian: little_endian(options)?, delimiter: delimiter.to_vec() })
    }

    fn push<const N: usize>(&self, mut bytes: [u8; N], out: &mut Vec<u8>) {
        if self.little_endian {
            bytes.reverse();
        }
        out.extend_from_slice(&bytes);
    }
}

impl Encoder for RawEncoder {
    fn encode(
        &mut self,
        batch: &RecordBatch,
        kinds: Option<&[RowKind]>,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<()> {
        crate::only_inserts("raw", kinds)?;
        let array = batch.column(0).as_ref();
        for row in 0..batch.num_rows() {
            match array.data_type() {
                _ if array.is_null(row) => {}
                ArrowType::Utf8View => out.extend_from_slice(array.as_string_view().value(row).as_bytes()),
                ArrowType::BinaryView => out.extend_from_slice(array.as_binary_view().value(row)),
                ArrowType::Boolean => out.push(u8::from(array.as_boolean().value(row))),
                ArrowType::Int8 => self.push(primitive::<Int8Type>(array, row).to_be_bytes(), out),
                ArrowType::Int16 => self.push(primitive::<Int16Type>(array, row).to_be_bytes(), out),
                ArrowType::Int32 => self.push(primitive::<Int32Type>(array, row).to_be_bytes(), out),
                ArrowType::Int64 => self.push(primitive::<Int64Type>(array, row).to_be_bytes(), out),
                ArrowType::Float32 => self.push(primitive::<Float32Type>(array, row).to_be_bytes(), out),
                ArrowType::Float64 => self.push(primitive::<Float64Type>(array, row).to_be_bytes(), out),
                other => return Err(Error::internal(format!("write a value of the type {other} as raw bytes"))),
            }
            out.extend_from_slice(&self.delimiter);
            ends.push(out.len());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use weir_plan::{DataType, TableOptions};

    use super::*;
    use crate::{RawRecord, decoder, encoder};

    #[test]
    fn values_go_in_and_out_and_wrong_sizes_are_bad() {
        let cases: &[(LogicalType, &str, &[u8], bool)] = &[
            (DataType::string().logical, "big-endian", "é and more than twelve".as_bytes(), true),
            (DataType::string().logical, "big-endian", b"\xff", false),
            (LogicalType::Varbinary(9), "big-endian", b"\xff\x00", true),
            (LogicalType::Int, "big-endian", &[0, 0, 1, 2], true),
            (LogicalType::Int, "little-endian", &[0, 0, 1, 2], true),
            (LogicalType::Int, "big-endian", &[1, 2], false),
            (LogicalType::Double, "big-endian", &[64, 9, 33, 251, 84, 68, 45, 24], true),
            (LogicalType::Boolean, "big-endian", &[1], true),
        ];
        for (logical, endianness, bytes, good) in cases {
            let fields = [Field::new("v", DataType::nullable(logical.clone()))];
            let values = [("raw.endianness".to_owned(), (*endianness).to_owned())].into_iter().collect();
            let options = TableOptions { values, ..TableOptions::default() };
            let length = u32::try_from(bytes.len()).unwrap();
            let record = RawRecord { start: 0, length, offset: 0, null: false };
            let records = RawRecords {
                data: Buffer::from_slice_ref(bytes),
                records: vec![record, RawRecord { null: true, ..record }],
                ..RawRecords::default()
            };
            let schema = Schema::new(fields.to_vec());
            let decoded = decoder("raw", &options, "", &fields, &schema).unwrap().decode(&records).unwrap();
            assert_eq!(decoded.bad.len(), usize::from(!good), "{logical}: {:?}", decoded.bad);
            assert_eq!(decoded.batch.num_rows(), 1 + usize::from(*good));
            let (mut out, mut ends) = (Vec::new(), Vec::new());
            encoder("raw", &options, "", &fields, b"")
                .unwrap()
                .encode(&decoded.batch, None, &mut out, &mut ends)
                .unwrap();
            assert_eq!(out, if *good { *bytes } else { &[] }, "{logical}");
        }
        let int = [Field::new("v", DataType::nullable(LogicalType::Int)), Field::new("w", DataType::string())];
        let Err(error) = encoder("raw", &TableOptions::default(), "", &int, b"") else { panic!("two columns") };
        assert_eq!(
            error.to_string(),
            "use the format raw: the 'raw' format only supports single physical column, and the table has 'v', 'w'"
        );
    }
}
