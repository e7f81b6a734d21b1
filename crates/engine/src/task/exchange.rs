//! The way out of a task: rows are split by key group and put into the channels of the receiving subtasks.
//!
//! What a full channel refuses is kept here, in order; while anything is kept the task is held back.

use std::collections::VecDeque;

use weir_base::{Result, Timestamp};
use weir_connector::Batch;
use weir_ports::Barrier;

use super::metrics::TaskIo;
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
    io: TaskIo,
}

struct Output {
    sender: Sender,
    kept: VecDeque<Element>,
}

impl Output {
    fn send(&mut self, element: Element) {
        if self.kept.is_empty() {
            if let Err(element) = self.sender.try_send(element) {
                self.kept.push_back(element);
            }
        } else {
            self.kept.push_back(element);
        }
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

impl ExchangeOutput {
    /// An exchange over `senders`, one for each receiving subtask; `io` is the task's account.
    pub fn new(route: Route, senders: Vec<Sender>, io: TaskIo) -> Self {
        let outputs = senders.into_iter().map(|sender| Output { sender, kept: VecDeque::new() }).collect();
        Self { route, outputs, io }
    }

    /// Sends rows to where they belong.
    pub fn batch(&mut self, batch: &Batch) -> Result<()> {
        self.io.rows_out.add(batch.rows() as u64);
        self.io.bytes_out.add(batch_bytes(batch) as u64);
        match &mut self.route {
            Route::Forward => self.outputs[0].send(Element::Batch(batch.clone())),
            Route::Hash(partitioner) => {
                for (subtask, part) in partitioner.partition(batch)? {
                    self.outputs[subtask].send(Element::Batch(part));
                }
            }
            Route::Rebalance(turn) => {
                self.outputs[*turn].send(Element::Batch(batch.clone()));
                *turn = (*turn + 1) % self.outputs.len();
            }
        }
        Ok(())
    }

    /// Sends a watermark to all.
    pub fn watermark(&mut self, watermark: Timestamp) {
        self.all(&Element::Watermark(watermark));
    }

    /// Sends idleness to all.
    pub fn idle(&mut self) {
        self.all(&Element::Idle);
    }

    /// Sends a barrier to all.
    pub fn barrier(&mut self, barrier: Barrier) {
        self.all(&Element::Barrier(barrier));
    }

    /// Sends on what was kept; whether nothing is kept any more.
    pub fn clear(&mut self) -> bool {
        let mut clear = true;
        for output in &mut self.outputs {
            clear &= output.clear();
        }
        clear
    }

    fn all(&mut self, element: &Element) {
        for output in &mut self.outputs {
            output.send(element.clone());
        }
    }
}
