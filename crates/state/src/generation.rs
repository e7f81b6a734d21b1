//! Generations: each start of a job claims a number, and a newer one fences all older ones.
//!
//! The claim is a file that nobody can write twice. It is not enough: an older process may have looked for claims just before, been paused, and write
//! its manifest afterwards. So a new generation *seals* the slot behind the newest checkpoint, and whoever writes a checkpoint takes the slots before it
//! (of checkpoints that failed) first: whoever comes late finds a slot taken.

use std::sync::Arc;

use weir_base::{Epoch, Error, Generation, Kind, Result, Timestamp};

use crate::layout;
use crate::manifest::encode_seal;
use crate::storage::Storage;

/// Claims the next generation, newer than `above` and than all there are.
///
/// # Errors
/// The storage fails.
pub(crate) fn claim(storage: &dyn Storage, above: Generation, now: Timestamp) -> Result<Generation> {
    loop {
        let newest = generations(storage)?.into_iter().max().unwrap_or_default().max(above);
        let next = Generation(newest.0 + 1);
        let text = format!("weir-generation {next} claimed_ms={now}\n");
        if storage.put_if_absent(&layout::of_generation(layout::GENERATIONS, next), text.as_bytes())? {
            return Ok(next);
        }
    }
}

/// Takes the slot behind the newest checkpoint, so that no older generation can write one. Returns the first epoch that is free for `generation`.
///
/// # Errors
/// The storage fails.
pub(crate) fn seal(storage: &dyn Storage, generation: Generation) -> Result<Epoch> {
    let is_first = generations(storage)?.into_iter().all(|claimed| claimed >= generation);
    loop {
        let newest = newest_slot(storage)?;
        let slot = newest.next();
        if is_first && newest == Epoch(0) {
            // Nobody was here before: there is nobody to keep out.
            return Ok(slot);
        }
        if storage.put_if_absent(&layout::manifest(slot), &encode_seal(generation, slot))? {
            return Ok(slot.next());
        }
    }
}

/// The newest epoch whose slot is taken, 0 if none is. A folder without a manifest is none: somebody may be about to write it.
fn newest_slot(storage: &dyn Storage) -> Result<Epoch> {
    let mut epochs: Vec<Epoch> = storage.list("")?.iter().filter_map(|name| layout::epoch_of(name)).collect();
    epochs.sort_unstable();
    for epoch in epochs.into_iter().rev() {
        if storage.length(&layout::manifest(epoch))?.is_some() {
            return Ok(epoch);
        }
    }
    Ok(Epoch(0))
}

fn generations(storage: &dyn Storage) -> Result<Vec<Generation>> {
    Ok(storage.list(layout::GENERATIONS)?.iter().filter_map(|name| layout::generation_of(name)).collect())
}

/// Tells whether a generation may still write.
#[derive(Clone)]
pub struct Fence {
    storage: Arc<dyn Storage>,
    generation: Generation,
    job: String,
}

impl Fence {
    pub(crate) fn new(storage: Arc<dyn Storage>, generation: Generation, job: String) -> Self {
        Self { storage, generation, job }
    }

    /// Passes while no newer generation has claimed the job.
    ///
    /// # Errors
    /// `Kind::Conflict`: a newer one has, named; or this one's own claim has gone. Else the storage fails.
    pub fn check(&self) -> Result<()> {
        let claimed = generations(self.storage.as_ref())?;
        match claimed.iter().max() {
            Some(newest) if *newest > self.generation => Err(self.fenced_by(*newest)),
            _ if claimed.contains(&self.generation) => Ok(()),
            _ => {
                let folder = self.storage.describe("");
                let what = format!("the claim of generation {} has gone from {folder}", self.generation);
                Err(Error::new(Kind::Conflict, format!("go on with the job '{}': {what}", self.job))
                    .hint("somebody emptied the folder while the job ran: bring it back, or start with --fresh"))
            }
        }
    }

    /// The error of a stale generation.
    pub(crate) fn fenced_by(&self, newer: Generation) -> Error {
        let what = format!("generation {} is fenced by generation {newer}", self.generation);
        let hint =
            format!("another process has taken the job over in {}; stop one of the two", self.storage.describe(""));
        Error::new(Kind::Conflict, format!("go on with the job '{}': {what}", self.job)).hint(hint)
    }
}
