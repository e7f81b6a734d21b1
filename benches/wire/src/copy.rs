//! A copy from topic to topic in transactions of a second: the bound that librdkafka itself sets to an exactly-once job.

use std::ffi::CString;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use rdkafka_sys as sys;
use weir_base::{Clock, Error, Result, SystemClock};

use super::{ANSWER, consumer, failed};

/// Messages of a batch at most.
const BATCH: usize = 8_192;

/// How long a transaction lasts.
const TRANSACTION_US: u64 = 1_000_000;

/// Where a copy stands.
struct Copy<'a> {
    consumer: &'a BaseConsumer,
    producer: &'a BaseProducer,
    clock: &'a SystemClock,
    from: &'a str,
    /// The next offset of each partition.
    next: Vec<i64>,
    topic: *mut sys::rd_kafka_topic_t,
    batch: Vec<sys::rd_kafka_message_t>,
    records: u64,
}

/// Copies all records that `from` holds now.
pub fn run(servers: &str, from: &str, to: &str) -> Result<String> {
    let (consumer, ends) = consumer(servers, from, Offset::Beginning)?;
    let made: std::result::Result<BaseProducer, _> = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .set("transactional.id", format!("wire-{to}"))
        .set("linger.ms", "20")
        .set("batch.num.messages", "100000")
        .set("batch.size", "1000000")
        .set("queue.buffering.max.messages", "500000")
        .set("queue.buffering.max.kbytes", "65536")
        .set("delivery.report.only.error", "true")
        .create();
    let producer = made.map_err(|error| failed("make a producer", &error))?;
    producer.init_transactions(ANSWER).map_err(|error| failed("begin with transactions", &error))?;
    let name = CString::new(to).map_err(|_| Error::invalid("name a topic with a zero byte"))?;
    // SAFETY: a live client, a zero-terminated name, the default configuration.
    let topic = unsafe { sys::rd_kafka_topic_new(producer.client().native_ptr(), name.as_ptr(), std::ptr::null_mut()) };
    let clock = SystemClock::new();
    let mut copy = Copy {
        consumer: &consumer,
        producer: &producer,
        clock: &clock,
        from,
        next: vec![0; ends.len()],
        topic,
        batch: Vec::with_capacity(BATCH),
        records: 0,
    };
    let start = clock.monotonic_us();
    copy.all(&ends)?;
    let took = clock.monotonic_us() - start;
    let records = copy.records;
    // SAFETY: our reference; the producer lives on.
    unsafe { sys::rd_kafka_topic_destroy(topic) };
    Ok(format!("records {records} microseconds {took}"))
}

impl Copy<'_> {
    fn all(&mut self, ends: &[i64]) -> Result<()> {
        // SAFETY: a live client; the queue is a reference of ours, given back below.
        let queue = unsafe { sys::rd_kafka_queue_get_consumer(self.consumer.client().native_ptr()) };
        let mut messages = vec![std::ptr::null_mut(); BATCH];
        while self.next.iter().zip(ends).any(|(next, end)| next < end) {
            self.producer.begin_transaction().map_err(|error| failed("begin a transaction", &error))?;
            let begun = self.clock.monotonic_us();
            while self.clock.monotonic_us() - begun < TRANSACTION_US
                && self.next.iter().zip(ends).any(|(next, end)| next < end)
            {
                // SAFETY: our queue, and room for as many pointers as are asked for.
                let count =
                    unsafe { sys::rd_kafka_consume_batch_queue(queue, 50, messages.as_mut_ptr(), messages.len()) };
                self.pass_on(&messages[..usize::try_from(count).unwrap_or(0)])?;
            }
            self.commit()?;
        }
        // SAFETY: the reference taken above.
        unsafe { sys::rd_kafka_queue_destroy(queue) };
        Ok(())
    }

    fn pass_on(&mut self, messages: &[*mut sys::rd_kafka_message_t]) -> Result<()> {
        self.batch.clear();
        for message in messages {
            // SAFETY: a message that the queue gave is live until it is destroyed below.
            let message = unsafe { &**message };
            if message.err != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                continue;
            }
            if let Some(next) = usize::try_from(message.partition).ok().and_then(|at| self.next.get_mut(at)) {
                *next = message.offset + 1;
            }
            // SAFETY: a C structure of numbers and pointers, for which zeros are valid.
            let mut out: sys::rd_kafka_message_t = unsafe { std::mem::zeroed() };
            (out.payload, out.len) = (message.payload, message.len);
            self.batch.push(out);
        }
        self.records += self.batch.len() as u64;
        let mut from = 0;
        while from < self.batch.len() {
            let rest = &mut self.batch[from..];
            let length = i32::try_from(rest.len()).unwrap_or(i32::MAX);
            // SAFETY: a live topic; each message points at bytes that live, and librdkafka copies them.
            let taken = unsafe {
                sys::rd_kafka_produce_batch(self.topic, -1, sys::RD_KAFKA_MSG_F_COPY, rest.as_mut_ptr(), length)
            };
            let full = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__QUEUE_FULL;
            let none = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
            if let Some(refused) = rest.iter().find(|message| message.err != none && message.err != full) {
                return Err(Error::invalid(format!("produce a message: {:?}", refused.err)));
            }
            from += usize::try_from(taken).unwrap_or(0);
            if from < self.batch.len() {
                self.clock.sleep(Duration::from_millis(1));
                self.producer.poll(Duration::ZERO);
            }
        }
        for message in messages {
            // SAFETY: each was given to us and is given back once.
            unsafe { sys::rd_kafka_message_destroy(*message) };
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        let mut list = TopicPartitionList::new();
        for (partition, next) in (0..).zip(&self.next) {
            let added = list.add_partition_offset(self.from, partition, Offset::Offset(*next));
            added.map_err(|error| failed("name a partition", &error))?;
        }
        let group = self.consumer.group_metadata().ok_or_else(|| Error::internal("know the consumer's group"))?;
        let sent = self.producer.send_offsets_to_transaction(&list, &group, ANSWER);
        sent.map_err(|error| failed("send offsets with a transaction", &error))?;
        self.producer.commit_transaction(ANSWER).map_err(|error| failed("commit a transaction", &error))
    }
}
