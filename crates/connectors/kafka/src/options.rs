//! The options of a table, read from text into what source and sink act on. What contradicts itself or cannot be honoured is refused here by name.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;
use weir_base::{Error, Result, parse_duration};
use weir_format::KeyColumns;
use weir_plan::{Schema, TableOptions};

/// Kafka's default of `scan.topic-partition-discovery.interval`, as in Flink.
const DISCOVERY_INTERVAL_DEFAULT: Duration = Duration::from_secs(300);

/// The topics of a source.
#[derive(Debug, Clone)]
pub(crate) enum Topics {
    /// These.
    List(Vec<String>),
    /// All whose whole name matches.
    Pattern(Regex),
}

/// Where to begin, or (exclusive) where to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound {
    /// The first record that is kept.
    Earliest,
    /// The end as it is now.
    Latest,
    /// What the group has committed.
    GroupOffsets,
    /// The first record at or after this time, milliseconds since the epoch.
    Timestamp(i64),
    /// Offsets by partition.
    Specific(BTreeMap<i32, i64>),
}

/// What a group does where it has committed nothing: `properties.auto.offset.reset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reset {
    Earliest,
    Latest,
    None,
}

/// The options of a source.
#[derive(Debug, Clone)]
pub(crate) struct SourceOptions {
    pub topics: Topics,
    pub startup: Bound,
    pub bounded: Option<Bound>,
    pub discovery: Option<Duration>,
    pub group: Option<String>,
    pub reset: Reset,
    pub commit_offsets: bool,
    pub reads_keys: bool,
}

/// What holds after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guarantee {
    None,
    AtLeastOnce,
    ExactlyOnce,
}

/// How rows are spread over partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Partitioner {
    Default,
    Fixed,
    RoundRobin,
}

/// The options of a sink.
#[derive(Debug, Clone)]
pub(crate) struct SinkOptions {
    pub topic: String,
    pub guarantee: Guarantee,
    pub transactional_id: Option<String>,
    pub partitioner: Partitioner,
}

/// All `properties.*` without the prefix.
pub(crate) fn properties(options: &TableOptions) -> BTreeMap<String, String> {
    let stripped = |(key, value): (&String, &String)| {
        key.strip_prefix("properties.").map(|property| (property.to_owned(), value.clone()))
    };
    options.values.iter().filter_map(stripped).collect()
}

impl SourceOptions {
    /// Reads them.
    ///
    /// # Errors
    /// Options that are missing, contradict each other or cannot be read, by name.
    pub(crate) fn read(options: &TableOptions, physical: &Schema) -> Result<Self> {
        let topics = topics(options)?;
        let group = options.get("properties.group.id").map(str::to_owned);
        let startup = match options.get("scan.startup.mode").unwrap_or("group-offsets").to_lowercase().as_str() {
            "earliest-offset" => Bound::Earliest,
            "latest-offset" => Bound::Latest,
            mode => bound(options, "startup", mode)?,
        };
        let bounded = match options.get("scan.bounded.mode").unwrap_or("unbounded").to_lowercase().as_str() {
            "unbounded" => None,
            "latest-offset" => Some(Bound::Latest),
            mode => Some(bound(options, "bounded", mode)?),
        };
        for (key, given) in [("scan.startup.mode", Some(&startup)), ("scan.bounded.mode", bounded.as_ref())] {
            if given == Some(&Bound::GroupOffsets) && group.is_none() {
                return Err(Error::invalid(format!("read '{key}' = 'group-offsets' (its default): there is no group"))
                    .hint("give 'properties.group.id', or another 'scan.startup.mode' such as 'earliest-offset'"));
            }
            let several = !matches!(&topics, Topics::List(list) if list.len() == 1);
            if matches!(given, Some(Bound::Specific(_))) && several {
                return Err(Error::invalid(format!("read '{key}' = 'specific-offsets': it is for one topic only"))
                    .hint("make a table for each topic"));
            }
        }
        Ok(Self {
            topics,
            startup,
            bounded,
            discovery: discovery(options)?,
            group,
            reset: reset(options)?,
            commit_offsets: flag(options, "properties.commit.offsets.on.checkpoint", true)?,
            reads_keys: KeyColumns::of(options, physical)?.is_some(),
        })
    }
}

impl SinkOptions {
    /// Reads them.
    ///
    /// # Errors
    /// Options that are missing, contradict each other or cannot be read, by name.
    pub(crate) fn read(options: &TableOptions) -> Result<Self> {
        let topic = match topics(options)? {
            Topics::List(mut list) if list.len() == 1 => list.remove(0),
            Topics::List(list) => {
                return Err(Error::invalid(format!(
                    "write to the topics '{}': a sink takes one topic",
                    list.join(";")
                ))
                .hint("make a table for each topic and write them in one STATEMENT SET"));
            }
            Topics::Pattern(_) => {
                return Err(Error::invalid("write to a 'topic-pattern': a sink takes one topic").hint("give 'topic'"));
            }
        };
        let guarantee = match options.get("sink.delivery-guarantee").unwrap_or("at-least-once").to_lowercase().as_str()
        {
            "none" => Guarantee::None,
            "at-least-once" => Guarantee::AtLeastOnce,
            "exactly-once" => Guarantee::ExactlyOnce,
            other => return Err(unknown("sink.delivery-guarantee", other, "none, at-least-once, exactly-once")),
        };
        let transactional_id = options.get("sink.transactional-id-prefix").map(str::to_owned);
        if guarantee == Guarantee::ExactlyOnce && transactional_id.as_deref().is_none_or(str::is_empty) {
            return Err(Error::invalid("read 'sink.delivery-guarantee' = 'exactly-once': it needs a transactional.id")
                .hint("give 'sink.transactional-id-prefix', unique among all that write to the cluster"));
        }
        if let Some(key) =
            ["sink.transaction-naming-strategy", "sink.semantic"].into_iter().find(|key| options.get(key).is_some())
        {
            return Err(Error::invalid(format!("read '{key}': it cannot be honoured")).hint(
                "remove it: a job has one transactional.id, the 'sink.transactional-id-prefix' itself, and says by 'sink.delivery-guarantee' what holds",
            ));
        }
        let partitioner = match options.get("sink.partitioner").unwrap_or("default").to_lowercase().as_str() {
            "default" => Partitioner::Default,
            "fixed" => Partitioner::Fixed,
            "round-robin" => Partitioner::RoundRobin,
            other => {
                return Err(unknown(
                    "sink.partitioner",
                    other,
                    "default, fixed, round-robin; a Java class cannot be loaded",
                ));
            }
        };
        if partitioner == Partitioner::RoundRobin && options.get("key.fields").is_some() {
            return Err(Error::invalid("read 'sink.partitioner' = 'round-robin': it works only without 'key.fields'")
                .hint("remove one of the two"));
        }
        Ok(Self { topic, guarantee, transactional_id, partitioner })
    }
}

fn topics(options: &TableOptions) -> Result<Topics> {
    match (options.get("topic"), options.get("topic-pattern")) {
        (Some(list), None) => {
            let list: Vec<String> =
                list.split(';').map(str::trim).filter(|topic| !topic.is_empty()).map(str::to_owned).collect();
            if list.is_empty() {
                return Err(Error::invalid("read 'topic': it names no topic"));
            }
            Ok(Topics::List(list))
        }
        (None, Some(pattern)) => {
            let whole = Regex::new(&format!("^(?:{pattern})$"));
            Ok(Topics::Pattern(whole.map_err(|source| {
                Error::invalid(format!("read 'topic-pattern' = '{pattern}': {source}"))
                    .hint("look-around and back-references of Java's expressions are not supported")
            })?))
        }
        (Some(_), Some(_)) => Err(Error::invalid("read 'topic' and 'topic-pattern': give one of them, not both")),
        (None, None) => Err(Error::invalid("find the topic: give 'topic' or 'topic-pattern'")),
    }
}

fn bound(options: &TableOptions, part: &str, mode: &str) -> Result<Bound> {
    match mode {
        "group-offsets" => Ok(Bound::GroupOffsets),
        "timestamp" => {
            let key = format!("scan.{part}.timestamp-millis");
            let text = options.get(&key).ok_or_else(|| missing(&key, part, mode))?;
            text.parse().map(Bound::Timestamp).map_err(|_| {
                Error::invalid(format!("read '{key}' = '{text}': it must be milliseconds since the epoch"))
            })
        }
        "specific-offsets" => {
            let key = format!("scan.{part}.specific-offsets");
            let text = options.get(&key).ok_or_else(|| missing(&key, part, mode))?;
            specific(text).map(Bound::Specific).ok_or_else(|| {
                Error::invalid(format!(
                    "read '{key}' = '{text}': it must look like 'partition:0,offset:42;partition:1,offset:300'"
                ))
            })
        }
        other => {
            let known = "group-offsets, timestamp, specific-offsets, latest-offset, and earliest-offset or unbounded";
            Err(unknown(&format!("scan.{part}.mode"), other, known))
        }
    }
}

fn missing(key: &str, part: &str, mode: &str) -> Error {
    Error::invalid(format!("read 'scan.{part}.mode' = '{mode}': it needs '{key}'"))
}

fn unknown(key: &str, value: &str, known: &str) -> Error {
    Error::invalid(format!("read '{key}' = '{value}': it must be one of {known}"))
}

/// `partition:0,offset:42;partition:1,offset:300`
fn specific(text: &str) -> Option<BTreeMap<i32, i64>> {
    let mut offsets = BTreeMap::new();
    for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (partition, offset) = pair.split_once(',')?;
        let partition = partition.trim().strip_prefix("partition:")?.trim().parse().ok()?;
        let offset = offset.trim().strip_prefix("offset:")?.trim().parse().ok()?;
        offsets.insert(partition, offset);
    }
    (!offsets.is_empty()).then_some(offsets)
}

fn reset(options: &TableOptions) -> Result<Reset> {
    match options.get("properties.auto.offset.reset").map(str::to_lowercase).as_deref() {
        None | Some("none" | "error") => Ok(Reset::None),
        Some("earliest" | "smallest" | "beginning") => Ok(Reset::Earliest),
        Some("latest" | "largest" | "end") => Ok(Reset::Latest),
        Some(other) => Err(unknown("properties.auto.offset.reset", other, "earliest, latest, none")),
    }
}

fn discovery(options: &TableOptions) -> Result<Option<Duration>> {
    let flinks = "scan.topic-partition-discovery.interval";
    if let Some(text) = options.get(flinks) {
        let interval = parse_duration(text).ok_or_else(|| {
            Error::invalid(format!("read '{flinks}' = '{text}': it must be a duration such as '5 min' or '30s'"))
        })?;
        return Ok(Some(interval).filter(|interval| !interval.is_zero()));
    }
    let property = "properties.partition.discovery.interval.ms";
    match options.get(property).map(|text| (text, text.parse::<i64>())) {
        None => Ok(Some(DISCOVERY_INTERVAL_DEFAULT)),
        Some((_, Ok(ms))) => Ok(u64::try_from(ms).ok().filter(|ms| *ms > 0).map(Duration::from_millis)),
        Some((text, Err(_))) => Err(Error::invalid(format!("read '{property}' = '{text}': it must be milliseconds"))),
    }
}

fn flag(options: &TableOptions, key: &str, default: bool) -> Result<bool> {
    match options.get(key).map(str::to_lowercase).as_deref() {
        None => Ok(default),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(other) => Err(unknown(key, other, "true, false")),
    }
}

#[cfg(test)]
#[path = "options/tests.rs"]
mod tests;
