//! The sink that keeps nothing.

use weir_base::{Epoch, Result};
use weir_connector::{Batch, Committer, Flush, Prepared, Ready, Role, Sink, Writer, WriterContext};

/// Takes rows and forgets them.
pub(crate) struct BlackholeSink;

impl Sink for BlackholeSink {
    fn role(&self) -> Role {
        Role::BestEffort
    }

    fn recover(&self, _prepared: &[Prepared]) -> Result<()> {
        Ok(())
    }

    fn writer(&self, context: &WriterContext) -> Result<Box<dyn Writer>> {
        Ok(Box::new(BlackholeWriter { subtask: context.subtask }))
    }

    fn committer(&self) -> Result<Box<dyn Committer>> {
        Ok(Box::new(BlackholeCommitter))
    }
}

struct BlackholeWriter {
    subtask: u16,
}

impl Writer for BlackholeWriter {
    fn ready(&mut self) -> Result<Ready> {
        Ok(Ready::Yes)
    }

    fn write(&mut self, _batch: &Batch) -> Result<()> {
        Ok(())
    }

    fn prepare(&mut self, epoch: Epoch) -> Result<(Prepared, Option<Flush>)> {
        Ok((Prepared { subtask: self.subtask, epoch, state: Vec::new() }, None))
    }
}

struct BlackholeCommitter;

impl Committer for BlackholeCommitter {
    fn apply(&mut self, _epoch: Epoch, _prepared: &[Prepared]) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::RecordBatch;
    use arrow_schema::Schema;
    use weir_base::ManualClock;
    use weir_metrics::Registry;

    use super::*;

    #[test]
    fn rows_go_in_and_nothing_is_left() {
        let context = WriterContext {
            subtask: 3,
            parallelism: 4,
            epoch: Epoch(1),
            clock: Arc::new(ManualClock::default()),
            metrics: Registry::default(),
        };
        let mut writer = BlackholeSink.writer(&context).unwrap();
        writer.write(&Batch::inserts(RecordBatch::new_empty(Arc::new(Schema::empty())), 0)).unwrap();
        let (prepared, flush) = writer.prepare(Epoch(1)).unwrap();
        assert_eq!(prepared, Prepared { subtask: 3, epoch: Epoch(1), state: Vec::new() });
        assert!(flush.is_none());
        BlackholeSink.committer().unwrap().apply(Epoch(1), &[prepared]).unwrap();
    }
}
