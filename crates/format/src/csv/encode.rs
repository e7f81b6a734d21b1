//! The CSV encoder: rows to lines, quoted where Jackson quotes for Flink.
//!
//! Jackson does not look closely: it quotes what is longer than 24 characters or holds any character up to the delimiter or the quote, so also
//! each text with a space in it.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Decimal128Type, Time32MillisecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType as ArrowType;
use weir_base::{Result, RowKind};
use weir_plan::Field;

use crate::Encoder;
use crate::csv::style::{Style, check_types};
use crate::options::FormatOptions;
use crate::text::{
    Fraction, primitive, timestamp_value, write_base64, write_decimal_stripped, write_java, write_time, write_timestamp,
};

/// Text that is longer is quoted without a look.
const QUOTE_CHECK_MAX: usize = 24;

/// Encodes rows as lines.
pub(crate) struct CsvEncoder {
    style: Style,
    /// The first character that never needs quotes.
    safe: u8,
    delimiter: Vec<u8>,
    text: Vec<u8>,
}

impl CsvEncoder {
    /// An encoder of `fields` that puts `delimiter` behind each row.
    ///
    /// # Errors
    /// Options with wrong values, types that CSV has no form for.
    pub fn new(options: &FormatOptions<'_>, fields: &[Field], delimiter: &[u8]) -> Result<Self> {
        check_types(fields)?;
        let style = Style::of(options)?;
        let safe = style.delimiter.max(style.quote.unwrap_or(0)).max(b'\r').saturating_add(1);
        // As in Flink 2.3 the rows are the same either way.
        options.boolean("write-bigdecimal-in-scientific-notation", true)?;
        Ok(Self { style, safe, delimiter: delimiter.to_vec(), text: Vec::new() })
    }

    /// Appends the value at `row` to `self.text`; gives whether it is a text, which may need quotes, rather than a number.
    fn value(&mut self, array: &dyn Array, row: usize) -> bool {
        if array.is_null(row) {
            self.text.extend_from_slice(self.style.null_literal.as_deref().unwrap_or_default().as_bytes());
            return false;
        }
        let text = &mut self.text;
        match array.data_type() {
            ArrowType::Utf8View => text.extend_from_slice(array.as_string_view().value(row).as_bytes()),
            ArrowType::BinaryView => write_base64(array.as_binary_view().value(row), text),
            ArrowType::Time32(_) => {
                let millis = primitive::<Time32MillisecondType>(array, row);
                let nanos = u32::try_from(millis % 1000).unwrap_or_default() * 1_000_000;
                write_time(i64::from(millis / 1000), nanos, Fraction::Needed, text);
            }
            ArrowType::Timestamp(unit, zone) => {
                write_timestamp(timestamp_value(array, *unit, row), *unit, b' ', Fraction::Needed, text);
                if zone.is_some() {
                    text.push(b'Z');
                }
            }
            ArrowType::Decimal128(_, scale) => {
                let scale = u8::try_from(*scale).unwrap_or_default();
                write_decimal_stripped(primitive::<Decimal128Type>(array, row), scale, text);
                return false;
            }
            ArrowType::List(_) => {
                let items = array.as_list::<i32>().value(row);
                for index in 0..items.len() {
                    if index > 0 {
                        self.text.extend_from_slice(self.style.element_delimiter.as_bytes());
                    }
                    self.value(&items, index);
                }
            }
            ArrowType::Struct(_) => {
                for (index, column) in array.as_struct().columns().iter().enumerate() {
                    if index > 0 {
                        self.text.extend_from_slice(self.style.element_delimiter.as_bytes());
                    }
                    self.value(column, row);
                }
            }
            other => {
                let number = other.is_numeric() || *other == ArrowType::Boolean;
                write_java(array, row, text);
                return !number;
            }
        }
        true
    }

    /// Appends `self.text`, in quotes if it needs them.
    fn write_text(&self, first: bool, out: &mut Vec<u8>) {
        let Some(quote) = self.style.quote else {
            out.extend_from_slice(&self.text);
            return;
        };
        let characters = || self.text.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        let escape = self.style.escape;
        let comment = self.style.comments && first && self.text.first() == Some(&b'#');
        let needed = comment
            || self.text.iter().any(|byte| *byte < self.safe || Some(*byte) == escape)
            || (self.text.len() > QUOTE_CHECK_MAX && characters() > QUOTE_CHECK_MAX);
        if !needed {
            out.extend_from_slice(&self.text);
            return;
        }
        out.push(quote);
        for byte in &self.text {
            if *byte == quote || Some(*byte) == escape {
                out.push(escape.unwrap_or(quote));
            }
            out.push(*byte);
        }
        out.push(quote);
    }
}

impl Encoder for CsvEncoder {
    fn encode(
        &mut self,
        batch: &RecordBatch,
        kinds: Option<&[RowKind]>,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<()> {
        crate::only_inserts("csv", kinds)?;
        for row in 0..batch.num_rows() {
            for (index, column) in batch.columns().iter().enumerate() {
                if index > 0 {
                    out.push(self.style.delimiter);
                }
                self.text.clear();
                if self.value(column, row) {
                    self.write_text(index == 0, out);
                } else {
                    out.extend_from_slice(&self.text);
                }
            }
            out.extend_from_slice(&self.delimiter);
            ends.push(out.len());
        }
        Ok(())
    }
}
