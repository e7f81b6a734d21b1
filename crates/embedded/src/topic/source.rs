//! An embedded topic as a source: its partitions are splits, called `<topic>-<partition>`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use weir_base::Result;
use weir_connector::{JobContext, Position, Reader, ReaderContext, Source, SplitId};
use weir_plan::{SourceColumn, SourceSpec};

use super::layout;
use super::needs::Need;
use super::options::{SourceOptions, Topics};
use super::reader::{Metadata, TopicSplitReader};
use crate::signal::{Signal, lock};

/// The source of a table.
pub(super) struct TopicSource {
    data_dir: PathBuf,
    /// What it is called where its needs are noted: the same in each run of its job.
    reader: Arc<str>,
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
    pub fn new(context: &JobContext, partitions: u32, spec: &SourceSpec) -> Result<Self> {
        let options = Arc::new(SourceOptions::read(&spec.options, &spec.physical)?);
        let keys = spec.columns.iter().filter_map(|column| match column {
            SourceColumn::Metadata(key, _) => Some(Metadata::of_key(key)),
            SourceColumn::Physical(_) => None,
        });
        let metadata = keys.collect::<Result<Vec<_>>>()?;
        let reader = format!("{}-{:08x}", context.job, crc32fast::hash(spec.table.as_bytes())).into();
        Ok(Self { data_dir: context.data_dir.clone(), reader, partitions, options, metadata, needs: Arc::default() })
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
            Arc::clone(&self.reader),
            Arc::clone(&self.needs),
        )))
    }

    fn completed(&self, positions: &[(SplitId, Position)]) {
        let needs = lock(&self.needs);
        for (split, position) in positions {
            let Some(need) = needs.get(split) else { continue };
            if let Err(error) = need.advance(position.offset) {
                // The former note keeps more than is needed.
                tracing::warn!(%split, %error, "what a topic must keep for this job could not be noted");
            }
        }
    }
}
