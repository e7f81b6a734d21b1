//! The reader: one consumer a subtask, assigned to its partitions by us, read in batches.
//!
//! What a batch brought is sorted by partition into one buffer each. A broker that does not answer is waited for; it is told once.

use std::collections::VecDeque;
use std::ffi::CString;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka_sys as sys;
use sys::rd_kafka_resp_err_t as Code;
use weir_base::limits::{BATCH_ROWS_MAX, FETCH_BYTES_MAX};
use weir_base::{Clock, Error, Kind, Result};
use weir_connector::{Fetch, Position, Reader, ReaderContext, SplitId};
use weir_metrics::{Gauge, Registry, Scope};

use crate::admin::{Partition, list};
use crate::assemble;
use crate::client::{Context, kafka_error};
use crate::messages::{Messages, Queue};
use crate::source::Common;

/// How often lag and events are looked at.
const LOOK_INTERVAL_US: u64 = 500_000;

/// librdkafka's bound of what a consumer has fetched ahead.
const QUEUED_KEY: &str = "queued.max.messages.kbytes";
/// Kilobytes that the consumers of a table have fetched ahead, together: half a second at 500,000 telemetry events/s.
const QUEUED_KILOBYTES_MAX: usize = 65_536;
/// Kilobytes that one consumer may always fetch ahead: two fetches' worth.
const QUEUED_KILOBYTES_MIN: usize = 4_096;

/// Reads the partitions of one subtask.
pub(crate) struct KafkaReader {
    common: Arc<Common>,
    queue: Queue,
    clock: Arc<dyn Clock>,
    metrics: Registry,
    linger: Duration,
    pending: Gauge,
    lag_max: Gauge,
    slots: Vec<Slot>,
    /// Splits that were given and do not flow yet, with their positions.
    added: Vec<(SplitId, Option<Position>)>,
    /// What waits to be handed out.
    ready: VecDeque<Fetch>,
    /// Average bytes of a record, for the size of the next batch.
    record_bytes: usize,
    looked_us: u64,
}

/// A partition that flows.
pub(crate) struct Slot {
    pub split: SplitId,
    pub at: Partition,
    topic: CString,
    /// The topic's handle in messages, once one was seen.
    handle: *const std::ffi::c_void,
    /// The position behind the last record handed out or waiting in `ready`.
    pub next: Position,
    /// Where it ends, exclusive.
    pub stop: Option<u64>,
    done: bool,
    current: Gauge,
}

// SAFETY: `handle` is compared, never followed.
unsafe impl Send for Slot {}

impl KafkaReader {
    pub(crate) fn new(common: Arc<Common>, context: &ReaderContext) -> Result<Self> {
        let servers = common.config.get("bootstrap.servers").unwrap_or_default();
        let mut config = common.config.clone();
        if config.get(QUEUED_KEY).is_none() {
            let share = (QUEUED_KILOBYTES_MAX / usize::from(context.parallelism.max(1))).max(QUEUED_KILOBYTES_MIN);
            config.set(QUEUED_KEY, share.to_string());
        }
        let consumer = config.create_with_context(Context::new(servers));
        let consumer = consumer.map_err(|error| kafka_error(format!("make a Kafka consumer for {servers}"), &error))?;
        Ok(Self {
            queue: Queue::new(consumer),
            clock: Arc::clone(&context.clock),
            pending: context.metrics.gauge(Scope::Operator, "pendingRecords"),
            lag_max: context.metrics.gauge(Scope::Operator, "KafkaSourceReader_KafkaConsumer_records_lag_max"),
            metrics: context.metrics.clone(),
            linger: context.linger,
            slots: Vec::new(),
            added: Vec::new(),
            ready: VecDeque::new(),
            record_bytes: 256,
            looked_us: 0,
            common,
        })
    }

    /// Lets the splits that were added flow: finds their positions and assigns all that is not done.
    fn settle(&mut self) -> Result<()> {
        if self.added.is_empty() {
            return Ok(());
        }
        for (split, from) in std::mem::take(&mut self.added) {
            let slot = self.slot(split, from)?;
            self.slots.push(slot);
        }
        let flowing = self.slots.iter().filter(|slot| !slot.done);
        let list = list(flowing.map(|slot| {
            let offset = i64::try_from(slot.next.offset).unwrap_or(i64::MAX);
            (slot.at.topic.as_str(), slot.at.partition, Offset::Offset(offset))
        }))?;
        let assigned = self.queue.consumer().assign(&list);
        assigned.map_err(|error| kafka_error(format!("assign partitions of table {}", self.common.table), &error))
    }

    fn slot(&mut self, split: SplitId, from: Option<Position>) -> Result<Slot> {
        let at = Partition::of_split(&split.0)?;
        let next = match from {
            Some(position) => position,
            None => Position { offset: unsigned(self.common.start(&at)?, &at)?, records: 0 },
        };
        let stop = self.common.stop(&at)?.map(|stop| unsigned(stop, &at)).transpose()?;
        let labels = [("topic", at.topic.clone()), ("partition", at.partition.to_string())];
        let metrics = self.metrics.with(labels);
        let current = metrics.gauge(Scope::Operator, "KafkaSourceReader_topic_partition_currentOffset");
        let committed = metrics.gauge(Scope::Operator, "KafkaSourceReader_topic_partition_committedOffset");
        let mut gauges = self.common.committed.lock().unwrap_or_else(PoisonError::into_inner);
        gauges.insert(split.0.to_string(), committed);
        drop(gauges);
        let topic = CString::new(at.topic.as_str())
            .map_err(|_| Error::invalid(format!("read the topic '{}': its name holds a zero byte", at.topic)))?;
        let done = stop.is_some_and(|stop| next.offset >= stop);
        if done {
            self.ready.push_back(Fetch::End(split.clone()));
        } else if from.is_none() {
            // The position is part of the next checkpoint even if no record comes before it.
            self.ready.push_back(assemble::empty(&split, &self.common.metadata, next)?);
        }
        Ok(Slot { split, at, topic, handle: std::ptr::null(), next, stop, done, current })
    }

    /// Reads one batch and puts what it brought into `ready`.
    fn read(&mut self, wait: Duration) -> Result<()> {
        let max = (FETCH_BYTES_MAX / self.record_bytes.max(1)).clamp(16, BATCH_ROWS_MAX);
        let messages = self.queue.next(wait, self.linger, max);
        if messages.as_slice().is_empty() {
            return Ok(());
        }
        self.queue.consumer().client().context().answered();
        let mut by_slot: Vec<Vec<*mut sys::rd_kafka_message_t>> = vec![Vec::new(); self.slots.len()];
        let (mut bytes, mut records, mut last) = (0, 0, 0);
        for (index, pointer) in messages.as_slice().iter().enumerate() {
            let message = messages.get(index);
            let Some(slot) = self.slot_of(message, last) else { continue };
            last = slot;
            if message.err == Code::RD_KAFKA_RESP_ERR_NO_ERROR {
                bytes += message.len + message.key_len;
                records += 1;
                by_slot[slot].push(*pointer);
            } else {
                self.flush(slot, &mut by_slot[slot])?;
                self.event(slot, message, &messages)?;
            }
        }
        for (slot, pointers) in by_slot.iter_mut().enumerate() {
            self.flush(slot, pointers)?;
        }
        if let Some(average) = bytes.checked_div(records) {
            self.record_bytes = (self.record_bytes + average).div_ceil(2);
        }
        Ok(())
    }

    /// The slot of a message: nearly always that of the one before.
    fn slot_of(&mut self, message: &sys::rd_kafka_message_t, last: usize) -> Option<usize> {
        let handle = message.rkt.cast_const().cast();
        let fits = |slot: &Slot| slot.at.partition == message.partition && std::ptr::eq(slot.handle, handle);
        if self.slots.get(last).is_some_and(fits) {
            return Some(last);
        }
        if let Some(found) = self.slots.iter().position(fits) {
            return Some(found);
        }
        if message.rkt.is_null() {
            return None;
        }
        // SAFETY: a message's topic lives with it.
        let name = unsafe { std::ffi::CStr::from_ptr(sys::rd_kafka_topic_name(message.rkt)) };
        let found = self
            .slots
            .iter()
            .position(|slot| slot.at.partition == message.partition && slot.topic.as_c_str() == name)?;
        self.slots[found].handle = handle;
        Some(found)
    }

    /// Hands the records of one partition on, up to its end.
    fn flush(&mut self, index: usize, pointers: &mut Vec<*mut sys::rd_kafka_message_t>) -> Result<()> {
        let slot = &mut self.slots[index];
        if slot.done {
            pointers.clear();
        }
        if pointers.is_empty() {
            return Ok(());
        }
        // SAFETY: the messages of this batch, which lives in `read`.
        let offset = |pointer: &*mut sys::rd_kafka_message_t| unsafe { (**pointer).offset };
        let ended = slot.stop.and_then(|stop| {
            pointers.iter().position(|pointer| u64::try_from(offset(pointer)).is_ok_and(|offset| offset >= stop))
        });
        pointers.truncate(ended.unwrap_or(pointers.len()));
        // SAFETY: messages without an error, alive until the batch is dropped.
        unsafe {
            assemble::records(pointers, slot, self.common.options.reads_keys, &self.common.metadata, &mut self.ready)?;
        }
        if ended.is_some() || slot.stop.is_some_and(|stop| slot.next.offset >= stop) {
            self.end(index)?;
        }
        pointers.clear();
        Ok(())
    }

    fn end(&mut self, index: usize) -> Result<()> {
        let slot = &mut self.slots[index];
        slot.done = true;
        self.ready.push_back(Fetch::End(slot.split.clone()));
        let list = list([(slot.at.topic.as_str(), slot.at.partition, Offset::Invalid)])?;
        let paused = self.queue.consumer().pause(&list);
        paused.map_err(|error| kafka_error(format!("pause {}", self.slots[index].at.split()), &error))
    }

    /// What librdkafka says about a partition instead of giving a record.
    fn event(&mut self, index: usize, message: &sys::rd_kafka_message_t, _batch: &Messages) -> Result<()> {
        let slot = &self.slots[index];
        let name = slot.at.split();
        // SAFETY: the text of a live message, or NULL.
        let words = unsafe { sys::rd_kafka_message_errstr(message) };
        // SAFETY: zero-terminated when it is there.
        let words = if words.is_null() {
            String::new()
        } else {
            unsafe { std::ffi::CStr::from_ptr(words) }.to_string_lossy().into_owned()
        };
        match message.err {
            Code::RD_KAFKA_RESP_ERR__PARTITION_EOF => {
                // Markers of transactions take offsets without giving records: the end is where the fetch stands, not a count.
                let reached = slot.stop.is_some_and(|stop| u64::try_from(message.offset).is_ok_and(|at| at >= stop));
                if reached && !slot.done { self.end(index) } else { Ok(()) }
            }
            Code::RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET | Code::RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE => {
                let what = format!(
                    "read {name} at offset {}: the broker has no such offset (any more): {words}",
                    slot.next.offset
                );
                Err(Error::new(Kind::NotFound, what).hint(
                    "records were deleted before they were read, or the topic was made anew; \
                     set 'properties.auto.offset.reset' to go on regardless, or start with --fresh",
                ))
            }
            Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
            | Code::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
            | Code::RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION => {
                Err(Error::new(Kind::NotFound, format!("read {name}: it does not exist (any more): {words}"))
                    .hint("create the topic, or correct 'topic'"))
            }
            Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED | Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED => {
                Err(Error::invalid(format!("read {name}: {words}"))
                    .hint("grant the user READ on the topic and the group"))
            }
            // Decoding errors: the codec is not in this build, the data is damaged.
            Code::RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED
            | Code::RD_KAFKA_RESP_ERR__BAD_MSG
            | Code::RD_KAFKA_RESP_ERR__BAD_COMPRESSION => {
                Err(Error::new(Kind::Corrupt, format!("read {name} behind offset {}: {words}", slot.next.offset)))
            }
            other => {
                tracing::debug!(split = %name, code = ?other, words, "a partition's fetch failed; librdkafka tries again");
                Ok(())
            }
        }
    }

    /// Lag, and what librdkafka says outside of messages.
    fn look(&mut self) -> Result<()> {
        let now = self.clock.monotonic_us();
        if now < self.looked_us + LOOK_INTERVAL_US {
            return Ok(());
        }
        self.looked_us = now;
        self.queue.serve_events();
        self.look_at_lag();
        let context = self.queue.consumer().client().context();
        if let Some(reason) = context.denied() {
            return Err(Error::invalid(format!(
                "read table {}: the credentials are not accepted: {reason}",
                self.common.table
            ))
            .hint("check 'properties.sasl.jaas.config' and 'properties.security.protocol'"));
        }
        Ok(())
    }

    fn look_at_lag(&self) {
        let (mut pending, mut most) = (0, 0);
        for slot in self.slots.iter().filter(|slot| !slot.done) {
            let end = self.queue.end_known(&slot.topic, slot.at.partition).and_then(|end| u64::try_from(end).ok());
            let lag = end.map_or(0, |end| end.saturating_sub(slot.next.offset));
            pending += lag;
            most = most.max(lag);
        }
        #[expect(clippy::cast_precision_loss, reason = "a lag is far below 2^53")]
        {
            self.pending.set(pending as f64);
            self.lag_max.set(most as f64);
            for slot in &self.slots {
                // Flink's currentOffset is that of the last record, -1 before the first.
                slot.current.set(slot.next.offset as f64 - 1.0);
            }
        }
    }
}

fn unsigned(offset: i64, at: &Partition) -> Result<u64> {
    u64::try_from(offset)
        .map_err(|_| Error::invalid(format!("read {} from offset {offset}: it is negative", at.split())))
}

impl Reader for KafkaReader {
    fn add(&mut self, split: SplitId, from: Option<Position>) -> Result<()> {
        if from.is_some() {
            self.common.restored();
        }
        self.added.push((split, from));
        Ok(())
    }

    fn held_up(&mut self) {
        self.look_at_lag();
    }

    fn fetch(&mut self, wait: Duration) -> Result<Fetch> {
        if self.ready.is_empty() {
            self.settle()?;
            self.look()?;
        }
        if self.ready.is_empty() {
            if self.slots.iter().all(|slot| slot.done) {
                self.clock.sleep(wait);
            } else {
                self.read(wait)?;
            }
        }
        Ok(self.ready.pop_front().unwrap_or(Fetch::Nothing))
    }
}
