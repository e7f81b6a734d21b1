//! What a start of a job restores: a pure function from the facts found in storage, in the decider and in the user's words to one decision.
//!
//! It does no I/O: `CheckpointStore::facts` gathers, the job's coordinator carries out. Epochs are numbered on across generations, so that an epoch
//! names one checkpoint; the last run's base and first epoch cut off what is over: runs before a fresh start, and what lies behind a checkpoint that the
//! user went back to.

use weir_base::{Epoch, Error, Generation, Timestamp};
use weir_connector::LastDecided;

/// How long a cluster keeps the progress record of a job that stands still, at least. Kafka's default is seven days
/// (`offsets.retention.minutes`); a day leaves room for clusters that keep less. Within it, "no record" means "not decided".
pub const PROGRESS_RECORD_KEPT_MS_MIN: i64 = 24 * 60 * 60 * 1000;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The job's name, for the words of a refusal.
    pub job: String,
    /// Where its checkpoints lie, for the words of a refusal.
    pub folder: String,
    /// The checkpoints there, in any order.
    pub manifests: Vec<ManifestFact>,
    /// The newest epoch whose followers are known to have been told.
    pub completed: CompletionMark,
    /// The last run.
    pub run: RunFact,
    /// What the last run started from; `None`: from nothing.
    pub base: Option<Epoch>,
    /// The first epoch of the last run: what lies between `base` and here is over.
    pub first: Epoch,
    /// What the decider says.
    pub decider: DeciderFact,
    /// What the user wants.
    pub intention: Intention,
    /// Processing time now.
    pub now: Timestamp,
}

/// A checkpoint that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFact {
    /// Its epoch.
    pub epoch: Epoch,
    /// Its state.
    pub found: Found,
}

/// Whether a manifest reads back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It does.
    Intact {
        /// Who wrote it.
        generation: Generation,
        /// Whether its being there is its decision: the job had no decider, or nothing in the decider's transaction.
        decided_here: bool,
        /// When it was written.
        written: Timestamp,
    },
    /// It does not.
    Damaged {
        /// What is wrong with it, naming it.
        reason: String,
        /// `decided_here` of an intact one, where that can still be read.
        decided_here: Option<bool>,
    },
}

/// The local mark of completed checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionMark {
    /// There is none (or it cannot be read: that is the same).
    None,
    /// Up to this epoch followers were told.
    At(Epoch),
}

/// How the last run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunFact {
    /// There is no record of one.
    None,
    /// It has not ended by itself: stopped, failed or killed.
    Unfinished,
    /// Its input ended and its last epoch was completed.
    Finished,
}

/// What the decider says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeciderFact {
    /// The job has none.
    Absent,
    /// It was claimed, and said this.
    Said(LastDecided),
}

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intention {
    /// Neither `--resume` nor `--fresh`: start, but not where an unfinished run is.
    Ask,
    /// `--fresh`
    Fresh,
    /// `--resume`, or a restart of this same run: go on, or start where there is nothing to go on from.
    Resume,
    /// `execution.state-recovery.path`: from this checkpoint, whatever was decided.
    From(Epoch),
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Start from nothing.
    Fresh,
    /// Start from this checkpoint.
    Restore {
        /// Who wrote it.
        generation: Generation,
        /// Its epoch.
        epoch: Epoch,
        /// Whether followers may not have been told of it: apply it again. (Carried rows are handed over again in any case.)
        redo: bool,
        /// Epochs behind it that are visible already and will be produced again; 0 unless the user asked for an older one.
        repeats: u64,
    },
    /// Don't start.
    Refuse(Refusal),
}

/// Why a job is not started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For callers.
    pub cause: Cause,
    /// A fragment that fits after "failed to".
    pub reason: String,
    /// What the user can choose.
    pub choices: String,
}

/// The kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// An unfinished run is there and the user has not said what to do with it: a usage error.
    UnfinishedRun,
    /// The checkpoint to restore does not read back.
    Damaged,
    /// The checkpoint to restore is not there.
    Lost,
    /// Nobody knows whether the newest checkpoint was decided.
    Unknown,
}

impl Refusal {
    /// As an error.
    pub fn into_error(self) -> Error {
        let error = match self.cause {
            Cause::UnfinishedRun | Cause::Unknown => Error::invalid(self.reason),
            Cause::Damaged => Error::new(weir_base::Kind::Corrupt, self.reason),
            Cause::Lost => Error::new(weir_base::Kind::NotFound, self.reason),
        };
        error.hint(self.choices)
    }
}

/// Decides what a start of a job restores.
///
/// An epoch is known to be decided if the decider says so, if its manifest needed no decider, or if followers were told of it. The newest such one is
/// restored. It is refused to restore anything while a newer checkpoint may have been decided and nobody can say.
pub fn decide(facts: &Facts) -> Decision {
    match facts.intention {
        Intention::Fresh => Decision::Fresh,
        Intention::From(epoch) => from(facts, epoch),
        Intention::Ask if facts.run == RunFact::Finished => Decision::Fresh,
        Intention::Ask => unfinished_run(facts).map_or_else(|| resume(facts), Decision::Refuse),
        Intention::Resume => resume(facts),
    }
}

/// The refusal that `Intention::Ask` gets where an unfinished run is. Needs no decider: ask before anything is claimed, since a claim fences a run that
/// may be alive.
pub fn unfinished_run(facts: &Facts) -> Option<Refusal> {
    if facts.intention != Intention::Ask || facts.run == RunFact::Finished {
        return None;
    }
    let newest = known(facts).map(|fact| fact.epoch).chain(facts.base).chain(facts.mark()).max()?;
    Some(Refusal {
        cause: Cause::UnfinishedRun,
        reason: format!(
            "start the job '{}': an unfinished run of it is in {}, its last checkpoint is {newest}",
            facts.job, facts.folder
        ),
        choices: "give --resume to go on from there, or --fresh to start from nothing".to_owned(),
    })
}

/// The checkpoints that are not over.
fn known(facts: &Facts) -> impl Iterator<Item = &ManifestFact> {
    facts.manifests.iter().filter(|fact| facts.is_alive(fact.epoch))
}

impl Facts {
    fn is_alive(&self, epoch: Epoch) -> bool {
        epoch >= self.first || self.base.is_some_and(|base| epoch <= base)
    }

    /// The completion mark, unless it is over.
    fn mark(&self) -> Option<Epoch> {
        match self.completed {
            CompletionMark::At(epoch) if self.is_alive(epoch) => Some(epoch),
            _ => None,
        }
    }

    /// The decider's record, unless it is over.
    fn record(&self) -> Option<(Generation, Epoch)> {
        match self.decider {
            DeciderFact::Said(LastDecided::Epoch(generation, epoch)) if self.is_alive(epoch) => {
                Some((generation, epoch))
            }
            _ => None,
        }
    }

    fn manifest(&self, epoch: Epoch) -> Option<&ManifestFact> {
        known(self).find(|fact| fact.epoch == epoch)
    }
}

impl Found {
    fn decided_here(&self) -> Option<bool> {
        match self {
            Self::Intact { decided_here, .. } => Some(*decided_here),
            Self::Damaged { decided_here, .. } => *decided_here,
        }
    }
}

/// The newest epoch that is known to be decided. What a run started from is: somebody, a decider or the user, said so then.
fn newest_decided(facts: &Facts) -> Option<Epoch> {
    let here = known(facts).filter(|fact| fact.found.decided_here() == Some(true)).map(|fact| fact.epoch);
    here.chain(facts.base).chain(facts.mark()).chain(facts.record().map(|(_, epoch)| epoch)).max()
}

fn resume(facts: &Facts) -> Decision {
    let target = newest_decided(facts);
    let newer = known(facts).filter(|fact| target.is_none_or(|target| fact.epoch > target));
    if let Some(doubtful) = newer.filter(|fact| may_be_decided(facts, fact)).max_by_key(|fact| fact.epoch) {
        return Decision::Refuse(doubt(facts, doubtful, target));
    }
    let Some(target) = target else { return Decision::Fresh };
    match facts.manifest(target).map(|fact| &fact.found) {
        Some(Found::Intact { generation, .. }) => match facts.record() {
            Some((recorded, epoch)) if epoch == target && recorded != *generation => {
                let what = format!(
                    "its checkpoint {target} was decided by generation {recorded}, but the one there is of generation {generation}"
                );
                Decision::Refuse(refusal(facts, Cause::Lost, target, &what))
            }
            _ => Decision::Restore {
                generation: *generation,
                epoch: target,
                redo: facts.mark().is_none_or(|mark| mark < target),
                repeats: 0,
            },
        },
        Some(Found::Damaged { reason, .. }) => {
            let what = format!("its checkpoint {target} was decided and is damaged: {reason}");
            Decision::Refuse(refusal(facts, Cause::Damaged, target, &what))
        }
        None => {
            let what = format!("its checkpoint {target} was decided and is not there");
            Decision::Refuse(refusal(facts, Cause::Lost, target, &what))
        }
    }
}

/// Whether a checkpoint newer than all that are known to be decided may have been decided all the same.
fn may_be_decided(facts: &Facts, fact: &ManifestFact) -> bool {
    // What is left is a manifest that the decider had to decide, or a damaged one that does not tell.
    let Some(false) = fact.found.decided_here() else { return true };
    match facts.decider {
        // The record is asked for and tells of another epoch: this one was not decided.
        DeciderFact::Said(LastDecided::Epoch(..)) => false,
        // There is nobody to ask any more.
        DeciderFact::Absent => true,
        // No record: never decided, unless it was there and is gone. It goes when the job stands still for days...
        DeciderFact::Said(LastDecided::None) => !is_recent(facts, &fact.found) || record_was_destroyed(facts),
    }
}

fn is_recent(facts: &Facts, found: &Found) -> bool {
    matches!(found, Found::Intact { written, .. } if facts.now.saturating_sub(*written) < PROGRESS_RECORD_KEPT_MS_MIN)
}

/// Whether the record must have been there lately: a checkpoint that only the decider could decide is completed and recent.
fn record_was_destroyed(facts: &Facts) -> bool {
    let completed = facts.mark().and_then(|mark| facts.manifest(mark));
    completed.is_some_and(|fact| fact.found.decided_here() == Some(false) && is_recent(facts, &fact.found))
}

fn doubt(facts: &Facts, doubtful: &ManifestFact, target: Option<Epoch>) -> Refusal {
    let epoch = doubtful.epoch;
    let anew = "--fresh to start from nothing";
    if let Found::Damaged { reason, .. } = &doubtful.found {
        let what = format!("its newest checkpoint {epoch} is damaged and may have been decided: {reason}");
        return refusal(facts, Cause::Damaged, epoch, &what);
    }
    let asked = match facts.decider {
        DeciderFact::Absent => "the job has no Kafka sink that could be asked any more",
        DeciderFact::Said(_) => "the progress record in Kafka is gone",
    };
    let target = target.and_then(|target| facts.manifest(target));
    let otherwise =
        target.filter(|fact| matches!(fact.found, Found::Intact { .. })).map(|fact| fact.epoch).map_or_else(
            || format!("or {anew}"),
            |target| format!("{} if it was not, or {anew}", path_option(facts, target)),
        );
    Refusal {
        cause: Cause::Unknown,
        reason: format!(
            "resume the job '{}' from {}: whether its checkpoint {epoch} was committed is not known, since {asked}",
            facts.job, facts.folder
        ),
        choices: format!(
            "look whether the sinks show its rows, then give {} if it was committed, {otherwise}",
            path_option(facts, epoch)
        ),
    }
}

/// A refusal whose choices are the older checkpoints that read back.
fn refusal(facts: &Facts, cause: Cause, wanted: Epoch, what: &str) -> Refusal {
    let intact = known(facts).filter(|fact| fact.epoch < wanted && matches!(fact.found, Found::Intact { .. }));
    let older = match intact.map(|fact| fact.epoch).max() {
        Some(epoch) => {
            format!("give {} to go back to it (what came after is produced again), or ", path_option(facts, epoch))
        }
        None => "give ".to_owned(),
    };
    Refusal {
        cause,
        reason: format!("resume the job '{}' from {}: {what}", facts.job, facts.folder),
        choices: format!("{older}--fresh to start from nothing"),
    }
}

fn path_option(facts: &Facts, epoch: Epoch) -> String {
    format!("-D execution.state-recovery.path={}/chk-{epoch}", facts.folder)
}

fn from(facts: &Facts, epoch: Epoch) -> Decision {
    let named = facts.manifests.iter().find(|fact| fact.epoch == epoch);
    match named.map(|fact| &fact.found) {
        Some(Found::Intact { generation, .. }) => {
            let decided = newest_decided(facts);
            Decision::Restore {
                generation: *generation,
                epoch,
                redo: facts.mark().is_none_or(|mark| mark < epoch),
                repeats: decided.map_or(0, |decided| decided.0.saturating_sub(epoch.0)),
            }
        }
        Some(Found::Damaged { reason, .. }) => {
            Decision::Refuse(refusal(facts, Cause::Damaged, epoch, &format!("checkpoint {epoch} is damaged: {reason}")))
        }
        None => Decision::Refuse(refusal(facts, Cause::Lost, epoch, &format!("there is no checkpoint {epoch}"))),
    }
}

#[cfg(test)]
mod tests;
