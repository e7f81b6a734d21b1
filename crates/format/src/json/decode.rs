//! The JSON decoder: from records to a batch, each bad record told and none lost.
//!
//! Rows are read straight into columns; a record that turns out bad is written over by the next one.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;
use weir_base::{Error, Result};
use weir_plan::{Field, Schema};

use crate::column::Column;
use crate::json::cursor::Cursor;
use crate::json::keys::Keys;
use crate::json::value::{Context, read_object};
use crate::options::FormatOptions;
use crate::parse::TimestampFormat;
use crate::rows::RowMap;
use crate::{BadKind, BadRecord, Decoded, Decoder, RawRecords};

/// Decodes JSON objects.
pub(crate) struct JsonDecoder {
    schema: SchemaRef,
    columns: Vec<Column>,
    keys: Keys,
    timestamp_format: TimestampFormat,
    fail_on_missing_field: bool,
    /// Bytes the side buffer had last time: room to begin with.
    side_bytes: usize,
}

impl JsonDecoder {
    /// A decoder of `fields`.
    ///
    /// # Errors
    /// Options that contradict each other, or a type that JSON cannot give.
    pub fn new(options: &FormatOptions<'_>, fields: &[Field]) -> Result<Self> {
        let fail_on_missing_field = options.boolean("fail-on-missing-field", false)?;
        if fail_on_missing_field && options.boolean("ignore-parse-errors", false)? {
            return Err(Error::invalid(format!(
                "use the format json: {} and {} shouldn't both be true",
                options.key("fail-on-missing-field"),
                options.key("ignore-parse-errors")
            ))
            .hint("set one of them to 'false'"));
        }
        let timestamp_format = timestamp_format(options)?;
        let columns = fields.iter().map(|field| Column::new(&field.name, &field.data_type)).collect::<Result<_>>()?;
        Ok(Self {
            schema: Schema::new(fields.to_vec()).arrow(),
            columns,
            keys: Keys::new(fields.iter().map(|field| field.name.as_str())),
            timestamp_format,
            fail_on_missing_field,
            side_bytes: 0,
        })
    }

    /// Reads the record `start..end` as row `row`, or says why it is none.
    fn read_record(
        &mut self,
        data: &[u8],
        (start, end): (usize, usize),
        row: usize,
        context: &mut Context,
    ) -> Result<(), (usize, String)> {
        let mut cursor = Cursor::new(data, start, end);
        let read = match cursor.token() {
            b'{' => read_object(&mut self.columns, &mut self.keys, row, &mut cursor, context, 1),
            _ => cursor.fail("expected '{': a record is one JSON object"),
        };
        if read.is_ok() {
            // As in Flink, what follows the object is not looked at.
            return match context.missing.take() {
                Some(field) => Err((start, format!("the field '{field}' is missing"))),
                None => Ok(()),
            };
        }
        context.missing = None;
        let (at, what) = cursor.fault.unwrap_or((cursor.at, "broken"));
        Err((at, what.into()))
    }

    fn finish(&mut self, rows: usize, data: &Buffer, side: Vec<u8>) -> Result<RecordBatch> {
        self.side_bytes = side.len();
        let buffers: Arc<[Buffer]> = Arc::from([data.clone(), Buffer::from_vec(side)]);
        let arrays = self.columns.iter_mut().map(|column| column.finish(rows, &buffers)).collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|source| Error::internal(format!("put decoded columns together: {source}")).caused_by(source))
    }
}

/// The value of `timestamp-format.standard`.
pub(crate) fn timestamp_format(options: &FormatOptions<'_>) -> Result<TimestampFormat> {
    Ok(match options.one_of("timestamp-format.standard", &["SQL", "ISO-8601"])? {
        0 => TimestampFormat::Sql,
        _ => TimestampFormat::Iso8601,
    })
}

impl Decoder for JsonDecoder {
    fn decode(&mut self, records: &RawRecords) -> Result<Decoded> {
        let data = records.data.as_slice();
        let all_utf8 = records.are_utf8();
        let mut context = Context::new(self.timestamp_format, self.fail_on_missing_field);
        context.side.reserve(self.side_bytes);
        self.columns.iter_mut().for_each(|column| column.reserve(records.len()));
        let mut rows = RowMap::default();
        let mut bad = Vec::new();
        let mut skipped = 0;
        for (index, record) in records.records.iter().enumerate() {
            if record.null || record.length == 0 {
                skipped += 1;
                rows.leave_out(index);
                continue;
            }
            let index32 = u32::try_from(index).map_err(|_| Error::internal("decode more than 2^32 records at once"))?;
            let (start, end) = (record.start as usize, record.start as usize + record.length as usize);
            let side_before = context.side.len();
            context.misfits.clear();
            let read = if let Some(cause) = unreadable(records, index, all_utf8) {
                Err(cause)
            } else {
                self.read_record(data, (start, end), rows.count(), &mut context)
            };
            let column = |at: usize| u32::try_from(at - start).unwrap_or(u32::MAX).saturating_add(1);
            match read {
                Ok(()) => {
                    rows.keep(index32);
                    bad.extend(context.misfits.drain(..).map(|(at, cause)| BadRecord {
                        record: index32,
                        kind: BadKind::Field,
                        cause,
                        column: column(at),
                    }));
                }
                Err((at, cause)) => {
                    context.side.truncate(side_before);
                    rows.leave_out(index);
                    bad.push(BadRecord { record: index32, kind: BadKind::Record, cause, column: column(at) });
                }
            }
        }
        let (count, rows) = rows.finish();
        let batch = self.finish(count, &records.data, std::mem::take(&mut context.side))?;
        Ok(Decoded { batch, rows, bad, skipped })
    }
}

/// Why no decoder can read record `index`: it was too long to be kept, or is not UTF-8; with the byte of the buffer where that shows.
#[inline]
pub(crate) fn unreadable(records: &RawRecords, index: usize, all_utf8: bool) -> Option<(usize, String)> {
    if all_utf8 && records.oversized.is_empty() {
        return None;
    }
    why_unreadable(records, index, all_utf8)
}

fn why_unreadable(records: &RawRecords, index: usize, all_utf8: bool) -> Option<(usize, String)> {
    let start = records.records[index].start as usize;
    if let Some(oversized) = records.oversized(index) {
        let limit = weir_base::limits::RECORD_BYTES_MAX;
        return Some((start, format!("the record has {} bytes, more than the limit of {limit}", oversized.length)));
    }
    if all_utf8 {
        return None;
    }
    let error = std::str::from_utf8(records.value(index)).err()?;
    Some((start + error.valid_up_to(), "invalid UTF-8".into()))
}
