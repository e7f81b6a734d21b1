//! A Kafka table as a sink: makes its writers; the decider (or nothing) makes what they wrote visible.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rdkafka::ClientConfig;
use rdkafka::producer::BaseProducer;
use weir_base::{Epoch, Error, Result};
use weir_connector::{Committer, Prepared, Role, Sink, Writer, WriterContext};
use weir_plan::SinkSpec;

use crate::chunk::RowEncoder;
use crate::client::Context;
use crate::options::{Guarantee, SinkOptions};
use crate::producer::make;
use crate::transaction::Transaction;
use crate::writer::KafkaWriter;

/// A Kafka table that is written.
pub(crate) struct KafkaSink {
    spec: SinkSpec,
    options: SinkOptions,
    outlet: Outlet,
}

/// Where the rows go.
#[derive(Clone)]
pub(crate) enum Outlet {
    /// The job's transaction, which is there when the decider was made.
    Transaction(Arc<OnceLock<Arc<Transaction>>>),
    /// A producer of the table's own, made for the first writer.
    Plain(Arc<Plain>),
}

/// A producer without transactions.
pub(crate) struct Plain {
    config: ClientConfig,
    producer: Mutex<Option<Arc<BaseProducer<Context>>>>,
}

impl Outlet {
    pub(crate) fn plain(config: ClientConfig) -> Self {
        Self::Plain(Arc::new(Plain { config, producer: Mutex::default() }))
    }
}

/// A producer, kept alive by all that use it.
#[derive(Clone)]
pub(crate) enum Producing {
    Transaction(Arc<Transaction>),
    Plain(Arc<BaseProducer<Context>>),
}

impl Producing {
    pub(crate) fn producer(&self) -> &BaseProducer<Context> {
        match self {
            Self::Transaction(transaction) => transaction.producer(),
            Self::Plain(producer) => producer,
        }
    }
}

impl KafkaSink {
    pub(crate) fn new(spec: &SinkSpec, options: SinkOptions, outlet: Outlet) -> Result<Self> {
        // What the encoder refuses is refused at planning, not when the first writer starts.
        RowEncoder::new(spec)?;
        Ok(Self { spec: spec.clone(), options, outlet })
    }

    fn producing(&self) -> Result<Producing> {
        match &self.outlet {
            Outlet::Transaction(transaction) => match transaction.get() {
                Some(transaction) => Ok(Producing::Transaction(Arc::clone(transaction))),
                None => Err(Error::internal(format!("write {}: the decider was not made yet", self.spec.table))),
            },
            Outlet::Plain(plain) => {
                let mut producer = plain.producer.lock().unwrap_or_else(PoisonError::into_inner);
                if producer.is_none() {
                    *producer = Some(Arc::new(make(&plain.config)?));
                }
                Ok(Producing::Plain(Arc::clone(producer.as_ref().expect("made above"))))
            }
        }
    }
}

impl Sink for KafkaSink {
    fn role(&self) -> Role {
        match self.outlet {
            Outlet::Transaction(_) => Role::Decider,
            Outlet::Plain(_) => Role::BestEffort,
        }
    }

    fn recover(&self, _: &[Prepared]) -> Result<()> {
        // What was not decided was aborted when the decider claimed the transactional.id.
        Ok(())
    }

    fn writer(&self, context: &WriterContext) -> Result<Box<dyn Writer>> {
        let producing = self.producing()?;
        let encoder = RowEncoder::new(&self.spec)?;
        let flushes = self.options.guarantee != Guarantee::None;
        Ok(Box::new(KafkaWriter::new(&self.options, producing, encoder, flushes, context)?))
    }

    fn committer(&self) -> Result<Box<dyn Committer>> {
        Ok(Box::new(Nothing))
    }
}

/// The transaction's commit has made the rows visible already.
struct Nothing;

impl Committer for Nothing {
    fn apply(&mut self, _: Epoch, _: &[Prepared]) -> Result<()> {
        Ok(())
    }
}
