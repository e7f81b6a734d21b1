//! The decider: the commit of the job's transaction, with the progress record and the sources' offsets in it, *is* the decision.
//!
//! The progress record is an offset commit for the group `weir-<job id>` on partition 0 of a sink topic, whose metadata is `<generation>:<epoch>`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::Producer;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use weir_base::{Clock, Epoch, Error, Generation, JobId, Kind, Result};
use weir_connector::{Decider, Decision, JobContext, LastDecided, SinkOffsets};

use crate::admin::{list, passes_by};
use crate::client::{Context, cluster_of, copy_config, kafka_error, words};
use crate::producer::{drain, partition_count, serve_events};
use crate::transaction::{FENCED, Transaction, is_fenced, transaction_error};

/// How long a claim tries: a broker may be starting, or making its transaction log.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(60);
/// How long one call to the cluster may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one attempt to claim may take: short, because why it does not succeed (credentials) is only seen in between.
const INIT_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a call that may succeed later is made again while deciding.
const CALLS_MAX: usize = 3;
/// How long the rows of an epoch may take to be delivered.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(60);

/// Decides by committing the job's transaction.
pub(crate) struct KafkaDecider {
    transaction: Arc<Transaction>,
    config: ClientConfig,
    cluster: String,
    /// The sinks' topics, sorted: the record stands on the first one, and is looked for on all.
    topics: Vec<String>,
    clock: Arc<dyn Clock>,
    job: JobId,
    generation: Generation,
    /// A consumer without subscription for each group: it gives the group's metadata; a new one for each epoch would cost 200 ms.
    groups: BTreeMap<String, BaseConsumer<Context>>,
}

impl KafkaDecider {
    pub(crate) fn new(
        transaction: Arc<Transaction>,
        config: ClientConfig,
        cluster: String,
        mut topics: Vec<String>,
        context: &JobContext,
    ) -> Self {
        topics.dedup();
        let (job, generation, clock) = (context.job, context.generation, Arc::clone(&context.clock));
        Self { transaction, config, cluster, topics, clock, job, generation, groups: BTreeMap::new() }
    }

    /// The group of the progress record.
    fn record_group(&self) -> String {
        format!("weir-{}", self.job)
    }

    fn group(&mut self, group: &str) -> Result<&BaseConsumer<Context>> {
        if !self.groups.contains_key(group) {
            let mut config = ClientConfig::new();
            // Where and as whom, not how to produce.
            let shared = [
                "bootstrap.",
                "security.",
                "sasl.",
                "ssl.",
                "enable.ssl.",
                "socket.",
                "client.",
                "broker.",
                "reconnect.",
            ];
            copy_config(&self.config, &mut config, |key| shared.iter().any(|prefix| key.starts_with(prefix)));
            config.set("group.id", group).set("isolation.level", "read_committed").set("enable.auto.commit", "false");
            let made = config.create_with_context(Context::new(&self.cluster));
            let consumer =
                made.map_err(|error| kafka_error(format!("make a client for the group '{group}'"), &error))?;
            self.groups.insert(group.to_owned(), consumer);
        }
        Ok(&self.groups[group])
    }

    /// Reads the newest progress record on the sinks' topics.
    fn read_record(&mut self) -> Result<LastDecided> {
        let name = self.record_group();
        let topics = self.topics.clone();
        let clock = Arc::clone(&self.clock);
        let deadline = deadline(clock.as_ref(), CLAIM_TIMEOUT);
        let question = list(topics.iter().map(|topic| (topic.as_str(), 0, Offset::Invalid)))?;
        let consumer = self.group(&name)?;
        let answer = loop {
            match consumer.committed_offsets(question.clone(), CALL_TIMEOUT) {
                Ok(answer) => break answer,
                Err(error) if passes_by(&error) && clock.monotonic_us() < deadline => {
                    clock.sleep(Duration::from_millis(100));
                }
                Err(error) => return Err(kafka_error(format!("read the progress record of group '{name}'"), &error)),
            }
        };
        let mut last = None;
        for element in answer.elements() {
            if let Err(error) = element.error() {
                return Err(kafka_error(
                    format!("read the progress record of group '{name}' on {}-0", element.topic()),
                    &error,
                ));
            }
            if element.offset() == Offset::Invalid {
                continue;
            }
            let record = parse_record(element.metadata()).ok_or_else(|| {
                let what = format!(
                    "read the progress record of group '{name}' on {}-0: it holds '{}'",
                    element.topic(),
                    element.metadata()
                );
                Error::new(Kind::Corrupt, what)
                    .hint("it must look like <generation>:<epoch>; somebody else has committed to this group")
            })?;
            last = last.max(Some(record));
        }
        Ok(last.map_or(LastDecided::None, |(generation, epoch)| LastDecided::Epoch(generation, epoch)))
    }

    /// Puts the record and the sources' offsets into the transaction.
    fn send_offsets(&mut self, epoch: Epoch, offsets: &[SinkOffsets]) -> Result<(), Refusal> {
        let topic = self.topics[0].clone();
        let number = i64::try_from(epoch.0).unwrap_or(i64::MAX);
        let mut record = list([(topic.as_str(), 0, Offset::Offset(number))]).map_err(Refusal::ours)?;
        record = with_metadata(record, &topic, &format!("{}:{epoch}", self.generation)).map_err(Refusal::ours)?;
        let group = self.record_group();
        self.send(&group, &record)?;
        let cluster = self.cluster.clone();
        for of_group in offsets.iter().filter(|offsets| cluster_of(&offsets.cluster) == cluster) {
            let positions = of_group
                .offsets
                .iter()
                .map(|(topic, partition, offset)| (topic.as_str(), *partition, Offset::Offset(*offset)));
            let positions = list(positions).map_err(Refusal::ours)?;
            if positions.count() > 0 {
                self.send(&of_group.group, &positions)?;
            }
        }
        Ok(())
    }

    fn send(&mut self, group: &str, offsets: &TopicPartitionList) -> Result<(), Refusal> {
        let transaction = Arc::clone(&self.transaction);
        let consumer = self.group(group).map_err(Refusal::ours)?;
        let Some(metadata) = consumer.group_metadata() else {
            return Err(Refusal { fenced: false, words: format!("the group '{group}' has no metadata") });
        };
        let sent = repeat(|| transaction.producer().send_offsets_to_transaction(offsets, &metadata, CALL_TIMEOUT));
        sent.map_err(|error| Refusal {
            fenced: is_fenced(&error),
            words: format!("offsets of the group '{group}': {}", words(&error)),
        })
    }

    /// Gives the transaction up, and says why: because it took too long, because of somebody else, or because of `why`.
    fn aborted(&self, epoch: Epoch, why: &str, fenced: bool) -> Decision {
        let overdue = self.transaction.overdue();
        self.transaction.abort(CALL_TIMEOUT);
        let id = self.transaction.id();
        match overdue {
            Some(words) => Decision::Aborted(words),
            None if fenced => Decision::Fenced(format!("{FENCED} '{id}': {why}")),
            None => Decision::Aborted(format!("epoch {epoch} in transaction '{id}': {why}")),
        }
    }

    fn commit(&self, epoch: Epoch) -> Decision {
        let mut doubtful = false;
        for attempt in 1..=CALLS_MAX {
            let error = match self.transaction.producer().commit_transaction(CALL_TIMEOUT) {
                Ok(()) => {
                    self.transaction.committed();
                    return Decision::Committed;
                }
                Err(error) => error,
            };
            let (retriable, abortable) = match &error {
                KafkaError::Transaction(inner) => (inner.is_retriable(), inner.txn_requires_abort()),
                _ => (passes_by(&error), false),
            };
            // After an attempt without an answer the commit may have happened, whatever a later answer says.
            if (abortable || is_fenced(&error)) && !doubtful {
                return self.aborted(epoch, &words(&error), is_fenced(&error));
            }
            if !retriable || attempt == CALLS_MAX {
                self.transaction.closed();
                return Decision::Unknown(format!(
                    "commit of epoch {epoch} in transaction '{}': {}",
                    self.transaction.id(),
                    words(&error)
                ));
            }
            doubtful = true;
        }
        Decision::Unknown(format!("commit of epoch {epoch}"))
    }
}

/// Why offsets could not be put into the transaction.
struct Refusal {
    fenced: bool,
    words: String,
}

impl Refusal {
    fn ours(error: Error) -> Self {
        Self { fenced: error.kind() == Kind::Conflict, words: error.to_string() }
    }
}

/// Makes a call again while it may succeed, a bounded number of times.
fn repeat(call: impl Fn() -> Result<(), KafkaError>) -> Result<(), KafkaError> {
    let mut calls = 1;
    loop {
        match call() {
            Err(KafkaError::Transaction(error)) if error.is_retriable() && calls < CALLS_MAX => calls += 1,
            outcome => return outcome,
        }
    }
}

fn deadline(clock: &dyn Clock, wait: Duration) -> u64 {
    clock.monotonic_us() + u64::try_from(wait.as_micros()).unwrap_or(u64::MAX / 2)
}

/// `<generation>:<epoch>`
fn parse_record(text: &str) -> Option<(Generation, Epoch)> {
    let (generation, epoch) = text.split_once(':')?;
    Some((Generation(generation.parse().ok()?), Epoch(epoch.parse().ok()?)))
}

fn with_metadata(list: TopicPartitionList, topic: &str, text: &str) -> Result<TopicPartitionList> {
    list.find_partition(topic, 0)
        .ok_or_else(|| Error::internal("find the progress record's own partition"))?
        .set_metadata(text);
    Ok(list)
}

impl Decider for KafkaDecider {
    fn claim(&mut self, job: JobId, generation: Generation) -> Result<LastDecided> {
        self.job = job;
        self.generation = generation;
        let what = format!("claim the transactional.id '{}' at {}", self.transaction.id(), self.cluster);
        let producer = self.transaction.producer();
        let deadline = deadline(self.clock.as_ref(), CLAIM_TIMEOUT);
        loop {
            serve_events(producer);
            if let Some(reason) = producer.client().context().denied() {
                return Err(Error::invalid(format!("{what}: the credentials are not accepted: {reason}"))
                    .hint("check 'properties.sasl.jaas.config' and 'properties.security.protocol'"));
            }
            let error = match producer.init_transactions(INIT_TIMEOUT) {
                Ok(()) => break,
                Err(error) => error,
            };
            let retriable =
                matches!(&error, KafkaError::Transaction(inner) if inner.is_retriable()) || passes_by(&error);
            if error.rdkafka_error_code() == Some(RDKafkaErrorCode::InvalidTransactionTimeout) {
                let timeout = self.config.get("transaction.timeout.ms").unwrap_or_default();
                let what = format!(
                    "{what}: 'transaction.timeout.ms' = {timeout} is more than the broker's 'transaction.max.timeout.ms'"
                );
                return Err(Error::invalid(what).hint(
                    "raise it on the broker, shorten 'execution.checkpointing.interval' (a third of it), or set 'properties.transaction.timeout.ms'",
                ));
            }
            if !retriable || self.clock.monotonic_us() >= deadline {
                return Err(transaction_error(what, &error));
            }
        }
        for topic in &self.topics {
            // The record needs its partition: a topic that the broker makes on demand is made now.
            partition_count(producer, self.clock.as_ref(), topic)?;
        }
        self.read_record()
    }

    fn has_rows(&self) -> bool {
        self.transaction.rows() > 0
    }

    fn decide(&mut self, epoch: Epoch, offsets: &[SinkOffsets]) -> Result<Decision> {
        if let Err(error) = drain(self.transaction.producer(), self.clock.as_ref(), DRAIN_TIMEOUT) {
            return Ok(self.aborted(epoch, &error.to_string(), false));
        }
        if let Err(error) = self.transaction.begin() {
            return Ok(self.aborted(epoch, error.message(), error.kind() == Kind::Conflict));
        }
        if let Err(refusal) = self.send_offsets(epoch, offsets) {
            return Ok(self.aborted(epoch, &refusal.words, refusal.fenced));
        }
        Ok(self.commit(epoch))
    }
}
