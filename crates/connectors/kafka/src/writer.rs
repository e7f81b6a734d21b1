//! The writer of one subtask: encodes batches and hands them to librdkafka, holds back what belongs to the epoch behind an undecided one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::producer::Producer;
use weir_base::limits::SINK_HELD_BYTES_MAX;
use weir_base::{Clock, Epoch, Error, Kind, Result};
use weir_connector::{Batch, Flush, Prepared, Ready, Writer, WriterContext};

use crate::chunk::{Chunk, RowEncoder};
use crate::options::{Partitioner, SinkOptions};
use crate::producer::{TopicHandle, drain, partition_count};
use crate::sink::Producing;
use crate::transaction::{FENCED, is_fenced};

/// How long the rows of an epoch may take to be delivered, or to be taken by librdkafka's queue.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(60);
/// librdkafka chooses the partition, by the key's hash as Java does.
const PARTITION_BY_KEY: i32 = -1;

/// Writes the rows of one subtask.
pub(crate) struct KafkaWriter {
    // Declared before what keeps the producer: a topic is given back first.
    lane: Lane,
    producing: Producing,
    encoder: RowEncoder,
    subtask: u16,
    clock: Arc<dyn Clock>,
    flushes: bool,
    /// Encoded rows that librdkafka has not taken, oldest first.
    held: VecDeque<Chunk>,
    held_bytes: usize,
    /// Bytes of keys and values encoded.
    bytes: u64,
    /// A chunk to encode into.
    spare: Chunk,
    /// The epoch that was prepared and is not decided: rows behind it wait.
    awaiting: Option<Epoch>,
}

/// The way into the topic.
struct Lane {
    topic: TopicHandle,
    partitioner: Partitioner,
    partitions: i32,
    keyed: bool,
    turn: i32,
}

impl Lane {
    /// The partition of the next chunk.
    fn partition(&mut self, subtask: u16) -> i32 {
        match self.partitioner {
            Partitioner::Fixed => i32::from(subtask) % self.partitions,
            Partitioner::Default if self.keyed => PARTITION_BY_KEY,
            Partitioner::Default | Partitioner::RoundRobin => {
                self.turn = (self.turn + 1) % self.partitions;
                self.turn
            }
        }
    }

    /// Hands on what librdkafka takes of `chunk`; whether that is all.
    fn push(&mut self, producing: &Producing, chunk: &mut Chunk, subtask: u16) -> Result<bool> {
        if let Producing::Transaction(transaction) = producing {
            transaction.begin()?;
        }
        let partition = *chunk.partition.get_or_insert_with(|| self.partition(subtask));
        let taken = self.topic.produce(producing.producer(), chunk, partition);
        if let Producing::Transaction(transaction) = producing {
            transaction.wrote(taken);
        }
        Ok(chunk.sent == chunk.rows())
    }
}

impl KafkaWriter {
    pub(crate) fn new(
        options: &SinkOptions,
        producing: Producing,
        encoder: RowEncoder,
        flushes: bool,
        context: &WriterContext,
    ) -> Result<Self> {
        let partitions = partition_count(producing.producer(), context.clock.as_ref(), &options.topic)?;
        let topic = TopicHandle::new(producing.producer(), &options.topic)?;
        let lane = Lane {
            topic,
            partitioner: options.partitioner,
            partitions,
            keyed: encoder.has_key(),
            turn: i32::from(context.subtask) % partitions,
        };
        Ok(Self {
            lane,
            producing,
            encoder,
            subtask: context.subtask,
            clock: Arc::clone(&context.clock),
            flushes,
            held: VecDeque::new(),
            held_bytes: 0,
            bytes: 0,
            spare: Chunk::default(),
            awaiting: None,
        })
    }

    /// Hands on what is held back and may flow.
    fn push_held(&mut self) -> Result<()> {
        if self.awaiting.is_some() {
            return Ok(());
        }
        while let Some(chunk) = self.held.front_mut() {
            if !self.lane.push(&self.producing, chunk, self.subtask)? {
                return Ok(());
            }
            self.held_bytes -= chunk.bytes();
            if let Some(mut chunk) = self.held.pop_front() {
                chunk.clear();
                self.spare = chunk;
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let producer = self.producing.producer();
        producer.poll(Duration::ZERO);
        let overdue = || match &self.producing {
            Producing::Transaction(transaction) => transaction.overdue(),
            Producing::Plain(_) => None,
        };
        let fatal = producer.client().fatal_error();
        let failure = producer.client().context().take_failure();
        if fatal.is_none() && failure.is_none() {
            return Ok(());
        }
        // Whatever is said of single messages then, this is why.
        if let Some(words) = overdue() {
            return Err(Error::new(Kind::Closed, format!("write to Kafka: {words}")));
        }
        if let Some((code, reason)) = fatal {
            let fenced = is_fenced(&KafkaError::Global(code));
            let why = if fenced { FENCED } else { "its producer has failed for good" };
            let kind = if fenced { Kind::Conflict } else { Kind::Closed };
            return Err(Error::new(kind, format!("write to Kafka: {why}: {reason}")));
        }
        failure.map_or(Ok(()), |failure| Err(failure.into_error("write to Kafka: ")))
    }
}

impl Writer for KafkaWriter {
    fn ready(&mut self) -> Result<Ready> {
        self.check()?;
        self.push_held()?;
        Ok(match self.held_bytes {
            held if held >= SINK_HELD_BYTES_MAX => Ready::No,
            _ => Ready::Yes,
        })
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        if batch.rows() == 0 {
            return Ok(());
        }
        let mut chunk = std::mem::take(&mut self.spare);
        self.encoder.encode(batch, &mut chunk)?;
        self.held_bytes += chunk.bytes();
        self.bytes += chunk.bytes() as u64;
        self.held.push_back(chunk);
        self.push_held()
    }

    fn prepare(&mut self, epoch: Epoch) -> Result<(Prepared, Option<Flush>)> {
        let prepared = Prepared { subtask: self.subtask, epoch, state: Vec::new() };
        self.check()?;
        match self.producing.clone() {
            Producing::Transaction(transaction) => {
                if let Some(before) = self.awaiting {
                    // An epoch without rows is not decided by a commit: then nothing stands in the way.
                    if transaction.rows() > 0 {
                        return Err(Error::internal(format!(
                            "prepare epoch {epoch}: epoch {before} is not decided yet"
                        )));
                    }
                    self.awaiting = None;
                }
                self.push_held()?;
                self.awaiting = Some(epoch);
                let rest = std::mem::take(&mut self.held);
                self.held_bytes = 0;
                Ok((prepared, self.flush_rest(rest, Producing::Transaction(transaction))?))
            }
            Producing::Plain(_) if !self.flushes => {
                self.push_held()?;
                Ok((prepared, None))
            }
            Producing::Plain(producer) => {
                self.push_held()?;
                let rest = std::mem::take(&mut self.held);
                self.held_bytes = 0;
                let push = self.flush_rest(rest, Producing::Plain(Arc::clone(&producer)))?;
                let clock = Arc::clone(&self.clock);
                let flush: Flush = Box::new(move || {
                    push.map_or(Ok(()), |push| push())?;
                    drain(&producer, clock.as_ref(), FLUSH_TIMEOUT)
                });
                Ok((prepared, Some(flush)))
            }
        }
    }

    fn bytes_written(&self) -> Option<u64> {
        Some(self.bytes)
    }

    fn decided(&mut self, epoch: Epoch) {
        if self.awaiting.is_some_and(|awaiting| awaiting <= epoch) {
            self.awaiting = None;
        }
    }
}

impl KafkaWriter {
    /// Hands the rest of a closed epoch on, off the task's thread: librdkafka's queue is full, so it waits.
    fn flush_rest(&mut self, mut rest: VecDeque<Chunk>, producing: Producing) -> Result<Option<Flush>> {
        if rest.is_empty() {
            return Ok(None);
        }
        let lane = &self.lane;
        let topic = TopicHandle::new(producing.producer(), lane.topic.name())?;
        let mut lane = Lane {
            topic,
            partitioner: lane.partitioner,
            partitions: lane.partitions,
            keyed: lane.keyed,
            turn: lane.turn,
        };
        let (clock, subtask) = (Arc::clone(&self.clock), self.subtask);
        Ok(Some(Box::new(move || {
            let deadline = clock.monotonic_us() + u64::try_from(FLUSH_TIMEOUT.as_micros()).unwrap_or(u64::MAX / 2);
            while let Some(chunk) = rest.front_mut() {
                if lane.push(&producing, chunk, subtask)? {
                    rest.pop_front();
                } else if clock.monotonic_us() >= deadline {
                    let what = format!(
                        "hand rows to Kafka within {} s: the brokers do not take them",
                        FLUSH_TIMEOUT.as_secs()
                    );
                    return Err(Error::new(Kind::Unavailable, what));
                } else {
                    producing.producer().poll(Duration::from_millis(1));
                }
            }
            Ok(())
        })))
    }
}
