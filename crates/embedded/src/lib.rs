//! Embedded topics and tables: the stand-ins for Kafka and QuestDB on local disk, as sources, sinks and for queries.
//!
//! Both are logs of checked frames with a visible mark: what lies behind the mark is written but not decided, and no reader sees it. A topic is
//! one log a partition, holding blocks of records; a table is one log (lane) a writer, holding batches of rows, of which the newest of each key
//! counts. The data directory is locked by who runs jobs in it; readers of other processes need no lock.

mod log;
mod owner;
mod signal;
mod store;
mod table;
mod topic;

pub use store::{EmbeddedStore, Scan};
pub use table::{EmbeddedTableFactory, TableReader, dead_letters_sink};
pub use topic::{EmbeddedKafkaFactory, Record, TOPIC_PARTITIONS_DEFAULT, TopicReader, TopicWriter};
