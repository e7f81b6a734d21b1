//! A topic as rows, for queries from any process: partition, offset, timestamp, key and value.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::{
    Array, ArrayRef, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, TimestampMillisecondArray,
};
use arrow_schema::SchemaRef;
use weir_base::{Error, Kind, Result};
use weir_plan::{DataType, Field, LogicalType, Schema};

use super::layout;
use super::reader::parse;
use crate::log::{LogReader, MarkReader, Place};
use crate::store::Scan;

/// A topic.
#[derive(Debug, Clone)]
pub struct TopicReader {
    data_dir: PathBuf,
    topic: String,
    partitions: u32,
    schema: SchemaRef,
}

impl TopicReader {
    /// The topic called `name` under `data_dir`.
    ///
    /// # Errors
    /// There is none such.
    pub(crate) fn open(data_dir: &Path, name: &str) -> Result<Self> {
        let partitions = layout::partitions(data_dir, name)
            .ok_or_else(|| Error::new(Kind::NotFound, format!("find the topic '{name}' in {}", data_dir.display())))?;
        let schema = Schema::new(vec![
            Field::new("partition", DataType::not_null(LogicalType::Int)),
            Field::new("offset", DataType::not_null(LogicalType::BigInt)),
            Field::new("timestamp", DataType::not_null(LogicalType::TimestampLtz(3))),
            Field::new("key", DataType::string()),
            Field::new("value", DataType::string()),
        ]);
        Ok(Self { data_dir: data_dir.to_owned(), topic: name.to_owned(), partitions, schema: schema.arrow() })
    }

    /// Its columns: partition, offset, timestamp, key, value. Bytes that are no UTF-8 show as replacement characters.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The records that are visible now, partition after partition, with the columns of `projection` (`None`: all).
    ///
    /// # Errors
    /// Files cannot be read.
    pub fn scan(&self, projection: Option<&[usize]>) -> Result<Scan> {
        let columns: Vec<usize> =
            projection.map_or_else(|| (0..self.schema.fields().len()).collect(), <[usize]>::to_vec);
        let schema = self.schema.project(&columns).map_err(|error| Error::invalid(error.to_string()))?;
        let mut partitions = Vec::new();
        for number in 0..self.partitions {
            let dir = layout::partition(&self.data_dir, &self.topic, number);
            let visible = MarkReader::new(&dir).place()?;
            partitions.push((number, LogReader::oldest(&dir, visible)?, visible));
        }
        partitions.reverse();
        let schema = Arc::new(schema);
        Ok(Scan::new(Arc::clone(&schema), Records { partitions, columns, schema }))
    }
}

/// The records of a scan; the last partition comes first.
struct Records {
    partitions: Vec<(u32, LogReader, Place)>,
    columns: Vec<usize>,
    schema: SchemaRef,
}

impl Records {
    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        while let Some((number, log, visible)) = self.partitions.last_mut() {
            let mut data = Vec::new();
            let Some(frame) = log.next(*visible, &mut data)? else {
                self.partitions.pop();
                continue;
            };
            let block = parse(log.dir(), &data, 0, frame.first, frame.count)?;
            let rows = block.records.len();
            let column = |index: &usize| -> ArrayRef {
                match index {
                    0 => Arc::new(Int32Array::from(vec![i32::try_from(*number).unwrap_or(i32::MAX); rows])),
                    1 => {
                        let offset = |offset: u64| i64::try_from(offset).unwrap_or(i64::MAX);
                        Arc::new(Int64Array::from_iter_values(block.records.iter().map(|record| offset(record.offset))))
                    }
                    2 => Arc::new(TimestampMillisecondArray::from(block.timestamps.clone()).with_timezone("UTC")),
                    3 => text(
                        block.keys.iter().map(|key| key.clone().map(|key| &data[key.start as usize..key.end as usize])),
                    ),
                    _ => text(block.records.iter().map(|record| {
                        let value = record.start as usize..(record.start + record.length) as usize;
                        (!record.null).then(|| &data[value])
                    })),
                }
            };
            let columns: Vec<ArrayRef> = self.columns.iter().map(column).collect();
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
            return batch.map(Some).map_err(|error| Error::internal(error.to_string()));
        }
        Ok(None)
    }
}

fn text<'a>(values: impl Iterator<Item = Option<&'a [u8]>>) -> ArrayRef {
    let mut column = StringViewBuilder::new();
    values.for_each(|value| column.append_option(value.map(String::from_utf8_lossy)));
    Arc::new(column.finish()) as Arc<dyn Array>
}

impl Iterator for Records {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batch();
        if batch.is_err() {
            self.partitions.clear();
        }
        batch.transpose()
    }
}
