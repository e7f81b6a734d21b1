//! The rows of a bare SELECT on standard output, as they come.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use clap::ValueEnum;
use weir_base::{Error, Result};
use weir_connector::Batch;
use weir_format::{Encoder, text};
use weir_plan::{Schema, TableOptions};

/// How rows are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// A line for each row, with its kind.
    Table,
    /// One JSON object a line.
    Json,
    /// Comma-separated values, with a header.
    Csv,
}

impl RowFormat {
    /// The same for `weir query`.
    pub fn for_query(self) -> weir_query::OutputFormat {
        match self {
            Self::Table => weir_query::OutputFormat::Table,
            Self::Json => weir_query::OutputFormat::Json,
            Self::Csv => weir_query::OutputFormat::Csv,
        }
    }
}

/// Prints the rows of a query while it runs.
pub struct RowPrinter {
    names: Vec<String>,
    /// `None`: as a table.
    encoder: Option<Mutex<Box<dyn Encoder>>>,
}

impl RowPrinter {
    /// A printer of rows of `schema`; prints the header, where the format has one.
    ///
    /// # Errors
    /// The format cannot write a column's type.
    pub fn new(format: RowFormat, schema: &Schema) -> Result<Self> {
        let names: Vec<String> = schema.fields.iter().map(|field| field.name.clone()).collect();
        let options = TableOptions::default();
        let encoder = |name: &str| weir_format::encoder(name, &options, "", &schema.fields, b"\n").map(Mutex::new);
        let (header, encoder) = match format {
            RowFormat::Table => (Some(format!("op | {}", names.join(" | "))), None),
            RowFormat::Csv => (Some(names.join(",")), Some(encoder("csv")?)),
            RowFormat::Json => (None, Some(encoder("json")?)),
        };
        if let Some(header) = header {
            print_bytes(format!("{header}\n").as_bytes())?;
        }
        Ok(Self { names, encoder })
    }

    /// Prints a batch.
    ///
    /// # Errors
    /// Standard output has gone.
    pub fn print(&self, batch: &Batch) -> Result<()> {
        let mut text = Vec::new();
        match &self.encoder {
            Some(encoder) => {
                let mut encoder = encoder.lock().unwrap_or_else(PoisonError::into_inner);
                encoder.encode(&batch.data, None, &mut text, &mut Vec::new())?;
            }
            None => {
                for row in 0..batch.rows() {
                    text.extend_from_slice(batch.kind(row).short().as_bytes());
                    for column in 0..self.names.len() {
                        text.extend_from_slice(b" | ");
                        text::write_java(batch.data.column(column), row, &mut text);
                    }
                    text.push(b'\n');
                }
            }
        }
        print_bytes(&text)
    }
}

fn print_bytes(text: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).map_err(|source| Error::io("print rows", source))
}
