//! Which keys there are, and what each is good for.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::file::flatten;

/// The reference, compiled in.
pub const DEFAULT_YAML: &str = include_str!("default.yaml");

/// What a key does here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It acts.
    Acts,
    /// It is Flink's and has no meaning without a JVM or a cluster, for this reason.
    None(&'static str),
}

static DEFAULTS: LazyLock<BTreeMap<String, String>> =
    LazyLock::new(|| flatten(DEFAULT_YAML).expect("the compiled-in reference parses: a test reads it"));

/// Flink's keys that have no meaning here, by prefix, with the reason.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("akka.", "there is no remoting in one process"),
    ("blob.", "there are no JARs to ship"),
    ("classloader.", "there is no JVM"),
    ("client.", "there is no client apart from the process"),
    ("cluster.", "there is no cluster"),
    ("env.", "there is no JVM"),
    ("execution.attached", "weir run is always attached"),
    ("execution.checkpointing.externalized-checkpoint-retention", "completed checkpoints are always kept"),
    ("execution.checkpointing.incremental", "every checkpoint is incremental"),
    ("execution.checkpointing.local-backup", "there is one local copy"),
    ("execution.checkpointing.savepoint-dir", "there are no savepoints"),
    ("execution.checkpointing.unaligned", "barriers are aligned; back-pressure is bounded by small channels"),
    ("execution.runtime-mode", "every job is a streaming job; bounded ones end by themselves"),
    ("execution.shutdown-on-attached-exit", "weir run is always attached"),
    ("execution.target", "the target is this process"),
    ("fs.", "files are local"),
    ("high-availability", "one process; its checkpoints are its memory"),
    ("io.tmp.dirs", "nothing is spilled to temporary folders"),
    ("jobmanager.", "there is no JobManager process"),
    ("jobstore.", "there is no job store"),
    ("metrics.", "the two metric pages are always there"),
    ("pipeline.auto-generate-uids", "uids follow the plan"),
    ("pipeline.closure-cleaner-level", "there are no closures"),
    ("pipeline.generic-types", "there is no JVM"),
    ("pipeline.jars", "there are no JARs"),
    ("pipeline.object-reuse", "batches are never copied"),
    ("pipeline.operator-chaining", "operators without an exchange between them share a task"),
    ("python.", "there is no Python runtime"),
    ("rest.", "weir run serves no REST API"),
    ("security.", "connectors carry their own credentials"),
    ("slot.", "there are no slots"),
    ("sql-client.", "this is not the SQL client"),
    ("sql-gateway.", "this is not the SQL gateway"),
    ("state.backend", "state is kept in memory and written as deltas"),
    ("state.checkpoint-storage", "checkpoints go to execution.checkpointing.dir"),
    ("state.savepoints.dir", "there are no savepoints"),
    ("table.display.", "columns are as wide as what is in them"),
    ("table.dml-sync", "weir run always waits for its jobs"),
    ("table.exec.async-", "there is nothing to wait for beside the streams"),
    ("table.exec.disabled-operators", "it steers batch jobs"),
    ("table.exec.local-hash-agg.", "it steers batch jobs"),
    ("table.exec.operator-fusion-codegen.", "no code is generated"),
    ("table.exec.rank.topn-cache-size", "state is in memory"),
    ("table.exec.resource.default-parallelism", "use parallelism.default"),
    ("table.exec.simplify-operator-name-enabled", "names are short"),
    ("table.exec.sink.rowtime-inserter", "sinks are given columns, no timestamps beside them"),
    ("table.exec.sink.upsert-materialize-strategy.", "state is in memory"),
    ("table.exec.sort.", "it steers batch jobs"),
    ("table.exec.spill-compression.", "it steers batch jobs"),
    ("table.exec.uid.", "uids follow the plan"),
    ("table.exec.unbounded-over.", "state is in memory"),
    ("table.exec.window-agg.", "state is in memory"),
    ("table.generated-code.", "no code is generated"),
    ("table.optimizer.", "the planner has no such choice to make"),
    ("table.plan.", "plans are made anew for each run"),
    ("table.resources.", "there are no resources to download"),
    ("task.", "tasks are not JVM threads"),
    ("taskmanager.", "there is no TaskManager process and no memory pool to size"),
    ("web.", "weir run serves no web UI"),
    ("yarn.", "there is no YARN"),
    ("zookeeper.", "there is no ZooKeeper"),
    ("kubernetes.", "the process knows nothing of its container"),
    ("parallelism.", "use parallelism.default"),
];

/// Older names that Flink still takes, with those of today.
const OLDER_NAMES: &[(&str, &str)] = &[
    ("execution.buffer-timeout", "execution.buffer-timeout.interval"),
    ("execution.savepoint.path", "execution.state-recovery.path"),
    ("restart-strategy", "restart-strategy.type"),
    ("state.checkpoints.dir", "execution.checkpointing.dir"),
    ("state.checkpoints.num-retained", "execution.checkpointing.num-retained"),
];

/// Values of keys without effect that would have one on the rows, so that they are refused: key, value, what to do.
pub(crate) const REFUSED: &[(&str, &str, &str)] = &[(
    "execution.runtime-mode",
    "BATCH",
    "set it to 'STREAMING': every job is a streaming job, and a bounded one ends by itself",
)];

/// Keys of which all values do the same: key, the value that says so, why.
pub(crate) const VALUES_WITHOUT_EFFECT: &[(&str, &str, &str)] = &[
    ("execution.checkpointing.max-concurrent-checkpoints", "1", "one checkpoint at a time is always enough here"),
    ("execution.checkpointing.mode", "EXACTLY_ONCE", "exactly-once holds all the same"),
];

/// The older names of `key`.
pub(crate) fn older_names(key: &str) -> impl Iterator<Item = &'static str> {
    OLDER_NAMES.iter().filter(move |(_, today)| *today == key).map(|(older, _)| *older)
}

/// What `key` does; `None` if nobody knows it.
pub fn effect_of(key: &str) -> Option<Effect> {
    let is_older = OLDER_NAMES.iter().any(|(older, _)| *older == key);
    if DEFAULTS.contains_key(key) || is_older || crate::kinds::is_fixed(key) {
        return Some(Effect::Acts);
    }
    WITHOUT_EFFECT.iter().find(|(prefix, _)| key.starts_with(prefix)).map(|(_, reason)| Effect::None(reason))
}

/// The default of a key that acts.
pub fn default_of(key: &str) -> Option<&'static str> {
    DEFAULTS.get(key).map(String::as_str)
}

/// All keys that act, in order.
pub fn known_keys() -> impl Iterator<Item = &'static str> {
    DEFAULTS.keys().map(String::as_str)
}

/// The known key that is most like `key`, if any is near enough to be meant.
pub fn nearest(key: &str) -> Option<&'static str> {
    let likeness = |known: &str| strsim::jaro_winkler(known, key);
    known_keys()
        .chain(crate::kinds::fixed_keys())
        .map(|known| (likeness(known), known))
        .filter(|(score, _)| *score > 0.85)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, known)| known)
}
