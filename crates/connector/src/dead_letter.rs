//! Dead letters: records that could not be used, with all that is needed to understand and replay them.

use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, Int64Builder, StringViewBuilder, TimestampMillisecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use weir_base::{Epoch, Error, Result, Timestamp};
use weir_plan::{DataType, Field, LogicalType, Schema};

/// One record or row that was set aside.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// `record` (gave no row), `field` (row went on with NULL), `row` (a sink refused it), `late` (came after its window).
    pub kind: &'static str,
    /// What was wrong, in the words of who refused it.
    pub cause: String,
    /// Table it came from, or was meant for.
    pub table: String,
    /// Partition or file.
    pub split: String,
    /// Offset in the partition, or byte in the file.
    pub offset: u64,
    /// Line in the file from 1, or 0 where there are no lines.
    pub line: u64,
    /// Byte in the record from 1, or 0 where that is not known.
    pub column: u32,
    /// The record's first bytes (see `limits::DEAD_LETTER_BYTES_MAX`).
    pub raw: Vec<u8>,
    /// Bytes of the whole record.
    pub raw_length: u64,
    /// Hash of the whole record (XXH3, 64 bits) when `raw` holds only a part of it.
    pub raw_hash: Option<u64>,
}

/// The columns of the table `dead_letters`, in order: the fields of a `DeadLetter` framed by time (processing time) and job.
///
/// The key of a letter is (job, table, split, offset, kind, column, epoch): the same letter written twice is one letter.
pub fn dead_letter_schema() -> Schema {
    let required = |name: &str, logical| Field::new(name, DataType::not_null(logical));
    let string = || DataType::string().with_nullable(false).logical;
    Schema::new(vec![
        required("time", LogicalType::TimestampLtz(3)),
        required("job", string()),
        required("epoch", LogicalType::BigInt),
        required("kind", string()),
        required("cause", string()),
        required("table", string()),
        required("split", string()),
        required("offset", LogicalType::BigInt),
        required("line", LogicalType::BigInt),
        required("column", LogicalType::BigInt),
        required("raw", LogicalType::Varbinary(2_147_483_647)),
        required("raw_length", LogicalType::BigInt),
        Field::new("raw_hash", DataType::string()),
    ])
}

/// The rows of `letters`, by `dead_letter_schema`.
///
/// # Errors
/// Never, while the schema is what it is.
pub fn dead_letter_batch(job: &str, epoch: Epoch, letters: &[DeadLetter], now: Timestamp) -> Result<RecordBatch> {
    let text = |value: fn(&DeadLetter) -> &str| -> ArrayRef {
        let mut column = StringViewBuilder::new();
        letters.iter().for_each(|letter| column.append_value(value(letter)));
        Arc::new(column.finish())
    };
    let number = |value: fn(&DeadLetter) -> u64| -> ArrayRef {
        let mut column = Int64Builder::new();
        letters.iter().for_each(|letter| column.append_value(i64::try_from(value(letter)).unwrap_or(i64::MAX)));
        Arc::new(column.finish())
    };
    let mut time = TimestampMillisecondBuilder::new().with_timezone("UTC");
    let (mut jobs, mut epochs) = (StringViewBuilder::new(), Int64Builder::new());
    let (mut raw, mut hash) = (BinaryViewBuilder::new(), StringViewBuilder::new());
    for letter in letters {
        time.append_value(now);
        jobs.append_value(job);
        epochs.append_value(i64::try_from(epoch.0).unwrap_or(i64::MAX));
        raw.append_value(&letter.raw);
        hash.append_option(letter.raw_hash.map(|hash| format!("{hash:016x}")));
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(time.finish()),
        Arc::new(jobs.finish()),
        Arc::new(epochs.finish()),
        text(|letter| letter.kind),
        text(|letter| &letter.cause),
        text(|letter| &letter.table),
        text(|letter| &letter.split),
        number(|letter| letter.offset),
        number(|letter| letter.line),
        number(|letter| u64::from(letter.column)),
        Arc::new(raw.finish()),
        number(|letter| letter.raw_length),
        Arc::new(hash.finish()),
    ];
    RecordBatch::try_new(dead_letter_schema().arrow(), columns).map_err(|error| Error::internal(error.to_string()))
}
