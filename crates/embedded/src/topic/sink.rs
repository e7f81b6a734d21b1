//! An embedded topic as an exactly-once sink.
//!
//! All subtasks write to all partitions, as a key demands. A partition is cut where an epoch ends, so no row of the next epoch may come before one of
//! this epoch: between its barrier and the decision a writer holds its rows back. After the decision every subtask has prepared, hence appended, all of the
//! epoch.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use weir_base::limits::SINK_HELD_BYTES_MAX;
use weir_base::{Clock, Epoch, Error, Kind, Result};
use weir_connector::{Batch, Committer, Flush, Prepared, Ready, Role, Sink, Writer, WriterContext};
use weir_plan::SinkSpec;

use super::block::BlockBuilder;
use super::open::OpenTopic;
use super::rows::{Rows, is_full};
use crate::log::Place;

/// The sink of a table.
pub(super) struct TopicSink {
    topic: Arc<OpenTopic>,
    spec: SinkSpec,
}

/// The ends of the partitions at a barrier, as they stand in a checkpoint.
#[derive(Serialize, Deserialize)]
struct Ends {
    topic: String,
    ends: BTreeMap<u32, Place>,
}

impl TopicSink {
    /// The sink of `spec` into `topic`.
    ///
    /// # Errors
    /// Options that contradict each other or cannot be honoured, by name.
    pub fn new(topic: Arc<OpenTopic>, spec: &SinkSpec) -> Result<Self> {
        Rows::new(spec, 0)?;
        Ok(Self { topic, spec: spec.clone() })
    }
}

impl Sink for TopicSink {
    fn role(&self) -> Role {
        Role::Local
    }

    fn recover(&self, prepared: &[Prepared]) -> Result<()> {
        self.topic.decided(&ends(&self.topic.name, prepared)?)
    }

    fn writer(&self, context: &WriterContext) -> Result<Box<dyn Writer>> {
        self.topic.cut_undecided()?;
        let blocks = (0..self.topic.count()).map(|_| BlockBuilder::default()).collect();
        Ok(Box::new(TopicSinkWriter {
            topic: Arc::clone(&self.topic),
            rows: Rows::new(&self.spec, context.subtask)?,
            subtask: context.subtask,
            clock: Arc::clone(&context.clock),
            blocks,
            held: Vec::new(),
            waits_for: None,
            bytes: 0,
        }))
    }

    fn committer(&self) -> Result<Box<dyn Committer>> {
        Ok(Box::new(TopicCommitter { topic: Arc::clone(&self.topic) }))
    }
}

/// The farthest ends in what all subtasks prepared.
fn ends(topic: &str, prepared: &[Prepared]) -> Result<BTreeMap<u32, Place>> {
    let mut all = BTreeMap::<u32, Place>::new();
    for prepared in prepared.iter().filter(|prepared| !prepared.state.is_empty()) {
        let state: Ends = serde_json::from_slice(&prepared.state).map_err(|error| {
            Error::new(Kind::Corrupt, format!("read what was prepared for the topic {topic}: {error}"))
        })?;
        if state.topic != topic {
            let text =
                format!("restore the sink of the topic {topic}: the checkpoint was made for the topic {}", state.topic);
            return Err(Error::invalid(text).hint("start the job afresh, or give the table its former topic"));
        }
        for (partition, place) in state.ends {
            let end = all.entry(partition).or_default();
            *end = (*end).max(place);
        }
    }
    Ok(all)
}

struct TopicSinkWriter {
    topic: Arc<OpenTopic>,
    rows: Rows,
    subtask: u16,
    clock: Arc<dyn Clock>,
    /// The next block of each partition.
    blocks: Vec<BlockBuilder>,
    /// Full blocks with their partitions, held back.
    held: Vec<(u32, BlockBuilder)>,
    /// The epoch that must be decided before more is appended.
    waits_for: Option<Epoch>,
    /// Bytes of keys and values written.
    bytes: u64,
}

impl TopicSinkWriter {
    /// Appends what was held back, and blocks not yet full if `all`.
    fn append(&mut self, all: bool) -> Result<()> {
        for (partition, mut block) in self.held.drain(..) {
            self.topic.append(partition, &mut block, false)?;
        }
        for (partition, block) in (0..).zip(&mut self.blocks) {
            if is_full(block) || (all && block.count() > 0) {
                self.topic.append(partition, block, false)?;
            }
        }
        Ok(())
    }
}

impl Writer for TopicSinkWriter {
    fn ready(&mut self) -> Result<Ready> {
        if self.waits_for.is_none() {
            self.append(false)?;
            return Ok(Ready::Yes);
        }
        let held: usize = self.held.iter().map(|(_, block)| block.bytes()).sum();
        Ok(if held < SINK_HELD_BYTES_MAX { Ready::Yes } else { Ready::No })
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        let waits = self.waits_for.is_some();
        if !waits {
            self.append(false)?;
        }
        let (topic, blocks, held, bytes) = (&self.topic, &mut self.blocks, &mut self.held, &mut self.bytes);
        self.rows.encode(batch, self.clock.now(), topic.count(), |partition, record| {
            let block = &mut blocks[partition as usize];
            block.push(record);
            *bytes += (record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len)) as u64;
            if is_full(block) {
                if waits {
                    held.push((partition, std::mem::take(block)));
                } else {
                    topic.append(partition, block, false)?;
                }
            }
            Ok(())
        })
    }

    fn prepare(&mut self, epoch: Epoch) -> Result<(Prepared, Option<Flush>)> {
        // A barrier comes only after the epoch before was decided or given up: nothing needs to be held back any more.
        self.append(true)?;
        self.waits_for = Some(epoch);
        let state = Ends { topic: self.topic.name.clone(), ends: self.topic.ends() };
        let state = serde_json::to_vec(&state).map_err(|error| Error::internal(error.to_string()))?;
        let unsynced = self.topic.unsynced();
        let flush: Flush = Box::new(move || unsynced.into_iter().try_for_each(|unsynced| unsynced.sync()));
        Ok((Prepared { subtask: self.subtask, epoch, state }, Some(flush)))
    }

    fn bytes_written(&self) -> Option<u64> {
        Some(self.bytes)
    }

    fn decided(&mut self, epoch: Epoch) {
        if self.waits_for.is_some_and(|waited| waited <= epoch) {
            self.waits_for = None;
        }
    }
}

struct TopicCommitter {
    topic: Arc<OpenTopic>,
}

impl Committer for TopicCommitter {
    fn apply(&mut self, _epoch: Epoch, prepared: &[Prepared]) -> Result<()> {
        self.topic.show(&ends(&self.topic.name, prepared)?)
    }
}
