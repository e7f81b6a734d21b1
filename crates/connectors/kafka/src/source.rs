//! A Kafka table as a source: its splits are partitions, its readers are told their offsets, its group shows how far the job is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::{ClientConfig, Offset};
use weir_base::{Error, Result};
use weir_connector::{Position, Reader, ReaderContext, SinkOffsets, Source, SplitId};
use weir_metrics::Gauge;
use weir_plan::{SourceColumn, SourceSpec};

use crate::admin::{Admin, GROUP_NONE, Partition, list};
use crate::client::{cluster_of, copy_config};
use crate::factory::DeciderCluster;
use crate::metadata::MetadataKind;
use crate::options::{Bound, Reset, SourceOptions, properties};
use crate::properties::{Side, translate};
use crate::reader::KafkaReader;

/// A Kafka table that is read.
pub(crate) struct KafkaSource {
    common: Arc<Common>,
    decider: DeciderCluster,
}

/// What the readers of a table share.
pub(crate) struct Common {
    /// The table's full name.
    pub table: String,
    pub options: SourceOptions,
    /// For the readers' consumers.
    pub config: ClientConfig,
    pub admin: Admin,
    /// The metadata columns in the spec's order.
    pub metadata: Vec<MetadataKind>,
    /// `committedOffset` of each split, made by the reader that has it.
    pub committed: Mutex<BTreeMap<String, Gauge>>,
    /// The partitions of the first listing: those that come later are read from their beginning.
    first: Mutex<Option<BTreeSet<String>>>,
    /// Whether some split came with a position: then a split without one is new, too.
    restored: AtomicBool,
    /// Whether another client's consumers live in the group: then its offsets are theirs.
    foreign: AtomicBool,
}

impl KafkaSource {
    pub(crate) fn new(spec: &SourceSpec, decider: DeciderCluster) -> Result<Self> {
        let options = SourceOptions::read(&spec.options, &spec.physical)?;
        let properties = properties(&spec.options);
        let translated = translate(&properties, Side::Consumer)?;
        if !translated.ignored.is_empty() {
            tracing::info!(table = %spec.table, properties = translated.ignored.join(", "), "accepted, no effect");
        }
        let mut metadata = Vec::new();
        for column in &spec.columns {
            if let SourceColumn::Metadata(key, _) = column {
                metadata.push(MetadataKind::of_key(key)?);
            }
        }
        let config = consumer_config(&translated.config, &options);
        let admin = Admin::new(&config, options.group.as_deref());
        let common = Common {
            table: spec.table.clone(),
            options,
            config,
            admin,
            metadata,
            committed: Mutex::default(),
            first: Mutex::default(),
            restored: AtomicBool::new(false),
            foreign: AtomicBool::new(false),
        };
        Ok(Self { common: Arc::new(common), decider })
    }
}

/// What Weir needs of a consumer, under what the user says.
fn consumer_config(given: &ClientConfig, options: &SourceOptions) -> ClientConfig {
    let mut config = ClientConfig::new();
    // Java's default; librdkafka's own is read_committed.
    config.set("isolation.level", "read_uncommitted");
    config.set("queued.min.messages", "100000").set("fetch.wait.max.ms", "100");
    // Java's default: librdkafka would look for a broker that is back after ten seconds only.
    config.set("reconnect.backoff.max.ms", "1000");
    copy_config(given, &mut config, |_| true);
    let reset = match options.reset {
        Reset::Earliest => "earliest",
        Reset::Latest => "latest",
        Reset::None => "error",
    };
    config
        .set("group.id", options.group.as_deref().unwrap_or(GROUP_NONE))
        .set("auto.offset.reset", reset)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", if options.bounded.is_some() { "true" } else { "false" });
    config
}

impl Common {
    /// Told that a split was given with a position.
    pub(crate) fn restored(&self) {
        self.restored.store(true, Ordering::Relaxed);
    }

    /// Where a split without a position begins.
    pub(crate) fn start(&self, at: &Partition) -> Result<i64> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = first.as_ref().is_some_and(|first| !first.contains(&at.split()));
        drop(first);
        if is_new || self.restored.load(Ordering::Relaxed) {
            return self.resolve(&Bound::Earliest, at);
        }
        self.resolve(&self.options.startup, at)
    }

    /// Where a split ends, exclusive; `None`: never.
    pub(crate) fn stop(&self, at: &Partition) -> Result<Option<i64>> {
        self.options.bounded.as_ref().map(|bound| self.resolve(bound, at)).transpose()
    }

    fn resolve(&self, bound: &Bound, at: &Partition) -> Result<i64> {
        match bound {
            Bound::Earliest => Ok(self.admin.watermarks(at)?.0),
            Bound::Latest => Ok(self.admin.watermarks(at)?.1),
            Bound::Timestamp(timestamp) => match self.admin.offset_at(at, *timestamp)? {
                Some(offset) => Ok(offset),
                None => Ok(self.admin.watermarks(at)?.1),
            },
            Bound::Specific(offsets) => match offsets.get(&at.partition) {
                Some(offset) => Ok(*offset),
                None => self.committed_or(at, Reset::Earliest),
            },
            Bound::GroupOffsets => self.committed_or(at, self.options.reset),
        }
    }

    fn committed_or(&self, at: &Partition, reset: Reset) -> Result<i64> {
        if let Some(group) = &self.options.group {
            if let Some(offset) = self.admin.committed(at)? {
                return Ok(offset);
            }
            if reset == Reset::None {
                let what = format!("begin {} at the offset of group '{group}': it has committed none", at.split());
                return Err(Error::invalid(what).hint(
                    "set 'properties.auto.offset.reset' to 'earliest' or 'latest', or choose another 'scan.startup.mode'",
                ));
            }
        }
        let (low, high) = self.admin.watermarks(at)?;
        Ok(if reset == Reset::Latest { high } else { low })
    }

    /// Looks whether others consume in the group; a word only when that changes.
    fn look_at_group(&self) {
        let Some(group) = self.options.group.as_deref().filter(|_| self.options.commit_offsets) else { return };
        match self.admin.members(group) {
            Ok(members) => {
                let foreign = members > 0;
                if foreign && !self.foreign.swap(foreign, Ordering::Relaxed) {
                    tracing::warn!(table = %self.table, group, members, "other consumers live in the group: its offsets are not committed");
                } else {
                    self.foreign.store(foreign, Ordering::Relaxed);
                }
            }
            Err(error) => tracing::debug!(table = %self.table, group, %error, "the group could not be described"),
        }
    }

    /// The group to commit to, if there is one and it is ours.
    fn group(&self) -> Option<&str> {
        let ours = self.options.commit_offsets && !self.foreign.load(Ordering::Relaxed);
        self.options.group.as_deref().filter(|_| ours)
    }

    fn note_committed(&self, positions: &[(SplitId, Position)]) {
        let gauges = self.committed.lock().unwrap_or_else(PoisonError::into_inner);
        for (split, position) in positions {
            if let Some(gauge) = gauges.get(split.0.as_ref()) {
                #[expect(clippy::cast_precision_loss, reason = "offsets stay below 2^53")]
                gauge.set(position.offset as f64);
            }
        }
    }
}

impl Source for KafkaSource {
    fn splits(&self) -> Result<Vec<SplitId>> {
        let partitions = self.common.admin.partitions(&self.common.options.topics)?;
        let names: Vec<String> = partitions.iter().map(Partition::split).collect();
        self.common.look_at_group();
        let mut first = self.common.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| names.iter().cloned().collect());
        Ok(names.into_iter().map(|name| SplitId(name.into())).collect())
    }

    fn discovery_interval(&self) -> Option<Duration> {
        // A bounded table reads what there was at its start.
        self.common.options.discovery.filter(|_| !self.is_bounded())
    }

    fn is_bounded(&self) -> bool {
        self.common.options.bounded.is_some()
    }

    fn reader(&self, context: &ReaderContext) -> Result<Box<dyn Reader>> {
        Ok(Box::new(KafkaReader::new(Arc::clone(&self.common), context)?))
    }

    fn completed(&self, positions: &[(SplitId, Position)]) {
        if self.common.group().is_none() || self.decider.is(self.cluster().as_str()) {
            return;
        }
        let offsets: Vec<(Partition, i64)> = offsets_of(positions);
        let committed =
            list(offsets.iter().map(|(at, offset)| (at.topic.as_str(), at.partition, Offset::Offset(*offset))))
                .and_then(|list| self.common.admin.commit(&list));
        match committed {
            Ok(()) => self.common.note_committed(positions),
            // For show only: the next checkpoint commits again.
            Err(error) => tracing::debug!(table = %self.common.table, %error, "the group's offsets were not committed"),
        }
    }

    fn offsets(&self, positions: &[(SplitId, Position)]) -> Option<SinkOffsets> {
        let group = self.common.group()?;
        let cluster = self.cluster();
        if !self.decider.is(&cluster) {
            return None;
        }
        self.common.note_committed(positions);
        let offsets = offsets_of(positions).into_iter().map(|(at, offset)| (at.topic, at.partition, offset)).collect();
        Some(SinkOffsets { cluster, group: group.to_owned(), offsets })
    }
}

impl KafkaSource {
    fn cluster(&self) -> String {
        cluster_of(self.common.config.get("bootstrap.servers").unwrap_or_default())
    }
}

fn offsets_of(positions: &[(SplitId, Position)]) -> Vec<(Partition, i64)> {
    let read = |(split, position): &(SplitId, Position)| {
        Some((Partition::of_split(&split.0).ok()?, i64::try_from(position.offset).ok()?))
    };
    positions.iter().filter_map(read).collect()
}
