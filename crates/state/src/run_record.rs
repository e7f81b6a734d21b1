//! What each generation writes down about itself: what it started from and how it ended; and how far it has completed.
//!
//! Both lie under the generation's own number, so that a process that was fenced and wakes up writes over nobody's.

use serde::{Deserialize, Serialize};
use weir_base::{Epoch, Error, Generation, Kind, Result, Timestamp};

use crate::layout;
use crate::storage::Storage;

/// One start of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// `pipeline.name`
    pub job: String,
    /// This start.
    pub generation: Generation,
    /// The checkpoint it started from; `None`: from nothing.
    pub base: Option<Epoch>,
    /// The first epoch it could write.
    pub first: Epoch,
    /// When it started.
    pub started: Timestamp,
    /// How it ended.
    pub state: RunState,
    /// When it ended, where it could still say so.
    pub ended: Option<Timestamp>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// It runs, or was killed.
    Running,
    /// It was stopped, or failed, and may go on.
    Stopped,
    /// Its input ended and its last epoch was completed.
    Finished,
}

/// The written form.
#[derive(Serialize, Deserialize)]
struct Written {
    job: String,
    base: Option<u64>,
    first: u64,
    started_ms: i64,
    state: StateName,
    ended_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateName {
    Running,
    Stopped,
    Finished,
}

impl RunRecord {
    /// Writes it down.
    ///
    /// # Errors
    /// The storage fails.
    pub(crate) fn write(&self, storage: &dyn Storage) -> Result<()> {
        let written = Written {
            job: self.job.clone(),
            base: self.base.map(|epoch| epoch.0),
            first: self.first.0,
            started_ms: self.started,
            state: match self.state {
                RunState::Running => StateName::Running,
                RunState::Stopped => StateName::Stopped,
                RunState::Finished => StateName::Finished,
            },
            ended_ms: self.ended,
        };
        let mut bytes =
            serde_json::to_vec(&written).map_err(|error| Error::internal(format!("encode the run record: {error}")))?;
        bytes.push(b'\n');
        storage.put(&layout::of_generation(layout::RUNS, self.generation), &with_checksum(&bytes))
    }

    /// The record of the newest run that has one.
    ///
    /// # Errors
    /// It does not read back, or the storage fails.
    pub(crate) fn newest(storage: &dyn Storage) -> Result<Option<Self>> {
        let Some((generation, place, bytes)) = newest_of(storage, layout::RUNS)? else { return Ok(None) };
        let damaged = || {
            let message = format!("read the run record {place}: it is damaged");
            Error::new(Kind::Corrupt, message)
                .hint("restore it from a backup, or delete it to go on from the newest checkpoint of any run")
        };
        let bytes = without_checksum(&bytes).ok_or_else(damaged)?;
        let written: Written = serde_json::from_slice(bytes).map_err(|_| damaged())?;
        Ok(Some(Self {
            job: written.job,
            generation,
            base: written.base.map(Epoch),
            first: Epoch(written.first),
            started: written.started_ms,
            state: match written.state {
                StateName::Running => RunState::Running,
                StateName::Stopped => RunState::Stopped,
                StateName::Finished => RunState::Finished,
            },
            ended: written.ended_ms,
        }))
    }
}

/// Writes the completion mark of `generation`.
///
/// # Errors
/// The storage fails.
pub(crate) fn write_mark(storage: &dyn Storage, generation: Generation, epoch: Epoch) -> Result<()> {
    let text = format!("{epoch}\n");
    storage.put(&layout::of_generation(layout::COMPLETED, generation), &with_checksum(text.as_bytes()))
}

/// The completion mark of the newest generation that has one; one that does not read back is none.
///
/// # Errors
/// The storage fails.
pub(crate) fn newest_mark(storage: &dyn Storage) -> Result<Option<Epoch>> {
    let Some((_, place, bytes)) = newest_of(storage, layout::COMPLETED)? else { return Ok(None) };
    let text = without_checksum(&bytes).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let epoch = text.and_then(|text| text.trim_end().parse().ok()).map(Epoch);
    if epoch.is_none() {
        tracing::warn!(file = place, "the completion mark is damaged and counts as absent");
    }
    Ok(epoch)
}

/// The file of the newest generation in `folder`: generation, its place, content.
fn newest_of(storage: &dyn Storage, folder: &str) -> Result<Option<(Generation, String, Vec<u8>)>> {
    let generations = storage.list(folder)?.into_iter().filter_map(|name| layout::generation_of(&name));
    let Some(newest) = generations.max() else { return Ok(None) };
    let name = layout::of_generation(folder, newest);
    Ok(storage.get(&name)?.map(|bytes| (newest, storage.describe(&name), bytes)))
}

fn with_checksum(text: &[u8]) -> Vec<u8> {
    [text, format!("{:08x}\n", crc32fast::hash(text)).as_bytes()].concat()
}

fn without_checksum(bytes: &[u8]) -> Option<&[u8]> {
    let (text, checksum) = bytes.split_at_checked(bytes.len().checked_sub(9)?)?;
    (checksum == format!("{:08x}\n", crc32fast::hash(text)).as_bytes()).then_some(text)
}
