//! The one transaction of a job: its producer, shared by all writers of all exactly-once tables and by the decider.
//!
//! When the brokers do not take it any more, either another process has taken the `transactional.id` over, or they have aborted the transaction because
//! it took too long. Their answer is the same. How long it has been open here tells the two apart: our clock began before theirs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, Producer, PurgeConfig};
use weir_base::{Clock, Error, Kind, Result};

use crate::client::{Context, kafka_error};
use crate::producer::make;

/// How long an abort may take when the job stops.
const ABORT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long it may take until all messages of an aborted transaction were given up.
const PURGE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long one look at them waits.
const PURGE_POLL: Duration = Duration::from_millis(5);

/// A transactional producer and whether its transaction is open.
pub(crate) struct Transaction {
    producer: BaseProducer<Context>,
    id: String,
    clock: Arc<dyn Clock>,
    /// `transaction.timeout.ms`
    timeout: Duration,
    /// When the open transaction was begun.
    begun_us: Mutex<Option<u64>>,
    /// Whether a transaction was open for longer than it may.
    overdue: AtomicBool,
    /// Rows handed to the open transaction.
    rows: AtomicU64,
}

impl Transaction {
    /// A producer with `transactional.id` = `id`; nothing is asked of the cluster yet.
    ///
    /// # Errors
    /// librdkafka does not take the configuration.
    pub(crate) fn new(config: &ClientConfig, id: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        let mut config = config.clone();
        config.set("transactional.id", id);
        let timeout_ms = config.get("transaction.timeout.ms").and_then(|text| text.parse().ok());
        Ok(Self {
            producer: make(&config)?,
            id: id.to_owned(),
            clock,
            timeout: timeout_ms.map_or(Duration::MAX, Duration::from_millis),
            begun_us: Mutex::default(),
            overdue: AtomicBool::new(false),
            rows: AtomicU64::new(0),
        })
    }

    pub(crate) fn producer(&self) -> &BaseProducer<Context> {
        &self.producer
    }

    /// The `transactional.id`.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    fn lock(&self) -> MutexGuard<'_, Option<u64>> {
        self.begun_us.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the transaction if it is not: only when rows (or offsets) are there, so that a quiet job leaves none open.
    ///
    /// # Errors
    /// The producer is fenced or failed for good.
    pub(crate) fn begin(&self) -> Result<()> {
        let mut begun_us = self.lock();
        if begun_us.is_none() {
            let now_us = self.clock.monotonic_us();
            let begun = self.producer.begin_transaction();
            begun.map_err(|error| transaction_error(format!("begin the transaction '{}'", self.id), &error))?;
            *begun_us = Some(now_us);
        }
        Ok(())
    }

    /// Words for a transaction that was open for longer than it may: the brokers have aborted it, or will.
    pub(crate) fn overdue(&self) -> Option<String> {
        self.note_overdue(*self.lock());
        let ms = self.timeout.as_millis();
        self.overdue.load(Ordering::Relaxed).then(|| {
            format!(
                "the transaction '{}' has timed out: it was open for longer than 'transaction.timeout.ms' = {ms}; \
                 if that comes again, raise 'properties.transaction.timeout.ms'",
                self.id
            )
        })
    }

    fn note_overdue(&self, begun_us: Option<u64>) {
        let open = begun_us.map(|begun_us| Duration::from_micros(self.clock.monotonic_us().saturating_sub(begun_us)));
        if open.is_some_and(|open| open >= self.timeout) {
            self.overdue.store(true, Ordering::Relaxed);
        }
    }

    /// Counts rows that were handed to the transaction.
    pub(crate) fn wrote(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Rows in the open transaction.
    pub(crate) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Told that the transaction was aborted, or given up.
    pub(crate) fn closed(&self) {
        let begun_us = self.lock().take();
        self.note_overdue(begun_us);
        self.rows.store(0, Ordering::Relaxed);
    }

    /// Told that the transaction was committed: how long it took does not matter any more.
    pub(crate) fn committed(&self) {
        *self.lock() = None;
        self.rows.store(0, Ordering::Relaxed);
    }

    /// Aborts the transaction if it is open. A cluster that does not answer aborts it itself after `transaction.timeout.ms`.
    pub(crate) fn abort(&self, wait: Duration) {
        if self.lock().is_none() {
            return;
        }
        // What was not sent yet is not to be. Nobody else serves the producer any more, and an abort waits until all its messages were told.
        self.producer.purge(PurgeConfig::default().queue().inflight());
        let until_us = self.clock.monotonic_us() + u64::try_from(PURGE_TIMEOUT.as_micros()).unwrap_or(0);
        while self.producer.in_flight_count() > 0 && self.clock.monotonic_us() < until_us {
            self.producer.poll(PURGE_POLL);
        }
        if let Err(error) = self.producer.abort_transaction(wait) {
            if is_fenced(&error) {
                // Whoever fences has aborted it.
                tracing::debug!(id = %self.id, %error, "the transaction was aborted by the broker");
            } else {
                tracing::warn!(id = %self.id, %error, "the transaction was not aborted; the broker does so after its timeout, or the next start");
            }
        }
        self.closed();
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.abort(ABORT_TIMEOUT);
    }
}

/// What it means when a broker fences a transaction that is not overdue.
pub(crate) const FENCED: &str = "this process is fenced: another one has taken over its 'transactional.id'";

/// Whether a newer holder of the `transactional.id` has taken over.
pub(crate) fn is_fenced(error: &KafkaError) -> bool {
    use rdkafka::error::RDKafkaErrorCode::{Fenced, InvalidProducerEpoch, ProducerFenced};
    matches!(error.rdkafka_error_code(), Some(Fenced | ProducerFenced | InvalidProducerEpoch))
}

/// An error of a transaction as ours.
pub(crate) fn transaction_error(what: impl std::fmt::Display, error: &KafkaError) -> Error {
    if is_fenced(error) {
        return Error::new(Kind::Conflict, format!("{what}: {FENCED}: {}", crate::client::words(error)))
            .hint("another job may use the same 'sink.transactional-id-prefix'");
    }
    kafka_error(what, error)
}
