//! The CSV decoder: lines to columns by place, with Flink's way of reading each type.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;
use weir_base::{Error, Result};
use weir_plan::{Field, Schema};

use crate::column::{Column, Values, list_start, put};
use crate::csv::line::{FieldText, split};
use crate::csv::style::{Style, check_types};
use crate::json::unreadable;
use crate::options::FormatOptions;
use crate::parse::{self, TimestampFormat};
use crate::rows::RowMap;
use crate::scalar::{TextRead, set_text};
use crate::view::{RECORDS, view_of};
use crate::{BadKind, BadRecord, Decoded, Decoder, RawRecords};

/// Decodes lines.
pub(crate) struct CsvDecoder {
    schema: SchemaRef,
    columns: Vec<Column>,
    /// For each column its place in a line.
    places: Vec<usize>,
    /// Fields in a line.
    width: usize,
    style: Style,
    fields: Vec<FieldText>,
}

/// What went wrong in a line: the byte from 0, and the words.
type Fault = (usize, String);

impl CsvDecoder {
    /// A decoder of `fields` in lines that hold all of `physical`.
    ///
    /// # Errors
    /// Options with wrong values, types that CSV has no form for.
    pub fn new(options: &FormatOptions<'_>, fields: &[Field], physical: &Schema) -> Result<Self> {
        check_types(fields)?;
        let place = |field: &Field| {
            let place = physical.index_of(&field.name);
            place.ok_or_else(|| Error::internal(format!("find the column '{}' among those of a line", field.name)))
        };
        Ok(Self {
            schema: Schema::new(fields.to_vec()).arrow(),
            columns: fields.iter().map(|field| Column::new(&field.name, &field.data_type)).collect::<Result<_>>()?,
            places: fields.iter().map(place).collect::<Result<_>>()?,
            width: physical.fields.len(),
            style: Style::of(options)?,
            fields: Vec::new(),
        })
    }

    /// Reads the line `start..end` of `data` as row `row`: the fields that did not fit, or why it is no row.
    fn read_line(
        &mut self,
        data: &[u8],
        (start, end): (usize, usize),
        row: usize,
        side: &mut Vec<u8>,
    ) -> Result<Vec<Fault>, Fault> {
        let line = &data[start..end];
        split(line, &self.style, &mut self.fields).map_err(|(at, cause)| (at, cause.to_owned()))?;
        let found = self.fields.len();
        let mismatch = || format!("Row length mismatch. {} fields expected but was {found}.", self.width);
        if found > self.width {
            return Err((self.fields[self.width].start, mismatch()));
        }
        let mut misfits = Vec::new();
        if found < self.width {
            misfits.push((line.len(), mismatch()));
        }
        for (column, place) in self.columns.iter_mut().zip(&self.places) {
            let Some(field) = self.fields.get(*place) else {
                column.mark(row, false);
                continue;
            };
            let bytes = field.changed.as_deref().unwrap_or(&line[field.start..field.end]);
            // The whole line is UTF-8, and it was cut at ASCII characters only.
            let text = std::str::from_utf8(bytes).unwrap_or_default();
            let nested = matches!(column.values, Values::List(..) | Values::Row(..));
            if !nested && self.style.is_null(text) {
                column.mark(row, false);
                continue;
            }
            let (read, fits) = match (&mut column.values, &field.changed) {
                (Values::String(views), None) => {
                    put(views, row, view_of(data, start + field.start, start + field.end, RECORDS));
                    (TextRead::Value, true)
                }
                _ => read_field(column, row, text, &self.style, side),
            };
            column.mark(row, read == TextRead::Value);
            if !fits {
                let shown: String = text.chars().take(64).collect();
                let cause = format!("field '{}': \"{shown}\" does not fit {}", column.path, column.data_type);
                misfits.push((field.start, cause));
            }
        }
        Ok(misfits)
    }
}

/// Reads a field that may be an ARRAY or a ROW of scalars, and tells whether all of it fits: an element that does not is NULL alone.
fn read_field(column: &mut Column, row: usize, text: &str, style: &Style, side: &mut Vec<u8>) -> (TextRead, bool) {
    let mut fits = true;
    match &mut column.values {
        Values::List(ends, child) => {
            let mut end = list_start(ends, row);
            if !text.trim().is_empty() {
                for element in text.split(&style.element_delimiter) {
                    let position = end as usize;
                    let read = read_scalar(child, position, element, style, side);
                    fits &= read != TextRead::Misfit;
                    child.mark(position, read == TextRead::Value);
                    end += 1;
                }
            }
            put(ends, row, end);
        }
        Values::Row(..) if text.is_empty() => return (TextRead::Null, true),
        Values::Row(columns, _) => {
            let mut parts = text.split(&style.element_delimiter);
            for child in columns {
                let read = match parts.next() {
                    Some(part) => read_scalar(child, row, part, style, side),
                    None => TextRead::Misfit,
                };
                fits &= read != TextRead::Misfit;
                child.mark(row, read == TextRead::Value);
            }
        }
        _ => {
            let read = read_scalar(column, row, text, style, side);
            return (read, read != TextRead::Misfit);
        }
    }
    (TextRead::Value, fits)
}

fn read_scalar(column: &mut Column, position: usize, text: &str, style: &Style, side: &mut Vec<u8>) -> TextRead {
    if style.is_null(text) {
        return TextRead::Null;
    }
    let done = match &mut column.values {
        Values::Date(values) => parse::date_rolling(text).map(|value| put(values, position, value)),
        Values::Time(values) => parse::time_iso(text).map(|value| put(values, position, value)),
        _ => return set_text(column, position, text, TimestampFormat::Sql, side),
    };
    if done.is_some() { TextRead::Value } else { TextRead::Misfit }
}

impl Decoder for CsvDecoder {
    fn decode(&mut self, records: &RawRecords) -> Result<Decoded> {
        let data = records.data.as_slice();
        let all_utf8 = records.are_utf8();
        self.columns.iter_mut().for_each(|column| column.reserve(records.len()));
        let mut side = Vec::new();
        let (mut rows, mut bad, mut skipped) = (RowMap::default(), Vec::new(), 0);
        for (index, record) in records.records.iter().enumerate() {
            let comment = self.style.comments && records.value(index).first() == Some(&b'#');
            // An empty line is a row, of one empty text.
            if record.null || comment {
                skipped += 1;
                rows.leave_out(index);
                continue;
            }
            let index32 = u32::try_from(index).map_err(|_| Error::internal("decode more than 2^32 records at once"))?;
            let (start, end) = (record.start as usize, record.start as usize + record.length as usize);
            let read = match unreadable(records, index, all_utf8) {
                Some((at, cause)) => Err((at - start, cause)),
                None => self.read_line(data, (start, end), rows.count(), &mut side),
            };
            let mut tell = |kind, (at, cause): Fault| {
                let column = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
                bad.push(BadRecord { record: index32, kind, cause, column });
            };
            match read {
                Ok(misfits) => {
                    rows.keep(index32);
                    misfits.into_iter().for_each(|misfit| tell(BadKind::Field, misfit));
                }
                Err(fault) => {
                    rows.leave_out(index);
                    tell(BadKind::Record, fault);
                }
            }
        }
        let (count, rows) = rows.finish();
        let buffers: Arc<[Buffer]> = Arc::from([records.data.clone(), Buffer::from_vec(side)]);
        let arrays = self.columns.iter_mut().map(|column| column.finish(count, &buffers)).collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|source| Error::internal(format!("put decoded columns together: {source}")).caused_by(source))?;
        Ok(Decoded { batch, rows, bad, skipped })
    }
}
