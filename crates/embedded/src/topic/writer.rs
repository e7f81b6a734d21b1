//! The plain producer: appends records that are visible at once. For feeders and tests; a job's sink is exactly-once and lives beside it.
//!
//! What it appended survives the end of the process, not a power cut, unless `sync` was called.

use std::path::Path;
use std::sync::Arc;

use weir_base::Result;

use super::block::{BlockBuilder, Record};
use super::open::OpenTopic;
use crate::owner::Holder;

/// A producer of one topic; goes on at the end of what is there.
pub struct TopicWriter {
    topic: Arc<OpenTopic>,
    block: BlockBuilder,
}

impl TopicWriter {
    /// Opens `topic` under `data_dir` for the producer called `name`, making it with `partitions` if it is not there. A torn tail is cut off.
    ///
    /// # Errors
    /// Somebody else writes to it, or the disk fails.
    pub fn open(data_dir: &Path, topic: &str, partitions: u32, name: &str) -> Result<Self> {
        let holder = Holder { name: format!("the producer '{name}'"), job: None };
        let topic = OpenTopic::open(data_dir, topic, partitions, &holder)?;
        topic.show_all()?;
        Ok(Self { topic, block: BlockBuilder::default() })
    }

    /// Number of partitions.
    pub fn partitions(&self) -> u32 {
        self.topic.count()
    }

    /// Offset of the next record of `partition`.
    pub fn end(&self, partition: u32) -> u64 {
        self.topic.ends().get(&partition).map_or(0, |place| place.next)
    }

    /// Appends records to `partition` as one visible whole. Call `tell` when all partitions of a round are written.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn append<'a>(&mut self, partition: u32, records: impl IntoIterator<Item = Record<'a>>) -> Result<()> {
        self.block.clear();
        for record in records {
            self.block.push(&record);
            if super::rows::is_full(&self.block) {
                self.topic.append(partition, &mut self.block, true)?;
            }
        }
        self.topic.append(partition, &mut self.block, true)?;
        Ok(())
    }

    /// Wakes the readers of this process; those of others look again by themselves.
    pub fn tell(&self) {
        self.topic.tell();
    }

    /// Makes all appended so far survive a power cut.
    ///
    /// # Errors
    /// The disk fails.
    pub fn sync(&self) -> Result<()> {
        self.topic.unsynced().into_iter().try_for_each(|unsynced| unsynced.sync())
    }
}
