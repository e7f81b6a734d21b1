//! Where things lie in a job's folder, as Flink lays them: the names, and what they mean when read back.
//!
//! ```text
//! <execution.checkpointing.dir>/<job id>/
//!   chk-N/_metadata      the manifest of checkpoint N, or the seal of a new generation
//!   shared/              delta files that manifests refer to
//!   generations/G        the claim of generation G
//!   completed/G          the newest epoch that generation G has completed
//!   runs/G               what generation G started from, and how it ended
//!   carried/             rows that sinks carry; the sinks' own
//! ```

use weir_base::{Epoch, Generation};

/// The folder of delta files.
pub(crate) const SHARED: &str = "shared";
/// The folder of claims.
pub(crate) const GENERATIONS: &str = "generations";
/// The folder of completion marks.
pub(crate) const COMPLETED: &str = "completed";
/// The folder of run records.
pub(crate) const RUNS: &str = "runs";
/// The folder of the sinks.
pub(crate) const CARRIED: &str = "carried";

/// The slot of a checkpoint.
pub(crate) fn manifest(epoch: Epoch) -> String {
    format!("chk-{epoch}/_metadata")
}

/// The epoch of a folder of the root, if it is one of a checkpoint.
pub(crate) fn epoch_of(name: &str) -> Option<Epoch> {
    number(name.strip_prefix("chk-")?).map(Epoch)
}

/// The generation of a name in `generations`, `completed` or `runs`.
pub(crate) fn generation_of(name: &str) -> Option<Generation> {
    number(name).map(Generation)
}

/// A number as we write it: nothing else that parses (`+1`, `01`) is a name of ours.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// What a generation keeps under its number in `folder`.
pub(crate) fn of_generation(folder: &str, generation: Generation) -> String {
    format!("{folder}/{generation}")
}

/// The delta file of a checkpoint.
pub(crate) fn delta(generation: Generation, epoch: Epoch) -> String {
    format!("{SHARED}/delta-{generation}-{epoch}")
}

/// The file that the merge number `number` of a generation writes.
pub(crate) fn merged(generation: Generation, number: u64) -> String {
    format!("{SHARED}/merged-{generation}-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_strangers_are_no_names() {
        assert_eq!(manifest(Epoch(12)), "chk-12/_metadata");
        assert_eq!(epoch_of("chk-12"), Some(Epoch(12)));
        for stranger in ["chk-", "chk-x", "chk-+1", "chk-01", "chk-1.tmp", "shared", "12"] {
            assert_eq!(epoch_of(stranger), None, "{stranger}");
        }
        assert_eq!(generation_of("3"), Some(Generation(3)));
        assert_eq!(generation_of("03"), None);
    }
}
