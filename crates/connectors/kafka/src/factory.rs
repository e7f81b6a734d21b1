//! The factory: makes the sources, sinks and the decider of one run of a job, and holds what they share.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use weir_base::{Error, Result};
use weir_connector::{Decider, Factory, JobContext, Sink, Source};
use weir_plan::{SinkSpec, SourceSpec};

use crate::client::cluster_of;
use crate::decider::KafkaDecider;
use crate::options::Guarantee;
use crate::producer::producer_config;
use crate::sink::{KafkaSink, Outlet};
use crate::source::KafkaSource;
use crate::spec::IDENTIFIER;
use crate::transaction::Transaction;

/// Makes what Kafka tables need. A new one for each run of a job: its exactly-once sinks share one transactional producer.
#[derive(Default)]
pub struct KafkaFactory {
    /// The exactly-once sinks made so far.
    transactional: Mutex<Vec<Member>>,
    decider: DeciderCluster,
    /// The producer of all exactly-once sinks: made with the decider, after all sinks.
    transaction: Arc<OnceLock<Arc<Transaction>>>,
}

/// The cluster whose transaction decides, once that is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeciderCluster(Arc<OnceLock<String>>);

impl DeciderCluster {
    /// Whether `cluster` decides.
    pub(crate) fn is(&self, cluster: &str) -> bool {
        self.0.get().is_some_and(|decides| decides == cluster)
    }
}

/// An exactly-once sink.
struct Member {
    table: String,
    topic: String,
    prefix: String,
    config: rdkafka::ClientConfig,
}

impl KafkaFactory {
    /// A factory for one run.
    pub fn new() -> Self {
        Self::default()
    }

    /// The transaction, once the decider was made.
    #[cfg(test)]
    pub(crate) fn transaction_for_tests(&self) -> Arc<Transaction> {
        Arc::clone(self.transaction.get().expect("the decider was made"))
    }

    /// All exactly-once sinks must agree: one cluster, one configuration of the one producer.
    fn check_members(members: &[Member]) -> Result<()> {
        let first = &members[0];
        let servers = |member: &Member| cluster_of(member.config.get("bootstrap.servers").unwrap_or_default());
        for other in &members[1..] {
            if servers(first) != servers(other) {
                let what = format!(
                    "make one decision for the exactly-once tables {} ('properties.bootstrap.servers' = '{}') and {} ('{}'): they are on two clusters",
                    first.table,
                    servers(first),
                    other.table,
                    servers(other)
                );
                return Err(Error::invalid(what).hint(
                    "set 'sink.delivery-guarantee' = 'at-least-once' on one of them, or write them in two jobs",
                ));
            }
            let (left, right) = (first.config.config_map(), other.config.config_map());
            let differing = left
                .keys()
                .chain(right.keys())
                .find(|key| **key != "bootstrap.servers" && first.config.get(key) != other.config.get(key));
            if let Some(key) = differing {
                let what = format!(
                    "make one producer for the exactly-once tables {} and {}: they differ in '{key}'",
                    first.table, other.table
                );
                return Err(Error::invalid(what).hint(format!("give both the same 'properties.{key}'")));
            }
        }
        Ok(())
    }
}

impl Factory for KafkaFactory {
    fn identifier(&self) -> &'static str {
        IDENTIFIER
    }

    fn source(&self, spec: &SourceSpec, _: &JobContext) -> Result<Box<dyn Source>> {
        Ok(Box::new(KafkaSource::new(spec, self.decider.clone())?))
    }

    fn sink(&self, spec: &SinkSpec, context: &JobContext) -> Result<Box<dyn Sink>> {
        let prepared = producer_config(&spec.table, &spec.options, context)?;
        let outlet = if prepared.options.guarantee == Guarantee::ExactlyOnce {
            let prefix = prepared.options.transactional_id.clone().unwrap_or_default();
            let member = Member {
                table: spec.table.clone(),
                topic: prepared.options.topic.clone(),
                prefix,
                config: prepared.config,
            };
            self.transactional.lock().unwrap_or_else(PoisonError::into_inner).push(member);
            Outlet::Transaction(Arc::clone(&self.transaction))
        } else {
            Outlet::plain(prepared.config)
        };
        Ok(Box::new(KafkaSink::new(spec, prepared.options, outlet)?))
    }

    fn decider(&self, context: &JobContext) -> Result<Option<Box<dyn Decider>>> {
        let mut members = self.transactional.lock().unwrap_or_else(PoisonError::into_inner);
        if members.is_empty() {
            return Ok(None);
        }
        // Sorted, so that the job finds its record and its transaction again whatever the order of the tables in the script.
        members.sort_by(|a, b| a.topic.cmp(&b.topic));
        Self::check_members(&members)?;
        let id = members.iter().map(|member| member.prefix.as_str()).min().unwrap_or_default();
        let topics: Vec<String> = members.iter().map(|member| member.topic.clone()).collect();
        let config = &members[0].config;
        let transaction = Arc::new(Transaction::new(config, id, Arc::clone(&context.clock))?);
        self.transaction
            .set(Arc::clone(&transaction))
            .map_err(|_| Error::internal("make a second decider with one factory: it is asked once a run"))?;
        let cluster = cluster_of(config.get("bootstrap.servers").unwrap_or_default());
        drop(self.decider.0.set(cluster.clone()));
        Ok(Some(Box::new(KafkaDecider::new(transaction, config.clone(), cluster, topics, context))))
    }
}
