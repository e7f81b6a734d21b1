//! QuestDB as a carried sink: rows are kept on disk with the checkpoint and sent, in batches, once their epoch is decided.
//!
//! A row that is sent twice does no harm: the table drops duplicates by its keys, which are the PRIMARY KEY. It owns no source. An acknowledgement of
//! QuestDB survives its process's end, not a power cut, at its default commit mode.

mod breaker;
mod columns;
mod committer;
mod config;
mod factory;
mod frame;
mod segment;
mod sender;
mod sink;
mod spec;
mod table;
mod wire;
mod writer;

pub use factory::QuestDbFactory;
pub use spec::{IDENTIFIER, spec};

#[cfg(test)]
mod tests;
