//! The way out of a task: rows are split by key group and put into the channels of the receiving subtasks.
//!
//! Rows may wait here to become larger batches, as `execution.buffer-timeout` says. What a full channel refuses is kept here, in order; while anything
//! is kept the task is held back.

use std::collections::VecDeque;

use weir_base::{Result, Timestamp};
use weir_connector::Batch;
use weir_ports::Barrier;

use super::metrics::TaskIo;
use super::waiting::{HandOver, Waiting};
use crate::channel::{Sender, batch_bytes};
use crate::element::Element;
use crate::keys::Partitioner;

/// How rows find their channel.
pub enum Route {
    /// All into the one channel.
    Forward,
    /// By key group.
    Hash(Box<Partitioner>),
    /// Round robin, batch by batch; the next channel.
    Rebalance(usize),
}

/// Channels to the subtasks of another node.
pub struct ExchangeOutput {
    route: Route,
    outputs: Vec<Output>,
    over: HandOver,
    io: TaskIo,
}

struct Output {
    sender: Sender,
    waiting: Waiting,
    kept: VecDeque<Element>,
}

impl Output {
    fn batch(&mut self, batch: Batch, over: &HandOver) -> Result<()> {
        let Self { sender, waiting, kept } = self;
        waiting.add(batch, over, |batch| send(sender, kept, Element::Batch(batch)))
    }

    fn send(&mut self, element: Element) {
        send(&self.sender, &mut self.kept, element);
    }

    fn clear(&mut self) -> bool {
        while let Some(element) = self.kept.pop_front() {
            if let Err(element) = self.sender.try_send(element) {
                self.kept.push_front(element);
                return false;
            }
        }
        true
    }
}

/// Puts `element` into the channel, or keeps it behind what is kept already.
fn send(sender: &Sender, kept: &mut VecDeque<Element>, element: Element) {
    if !kept.is_empty() {
        kept.push_back(element);
    } else if let Err(element) = sender.try_send(element) {
        kept.push_back(element);
    }
}

impl ExchangeOutput {
    /// An exchange over `senders`, one for each receiving subtask; `over` says when rows go, `io` is the task's account.
    pub fn new(route: Route, senders: Vec<Sender>, over: HandOver, io: TaskIo) -> Self {
        let output = |sender| Output { sender, waiting: Waiting::default(), kept: VecDeque::new() };
        Self { route, outputs: senders.into_iter().map(output).collect(), over, io }
    }

    /// Sends rows to where they belong.
    pub fn batch(&mut self, batch: &Batch) -> Result<()> {
        self.io.rows_out.add(batch.rows() as u64);
        self.io.bytes_out.add(batch_bytes(batch) as u64);
        match &mut self.route {
            Route::Forward => self.outputs[0].batch(batch.clone(), &self.over)?,
            Route::Hash(partitioner) => {
                for (subtask, part) in partitioner.partition(batch)? {
                    self.outputs[subtask].batch(part, &self.over)?;
                }
            }
            Route::Rebalance(turn) => {
                self.outputs[*turn].batch(batch.clone(), &self.over)?;
                *turn = (*turn + 1) % self.outputs.len();
            }
        }
        Ok(())
    }

    /// Sends a watermark to all.
    pub fn watermark(&mut self, watermark: Timestamp) -> Result<()> {
        self.all(&Element::Watermark(watermark))
    }

    /// Sends idleness to all.
    pub fn idle(&mut self) -> Result<()> {
        self.all(&Element::Idle)
    }

    /// Sends a barrier to all.
    pub fn barrier(&mut self, barrier: Barrier) -> Result<()> {
        self.all(&Element::Barrier(barrier))
    }

    /// Sends on what was kept and what has waited long enough; whether nothing is kept any more.
    pub fn clear(&mut self) -> Result<bool> {
        let mut clear = true;
        for output in &mut self.outputs {
            if let Some(batch) = output.waiting.due(&self.over)? {
                output.send(Element::Batch(batch));
            }
            clear &= output.clear();
        }
        Ok(clear)
    }

    /// Sends `element` to all, behind the rows that wait.
    fn all(&mut self, element: &Element) -> Result<()> {
        for output in &mut self.outputs {
            if let Some(batch) = output.waiting.take()? {
                output.send(Element::Batch(batch));
            }
            output.send(element.clone());
        }
        Ok(())
    }
}
