//! Finds the decoder or the encoder of a format by its name.

use weir_base::{Error, Result, RowKind};
use weir_plan::{Field, Schema, TableOptions};

use crate::csv::{CsvDecoder, CsvEncoder};
use crate::json::{JsonDecoder, JsonEncoder};
use crate::options::FormatOptions;
use crate::raw::{RawDecoder, RawEncoder};
use crate::{Decoder, Encoder};

/// A decoder of the columns `fields` (any of `physical`, in any order).
///
/// `prefix` stands before the format's options: `""` for `'format'`, `"value."` for `'value.format'`, `"key."` for `'key.format'`. `physical` are
/// all columns that a record holds, in the order of the DDL: formats without names (csv) go by it.
///
/// # Errors
/// An unknown format, options with wrong values, types that the format cannot give.
pub fn decoder(
    format: &str,
    options: &TableOptions,
    prefix: &str,
    fields: &[Field],
    physical: &Schema,
) -> Result<Box<dyn Decoder>> {
    let options = FormatOptions::new(options, prefix, format);
    match format {
        "json" => Ok(Box::new(JsonDecoder::new(&options, fields)?)),
        "csv" => Ok(Box::new(CsvDecoder::new(&options, fields, physical)?)),
        "raw" => Ok(Box::new(RawDecoder::new(&options, fields, physical)?)),
        _ => Err(unknown(format)),
    }
}

/// An encoder of rows with the columns `fields`, which puts `delimiter` (`"\n"` in files, nothing in messages) behind each row. `prefix` as for
/// `decoder`.
///
/// # Errors
/// An unknown format, options with wrong values, types that the format cannot write.
pub fn encoder(
    format: &str,
    options: &TableOptions,
    prefix: &str,
    fields: &[Field],
    delimiter: &[u8],
) -> Result<Box<dyn Encoder>> {
    let options = FormatOptions::new(options, prefix, format);
    match format {
        "json" => Ok(Box::new(JsonEncoder::new(&options, fields, delimiter)?)),
        "csv" => Ok(Box::new(CsvEncoder::new(&options, fields, delimiter)?)),
        "raw" => Ok(Box::new(RawEncoder::new(&options, fields, delimiter)?)),
        _ => Err(unknown(format)),
    }
}

/// Whether bad records are set aside rather than fail the job: `<prefix><format>.ignore-parse-errors`.
///
/// # Errors
/// Its value is neither `true` nor `false`.
pub fn ignores_parse_errors(format: &str, options: &TableOptions, prefix: &str) -> Result<bool> {
    FormatOptions::new(options, prefix, format).boolean("ignore-parse-errors", false)
}

fn unknown(format: &str) -> Error {
    Error::invalid(format!("find the format '{format}'")).hint("the formats are json, csv and raw")
}

/// Refuses rows that are no inserts: the text formats cannot say what they do.
pub(crate) fn only_inserts(format: &str, kinds: Option<&[RowKind]>) -> Result<()> {
    let Some(row) = kinds.and_then(|kinds| kinds.iter().position(|kind| *kind != RowKind::Insert)) else {
        return Ok(());
    };
    let kind = kinds.map_or("", |kinds| kinds[row].short());
    Err(Error::invalid(format!("encode row {row}: the format {format} cannot write a row of the kind {kind}")))
}
