//! A topic opened for writing: the logs of its partitions with their marks, shared by all writers of one run of a job in this process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use weir_base::{Error, Result};

use super::block::BlockBuilder;
use super::needs::needed;
use super::{RETENTION_BYTES, RETENTION_BYTES_MAX, SEGMENT_BYTES, layout};
use crate::log::{LogWriter, Mark, Place, Unsynced};
use crate::owner::{Holder, Owner};
use crate::signal::{Signal, lock};

/// A topic that this process writes.
pub(super) struct OpenTopic {
    /// Its name.
    pub name: String,
    folder: PathBuf,
    holder: Holder,
    owner: Arc<Owner>,
    signal: Arc<Signal>,
    partitions: Vec<Mutex<Partition>>,
    /// Decided ends of a restored epoch, until the first writer cuts there.
    recovering: Mutex<Option<Vec<Place>>>,
}

struct Partition {
    log: LogWriter,
    mark: Mark,
}

static OPEN: Mutex<BTreeMap<PathBuf, Weak<OpenTopic>>> = Mutex::new(BTreeMap::new());

impl OpenTopic {
    /// Opens `topic` for `holder`, making it with `partitions` if it is not there. Tables of one run of a job that write to one topic share it.
    ///
    /// # Errors
    /// Another job or process writes to it, or the disk fails.
    pub fn open(data_dir: &Path, topic: &str, partitions: u32, holder: &Holder) -> Result<Arc<Self>> {
        let count = layout::ensure(data_dir, topic, partitions)?;
        let folder = layout::folder(data_dir).join(topic);
        let mut open = lock(&OPEN);
        open.retain(|_, topic| topic.strong_count() > 0);
        let shared = open.get(&folder).and_then(Weak::upgrade);
        if let Some(shared) = shared.filter(|shared| holder.job.is_some() && shared.holder == *holder) {
            return Ok(shared);
        }
        let owner = Owner::claim(&folder, holder)?;
        let mut logs = Vec::new();
        for partition in 0..count {
            let dir = layout::partition(data_dir, topic, partition);
            let mark = Mark::open(&dir)?;
            let log = LogWriter::open(&dir, mark.place(), SEGMENT_BYTES)?;
            logs.push(Mutex::new(Partition { log, mark }));
        }
        let opened = Arc::new(Self {
            name: topic.to_owned(),
            signal: Signal::of(&layout::folder(data_dir)),
            holder: holder.clone(),
            owner,
            partitions: logs,
            recovering: Mutex::new(Some(vec![Place::default(); count as usize])),
            folder: folder.clone(),
        });
        open.insert(folder, Arc::downgrade(&opened));
        Ok(opened)
    }

    /// Number of partitions.
    pub fn count(&self) -> u32 {
        u32::try_from(self.partitions.len()).expect("partitions are counted in 32 bits")
    }

    /// Notes the decided ends of a restored epoch: the next writer cuts there. Several tables may each tell theirs: the farthest counts.
    ///
    /// # Errors
    /// A log ends before, or a partition is missing.
    pub fn decided(&self, ends: &BTreeMap<u32, Place>) -> Result<()> {
        let mut recovering = lock(&self.recovering);
        let known = recovering.get_or_insert_with(|| vec![Place::default(); self.partitions.len()]);
        for (partition, place) in ends {
            let Some(log) = self.partitions.get(*partition as usize) else {
                return Err(Error::new(
                    weir_base::Kind::Corrupt,
                    format!(
                        "find partition {partition} of the topic {}: it has {}",
                        self.folder.display(),
                        self.count()
                    ),
                )
                .hint("restore the folder from a backup, or start the job afresh"));
            };
            let end = lock(log).log.end();
            if end.byte < place.byte {
                let text = format!(
                    "find record {} of partition {partition} of {}: the log ends at record {}",
                    place.next,
                    self.folder.display(),
                    end.next
                );
                return Err(Error::new(weir_base::Kind::Corrupt, text).hint(
                    "what was decided is not there any more: restore the folder from a backup, or start the job afresh",
                ));
            }
            known[*partition as usize] = known[*partition as usize].max(*place);
        }
        Ok(())
    }

    /// Cuts off what was written and neither decided nor visible; once, before the first row is written.
    ///
    /// # Errors
    /// The disk fails.
    pub fn cut_undecided(&self) -> Result<()> {
        let Some(decided) = lock(&self.recovering).take() else {
            return Ok(());
        };
        let _permit = self.owner.permit()?;
        for (partition, decided) in self.partitions.iter().zip(decided) {
            let mut partition = lock(partition);
            let keep = decided.max(partition.mark.place());
            partition.log.cut(keep)?;
        }
        Ok(())
    }

    /// For a plain producer: all that is whole becomes visible. After a power cut the mark may lie behind what is left; then it comes back.
    ///
    /// # Errors
    /// The disk fails.
    pub fn show_all(&self) -> Result<()> {
        let _permit = self.owner.permit()?;
        for partition in &self.partitions {
            let mut partition = lock(partition);
            let end = partition.log.end();
            if partition.mark.place() != end {
                partition.mark.set(end)?;
            }
        }
        self.signal.moved();
        Ok(())
    }

    /// Appends a block to a partition, visible at once if `visible`; the block is empty afterwards. Returns the end of the partition.
    ///
    /// # Errors
    /// The disk is full or fails, or a newer run has taken over.
    pub fn append(&self, partition: u32, block: &mut BlockBuilder, visible: bool) -> Result<Place> {
        let _permit = self.owner.permit()?;
        let mut partition = lock(&self.partitions[partition as usize]);
        if block.count() > 0 {
            partition.log.append(block.count(), &block.parts())?;
            block.clear();
        }
        let end = partition.log.end();
        if visible {
            partition.mark.set(end)?;
            partition.retain()?;
        }
        Ok(end)
    }

    /// Tells the readers of this process that something became visible.
    pub fn tell(&self) {
        self.signal.moved();
    }

    /// The ends of all partitions.
    pub fn ends(&self) -> BTreeMap<u32, Place> {
        (0..).zip(self.partitions.iter().map(|partition| lock(partition).log.end())).collect()
    }

    /// Takes over what must be synced for all appended so far to survive a power cut.
    pub fn unsynced(&self) -> Vec<Unsynced> {
        self.partitions.iter().map(|partition| lock(partition).log.unsynced()).collect()
    }

    /// Makes all before these ends visible; what already is stays so.
    ///
    /// # Errors
    /// The disk fails, or a newer run has taken over.
    pub fn show(&self, ends: &BTreeMap<u32, Place>) -> Result<()> {
        let _permit = self.owner.permit()?;
        for (number, place) in ends {
            let Some(partition) = self.partitions.get(*number as usize) else { continue };
            let mut partition = lock(partition);
            if partition.mark.place() < *place {
                partition.mark.set(*place)?;
                partition.retain()?;
            }
        }
        self.signal.moved();
        Ok(())
    }
}

impl Partition {
    fn retain(&mut self) -> Result<()> {
        if !self.log.is_longer_than(RETENTION_BYTES) {
            return Ok(());
        }
        let visible = self.mark.place().next;
        let needed = needed(self.log.dir())?.map_or(visible, |needed| needed.min(visible));
        self.log.retain(RETENTION_BYTES, needed)?;
        self.log.retain(RETENTION_BYTES_MAX, visible)?;
        Ok(())
    }
}
