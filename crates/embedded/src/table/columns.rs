//! Columns on their way to disk and back: views without the buffers they came from, batches as IPC streams, hashes of keys.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, ListArray, MapArray, RecordBatch, StructArray};
use arrow_data::ArrayData;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType as ArrowType, SchemaRef};
use weir_base::{Error, Kind, Result};
use xxhash_rust::xxh3::xxh3_128;

/// The column without what only others of its source's buffers held: a string view may hold a whole fetch alive, and would be written with it.
pub(super) fn compact(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        ArrowType::Utf8View => Arc::new(column.as_string_view().gc()),
        ArrowType::BinaryView => Arc::new(column.as_binary_view().gc()),
        ArrowType::Struct(fields) if !fields.is_empty() => {
            let rows = column.as_struct();
            let columns = rows.columns().iter().map(compact).collect();
            Arc::new(StructArray::new(fields.clone(), columns, rows.nulls().cloned()))
        }
        ArrowType::List(field) => {
            let lists = column.as_list::<i32>();
            let values = compact(lists.values());
            Arc::new(ListArray::new(Arc::clone(field), lists.offsets().clone(), values, lists.nulls().cloned()))
        }
        ArrowType::Map(field, ordered) => {
            let maps = column.as_map();
            let entries: ArrayRef = Arc::new(maps.entries().clone());
            let entries = compact(&entries).as_struct().clone();
            Arc::new(MapArray::new(Arc::clone(field), maps.offsets().clone(), entries, maps.nulls().cloned(), *ordered))
        }
        _ => Arc::clone(column),
    }
}

/// Appends `batch` to `out` as an IPC stream of its own.
pub(super) fn encode(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
    let written = StreamWriter::try_new(out, &batch.schema()).and_then(|mut writer| {
        writer.write(batch)?;
        writer.finish()
    });
    written.map_err(|error| Error::internal(format!("encode rows: {error}")))
}

/// Reads a batch that `encode` wrote; only the columns of `projection`, in ascending order, if given.
pub(super) fn decode(bytes: &[u8], projection: Option<Vec<usize>>) -> Result<RecordBatch> {
    let corrupt = |text: String| Error::new(Kind::Corrupt, format!("decode rows of a table: {text}"));
    let mut reader = StreamReader::try_new(bytes, projection).map_err(|error| corrupt(error.to_string()))?;
    let batch = reader.next().ok_or_else(|| corrupt("there are none".to_owned()))?;
    batch.map_err(|error| corrupt(error.to_string()))
}

/// Whether values of this type can stand in a key.
pub(super) fn can_be_key(data_type: &ArrowType) -> bool {
    matches!(data_type, ArrowType::Utf8View | ArrowType::BinaryView | ArrowType::Boolean) || data_type.is_primitive()
}

/// Hashes of the keys of all rows, 128 bits each: two keys of a billion meet by chance once in 10^20 tables.
pub(super) fn key_hashes(columns: &[ArrayRef], rows: usize) -> Vec<u128> {
    let columns: Vec<(&ArrayRef, Option<(ArrayData, usize)>)> = columns
        .iter()
        .map(|column| (column, column.data_type().primitive_width().map(|width| (column.to_data(), width))))
        .collect();
    let mut key = Vec::new();
    let hash = |row: usize| {
        key.clear();
        for (column, primitive) in &columns {
            key.push(u8::from(column.is_valid(row)));
            if column.is_null(row) {
                continue;
            }
            match (column.data_type(), primitive) {
                (ArrowType::Utf8View, _) => push(&mut key, column.as_string_view().value(row).as_bytes()),
                (ArrowType::BinaryView, _) => push(&mut key, column.as_binary_view().value(row)),
                (ArrowType::Boolean, _) => key.push(u8::from(column.as_boolean().value(row))),
                (_, Some((data, width))) => {
                    let at = (data.offset() + row) * width;
                    key.extend_from_slice(&data.buffers()[0].as_slice()[at..at + width]);
                }
                _ => {}
            }
        }
        xxh3_128(&key)
    };
    (0..rows).map(hash).collect()
}

/// A text or bytes with its length in front, so that two columns never run together.
fn push(key: &mut Vec<u8>, bytes: &[u8]) {
    key.extend_from_slice(&bytes.len().to_le_bytes());
    key.extend_from_slice(bytes);
}

/// `batch` under `schema`, which has the same types.
pub(super) fn under(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(|error| Error::internal(format!("put columns under a schema: {error}")))
}
