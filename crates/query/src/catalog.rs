//! Names in a statement to tables and topics of the data directory.

use std::path::Path;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use weir_base::{Error, Kind, Result};
use weir_embedded::EmbeddedStore;

use crate::provider::{EmbeddedProvider, Readable};

/// Names that differ by so many edits at most are offered instead of an unknown one.
const EDITS_MAX: usize = 3;

/// What there is to be queried.
pub(crate) struct Names {
    store: EmbeddedStore,
    tables: Vec<String>,
    topics: Vec<String>,
}

impl Names {
    /// The tables and topics under `data_dir`.
    ///
    /// # Errors
    /// There is no such folder, or it cannot be read.
    pub fn read(data_dir: &Path) -> Result<Self> {
        let store = EmbeddedStore::open(data_dir)?;
        Ok(Self { tables: store.tables()?, topics: store.topics()?, store })
    }

    /// Names of tables, then of topics, each with what it is.
    pub fn all(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let tables = self.tables.iter().map(|name| (name.as_str(), "table"));
        tables.chain(self.topics.iter().map(|name| (name.as_str(), "topic")))
    }

    /// The table or else the topic called `name`; case counts only if it tells two apart.
    ///
    /// # Errors
    /// There is none, or its files cannot be read.
    pub fn provider(&self, name: &str) -> Result<Arc<dyn TableProvider>> {
        let find = |names: &[String]| {
            let exact = names.iter().find(|known| *known == name);
            exact.or_else(|| names.iter().find(|known| known.eq_ignore_ascii_case(name))).cloned()
        };
        let readable = match (find(&self.tables), find(&self.topics)) {
            (Some(table), _) => Readable::Table(self.store.table(&table)?),
            (None, Some(topic)) => Readable::Topic(self.store.topic(&topic)?),
            (None, None) => return Err(self.unknown(name)),
        };
        Ok(Arc::new(EmbeddedProvider::new(readable)))
    }

    fn unknown(&self, name: &str) -> Error {
        let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let near = self.all().map(|(known, _)| (strsim::levenshtein(known, name), known)).min();
        let near = near.filter(|(edits, _)| *edits <= EDITS_MAX).map(|(_, known)| format!("did you mean '{known}'? "));
        let text = format!("find the table '{name}'");
        Error::new(Kind::NotFound, text).hint(format!(
            "{}tables: {}; topics: {}",
            near.unwrap_or_default(),
            list(&self.tables),
            list(&self.topics)
        ))
    }
}
