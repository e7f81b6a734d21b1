//! The reader of a source's subtask: takes turns between its partitions, and waits for a mark to move when there is nothing to read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::builder::StringViewBuilder;
use arrow_array::{ArrayRef, Int32Array, Int64Array, TimestampMillisecondArray, new_null_array};
use arrow_schema::DataType as ArrowType;
use weir_base::limits::{BATCH_ROWS_MAX, FETCH_BYTES_MAX};
use weir_base::{Error, Result};
use weir_connector::{Fetch, Payload, Position, Reader, SplitId};
use weir_format::RawRecords;

use super::block::Block;
use super::layout;
use super::needs::Need;
use super::options::{Bound, SourceOptions};
use crate::log::{LogReader, MarkReader, Place};
use crate::signal::{Signal, lock};

/// A metadata column, called as Kafka's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metadata {
    Topic,
    Partition,
    Offset,
    Timestamp,
    TimestampType,
    LeaderEpoch,
}

impl Metadata {
    /// The column behind a key.
    ///
    /// # Errors
    /// An embedded topic has none such.
    pub fn of_key(key: &str) -> Result<Self> {
        match key {
            "topic" => Ok(Self::Topic),
            "partition" => Ok(Self::Partition),
            "offset" => Ok(Self::Offset),
            "timestamp" => Ok(Self::Timestamp),
            "timestamp-type" => Ok(Self::TimestampType),
            "leader-epoch" => Ok(Self::LeaderEpoch),
            other => Err(Error::invalid(format!("read the metadata column '{other}': embedded topics do not have it"))
                .hint("they have topic, partition, offset, timestamp, timestamp-type and leader-epoch; run without --embedded for more")),
        }
    }
}

/// Reads the partitions of one subtask.
pub(super) struct TopicSplitReader {
    data_dir: PathBuf,
    options: Arc<SourceOptions>,
    metadata: Vec<Metadata>,
    signal: Arc<Signal>,
    reader: Arc<str>,
    needs: Arc<Mutex<BTreeMap<SplitId, Need>>>,
    splits: Vec<Split>,
    /// The split whose turn it is.
    turn: usize,
}

struct Split {
    id: SplitId,
    topic: String,
    partition: u32,
    log: LogReader,
    mark: MarkReader,
    /// Offset of the next record to be given.
    offset: u64,
    /// Offset at which it ends.
    end: Option<u64>,
}

impl TopicSplitReader {
    /// A reader without splits, called `reader` where its needs are noted.
    pub fn new(
        data_dir: PathBuf,
        options: Arc<SourceOptions>,
        metadata: Vec<Metadata>,
        signal: Arc<Signal>,
        reader: Arc<str>,
        needs: Arc<Mutex<BTreeMap<SplitId, Need>>>,
    ) -> Self {
        Self { data_dir, options, metadata, signal, reader, needs, splits: Vec::new(), turn: 0 }
    }

    /// What one round over all splits gives; `None` if there is nothing to read.
    fn round(&mut self) -> Result<Option<Fetch>> {
        for _ in 0..self.splits.len() {
            self.turn = (self.turn + 1) % self.splits.len();
            let split = &mut self.splits[self.turn];
            if split.end.is_some_and(|end| split.offset >= end) {
                let ended = self.splits.remove(self.turn);
                return Ok(Some(Fetch::End(ended.id)));
            }
            if let Some(fetch) = split.fetch(&self.metadata, self.options.reads_keys)? {
                return Ok(Some(fetch));
            }
        }
        Ok(None)
    }
}

impl Reader for TopicSplitReader {
    fn add(&mut self, id: SplitId, from: Option<Position>) -> Result<()> {
        let named =
            id.0.rsplit_once('-').and_then(|(topic, partition)| Some((topic.to_owned(), partition.parse().ok()?)));
        let there = |(topic, partition): &(String, u32)| layout::partition(&self.data_dir, topic, *partition).is_dir();
        let Some((topic, partition)) = named.filter(there) else {
            return Err(Error::new(
                weir_base::Kind::NotFound,
                format!("read the partition '{id}': there is none such"),
            )
            .hint("the topic was deleted since the last checkpoint: start the job afresh"));
        };
        let dir = layout::partition(&self.data_dir, &topic, partition);
        let mut mark = MarkReader::new(&dir);
        let visible = mark.place()?;
        let (log, begin) = match from {
            Some(position) => (LogReader::seek(&dir, position.offset, visible)?, position.offset),
            None => locate(&dir, &self.options.startup, partition, visible)?,
        };
        let end = match &self.options.bounded {
            None => None,
            Some(Bound::Specific(offsets)) => Some(offsets.get(&partition).copied().unwrap_or(0).min(visible.next)),
            Some(bound) => Some(locate(&dir, bound, partition, visible)?.1),
        };
        lock(&self.needs).insert(id.clone(), Need::tell(&dir, &self.reader, begin));
        self.splits.push(Split { id, topic, partition, log, mark, offset: begin, end });
        Ok(())
    }

    fn fetch(&mut self, wait: Duration) -> Result<Fetch> {
        let seen = self.signal.moves();
        if let Some(fetch) = self.round()? {
            return Ok(fetch);
        }
        if wait.is_zero() {
            return Ok(Fetch::Nothing);
        }
        self.signal.wait(seen, wait);
        Ok(self.round()?.unwrap_or(Fetch::Nothing))
    }
}

/// The reader at `bound`, and the offset that stands there.
fn locate(dir: &Path, bound: &Bound, partition: u32, visible: Place) -> Result<(LogReader, u64)> {
    match bound {
        Bound::Earliest => {
            let reader = LogReader::oldest(dir, visible)?;
            let offset = reader.place().next;
            Ok((reader, offset))
        }
        Bound::Latest => Ok((LogReader::at(dir, visible), visible.next)),
        Bound::Specific(offsets) => match offsets.get(&partition) {
            None => locate(dir, &Bound::Earliest, partition, visible),
            Some(offset) => Ok((LogReader::seek(dir, *offset, visible)?, *offset)),
        },
        Bound::Timestamp(time) => {
            let mut reader = LogReader::oldest(dir, visible)?;
            let mut data = Vec::new();
            loop {
                let place = reader.place();
                data.clear();
                let Some(frame) = reader.next(visible, &mut data)? else { return Ok((reader, visible.next)) };
                let block = parse(dir, &data, 0, frame.first, frame.count)?;
                if let Some(index) = block.timestamps.iter().position(|timestamp| timestamp >= time) {
                    return Ok((LogReader::at(dir, place), block.records[index].offset));
                }
            }
        }
    }
}

/// The block in `data` from byte `start` on.
pub(super) fn parse(dir: &Path, data: &[u8], start: usize, first: u64, count: u32) -> Result<Block> {
    Block::parse(data, start, first, count).ok_or_else(|| {
        Error::new(
            weir_base::Kind::Corrupt,
            format!("read the records from {first} on in {}: their lengths do not add up", dir.display()),
        )
        .hint("restore the folder from a backup, or delete the topic")
    })
}

impl Split {
    fn fetch(&mut self, metadata: &[Metadata], reads_keys: bool) -> Result<Option<Fetch>> {
        let visible = self.mark.place()?;
        let dir = self.log_dir();
        let (mut data, mut records, mut keys, mut timestamps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        while let Some(frame) = self.log.peek(visible)? {
            let over = records.len() + frame.count as usize > BATCH_ROWS_MAX
                || data.len() + frame.length as usize > FETCH_BYTES_MAX;
            let ended = self.end.is_some_and(|end| frame.first >= end);
            if ended || (over && !records.is_empty()) {
                break;
            }
            let start = data.len();
            self.log.next(visible, &mut data)?;
            let block = parse(&dir, &data, start, frame.first, frame.count)?;
            let wanted = |offset: u64| offset >= self.offset && self.end.is_none_or(|end| offset < end);
            for (index, record) in block.records.iter().enumerate().filter(|(_, record)| wanted(record.offset)) {
                records.push(*record);
                timestamps.push(block.timestamps[index]);
                if reads_keys {
                    keys.push(block.keys[index].clone());
                }
            }
        }
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return Ok(None) };
        let position = |offset: u64| Position { offset, records: offset };
        let (first, next) = (position(first.offset), position(last.offset + 1));
        self.offset = next.offset;
        let offsets: Vec<i64> = records.iter().map(|record| i64::try_from(record.offset).unwrap_or(i64::MAX)).collect();
        let columns = metadata.iter().map(|column| self.column(*column, &offsets, &timestamps)).collect();
        let records = RawRecords {
            data: data.into(),
            records,
            keys: reads_keys.then_some(keys),
            timestamps: Some(timestamps),
            oversized: Vec::new(),
        };
        Ok(Some(Fetch::Records {
            split: self.id.clone(),
            payload: Payload::Raw(records),
            metadata: columns,
            first,
            next,
        }))
    }

    fn log_dir(&self) -> PathBuf {
        self.log.dir().to_owned()
    }

    fn column(&self, column: Metadata, offsets: &[i64], timestamps: &[i64]) -> ArrayRef {
        let text = |value: &str| {
            let mut column = StringViewBuilder::new();
            offsets.iter().for_each(|_| column.append_value(value));
            Arc::new(column.finish())
        };
        match column {
            Metadata::Topic => text(&self.topic),
            Metadata::TimestampType => text("CreateTime"),
            Metadata::Partition => {
                let partition = i32::try_from(self.partition).unwrap_or(i32::MAX);
                Arc::new(Int32Array::from(vec![partition; offsets.len()]))
            }
            Metadata::Offset => Arc::new(Int64Array::from(offsets.to_vec())),
            Metadata::Timestamp => Arc::new(TimestampMillisecondArray::from(timestamps.to_vec()).with_timezone("UTC")),
            Metadata::LeaderEpoch => new_null_array(&ArrowType::Int32, offsets.len()),
        }
    }
}
