//! From raw records to rows: decoding, metadata and computed columns, dead letters.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::SchemaRef;
use arrow_select::take::take;
use weir_base::limits::DEAD_LETTER_BYTES_MAX;
use weir_base::{Error, Result, Timestamp};
use weir_connector::{DeadLetter, Payload, Position, SplitId};
use weir_format::{BadKind, BadRecord, Decoder, KeyColumns, RawRecords};
use weir_plan::{Field, Schema, SourceColumn, SourceSpec};
use xxhash_rust::xxh3::xxh3_64;

use super::source_keys::{Joined, SourceKeys, physical};
use crate::expr::{CompileContext, Evaluator};

/// Bytes of a bad record that an error shows.
const SHOWN_BYTES_MAX: usize = 200;

/// Turns what a reader fetched into the rows of its table.
pub struct SourceRows {
    table: String,
    decoder: Option<Box<dyn Decoder>>,
    keys: Option<SourceKeys>,
    columns: Vec<SourceColumn>,
    projection: Vec<Evaluator>,
    schema: SchemaRef,
    ignore_parse_errors: bool,
    parse_errors_key: String,
}

/// Rows of a fetch, and what could not be read.
pub struct Rows {
    /// The rows, with the columns of the source's projection.
    pub batch: RecordBatch,
    /// Records that were set aside, and fields that became NULL.
    pub letters: Vec<DeadLetter>,
    /// Records that gave no row.
    pub lost: u64,
}

impl SourceRows {
    /// Rows for the table of `spec`, whose projection gives `output`.
    ///
    /// # Errors
    /// An expression or the format cannot be used.
    pub fn new(spec: &SourceSpec, output: &Schema, context: &CompileContext) -> Result<Self> {
        // What only keys hold is no column of values.
        let keys = KeyColumns::of(&spec.options, &spec.physical)?;
        let in_value = |index: usize| keys.as_ref().is_none_or(|keys| keys.in_value(index));
        let columns = (0..spec.physical.fields.len()).filter(|index| in_value(*index));
        let of_values = Schema::new(columns.map(|index| spec.physical.fields[index].clone()).collect());
        let fields: Vec<Field> =
            physical(spec).filter(|index| in_value(*index)).map(|index| spec.physical.fields[index].clone()).collect();
        let keyed = |key: &str, prefix: &'static str| spec.options.get(key).map(|format| (format, prefix));
        let format = keyed("value.format", "value.").or_else(|| keyed("format", ""));
        let (mut decoder, mut ignore, mut ignore_key) = (None, false, String::new());
        if let Some((format, prefix)) = format {
            decoder = Some(weir_format::decoder(format, &spec.options, prefix, &fields, &of_values)?);
            ignore = weir_format::ignores_parse_errors(format, &spec.options, prefix)?;
            ignore_key = format!("{prefix}{format}.ignore-parse-errors");
        }
        let projection =
            spec.projection.iter().map(|expr| Evaluator::compile(expr, context)).collect::<Result<_, _>>()?;
        Ok(Self {
            table: spec.table.clone(),
            decoder,
            keys: SourceKeys::new(spec)?,
            columns: spec.columns.clone(),
            projection,
            schema: output.arrow(),
            ignore_parse_errors: ignore,
            parse_errors_key: ignore_key,
        })
    }

    /// Decodes a fetch of `split`.
    ///
    /// # Errors
    /// A record that cannot be read, unless bad records are set aside; an expression that fails.
    pub fn rows(
        &mut self,
        split: &SplitId,
        payload: Payload,
        metadata: &[ArrayRef],
        first: Position,
        now: Timestamp,
    ) -> Result<Rows> {
        match payload {
            Payload::Columns(batch) => {
                let count = batch.num_rows();
                let batch = self.project(batch.columns(), None, metadata, count, now)?;
                Ok(Rows { batch, letters: Vec::new(), lost: 0 })
            }
            Payload::Raw(raw) => {
                let decoder =
                    self.decoder.as_mut().ok_or_else(|| Error::internal("decode records without a format"))?;
                let decoded = decoder.decode(&raw)?;
                let joined = match &mut self.keys {
                    None => Joined::of_values(decoded),
                    Some(keys) => keys.join(&raw, decoded)?,
                };
                let mut letters = Vec::new();
                for (bad, in_key) in &joined.bad {
                    let letter = self.letter(split, &raw, bad, first);
                    let (ignored, option) = self.ignored(*in_key);
                    if !ignored {
                        return Err(self.refuse(&letter, option));
                    }
                    letters.push(letter);
                }
                let batch = self.project(&joined.columns, joined.rows.as_deref(), metadata, joined.count, now)?;
                Ok(Rows { batch, letters, lost: joined.lost() })
            }
        }
    }

    /// Puts decoded and metadata columns in the order of the spec and evaluates the projection over them.
    fn project(
        &self,
        decoded: &[ArrayRef],
        rows: Option<&[u32]>,
        metadata: &[ArrayRef],
        count: usize,
        now: Timestamp,
    ) -> Result<RecordBatch> {
        let (mut physical, mut meta) = (decoded.iter(), metadata.iter());
        let picked = rows.map(|rows| UInt32Array::from(rows.to_vec()));
        let missing =
            || Error::internal(format!("read the table '{}': the connector gave too few columns", self.table));
        let columns = self
            .columns
            .iter()
            .map(|column| match (column, &picked) {
                (SourceColumn::Physical(_), _) => physical.next().cloned().ok_or_else(missing),
                (SourceColumn::Metadata(..), None) => meta.next().cloned().ok_or_else(missing),
                (SourceColumn::Metadata(..), Some(picked)) => {
                    let values = meta.next().ok_or_else(missing)?;
                    take(values.as_ref(), picked, None).map_err(|error| Error::internal(error.to_string()))
                }
            })
            .collect::<Result<Vec<_>>>()?;
        let projected = self
            .projection
            .iter()
            .map(|expr| expr.evaluate(&columns, count, now))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Error::from(error).within(format!("read the table '{}'", self.table)))?;
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), projected, &options)
            .map_err(|error| Error::internal(format!("read the table '{}': {error}", self.table)))
    }

    /// Whether what cannot be read in keys, or in values, is set aside, and the option that says so.
    fn ignored(&self, in_key: bool) -> (bool, &str) {
        match self.keys.as_ref().filter(|_| in_key) {
            Some(keys) => (keys.ignore_parse_errors, &keys.parse_errors_key),
            None => (self.ignore_parse_errors, &self.parse_errors_key),
        }
    }

    fn letter(&self, split: &SplitId, raw: &RawRecords, bad: &BadRecord, first: Position) -> DeadLetter {
        let index = bad.record as usize;
        let value = raw.value(index);
        let kept = &value[..value.len().min(DEAD_LETTER_BYTES_MAX)];
        // Of a record too large to be held the reader kept the beginning, and measured the rest as it went by.
        let oversized = raw.oversized(index);
        DeadLetter {
            kind: match bad.kind {
                BadKind::Record => "record",
                BadKind::Field => "field",
            },
            cause: bad.cause.clone(),
            table: self.table.clone(),
            split: split.to_string(),
            offset: raw.records[index].offset,
            line: first.records + index as u64 + 1,
            column: bad.column,
            raw: kept.to_vec(),
            raw_length: oversized.map_or(value.len() as u64, |whole| whole.length),
            raw_hash: match oversized {
                Some(whole) => Some(whole.hash),
                None => (kept.len() < value.len()).then(|| xxh3_64(value)),
            },
        }
    }

    fn refuse(&self, letter: &DeadLetter, option: &str) -> Error {
        Error::invalid(format!(
            "read the table '{}': {}, offset {} (record {}), column {}: {}: {}",
            self.table,
            letter.split,
            letter.offset,
            letter.line,
            letter.column,
            letter.cause,
            shown(letter)
        ))
        .hint(format!(
            "set '{option}' = 'true' in the table's options to set bad records aside as dead letters and go on"
        ))
    }
}

/// The beginning of a bad record as a terminal and a log can take it: control characters are escaped.
fn shown(letter: &DeadLetter) -> String {
    let kept = letter.raw.len().min(SHOWN_BYTES_MAX);
    let mut shown = String::new();
    for character in String::from_utf8_lossy(&letter.raw[..kept]).chars() {
        if character.is_control() { shown.extend(character.escape_default()) } else { shown.push(character) }
    }
    if (kept as u64) < letter.raw_length {
        shown.push('\u{2026}');
    }
    shown
}
