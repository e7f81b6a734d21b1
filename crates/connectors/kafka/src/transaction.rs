//! The one transaction of a job: its producer, shared by all writers of all exactly-once tables and by the decider.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, Producer};
use weir_base::{Error, Kind, Result};

use crate::client::{Context, kafka_error};
use crate::producer::make;

/// How long an abort may take when the job stops.
const ABORT_TIMEOUT: Duration = Duration::from_secs(5);

/// A transactional producer and whether its transaction is open.
pub(crate) struct Transaction {
    producer: BaseProducer<Context>,
    id: String,
    open: Mutex<bool>,
    /// Rows handed to the open transaction.
    rows: AtomicU64,
}

impl Transaction {
    /// A producer with `transactional.id` = `id`; nothing is asked of the cluster yet.
    ///
    /// # Errors
    /// librdkafka does not take the configuration.
    pub(crate) fn new(config: &ClientConfig, id: &str) -> Result<Self> {
        let mut config = config.clone();
        config.set("transactional.id", id);
        Ok(Self { producer: make(&config)?, id: id.to_owned(), open: Mutex::new(false), rows: AtomicU64::new(0) })
    }

    pub(crate) fn producer(&self) -> &BaseProducer<Context> {
        &self.producer
    }

    /// The `transactional.id`.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the transaction if it is not: only when rows (or offsets) are there, so that a quiet job leaves none open.
    ///
    /// # Errors
    /// The producer is fenced or failed for good.
    pub(crate) fn begin(&self) -> Result<()> {
        let mut open = self.lock();
        if !*open {
            let begun = self.producer.begin_transaction();
            begun.map_err(|error| transaction_error(format!("begin the transaction '{}'", self.id), &error))?;
            *open = true;
        }
        Ok(())
    }

    /// Counts rows that were handed to the transaction.
    pub(crate) fn wrote(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Rows in the open transaction.
    pub(crate) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Told that the transaction was committed or aborted.
    pub(crate) fn closed(&self) {
        *self.lock() = false;
        self.rows.store(0, Ordering::Relaxed);
    }

    /// Aborts the transaction if it is open. A cluster that does not answer aborts it itself after `transaction.timeout.ms`.
    pub(crate) fn abort(&self, wait: Duration) {
        if !*self.lock() {
            return;
        }
        if let Err(error) = self.producer.abort_transaction(wait) {
            tracing::warn!(id = %self.id, %error, "the transaction was not aborted; the broker does so after its timeout, or the next start");
        }
        self.closed();
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.abort(ABORT_TIMEOUT);
    }
}

/// What it means when a broker fences: it cannot be told which of the two it is.
pub(crate) const FENCED: &str = "this process is fenced (another one has started the job, or the transaction took longer than 'transaction.timeout.ms')";

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
