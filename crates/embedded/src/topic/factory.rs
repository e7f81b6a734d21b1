//! The factory of `'connector' = 'kafka'` under `--embedded`.

use weir_base::Result;
use weir_connector::{Factory, JobContext, Sink, Source};
use weir_plan::{SinkSpec, SourceSpec};

use super::open::OpenTopic;
use super::options::sink_topic;
use super::sink::TopicSink;
use super::source::TopicSource;
use crate::owner::Holder;

/// Makes embedded topics of `kafka` tables. `properties.*` speak of a cluster that is not there, and mean nothing here.
pub struct EmbeddedKafkaFactory {
    partitions: u32,
}

impl EmbeddedKafkaFactory {
    /// Topics that are made get `partitions` (`weir.embedded.topic-partitions`).
    pub fn new(partitions: u32) -> Self {
        Self { partitions: partitions.max(1) }
    }
}

impl Factory for EmbeddedKafkaFactory {
    fn identifier(&self) -> &'static str {
        "kafka"
    }

    fn source(&self, spec: &SourceSpec, context: &JobContext) -> Result<Box<dyn Source>> {
        Ok(Box::new(TopicSource::new(context, self.partitions, spec)?))
    }

    fn sink(&self, spec: &SinkSpec, context: &JobContext) -> Result<Box<dyn Sink>> {
        let topic = sink_topic(&spec.options)?;
        let topic = OpenTopic::open(&context.data_dir, &topic, self.partitions, &Holder::of_job(context))?;
        Ok(Box::new(TopicSink::new(topic, spec)?))
    }
}
