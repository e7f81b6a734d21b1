//! Kafka's metadata columns: built from messages for a source, read from batches for a sink.

use std::ffi::{CStr, c_char, c_void};
use std::sync::Arc;

use arrow_array::builder::{
    BinaryViewBuilder, Int32Builder, MapBuilder, MapFieldNames, StringViewBuilder, TimestampMillisecondBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array, ArrayRef, RecordBatch, StringViewArray};
use rdkafka_sys as sys;
use weir_base::{Error, Result};

/// A metadata column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetadataKind {
    Topic,
    Partition,
    Headers,
    LeaderEpoch,
    Offset,
    Timestamp,
    TimestampType,
}

impl MetadataKind {
    /// The column of a key in `METADATA FROM 'key'`.
    pub(crate) fn of_key(key: &str) -> Result<Self> {
        Ok(match key {
            "topic" => Self::Topic,
            "partition" => Self::Partition,
            "headers" => Self::Headers,
            "leader-epoch" => Self::LeaderEpoch,
            "offset" => Self::Offset,
            "timestamp" => Self::Timestamp,
            "timestamp-type" => Self::TimestampType,
            other => {
                return Err(Error::invalid(format!("read the metadata column '{other}': Kafka has none of that name"))
                    .hint("topic, partition, headers, leader-epoch, offset, timestamp, timestamp-type"));
            }
        })
    }

    /// The column for messages of one partition.
    ///
    /// # Safety
    /// All of `messages` are live messages of librdkafka without an error.
    pub(crate) unsafe fn build(self, topic: &str, messages: &[*mut sys::rd_kafka_message_t]) -> Result<ArrayRef> {
        let rows = messages.len();
        // SAFETY: the caller says that they live.
        let live = messages.iter().map(|message| unsafe { &**message });
        Ok(match self {
            Self::Topic => constant(topic, rows),
            Self::Partition => {
                Arc::new(live.map(|message| Some(message.partition)).collect::<arrow_array::Int32Array>())
            }
            Self::Offset => Arc::new(live.map(|message| Some(message.offset)).collect::<arrow_array::Int64Array>()),
            Self::LeaderEpoch => {
                let mut column = Int32Builder::with_capacity(rows);
                for message in live {
                    // SAFETY: a live message.
                    let epoch = unsafe { sys::rd_kafka_message_leader_epoch(message) };
                    column.append_option((epoch >= 0).then_some(epoch));
                }
                Arc::new(column.finish())
            }
            Self::Timestamp => {
                let mut column = TimestampMillisecondBuilder::with_capacity(rows).with_timezone("UTC");
                for message in live {
                    column.append_value(timestamp(message).0);
                }
                Arc::new(column.finish())
            }
            Self::TimestampType => {
                let mut column = StringViewBuilder::with_capacity(rows);
                for message in live {
                    column.append_value(match timestamp(message).1 {
                        sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_CREATE_TIME => "CreateTime",
                        sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => "LogAppendTime",
                        sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => "NoTimestampType",
                    });
                }
                Arc::new(column.finish())
            }
            Self::Headers => headers(messages)?,
        })
    }
}

/// A message's timestamp (-1: none) and its kind.
pub(crate) fn timestamp(message: &sys::rd_kafka_message_t) -> (i64, sys::rd_kafka_timestamp_type_t) {
    let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    // SAFETY: a live message; `kind` outlives the call.
    let timestamp = unsafe { sys::rd_kafka_message_timestamp(message, &mut kind) };
    (timestamp, kind)
}

fn constant(text: &str, rows: usize) -> ArrayRef {
    Arc::new(std::iter::repeat_n(Some(text), rows).collect::<StringViewArray>())
}

fn headers(messages: &[*mut sys::rd_kafka_message_t]) -> Result<ArrayRef> {
    let names = MapFieldNames { entry: "entries".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
    let mut column = MapBuilder::new(Some(names), StringViewBuilder::new(), BinaryViewBuilder::new());
    for message in messages {
        let mut list = std::ptr::null_mut();
        // SAFETY: a live message, which owns the list.
        let found = unsafe { sys::rd_kafka_message_headers(*message, &mut list) };
        let has_any = found == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        for index in (0..usize::MAX).take_while(|_| has_any) {
            let (mut name, mut value, mut size) = (std::ptr::null::<c_char>(), std::ptr::null::<c_void>(), 0);
            // SAFETY: the list lives with its message; what is given lives as long.
            let got = unsafe { sys::rd_kafka_header_get_all(list, index, &mut name, &mut value, &mut size) };
            if got != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                break;
            }
            // SAFETY: a zero-terminated name of the list.
            column.keys().append_value(unsafe { CStr::from_ptr(name) }.to_string_lossy());
            if value.is_null() {
                column.values().append_null();
            } else {
                // SAFETY: `size` bytes of the list.
                column.values().append_value(unsafe { std::slice::from_raw_parts(value.cast::<u8>(), size) });
            }
        }
        column.append(true).map_err(|error| Error::internal(format!("build the headers: {error}")))?;
    }
    Ok(Arc::new(column.finish()))
}

/// A header: its name and its value.
pub(crate) type Header = (String, Option<Vec<u8>>);

/// The headers and timestamps that a sink was given for each row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written {
    /// Names with values, by row.
    pub headers: Option<Vec<Vec<Header>>>,
    /// Milliseconds since the epoch, by row.
    pub timestamps: Option<Vec<Option<i64>>>,
}

/// Reads the metadata columns of `batch`, which begin at column `first`.
pub(crate) fn written(batch: &RecordBatch, first: usize, kinds: &[MetadataKind]) -> Result<Written> {
    let mut written = Written::default();
    for (index, kind) in kinds.iter().enumerate() {
        let column = batch.column(first + index);
        match kind {
            MetadataKind::Timestamp => {
                let column = column.as_primitive_opt::<TimestampMillisecondType>().ok_or_else(|| {
                    Error::internal(format!("read the column 'timestamp': it is {}", column.data_type()))
                })?;
                written.timestamps = Some(column.iter().collect());
            }
            MetadataKind::Headers => written.headers = Some(read_headers(column)?),
            other => return Err(Error::invalid(format!("write the metadata column {other:?}: it is read-only"))),
        }
    }
    Ok(written)
}

fn read_headers(column: &ArrayRef) -> Result<Vec<Vec<Header>>> {
    let wrong = || Error::internal(format!("read the column 'headers': it is {}", column.data_type()));
    let map = column.as_map_opt().ok_or_else(wrong)?;
    let keys = map.keys().as_string_view_opt().ok_or_else(wrong)?;
    let values = map.values().as_binary_view_opt().ok_or_else(wrong)?;
    let bounds = map.value_offsets();
    let bound = |row: usize| usize::try_from(bounds[row]).expect("an offset of an Arrow array is not negative");
    let entry = |at: usize| {
        let value = values.is_valid(at).then(|| values.value(at).to_vec());
        (keys.value(at).to_owned(), value)
    };
    Ok((0..map.len())
        .map(|row| if map.is_null(row) { Vec::new() } else { (bound(row)..bound(row + 1)).map(entry).collect() })
        .collect())
}
