//! A chunk: the rows of one batch, encoded and not yet handed to librdkafka.

use arrow_array::RecordBatch;
use weir_base::limits::COLUMNS_MAX;
use weir_base::{Error, Result};
use weir_connector::Batch;
use weir_format::{Encoder, encoder};
use weir_plan::{Field, SinkSpec};

use crate::metadata::{Header, MetadataKind, Written, written};

/// Encoded rows.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    values: Vec<u8>,
    value_ends: Vec<usize>,
    keys: Vec<u8>,
    /// Empty when the table has no key.
    key_ends: Vec<usize>,
    written: Written,
    /// Rows already handed on.
    pub sent: usize,
    /// The partition it goes to once its first row was handed on.
    pub partition: Option<i32>,
}

impl Chunk {
    pub(crate) fn rows(&self) -> usize {
        self.value_ends.len()
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.values.len() + self.keys.len()
    }

    /// Whether it has neither headers nor timestamps.
    pub(crate) fn is_plain(&self) -> bool {
        self.written.headers.is_none() && self.written.timestamps.is_none()
    }

    pub(crate) fn value(&self, row: usize) -> &[u8] {
        slice(&self.values, &self.value_ends, row)
    }

    pub(crate) fn key(&self, row: usize) -> Option<&[u8]> {
        (!self.key_ends.is_empty()).then(|| slice(&self.keys, &self.key_ends, row))
    }

    pub(crate) fn timestamp(&self, row: usize) -> Option<i64> {
        self.written.timestamps.as_ref().and_then(|timestamps| timestamps[row])
    }

    pub(crate) fn headers(&self, row: usize) -> &[Header] {
        self.written.headers.as_ref().map_or(&[], |headers| headers[row].as_slice())
    }

    /// Empties it and keeps its buffers.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.value_ends.clear();
        self.keys.clear();
        self.key_ends.clear();
        self.written = Written::default();
        self.sent = 0;
        self.partition = None;
    }
}

fn slice<'a>(bytes: &'a [u8], ends: &[usize], row: usize) -> &'a [u8] {
    let start = if row == 0 { 0 } else { ends[row - 1] };
    &bytes[start..ends[row]]
}

/// Encodes the rows of a table.
pub(crate) struct RowEncoder {
    value: Box<dyn Encoder>,
    value_columns: Vec<usize>,
    key: Option<(Box<dyn Encoder>, Vec<usize>)>,
    physical: usize,
    metadata: Vec<MetadataKind>,
}

impl RowEncoder {
    /// An encoder for `spec`.
    ///
    /// # Errors
    /// Key and value options that contradict each other, or what the formats refuse.
    pub(crate) fn new(spec: &SinkSpec) -> Result<Self> {
        let options = &spec.options;
        let fields = &spec.physical.fields;
        let prefix = options.get("key.fields-prefix").unwrap_or("");
        let names: Vec<&str> = options
            .get("key.fields")
            .map_or_else(Vec::new, |text| text.split(';').filter(|name| !name.is_empty()).collect());
        let key_format = options.get("key.format");
        match (key_format, names.is_empty()) {
            (Some(_), true) => return Err(Error::invalid("read 'key.format': it needs 'key.fields'")),
            (None, false) => return Err(Error::invalid("read 'key.fields': it needs 'key.format'")),
            _ => {}
        }
        let mut key_columns = Vec::new();
        for name in &names {
            let column = spec
                .physical
                .index_of(name)
                .ok_or_else(|| Error::invalid(format!("read 'key.fields': the table has no column '{name}'")))?;
            if !name.starts_with(prefix) {
                return Err(Error::invalid(format!(
                    "read 'key.fields': '{name}' does not begin with 'key.fields-prefix' = '{prefix}'"
                )));
            }
            key_columns.push(column);
        }
        let include = options.get("value.fields-include").unwrap_or("ALL").to_uppercase();
        if include == "ALL" && !prefix.is_empty() {
            return Err(Error::invalid(
                "read 'key.fields-prefix': a prefix needs 'value.fields-include' = 'EXCEPT_KEY'",
            ));
        }
        let value_columns: Vec<usize> =
            (0..fields.len()).filter(|column| include != "EXCEPT_KEY" || !key_columns.contains(column)).collect();
        let (format, value_prefix) = match (options.get("format"), options.get("value.format")) {
            (Some(format), None) => (format, ""),
            (None, Some(format)) => (format, "value."),
            (Some(_), Some(_)) => {
                return Err(Error::invalid("read 'format' and 'value.format': give one of them, not both"));
            }
            (None, None) => {
                return Err(Error::invalid("find the format of the value: give 'format' or 'value.format'"));
            }
        };
        let pick = |columns: &[usize]| columns.iter().map(|column| fields[*column].clone()).collect::<Vec<Field>>();
        let value = encoder(format, options, value_prefix, &pick(&value_columns), b"")?;
        let key = match key_format {
            Some(format) => {
                let mut key_fields = pick(&key_columns);
                for field in &mut key_fields {
                    field.name = field.name[prefix.len()..].to_owned();
                }
                Some((encoder(format, options, "key.", &key_fields, b"")?, key_columns))
            }
            None => None,
        };
        let metadata = spec.metadata.iter().map(|(key, _)| MetadataKind::of_key(key)).collect::<Result<Vec<_>>>()?;
        debug_assert!(fields.len() <= COLUMNS_MAX, "a table has at most COLUMNS_MAX columns");
        Ok(Self { value, value_columns, key, physical: fields.len(), metadata })
    }

    /// Whether rows have a key.
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Encodes `batch` into `chunk`, which must be empty.
    ///
    /// # Errors
    /// A row that the format cannot write, by its index.
    pub(crate) fn encode(&mut self, batch: &Batch, chunk: &mut Chunk) -> Result<()> {
        let kinds = batch.kinds.as_deref();
        let values = project(&batch.data, &self.value_columns)?;
        self.value.encode(&values, kinds, &mut chunk.values, &mut chunk.value_ends)?;
        if let Some((encoder, columns)) = &mut self.key {
            encoder.encode(&project(&batch.data, columns)?, kinds, &mut chunk.keys, &mut chunk.key_ends)?;
        }
        if !self.metadata.is_empty() {
            chunk.written = written(&batch.data, self.physical, &self.metadata)?;
        }
        Ok(())
    }
}

fn project(batch: &RecordBatch, columns: &[usize]) -> Result<RecordBatch> {
    if columns.len() == batch.num_columns() && columns.iter().enumerate().all(|(index, column)| index == *column) {
        return Ok(batch.clone());
    }
    batch.project(columns).map_err(|error| Error::internal(format!("take the columns of a Kafka row: {error}")))
}
