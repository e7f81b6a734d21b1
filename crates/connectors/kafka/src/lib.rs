//! Kafka: partitions as splits of a source, topics as sinks, and the transaction that decides for a job.
//!
//! Built on librdkafka's batch interfaces. It owns no format: records go out raw to the table's decoder, rows come in through its encoder. It owns no
//! group membership: partitions are assigned by the engine, a group only shows how far the job is.

mod admin;
mod assemble;
mod chunk;
mod client;
mod decider;
mod factory;
mod messages;
mod metadata;
mod options;
mod producer;
mod properties;
mod reader;
mod sink;
mod source;
mod spec;
mod transaction;
mod writer;

pub use factory::KafkaFactory;
pub use properties::ignored_properties;
pub use spec::{IDENTIFIER, spec};

#[cfg(test)]
mod tests;
