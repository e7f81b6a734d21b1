//! Questions to a cluster beside the stream: partitions, offsets, groups. One connection a table, made when first asked.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use weir_base::{Error, Kind, Result};

use crate::client::{Context, kafka_error};
use crate::options::Topics;

/// How long one question waits for its answer: short, because why there is none (credentials) is only seen in between.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a question is asked before the cluster counts as away.
const ASKS_MAX: usize = 10;
/// What librdkafka says outside of calls is taken so many events at a time: log lines are among them.
pub(crate) const EVENTS_MAX: usize = 64;
/// The group of a client that belongs to none: librdkafka wants a name, nothing is ever committed under it.
pub(crate) const GROUP_NONE: &str = "weir-no-group";

/// Asks a cluster.
pub(crate) struct Admin {
    config: ClientConfig,
    servers: String,
    client: OnceLock<BaseConsumer<Context>>,
    making: Mutex<()>,
}

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Partition {
    pub topic: String,
    pub partition: i32,
}

impl Partition {
    /// The split's name: `topic-partition`, as Kafka names its log folders.
    pub(crate) fn split(&self) -> String {
        format!("{}-{}", self.topic, self.partition)
    }

    /// Reads a split's name back.
    pub(crate) fn of_split(split: &str) -> Result<Self> {
        let parsed = split
            .rsplit_once('-')
            .and_then(|(topic, partition)| Some(Self { topic: topic.to_owned(), partition: partition.parse().ok()? }));
        parsed.ok_or_else(|| {
            Error::new(Kind::Corrupt, format!("read the split '{split}': it must be a topic, '-' and a partition"))
        })
    }
}

/// A list for librdkafka.
pub(crate) fn list<'a>(partitions: impl IntoIterator<Item = (&'a str, i32, Offset)>) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (topic, partition, offset) in partitions {
        list.add_partition_offset(topic, partition, offset)
            .map_err(|error| kafka_error(format!("name offset {offset:?} of {topic}-{partition}"), &error))?;
    }
    Ok(list)
}

impl Admin {
    /// An `Admin` that will use a consumer of `config` (with `group.id`).
    pub(crate) fn new(config: &ClientConfig, group: Option<&str>) -> Self {
        let mut config = config.clone();
        config.set("group.id", group.unwrap_or(GROUP_NONE)).set("enable.auto.commit", "false");
        let servers = config.get("bootstrap.servers").unwrap_or_default().to_owned();
        Self { config, servers, client: OnceLock::new(), making: Mutex::new(()) }
    }

    fn client(&self) -> Result<&BaseConsumer<Context>> {
        let _one: MutexGuard<'_, ()> = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if self.client.get().is_none() {
            let made = self.config.create_with_context(Context::new(&self.servers));
            let made =
                made.map_err(|error| kafka_error(format!("make a Kafka client for {}", self.servers), &error))?;
            // The lock is held: nobody else has set it since.
            drop(self.client.set(made));
        }
        Ok(self.client.get().expect("set above, under the lock"))
    }

    /// Asks until an answer comes that a second try would not change.
    fn ask<T>(&self, what: &str, question: impl Fn(&BaseConsumer<Context>) -> KafkaResult<T>) -> Result<T> {
        let client = self.client()?;
        let mut asked = 0;
        loop {
            let error = match question(client) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // What librdkafka says outside of calls (credentials) is told to the context by a poll; no messages come: nothing is assigned.
            for _ in 0..EVENTS_MAX {
                drop(client.poll(Duration::ZERO));
            }
            if let Some(reason) = client.context().denied() {
                return Err(Error::invalid(format!(
                    "{what} at {}: the credentials are not accepted: {reason}",
                    self.servers
                ))
                .hint("check 'properties.sasl.jaas.config' and 'properties.security.protocol'"));
            }
            asked += 1;
            if asked == ASKS_MAX || !passes_by(&error) {
                return Err(kafka_error(format!("{what} at {}", self.servers), &error));
            }
        }
    }

    /// All partitions of the topics, sorted.
    ///
    /// # Errors
    /// The cluster does not answer; a topic does not exist.
    pub(crate) fn partitions(&self, topics: &Topics) -> Result<Vec<Partition>> {
        let mut partitions = Vec::new();
        match topics {
            Topics::List(list) => {
                for topic in list {
                    let count = self.partition_count(topic)?;
                    partitions.extend((0..count).map(|partition| Partition { topic: topic.clone(), partition }));
                }
            }
            Topics::Pattern(pattern) => {
                let metadata = self.ask("list the topics", |client| client.fetch_metadata(None, ANSWER_TIMEOUT))?;
                for topic in metadata.topics().iter().filter(|topic| pattern.is_match(topic.name())) {
                    let ids = topic.partitions().iter().map(|partition| partition.id());
                    partitions.extend(ids.map(|partition| Partition { topic: topic.name().to_owned(), partition }));
                }
                if partitions.is_empty() {
                    let what = format!("list the topics at {}: none matches '{pattern}'", self.servers);
                    return Err(Error::new(Kind::NotFound, what).hint("correct 'topic-pattern', or create a topic"));
                }
            }
        }
        partitions.sort_unstable();
        Ok(partitions)
    }

    /// The number of partitions of a topic.
    ///
    /// # Errors
    /// The cluster does not answer; the topic does not exist.
    pub(crate) fn partition_count(&self, topic: &str) -> Result<i32> {
        let what = format!("list the partitions of topic '{topic}'");
        let metadata = self.ask(&what, |client| {
            let metadata = client.fetch_metadata(Some(topic), ANSWER_TIMEOUT)?;
            match metadata.topics().first().and_then(rdkafka::metadata::MetadataTopic::error) {
                Some(error) => Err(KafkaError::MetadataFetch(error.into())),
                None => Ok(metadata),
            }
        });
        let metadata = metadata.map_err(|error| match error.kind() {
            Kind::NotFound => error.hint("create the topic (kafka-topics.sh --create), or correct 'topic'"),
            _ => error,
        })?;
        let count = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        i32::try_from(count).map_err(|_| Error::internal(format!("{what}: {count} do not fit")))
    }

    /// The first and the end offset of a partition; the end as `isolation.level` sees it.
    pub(crate) fn watermarks(&self, at: &Partition) -> Result<(i64, i64)> {
        self.ask(&format!("ask for the offsets of {}", at.split()), |client| {
            client.fetch_watermarks(&at.topic, at.partition, ANSWER_TIMEOUT)
        })
    }

    /// The offset that the group has committed for a partition.
    pub(crate) fn committed(&self, at: &Partition) -> Result<Option<i64>> {
        let list = list([(at.topic.as_str(), at.partition, Offset::Invalid)])?;
        let answer = self.ask(&format!("ask for the committed offset of {}", at.split()), |client| {
            client.committed_offsets(list.clone(), ANSWER_TIMEOUT)
        })?;
        Ok(single_offset(&answer, at))
    }

    /// The offset of the first record at or after a time; `None`: there is none.
    pub(crate) fn offset_at(&self, at: &Partition, timestamp: i64) -> Result<Option<i64>> {
        let list = list([(at.topic.as_str(), at.partition, Offset::Offset(timestamp))])?;
        let answer = self.ask(&format!("ask for the offset of {} at {timestamp}", at.split()), |client| {
            client.offsets_for_times(list.clone(), ANSWER_TIMEOUT)
        })?;
        Ok(single_offset(&answer, at))
    }

    /// The members that live in a group.
    pub(crate) fn members(&self, group: &str) -> Result<usize> {
        let groups = self.ask(&format!("describe the group '{group}'"), |client| {
            client.fetch_group_list(Some(group), ANSWER_TIMEOUT)
        })?;
        Ok(groups.groups().first().map_or(0, |group| group.members().len()))
    }

    /// Commits offsets of the group, without waiting for the answer.
    pub(crate) fn commit(&self, offsets: &TopicPartitionList) -> Result<()> {
        let client = self.client()?;
        // Serves the answers of earlier commits.
        drop(client.poll(Duration::ZERO));
        client.commit(offsets, CommitMode::Async).map_err(|error| kafka_error("commit offsets", &error))
    }
}

fn single_offset(list: &TopicPartitionList, at: &Partition) -> Option<i64> {
    match list.find_partition(&at.topic, at.partition)?.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}

/// Whether asking again may help: no broker there, no coordinator yet, a leader being elected.
pub(crate) fn passes_by(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::TimedOutQueue
                | RDKafkaErrorCode::WaitingForCoordinator
                | RDKafkaErrorCode::NotCoordinator
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::NetworkException
                | RDKafkaErrorCode::UnstableOffsetCommit
                | RDKafkaErrorCode::ConcurrentTransactions
        )
    )
}
