//! Rows to records: the key and value encoders of a table, and the partition of each record.

use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array, RecordBatch};
use weir_base::limits::{BATCH_ROWS_MAX, RECORD_BYTES_MAX};
use weir_base::{Error, Kind, Result, Timestamp};
use weir_connector::Batch;
use weir_format::Encoder;
use weir_plan::{Field, SinkSpec};

use super::BLOCK_BYTES;
use super::block::{BlockBuilder, Record};
use super::murmur::partition_of_key;
use super::options::{Partitioner, partitioner};

/// Whether a block should be appended before it takes more.
pub(super) fn is_full(block: &BlockBuilder) -> bool {
    block.count() as usize >= BATCH_ROWS_MAX || block.bytes() >= BLOCK_BYTES
}

/// Encodes the rows of one subtask.
pub(super) struct Rows {
    key: Option<Part>,
    value: Part,
    /// The column of the written timestamp.
    timestamp: Option<usize>,
    partitioner: Partitioner,
    next_partition: u32,
    subtask: u32,
}

/// The columns of a key or a value with their encoder.
struct Part {
    encoder: Box<dyn Encoder>,
    columns: Vec<usize>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Rows {
    /// The encoders of a table for one subtask.
    ///
    /// # Errors
    /// Options that contradict each other or cannot be honoured, by name.
    pub fn new(spec: &SinkSpec, subtask: u16) -> Result<Self> {
        let options = &spec.options;
        let fields = &spec.physical.fields;
        let keys = key_columns(spec)?;
        let prefix = options.get("key.fields-prefix").unwrap_or("");
        let key = match options.get("key.format") {
            None => None,
            Some(format) => {
                let named = |index: &usize| {
                    let field = &fields[*index];
                    Field::new(field.name.strip_prefix(prefix).unwrap_or(&field.name), field.data_type.clone())
                };
                let key_fields: Vec<Field> = keys.iter().map(named).collect();
                let encoder = weir_format::encoder(format, options, "key.", &key_fields, b"")?;
                Some(Part::new(encoder, keys.clone()))
            }
        };
        let (value_format, value_prefix) = match (options.get("value.format"), options.get("format")) {
            (Some(format), _) => (format, "value."),
            (None, Some(format)) => (format, ""),
            (None, None) => {
                return Err(Error::invalid("find the format of the value: give 'format' or 'value.format'"));
            }
        };
        let without_key = match options.get("value.fields-include").unwrap_or("ALL").to_uppercase().as_str() {
            "ALL" => false,
            "EXCEPT_KEY" => true,
            other => {
                let text = format!("read 'value.fields-include' = '{other}': it must be one of ALL, EXCEPT_KEY");
                return Err(Error::invalid(text));
            }
        };
        let columns: Vec<usize> = (0..fields.len()).filter(|index| !(without_key && keys.contains(index))).collect();
        let value_fields: Vec<Field> = columns.iter().map(|index| fields[*index].clone()).collect();
        let value = Part::new(weir_format::encoder(value_format, options, value_prefix, &value_fields, b"")?, columns);
        let mut timestamp = None;
        for (index, (name, _)) in spec.metadata.iter().enumerate() {
            if name != "timestamp" {
                return Err(Error::invalid(format!(
                    "write the metadata column '{name}': embedded topics do not take it"
                ))
                .hint("they take 'timestamp'; run without --embedded for more"));
            }
            timestamp = Some(fields.len() + index);
        }
        let subtask = u32::from(subtask);
        Ok(Self { key, value, timestamp, partitioner: partitioner(options)?, next_partition: subtask, subtask })
    }

    /// Encodes `batch` and hands each record with its partition to `take`.
    ///
    /// # Errors
    /// A row cannot be encoded, or its record is too large, with the row's index.
    pub fn encode(
        &mut self,
        batch: &Batch,
        now: Timestamp,
        partitions: u32,
        mut take: impl FnMut(u32, &Record<'_>) -> Result<()>,
    ) -> Result<()> {
        if let Some(key) = &mut self.key {
            key.encode(batch)?;
        }
        self.value.encode(batch)?;
        let times = self.timestamp.map(|index| batch.data.column(index).as_primitive::<TimestampMillisecondType>());
        for row in 0..batch.rows() {
            let key = self.key.as_ref().map(|key| key.bytes_of(row));
            let value = self.value.bytes_of(row);
            let bytes = value.len() + key.map_or(0, <[u8]>::len);
            if bytes > RECORD_BYTES_MAX {
                let text = format!("write row {row}: its record has {bytes} bytes, a topic takes {RECORD_BYTES_MAX}");
                return Err(Error::new(Kind::Exhausted, text));
            }
            let timestamp = times.filter(|times| times.is_valid(row)).map_or(now, |times| times.value(row));
            let partition = match (self.partitioner, key) {
                (Partitioner::Default, Some(key)) => partition_of_key(key, partitions),
                (Partitioner::Default, None) => self.next_partition % partitions,
                (Partitioner::Fixed, _) => self.subtask % partitions,
                (Partitioner::RoundRobin, _) => {
                    self.next_partition = self.next_partition.wrapping_add(1);
                    self.next_partition % partitions
                }
            };
            take(partition, &Record { key, value: Some(value), timestamp })?;
        }
        if self.partitioner == Partitioner::Default {
            self.next_partition = self.next_partition.wrapping_add(1);
        }
        Ok(())
    }
}

/// The columns of `key.fields`.
fn key_columns(spec: &SinkSpec) -> Result<Vec<usize>> {
    let (format, fields) = (spec.options.get("key.format"), spec.options.get("key.fields"));
    let names = match (format, fields) {
        (None, None) => return Ok(Vec::new()),
        (None, Some(_)) => {
            return Err(Error::invalid("read 'key.fields': a key needs a format").hint("give 'key.format'"));
        }
        (Some(_), None) => {
            return Err(Error::invalid("read 'key.format': a key needs columns").hint("give 'key.fields'"));
        }
        (Some(_), Some(names)) => names.split(';').map(str::trim).filter(|name| !name.is_empty()),
    };
    let index = |name: &str| {
        spec.physical.index_of(name).ok_or_else(|| {
            let columns: Vec<&str> = spec.physical.fields.iter().map(|field| field.name.as_str()).collect();
            Error::invalid(format!("read 'key.fields': the table has no column '{name}'"))
                .hint(format!("its columns are {}", columns.join(", ")))
        })
    };
    names.map(index).collect()
}

impl Part {
    fn new(encoder: Box<dyn Encoder>, columns: Vec<usize>) -> Self {
        Self { encoder, columns, bytes: Vec::new(), ends: Vec::new() }
    }

    fn encode(&mut self, batch: &Batch) -> Result<()> {
        self.bytes.clear();
        self.ends.clear();
        let columns: RecordBatch =
            batch.data.project(&self.columns).map_err(|error| Error::internal(error.to_string()))?;
        self.encoder.encode(&columns, batch.kinds.as_deref(), &mut self.bytes, &mut self.ends)
    }

    fn bytes_of(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes[start..self.ends[row]]
    }
}
