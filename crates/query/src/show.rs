//! Rows as people and programs read them: an aligned table, JSON lines, CSV.

use std::io::Write;
use std::str::FromStr;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray as _, RecordBatch, RecordBatchOptions, StringViewBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use weir_base::{Error, Kind, Result};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputFormat {
    /// Aligned columns and a line with the number of rows.
    #[default]
    Table,
    /// One JSON object a line.
    Json,
    /// A header and one line a row.
    Csv,
}

impl FromStr for OutputFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.to_lowercase().as_str() {
            "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            "csv" => Ok(Self::Csv),
            _ => Err(Error::invalid(format!("write rows as '{text}'")).hint("the formats are table, json and csv")),
        }
    }
}

const TIMESTAMP: &str = "%Y-%m-%d %H:%M:%S%.3f";
const TIMESTAMP_UTC: &str = "%Y-%m-%d %H:%M:%S%.3fZ";

/// Writes rows as they come.
pub(crate) struct Shown<'a> {
    format: OutputFormat,
    out: &'a mut dyn Write,
    rows: u64,
    header_written: bool,
    /// Rows of a table, kept until the widths are known.
    cells: Vec<Vec<String>>,
}

impl<'a> Shown<'a> {
    /// Rows to `out`.
    pub fn new(format: OutputFormat, out: &'a mut dyn Write) -> Self {
        Self { format, out, rows: 0, header_written: false, cells: Vec::new() }
    }

    /// Takes a batch.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn batch(&mut self, schema: &SchemaRef, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        let nested_as_text = self.format == OutputFormat::Csv;
        let batch = readable(schema, batch, nested_as_text).map_err(failed)?;
        match self.format {
            OutputFormat::Table => self.cells.extend(cells(&batch).map_err(failed)?),
            OutputFormat::Json => {
                let builder = json::WriterBuilder::new()
                    .with_explicit_nulls(true)
                    .with_timestamp_format(TIMESTAMP.to_owned())
                    .with_timestamp_tz_format(TIMESTAMP_UTC.to_owned());
                let mut writer = builder.build::<_, json::writer::LineDelimited>(&mut *self.out);
                writer.write(&batch).and_then(|()| writer.finish()).map_err(failed)?;
            }
            OutputFormat::Csv => {
                let builder = csv::WriterBuilder::new()
                    .with_header(!self.header_written)
                    .with_timestamp_format(TIMESTAMP.to_owned())
                    .with_timestamp_tz_format(TIMESTAMP_UTC.to_owned());
                builder.build(&mut *self.out).write(&batch).map_err(failed)?;
                self.header_written = true;
            }
        }
        Ok(())
    }

    /// Writes what only the end allows. Returns the number of rows.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn finish(mut self, schema: &SchemaRef) -> Result<u64> {
        if self.format == OutputFormat::Csv && !self.header_written {
            self.batch(schema, &RecordBatch::new_empty(Arc::clone(schema)))?;
        }
        if self.format == OutputFormat::Table {
            let text = aligned(schema, &self.cells, self.rows);
            self.out.write_all(text.as_bytes()).map_err(|error| Error::io("write the rows", error))?;
        }
        self.out.flush().map_err(|error| Error::io("write the rows", error))?;
        Ok(self.rows)
    }
}

fn failed(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, source) => Error::io("write the rows", source),
        other => Error::new(Kind::Internal, format!("write the rows: {other}")),
    }
}

fn options() -> FormatOptions<'static> {
    FormatOptions::new()
        .with_timestamp_format(Some(TIMESTAMP))
        .with_timestamp_tz_format(Some(TIMESTAMP_UTC))
        .with_null("NULL")
}

/// The batch with bytes as text where they are (else as `\x` and hexadecimal digits), and nested columns as text if asked for.
fn readable(schema: &SchemaRef, batch: &RecordBatch, nested_as_text: bool) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let text = match column.data_type() {
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Some(bytes_as_text(column)?),
            data_type if nested_as_text && data_type.is_nested() => Some(nested_text(column)?),
            _ => None,
        };
        let column = text.unwrap_or_else(|| Arc::clone(column));
        fields.push(Field::new(field.name(), column.data_type().clone(), true));
        columns.push(column);
    }
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &rows)
}

fn bytes_as_text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let column = cast(column, &DataType::BinaryView)?;
    let mut text = StringViewBuilder::with_capacity(column.len());
    for bytes in column.as_binary_view() {
        match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
            None => text.append_null(),
            Some((_, Ok(readable))) => text.append_value(readable),
            Some((bytes, Err(_))) => {
                let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                text.append_value(format!("\\x{}", digits.concat()));
            }
        }
    }
    Ok(Arc::new(text.finish()))
}

fn nested_text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let options = options();
    let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
    let mut text = StringViewBuilder::with_capacity(column.len());
    for row in 0..column.len() {
        text.append_option(column.is_valid(row).then(|| formatter.value(row).to_string()));
    }
    Ok(Arc::new(text.finish()))
}

fn cells(batch: &RecordBatch) -> Result<Vec<Vec<String>>, ArrowError> {
    let options = options();
    let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let cell = |formatter: &ArrayFormatter<'_>, row: usize| {
        // A line break inside a cell would break the table.
        formatter
            .value(row)
            .to_string()
            .replace('\\', "\\\\")
            .replace('\n', "\\n")
            .replace('\r', "\\r")
            .replace('\t', "\\t")
    };
    Ok((0..batch.num_rows()).map(|row| columns.iter().map(|column| cell(column, row)).collect()).collect())
}

fn aligned(schema: &SchemaRef, cells: &[Vec<String>], rows: u64) -> String {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut widths: Vec<usize> = names.iter().map(|name| name.chars().count()).collect();
    for row in cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let right: Vec<bool> = schema.fields().iter().map(|field| field.data_type().is_numeric()).collect();
    let line = |values: &mut dyn Iterator<Item = &str>| {
        let padded = values.zip(&widths).zip(&right).map(|((value, width), right)| {
            if *right { format!(" {value:>width$} ") } else { format!(" {value:<width$} ") }
        });
        padded.collect::<Vec<_>>().join("|").trim_end().to_owned() + "\n"
    };
    let mut text = String::new();
    if !names.is_empty() {
        text.push_str(&line(&mut names.iter().copied()));
        text.push_str(&widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("+"));
        text.push('\n');
        cells.iter().for_each(|row| text.push_str(&line(&mut row.iter().map(String::as_str))));
    }
    text.push_str(&format!("({rows} {})\n", if rows == 1 { "row" } else { "rows" }));
    text
}
