//! `collect`: hands the rows of a bare SELECT to whoever asked for them.

use std::sync::Arc;

use weir_base::{Epoch, Error, Result};
use weir_connector::{
    Batch, Committer, Factory, Flush, JobContext, Prepared, Ready, Role, Sink, Source, Writer, WriterContext,
};
use weir_plan::{ChangelogMode, ConnectorSpec, SinkSpec, SourceSpec};

use crate::sink::Shown;

/// Takes each batch as it comes; an error ends the job.
type Take = Arc<dyn Fn(&Batch) -> Result<()> + Send + Sync>;

/// The connector `collect` as the planner sees it; no user names it.
pub fn collect_spec() -> ConnectorSpec {
    ConnectorSpec {
        identifier: "collect",
        source: None,
        sink: Some(ChangelogMode::ALL),
        watermark_per_split: false,
        options: Vec::new(),
        metadata: Vec::new(),
        format_keys: &[],
    }
}

/// Makes sinks that hand their rows on.
pub struct CollectFactory {
    take: Take,
}

impl CollectFactory {
    /// Sinks that call `take` for each batch, from the task's own thread: it should be quick, and waiting in it is back-pressure.
    pub fn new(take: impl Fn(&Batch) -> Result<()> + Send + Sync + 'static) -> Self {
        Self { take: Arc::new(take) }
    }
}

impl Factory for CollectFactory {
    fn identifier(&self) -> &'static str {
        "collect"
    }

    fn source(&self, spec: &SourceSpec, _context: &JobContext) -> Result<Box<dyn Source>> {
        Err(Error::invalid(format!("read the table '{}': the connector collect can only be written", spec.table)))
    }

    fn sink(&self, _spec: &SinkSpec, _context: &JobContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(CollectSink { take: Arc::clone(&self.take) }))
    }
}

struct CollectSink {
    take: Take,
}

impl Sink for CollectSink {
    fn role(&self) -> Role {
        Role::BestEffort
    }

    fn recover(&self, _prepared: &[Prepared]) -> Result<()> {
        Ok(())
    }

    fn writer(&self, context: &WriterContext) -> Result<Box<dyn Writer>> {
        Ok(Box::new(CollectWriter { subtask: context.subtask, take: Arc::clone(&self.take) }))
    }

    fn committer(&self) -> Result<Box<dyn Committer>> {
        Ok(Box::new(Shown))
    }
}

struct CollectWriter {
    subtask: u16,
    take: Take,
}

impl Writer for CollectWriter {
    fn ready(&mut self) -> Result<Ready> {
        Ok(Ready::Yes)
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        (self.take)(batch)
    }

    fn prepare(&mut self, epoch: Epoch) -> Result<(Prepared, Option<Flush>)> {
        Ok((Prepared { subtask: self.subtask, epoch, state: Vec::new() }, None))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use arrow_array::{Int64Array, RecordBatch};
    use weir_base::ManualClock;
    use weir_metrics::Registry;

    use super::*;

    #[test]
    fn each_batch_is_handed_on_and_an_error_comes_back() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&seen);
        let sink = CollectSink {
            take: Arc::new(move |batch| {
                taken.lock().unwrap().push(batch.rows());
                if batch.rows() > 2 { Err(Error::invalid("take more")) } else { Ok(()) }
            }),
        };
        let context = WriterContext {
            subtask: 0,
            parallelism: 1,
            epoch: Epoch(1),
            clock: Arc::new(ManualClock::default()),
            metrics: Registry::default(),
        };
        let mut writer = sink.writer(&context).unwrap();
        let batch = |rows: i64| {
            let column = Arc::new(Int64Array::from_iter_values(0..rows));
            Batch::inserts(RecordBatch::try_from_iter([("v", column as _)]).unwrap(), 0)
        };
        writer.write(&batch(2)).unwrap();
        assert_eq!(writer.write(&batch(3)).unwrap_err().message(), "take more");
        assert_eq!(*seen.lock().unwrap(), [2, 3]);
    }
}
