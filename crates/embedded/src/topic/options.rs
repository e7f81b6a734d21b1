//! The options of a `kafka` table as an embedded topic honours them.
//!
//! `properties.*` speak of a cluster and mean nothing here, but for `properties.auto.offset.reset`. There are no groups: `group-offsets` is where a
//! group without offsets begins.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;
use weir_base::{Error, Result, Timestamp, parse_duration};
use weir_format::KeyColumns;
use weir_plan::{Schema, TableOptions};

/// Flink's default of `scan.topic-partition-discovery.interval`.
const DISCOVERY_INTERVAL_DEFAULT: Duration = Duration::from_secs(300);

/// The topics of a source.
#[derive(Debug, Clone)]
pub(super) enum Topics {
    /// These; made if they are not there.
    List(Vec<String>),
    /// All whose whole name matches.
    Pattern(Regex),
}

/// Where to begin, or (exclusive) where to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bound {
    /// The oldest record.
    Earliest,
    /// The end as it is now.
    Latest,
    /// The first record at or after this time.
    Timestamp(Timestamp),
    /// Offsets by partition; others from the oldest record.
    Specific(BTreeMap<u32, u64>),
}

/// The options of a source.
#[derive(Debug, Clone)]
pub(super) struct SourceOptions {
    pub topics: Topics,
    pub startup: Bound,
    pub bounded: Option<Bound>,
    pub discovery: Option<Duration>,
    pub reads_keys: bool,
}

/// How rows without a key are spread over partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Partitioner {
    /// By the key; without one, one partition after the other, a batch each.
    Default,
    /// The subtask's.
    Fixed,
    /// One partition after the other, a row each.
    RoundRobin,
}

impl SourceOptions {
    /// Reads them.
    ///
    /// # Errors
    /// Options that are missing, contradict each other or cannot be honoured, by name.
    pub fn read(options: &TableOptions, physical: &Schema) -> Result<Self> {
        let startup = match word(options, "scan.startup.mode", "group-offsets").as_str() {
            "earliest-offset" => Bound::Earliest,
            "latest-offset" => Bound::Latest,
            "group-offsets" => match word(options, "properties.auto.offset.reset", "earliest").as_str() {
                "latest" | "largest" | "end" => Bound::Latest,
                _ => Bound::Earliest,
            },
            mode => bound(options, "startup", mode)?,
        };
        let bounded = match word(options, "scan.bounded.mode", "unbounded").as_str() {
            "unbounded" => None,
            "latest-offset" => Some(Bound::Latest),
            "group-offsets" => {
                return Err(Error::invalid(
                    "read 'scan.bounded.mode' = 'group-offsets': embedded topics have no groups",
                )
                .hint("use 'latest-offset', 'timestamp' or 'specific-offsets'"));
            }
            mode => Some(bound(options, "bounded", mode)?),
        };
        let discovery = match options.get("scan.topic-partition-discovery.interval") {
            None => Some(DISCOVERY_INTERVAL_DEFAULT),
            Some(text) => {
                let interval = parse_duration(text).ok_or_else(|| {
                    let key = "scan.topic-partition-discovery.interval";
                    Error::invalid(format!("read '{key}' = '{text}': it must be a duration such as '5 min' or '30s'"))
                })?;
                (interval > Duration::ZERO).then_some(interval)
            }
        };
        let reads_keys = KeyColumns::of(options, physical)?.is_some();
        Ok(Self { topics: topics(options)?, startup, bounded, discovery, reads_keys })
    }
}

/// The topic of a sink: exactly one.
///
/// # Errors
/// None is named, or several.
pub(super) fn sink_topic(options: &TableOptions) -> Result<String> {
    match topics(options)? {
        Topics::List(mut list) if list.len() == 1 => Ok(list.remove(0)),
        Topics::List(list) => {
            Err(Error::invalid(format!("write to the topics '{}': a sink takes one topic", list.join(";")))
                .hint("make a table for each topic and write them in one STATEMENT SET"))
        }
        Topics::Pattern(_) => {
            Err(Error::invalid("write to a 'topic-pattern': a sink takes one topic").hint("give 'topic'"))
        }
    }
}

/// The partitioner of a sink.
///
/// # Errors
/// It is none that is known.
pub(super) fn partitioner(options: &TableOptions) -> Result<Partitioner> {
    match word(options, "sink.partitioner", "default").as_str() {
        "default" => Ok(Partitioner::Default),
        "fixed" => Ok(Partitioner::Fixed),
        "round-robin" if options.get("key.fields").is_some() => {
            Err(Error::invalid("read 'sink.partitioner' = 'round-robin': it works only without 'key.fields'")
                .hint("remove one of the two"))
        }
        "round-robin" => Ok(Partitioner::RoundRobin),
        other => {
            let known = "default, fixed, round-robin; a Java class cannot be loaded";
            Err(Error::invalid(format!("read 'sink.partitioner' = '{other}': it must be one of {known}")))
        }
    }
}

fn word(options: &TableOptions, key: &str, default: &str) -> String {
    options.get(key).unwrap_or(default).to_lowercase()
}

fn topics(options: &TableOptions) -> Result<Topics> {
    match (options.get("topic"), options.get("topic-pattern")) {
        (Some(list), None) => {
            let names = list.split(';').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
            let list: Vec<String> = names.collect();
            if list.is_empty() {
                return Err(Error::invalid("read 'topic': it names no topic"));
            }
            Ok(Topics::List(list))
        }
        (None, Some(pattern)) => match Regex::new(&format!("^(?:{pattern})$")) {
            Ok(pattern) => Ok(Topics::Pattern(pattern)),
            Err(error) => Err(Error::invalid(format!("read 'topic-pattern' = '{pattern}': {error}"))
                .hint("look-around and back-references of Java's expressions are not supported")),
        },
        (Some(_), Some(_)) => Err(Error::invalid("read 'topic' and 'topic-pattern': give one of them, not both")),
        (None, None) => Err(Error::invalid("find the topic: give 'topic' or 'topic-pattern'")),
    }
}

fn bound(options: &TableOptions, part: &str, mode: &str) -> Result<Bound> {
    let value = |key: &str| {
        let missing = || Error::invalid(format!("read 'scan.{part}.mode' = '{mode}': it needs '{key}'"));
        options.get(key).map(str::to_owned).ok_or_else(missing)
    };
    match mode {
        "timestamp" => {
            let key = format!("scan.{part}.timestamp-millis");
            let text = value(&key)?;
            let wrong = || Error::invalid(format!("read '{key}' = '{text}': it must be milliseconds since the epoch"));
            text.parse().map(Bound::Timestamp).map_err(|_| wrong())
        }
        "specific-offsets" => {
            let key = format!("scan.{part}.specific-offsets");
            let text = value(&key)?;
            specific(&text).map(Bound::Specific).ok_or_else(|| {
                Error::invalid(format!(
                    "read '{key}' = '{text}': it must look like 'partition:0,offset:42;partition:1,offset:300'"
                ))
            })
        }
        other => Err(Error::invalid(format!("read 'scan.{part}.mode' = '{other}': that is none of its values"))),
    }
}

/// `partition:0,offset:42;partition:1,offset:300`
fn specific(text: &str) -> Option<BTreeMap<u32, u64>> {
    let mut offsets = BTreeMap::new();
    for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (partition, offset) = pair.split_once(',')?;
        let partition = partition.trim().strip_prefix("partition:")?.trim().parse().ok()?;
        offsets.insert(partition, offset.trim().strip_prefix("offset:")?.trim().parse().ok()?);
    }
    (!offsets.is_empty()).then_some(offsets)
}
