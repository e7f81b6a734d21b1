//! An embedded topic as a source: its partitions are splits, called `<topic>-<partition>`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use weir_base::Result;
use weir_connector::{Position, Reader, ReaderContext, Source, SplitId};
use weir_plan::{SourceColumn, SourceSpec};

use super::layout;
use super::needs::Need;
use super::options::{SourceOptions, Topics};
use super::reader::{Metadata, TopicSplitReader};
use crate::signal::{Signal, lock};

/// The source of a table.
pub(super) struct TopicSource {
    data_dir: PathBuf,
    partitions: u32,
    options: Arc<SourceOptions>,
    metadata: Vec<Metadata>,
    needs: Arc<Mutex<BTreeMap<SplitId, Need>>>,
}

impl TopicSource {
    /// The source of `spec`; topics that it names and that are not there are made with `partitions`.
    ///
    /// # Errors
    /// Options or metadata columns that cannot be honoured, by name.
    pub fn new(data_dir: PathBuf, partitions: u32, spec: &SourceSpec) -> Result<Self> {
        let options = Arc::new(SourceOptions::read(&spec.options, &spec.physical)?);
        let keys = spec.columns.iter().filter_map(|column| match column {
            SourceColumn::Metadata(key, _) => Some(Metadata::of_key(key)),
            SourceColumn::Physical(_) => None,
        });
        let metadata = keys.collect::<Result<Vec<_>>>()?;
        Ok(Self { data_dir, partitions, options, metadata, needs: Arc::default() })
    }
}

impl Source for TopicSource {
    fn splits(&self) -> Result<Vec<SplitId>> {
        let topics = match &self.options.topics {
            Topics::List(topics) => topics.clone(),
            Topics::Pattern(pattern) => {
                layout::topics(&self.data_dir)?.into_iter().filter(|topic| pattern.is_match(topic)).collect()
            }
        };
        let mut splits = Vec::new();
        for topic in topics {
            let count = layout::ensure(&self.data_dir, &topic, self.partitions)?;
            splits.extend((0..count).map(|partition| SplitId(format!("{topic}-{partition}").into())));
        }
        Ok(splits)
    }

    fn discovery_interval(&self) -> Option<Duration> {
        self.options.discovery.filter(|_| !self.is_bounded())
    }

    fn is_bounded(&self) -> bool {
        self.options.bounded.is_some()
    }

    fn reader(&self, _context: &ReaderContext) -> Result<Box<dyn Reader>> {
        let signal = Signal::of(&layout::folder(&self.data_dir));
        Ok(Box::new(TopicSplitReader::new(
            self.data_dir.clone(),
            Arc::clone(&self.options),
            self.metadata.clone(),
            signal,
            Arc::clone(&self.needs),
        )))
    }

    fn completed(&self, positions: &[(SplitId, Position)]) {
        let needs = lock(&self.needs);
        for (split, position) in positions {
            if let Some(need) = needs.get(split) {
                need.advance(position.offset);
            }
        }
    }
}
