//! What stands behind an operator in its chain: another operator, a sink, or an exchange to other tasks.

use arrow_array::RecordBatch;
use weir_base::{Epoch, Result, Timestamp};
use weir_connector::Batch;
use weir_ports::{Acknowledgement, Barrier};

use super::{ExchangeOutput, LateLetters, SinkStage, Stage};
use crate::operators::Collector;

/// One thing behind an operator.
pub enum Next {
    /// An operator of the same task.
    Stage(Box<Stage>),
    /// A sink of the same task.
    Sink(Box<SinkStage>),
    /// Channels to other tasks.
    Exchange(Box<ExchangeOutput>),
}

impl Next {
    /// Hands on rows.
    pub fn batch(&mut self, batch: Batch, now: Timestamp) -> Result<()> {
        match self {
            Self::Stage(stage) => stage.batch(batch, now),
            Self::Sink(sink) => sink.batch(&batch, now),
            Self::Exchange(exchange) => exchange.batch(&batch),
        }
    }

    /// Hands on a watermark.
    pub fn watermark(&mut self, watermark: Timestamp, now: Timestamp) -> Result<()> {
        match self {
            Self::Stage(stage) => stage.watermark(watermark, now),
            Self::Sink(sink) => {
                sink.watermark(watermark);
                Ok(())
            }
            Self::Exchange(exchange) => exchange.watermark(watermark),
        }
    }

    /// Hands on that there is nothing for the time being.
    pub fn idle(&mut self) -> Result<()> {
        match self {
            Self::Stage(stage) => stage.idle(),
            Self::Sink(_) => Ok(()),
            Self::Exchange(exchange) => exchange.idle(),
        }
    }

    /// Hands on a barrier; everything on its way adds to `acknowledgement`.
    pub fn barrier(&mut self, barrier: Barrier, acknowledgement: &mut Acknowledgement) -> Result<()> {
        match self {
            Self::Stage(stage) => stage.barrier(barrier, acknowledgement),
            Self::Sink(sink) => sink.barrier(barrier, acknowledgement),
            Self::Exchange(exchange) => exchange.barrier(barrier),
        }
    }

    /// Processing time has moved.
    pub fn tick(&mut self, now: Timestamp) -> Result<()> {
        match self {
            Self::Stage(stage) => stage.tick(now),
            Self::Sink(_) | Self::Exchange(_) => Ok(()),
        }
    }

    /// The epoch was decided.
    pub fn decided(&mut self, epoch: Epoch) {
        match self {
            Self::Stage(stage) => stage.decided(epoch),
            Self::Sink(sink) => sink.decided(epoch),
            Self::Exchange(_) => {}
        }
    }

    /// The checkpoint of the epoch is complete.
    pub fn completed(&mut self, epoch: Epoch) {
        if let Self::Stage(stage) = self {
            stage.completed(epoch);
        }
    }

    /// Moves on what was held back; whether another batch may come.
    pub fn clear(&mut self) -> Result<bool> {
        match self {
            Self::Stage(stage) => stage.clear(),
            Self::Sink(sink) => sink.clear(),
            Self::Exchange(exchange) => exchange.clear(),
        }
    }
}

/// Gives each element to everything behind an operator.
pub struct Fan<'a> {
    /// What stands behind.
    pub next: &'a mut [Next],
    /// Processing time.
    pub now: Timestamp,
    /// Rows given so far.
    pub rows: u64,
    /// Where late rows go, if they are kept.
    pub late: Option<&'a mut LateLetters>,
}

impl Collector for Fan<'_> {
    fn batch(&mut self, batch: Batch) -> Result<()> {
        if batch.rows() == 0 {
            return Ok(());
        }
        self.rows += batch.rows() as u64;
        fan_batch(self.next, batch, self.now)
    }

    fn watermark(&mut self, watermark: Timestamp) -> Result<()> {
        self.next.iter_mut().try_for_each(|next| next.watermark(watermark, self.now))
    }

    fn late(&mut self, data: &RecordBatch, rows: &[u32], watermark: Timestamp) -> Result<()> {
        match &mut self.late {
            Some(late) => late.write(data, rows, watermark, self.now),
            None => Ok(()),
        }
    }
}

/// Gives `batch` to all of `next`; the last one takes it without a copy.
pub fn fan_batch(next: &mut [Next], batch: Batch, now: Timestamp) -> Result<()> {
    if let Some((last, others)) = next.split_last_mut() {
        for other in others {
            other.batch(batch.clone(), now)?;
        }
        last.batch(batch, now)?;
    }
    Ok(())
}

/// Clears all of `next`, without stopping at the first that is not clear.
pub fn clear_all(next: &mut [Next]) -> Result<bool> {
    let mut clear = true;
    for one in next {
        clear &= one.clear()?;
    }
    Ok(clear)
}
