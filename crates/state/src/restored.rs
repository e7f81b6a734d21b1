//! A checkpoint as a run is given it: the state of each operator by key groups, and the splits of each source.

use std::ops::Range;
use std::sync::Arc;

use weir_base::{Result, Timestamp};
use weir_ports::{Restored, RestoredState, SplitState, VisitEntry};

use crate::delta::DeltaFile;
use crate::manifest::{ChainItem, Manifest};
use crate::storage::Storage;

/// A checkpoint that a run starts from.
pub struct RestoredCheckpoint {
    storage: Arc<dyn Storage>,
    manifest: Arc<Manifest>,
}

impl RestoredCheckpoint {
    pub(crate) fn new(storage: Arc<dyn Storage>, manifest: Arc<Manifest>) -> Self {
        Self { storage, manifest }
    }

    /// The checkpoint.
    pub fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }
}

impl Restored for RestoredCheckpoint {
    fn state(&self, uid: &str, key_groups: Range<u16>) -> Result<Box<dyn RestoredState>> {
        let mut parts = Vec::new();
        for ((_, part), items) in self.manifest.chains.iter().filter(|((of, _), _)| of == uid) {
            parts.push((part.clone(), open(&self.storage, items, &key_groups)?));
        }
        Ok(Box::new(OperatorState { uid: uid.to_owned(), key_groups, parts }))
    }

    fn splits(&self, uid: &str) -> Vec<SplitState> {
        let sources = self.manifest.positions.iter().filter(|source| source.uid == uid);
        sources.flat_map(|source| source.splits.iter().cloned()).collect()
    }
}

type OpenChain = Vec<(ChainItem, DeltaFile)>;

/// Opens the files of a chain that hold any of these key groups.
fn open(storage: &Arc<dyn Storage>, items: &[ChainItem], key_groups: &Range<u16>) -> Result<OpenChain> {
    let wanted = items.iter().filter(|item| item.groups.start < key_groups.end && key_groups.start < item.groups.end);
    wanted.map(|item| Ok((item.clone(), DeltaFile::open(storage, &item.file)?))).collect()
}

/// The state of one operator in some key groups.
struct OperatorState {
    uid: String,
    key_groups: Range<u16>,
    parts: Vec<(String, OpenChain)>,
}

impl RestoredState for OperatorState {
    fn visit(&self, part: &str, now: Timestamp, visit: &mut VisitEntry<'_>) -> Result<()> {
        let Some((_, chain)) = self.parts.iter().find(|(name, _)| name == part) else { return Ok(()) };
        for (item, file) in chain {
            let wanted = |group| item.groups.contains(&group) && self.key_groups.contains(&group);
            // An expired entry is told as one that has gone: it hides older ones, in the same file as well.
            file.visit(&self.uid, part, wanted, |group, key, value| {
                visit(group, key, value.filter(|(_, expires)| *expires > now))
            })?;
        }
        Ok(())
    }
}
