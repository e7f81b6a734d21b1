//! The lanes of one sink of one job: opened for its writers, cut at a restart, made visible by its committer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use weir_base::{Error, Kind, Result};

use super::compaction::Compaction;
use super::{SEGMENT_BYTES, layout};
use crate::log::{LogWriter, Mark, Place, Unsynced};
use crate::owner::{Holder, Owner};
use crate::signal::lock;

/// The lanes of a sink.
pub(super) struct Lanes {
    folder: PathBuf,
    owner: Arc<Owner>,
    /// Number of this run of the sink among all of the table.
    pub run: u64,
    /// Indices of the key's columns.
    primary_key: Vec<usize>,
    segment_bytes: u64,
    open: Mutex<BTreeMap<String, Lane>>,
    recovered: Mutex<bool>,
}

struct Lane {
    log: LogWriter,
    mark: Mark,
    /// For keyed tables.
    compaction: Compaction,
}

impl Lanes {
    /// The lanes in `folder` of the table in `table` with this key, for `holder`.
    ///
    /// # Errors
    /// Another process writes there, or the disk fails.
    pub fn claim(table: &Path, folder: PathBuf, primary_key: &[usize], holder: &Holder) -> Result<Self> {
        std::fs::create_dir_all(&folder)
            .map_err(|error| Error::io(format!("make the folder {}", folder.display()), error))?;
        let owner = Owner::claim(&folder, holder)?;
        let run = layout::next_run(table)?;
        let (primary_key, segment_bytes) = (primary_key.to_vec(), SEGMENT_BYTES);
        Ok(Self {
            folder,
            owner,
            run,
            primary_key,
            segment_bytes,
            open: Mutex::default(),
            recovered: Mutex::new(false),
        })
    }

    /// The same lanes with smaller segments.
    #[cfg(test)]
    pub fn with_segments(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }

    /// Cuts each lane back to what was decided or is visible.
    ///
    /// # Errors
    /// A lane ends before what was decided, or the disk fails.
    pub fn recover(&self, decided: &BTreeMap<String, Place>) -> Result<()> {
        let _permit = self.owner.permit()?;
        let there = layout::folders(&self.folder)?;
        if let Some(missing) = decided.iter().find(|(lane, end)| end.byte > 0 && !there.contains(lane)) {
            return Err(Error::new(
                Kind::NotFound,
                format!("find the lane {} of {}", missing.0, self.folder.display()),
            )
            .hint(
                "what was decided is not there any more: restore the folder from a backup, or start the job afresh",
            ));
        }
        for name in there {
            let mut lane = self.open_lane(&name)?;
            let decided = decided.get(&name).copied().unwrap_or_default();
            lane.log.cut(decided.max(lane.mark.place()))?;
        }
        *lock(&self.recovered) = true;
        Ok(())
    }

    /// Opens a lane for the writer of `subtask`; several writers of one subtask get one each.
    ///
    /// # Errors
    /// The disk fails.
    pub fn open(&self, subtask: u16) -> Result<String> {
        let recovered = *lock(&self.recovered);
        if !recovered {
            self.recover(&BTreeMap::new())?;
        }
        let mut open = lock(&self.open);
        let mut name = subtask.to_string();
        let mut others = 0;
        while open.contains_key(&name) {
            others += 1;
            name = format!("{subtask}.{others}");
        }
        let lane = self.open_lane(&name)?;
        open.insert(name.clone(), lane);
        Ok(name)
    }

    /// Appends a frame to a lane; `keys` are the hashes of its rows' keys, if the table has any.
    ///
    /// # Errors
    /// The disk is full or fails, or a newer run has taken over.
    pub fn append(&self, lane: &str, count: u32, payload: &[u8], keys: &[u128]) -> Result<()> {
        let _permit = self.owner.permit()?;
        self.with(lane, |lane| {
            lane.log.append(count, &[payload])?;
            lane.compaction.appended(keys);
            Ok(())
        })
    }

    /// The end of a lane, and what makes all before it durable.
    ///
    /// # Errors
    /// The lane is not open.
    pub fn end(&self, lane: &str) -> Result<(Place, Unsynced)> {
        self.with(lane, |lane| Ok((lane.log.end(), lane.log.unsynced())))
    }

    /// Makes all before these ends visible; what already is stays so.
    ///
    /// # Errors
    /// The disk fails, or a newer run has taken over.
    pub fn show(&self, ends: &BTreeMap<String, Place>) -> Result<()> {
        let _permit = self.owner.permit()?;
        let mut open = lock(&self.open);
        for (name, end) in ends {
            let Some(lane) = open.get_mut(name) else {
                // A lane of a former run with more subtasks: nobody writes it now, its rows were decided all the same.
                let mut mark = Mark::open(&self.folder.join(name))?;
                if mark.place() < *end {
                    mark.set(*end)?;
                }
                continue;
            };
            if lane.mark.place() < *end {
                lane.mark.set(*end)?;
                lane.compaction.run(&mut lane.log, *end, &self.primary_key)?;
            }
        }
        Ok(())
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&mut Lane) -> Result<T>) -> Result<T> {
        let mut open = lock(&self.open);
        let lane = open.get_mut(name).ok_or_else(|| Error::internal(format!("find the open lane {name}")))?;
        act(lane)
    }

    fn open_lane(&self, name: &str) -> Result<Lane> {
        let dir = self.folder.join(name);
        std::fs::create_dir_all(&dir)
            .map_err(|error| Error::io(format!("make the folder {}", dir.display()), error))?;
        let mark = Mark::open(&dir)?;
        let log = LogWriter::open(&dir, mark.place(), self.segment_bytes)?;
        let compaction = Compaction::new(&log);
        Ok(Lane { log, mark, compaction })
    }
}
