//! The manifest: all that one checkpoint is, and its form in storage.
//!
//! A first line tells version, kind, generation, epoch and who decides, with a checksum of its own, so that a damaged body still says what it belonged
//! to; then a JSON body; then the checksum of everything. A kind of manifest holds nothing: the *seal*, by which a new generation takes the slot behind
//! the newest checkpoint, so that an older one can write no more. State itself lies in delta files; the manifest names them.

mod written;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use weir_base::{Epoch, Error, Generation, Kind, Result, Timestamp};
use weir_connector::Prepared;
use weir_ports::SourcePositions;

use crate::chain::Chains;

/// The version that is written; older ones that can still be read would be listed here.
const VERSION: u32 = 1;
/// What every manifest begins with.
const MAGIC: &str = "weir-checkpoint";

/// A checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Who wrote it.
    pub generation: Generation,
    /// Its epoch.
    pub epoch: Epoch,
    /// Whether its being there is its decision (no decider, or nothing in the decider's transaction).
    pub decided_here: bool,
    /// `pipeline.name`
    pub job: String,
    /// What it was taken of.
    pub shape: GraphShape,
    /// The state by operator and part: which files hold it.
    pub chains: Chains,
    /// Where the splits of each source stand, of all its subtasks.
    pub positions: Vec<SourcePositions>,
    /// What the sinks prepared, by uid: of this epoch, and of earlier ones that are still carried.
    pub prepared: BTreeMap<String, Vec<Prepared>>,
    /// Totals that go on after a restart: uid, name, number.
    pub counters: BTreeMap<String, BTreeMap<String, u64>>,
    /// Watermarks of source subtasks, where known: uid, subtask, milliseconds.
    pub watermarks: Vec<(String, u16, Timestamp)>,
    /// Why it was taken.
    pub trigger: Trigger,
    /// When its barrier was sent.
    pub triggered: Timestamp,
    /// When it was written.
    pub written: Timestamp,
}

/// Why a checkpoint was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// `execution.checkpointing.interval`
    Interval,
    /// A sink asked for it.
    Sink,
    /// The job was stopped.
    Stop,
    /// The input ended.
    End,
}

/// The part of a job graph that a checkpoint must fit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GraphShape {
    /// Key groups of the job.
    pub max_parallelism: u16,
    /// The nodes that keep something (state, positions, prepared rows): uid and kind, e.g. `deduplicate`.
    pub operators: BTreeMap<String, String>,
}

/// What a manifest's slot holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Slot {
    /// A checkpoint.
    Checkpoint(Box<Manifest>),
    /// A seal: this generation took the slot so that older ones cannot.
    Sealed(Generation),
}

/// A manifest that does not read back, with what its first line still tells.
#[derive(Debug)]
pub struct DamagedManifest {
    /// What is wrong, naming it.
    pub error: Error,
    /// `Manifest::decided_here`
    pub decided_here: Option<bool>,
}

impl Manifest {
    /// Its written form.
    ///
    /// # Errors
    /// Never in practice: its parts are plain data.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let decided = if self.decided_here { "here" } else { "elsewhere" };
        let mut bytes = first_line("checkpoint", self.generation, self.epoch, decided).into_bytes();
        written::write_body(self, &mut bytes)?;
        Ok(finish(bytes))
    }

    /// Whether a job of this shape can go on from it.
    ///
    /// # Errors
    /// Names the operators on both sides that do not fit.
    pub fn check_fits(&self, shape: &GraphShape) -> Result<()> {
        let anew = "change the SQL back, or give --fresh to start from nothing";
        let there = format!("restore the job '{}' from checkpoint {}", self.job, self.epoch);
        if self.shape.max_parallelism != shape.max_parallelism {
            let (had, has) = (self.shape.max_parallelism, shape.max_parallelism);
            let message = format!("{there}: it was taken with pipeline.max-parallelism {had}, the job now has {has}");
            return Err(Error::invalid(message)
                .hint(format!("set pipeline.max-parallelism to {had}, or give --fresh to start from nothing")));
        }
        let only = |these: &GraphShape, those: &GraphShape| -> Vec<String> {
            let missing = these.operators.iter().filter(|(uid, kind)| those.operators.get(*uid) != Some(kind));
            missing.map(|(uid, kind)| format!("{uid} ({kind})")).collect()
        };
        let (gone, new) = (only(&self.shape, shape), only(shape, &self.shape));
        if gone.is_empty() && new.is_empty() {
            return Ok(());
        }
        let side = |names: &[String]| if names.is_empty() { "nothing more".to_owned() } else { names.join(", ") };
        let message = format!("{there}: the checkpoint has {}, the job has {}", side(&gone), side(&new));
        Err(Error::invalid(message).hint(anew))
    }

    /// Bytes of the state that it refers to.
    pub fn full_bytes(&self) -> u64 {
        self.chains.items().map(|item| item.bytes).sum()
    }
}

/// The written form of a seal.
pub fn encode_seal(generation: Generation, epoch: Epoch) -> Vec<u8> {
    finish(first_line("sealed", generation, epoch, "here").into_bytes())
}

/// Reads what lies in the slot of `epoch`; `place` names it in errors.
///
/// # Errors
/// It does not read back as it was written.
pub fn decode_slot(bytes: &[u8], epoch: Epoch, place: &str) -> Result<Slot, DamagedManifest> {
    let damaged = |what: String, decided_here| {
        let error = Error::new(Kind::Corrupt, format!("read the checkpoint {place}: {what}"));
        DamagedManifest { error, decided_here }
    };
    let first = FirstLine::read(bytes).map_err(|what| damaged(what, None))?;
    if first.epoch != epoch {
        return Err(damaged(format!("it says that it is checkpoint {}", first.epoch), None));
    }
    let decided_here = Some(first.decided_here);
    let body = bytes.get(first.length..).unwrap_or_default();
    let body = check(bytes, body).map_err(|what| damaged(what, decided_here))?;
    if first.sealed {
        return Ok(Slot::Sealed(first.generation));
    }
    let manifest = written::read_body(body, first.generation, epoch, first.decided_here);
    manifest.map(|manifest| Slot::Checkpoint(Box::new(manifest))).map_err(|what| damaged(what, decided_here))
}

fn first_line(kind: &str, generation: Generation, epoch: Epoch, decided: &str) -> String {
    let line = format!("{MAGIC} {VERSION} {kind} generation={generation} epoch={epoch} decided={decided}");
    let checksum = crc32fast::hash(line.as_bytes());
    format!("{line} crc={checksum:08x}\n")
}

/// The first line, read.
struct FirstLine {
    sealed: bool,
    generation: Generation,
    epoch: Epoch,
    decided_here: bool,
    /// Bytes of it, with its end.
    length: usize,
}

impl FirstLine {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.is_empty() {
            return Err("it is empty".to_owned());
        }
        let bent = || "its first line is damaged".to_owned();
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(bent)?;
        let line = std::str::from_utf8(&bytes[..end]).map_err(|_| bent())?;
        let (text, checksum) = line.rsplit_once(" crc=").ok_or_else(bent)?;
        if checksum != format!("{:08x}", crc32fast::hash(text.as_bytes())) {
            return Err(bent());
        }
        let words: Vec<&str> = text.split(' ').collect();
        let [MAGIC, version, kind, generation, epoch, decided] = words[..] else { return Err(bent()) };
        if version.parse() != Ok(VERSION) {
            return Err(format!("it is of version {version}, this Weir reads version {VERSION}"));
        }
        let number = |word: &str, key: &str| word.strip_prefix(key).and_then(|text| text.parse().ok()).ok_or_else(bent);
        Ok(Self {
            sealed: kind == "sealed",
            generation: Generation(number(generation, "generation=")?),
            epoch: Epoch(number(epoch, "epoch=")?),
            decided_here: decided == "decided=here",
            length: end + 1,
        })
    }
}

/// Adds the checksum of everything.
fn finish(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(format!("\n{checksum:08x}\n").as_bytes());
    bytes
}

/// What lies between the first line and the checksum, if that is right.
fn check<'a>(whole: &[u8], body: &'a [u8]) -> Result<&'a [u8], String> {
    const TAIL: usize = "\n00000000\n".len();
    let cut = || format!("it is cut short after {} bytes", whole.len());
    let length = body.len().checked_sub(TAIL).ok_or_else(cut)?;
    let (content, tail) = whole.split_at(whole.len() - TAIL);
    let written = std::str::from_utf8(tail).ok().and_then(|tail| tail.strip_prefix('\n')?.strip_suffix('\n'));
    let Some(written) = written.filter(|text| text.len() == 8) else { return Err(cut()) };
    let computed = format!("{:08x}", crc32fast::hash(content));
    if written != computed {
        return Err(format!("its checksum is {computed}, it was written with {written}"));
    }
    Ok(&body[..length])
}

/// A delta file that manifests refer to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StateFile {
    /// Its name in the job's folder.
    pub path: String,
    /// The epoch that wrote it (of a merged one: the newest in it).
    pub epoch: Epoch,
    /// Its length.
    pub bytes: u64,
    /// The checksum of its index, which holds those of its sections.
    pub crc: u32,
}

/// A stretch of a part's chain: what one file holds of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainItem {
    /// The file.
    pub file: Arc<StateFile>,
    /// The key groups for which the file counts; others in it have been replaced since.
    pub groups: Range<u16>,
    /// Bytes of this part in the file.
    pub bytes: u64,
    /// Entries of this part in the file.
    pub entries: u64,
    /// When the last of them will have expired; `Timestamp::MAX`: never.
    pub expires_max: Timestamp,
}

#[cfg(test)]
pub(crate) mod tests;
