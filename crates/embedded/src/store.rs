//! The embedded store as queries see it: tables and topics by name, read from any process without a lock, also while a job writes.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use weir_base::{Error, Kind, Result};

use crate::table::{self, TableReader};
use crate::topic::{self, TopicReader};

/// A data directory, to be read.
#[derive(Debug, Clone)]
pub struct EmbeddedStore {
    data_dir: PathBuf,
}

/// Batches, read as they are asked for.
pub struct Scan {
    schema: SchemaRef,
    batches: Box<dyn Iterator<Item = Result<RecordBatch>> + Send>,
}

impl EmbeddedStore {
    /// The store in `data_dir`.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn open(data_dir: &Path) -> Result<Self> {
        if !data_dir.is_dir() {
            return Err(Error::new(
                Kind::NotFound,
                format!("open the data directory {}: there is none", data_dir.display()),
            )
            .hint("name it with --data-dir; `weir demo` and `weir run --embedded` make one"));
        }
        Ok(Self { data_dir: data_dir.to_owned() })
    }

    /// The names of its tables, sorted.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn tables(&self) -> Result<Vec<String>> {
        table::tables(&self.data_dir)
    }

    /// The names of its topics, sorted.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn topics(&self) -> Result<Vec<String>> {
        topic::topics(&self.data_dir)
    }

    /// A table.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn table(&self, name: &str) -> Result<TableReader> {
        TableReader::open(&self.data_dir, name)
    }

    /// A topic.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn topic(&self, name: &str) -> Result<TopicReader> {
        TopicReader::open(&self.data_dir, name)
    }
}

impl Scan {
    /// Batches of columns `schema`.
    pub(crate) fn new(schema: SchemaRef, batches: impl Iterator<Item = Result<RecordBatch>> + Send + 'static) -> Self {
        Self { schema, batches: Box::new(batches) }
    }

    /// The columns of each batch.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

impl Iterator for Scan {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batches.next()
    }
}
