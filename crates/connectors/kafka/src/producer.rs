//! Producing: the producer's configuration, and rows handed to librdkafka in batches.

use std::ffi::{CString, c_void};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka_sys as sys;
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Clock, Error, Kind, Result};
use weir_connector::JobContext;
use weir_plan::TableOptions;

use crate::admin::{EVENTS_MAX, passes_by};
use crate::chunk::Chunk;
use crate::client::{Context, copy_config, kafka_error, refused_words};
use crate::options::{Guarantee, SinkOptions, properties};
use crate::properties::{Side, translate};

/// Kilobytes of messages that a producer holds before it takes no more: Java's `buffer.memory` is 32 MB.
const QUEUE_KILOBYTES_MAX: &str = "65536";
/// Messages that a producer holds before it takes no more.
const QUEUE_MESSAGES_MAX: &str = "500000";
/// A transaction that nobody ends is aborted by the broker after this, at least.
const TRANSACTION_TIMEOUT_MIN: Duration = Duration::from_secs(60);

/// How long one question waits for its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a topic that is not there yet is waited for.
const TOPIC_WAIT: Duration = Duration::from_secs(10);

/// A sink's options with its producer's configuration.
pub(crate) struct Prepared {
    pub options: SinkOptions,
    pub config: ClientConfig,
}

/// Reads a sink's options and makes its producer's configuration.
///
/// # Errors
/// Options and properties that cannot be honoured, by name.
pub(crate) fn producer_config(table: &str, options: &TableOptions, context: &JobContext) -> Result<Prepared> {
    let sink = SinkOptions::read(options)?;
    let translated = translate(&properties(options), Side::Producer)?;
    if !translated.ignored.is_empty() {
        tracing::info!(table, properties = translated.ignored.join(", "), "accepted, no effect");
    }
    let mut config = ClientConfig::new();
    config
        .set("queue.buffering.max.messages", QUEUE_MESSAGES_MAX)
        .set("queue.buffering.max.kbytes", QUEUE_KILOBYTES_MAX)
        // Java's default of max.request.size; librdkafka's own is a little less.
        .set("message.max.bytes", "1048576")
        .set("batch.num.messages", "100000")
        .set("partitioner", "murmur2_random")
        // Java's default: librdkafka would look for a broker that is back after ten seconds only.
        .set("reconnect.backoff.max.ms", "1000")
        .set("enable.idempotence", "true");
    if sink.guarantee == Guarantee::ExactlyOnce {
        let interval = context.checkpoint_interval.unwrap_or_default();
        let timeout = TRANSACTION_TIMEOUT_MIN.max(interval * 3);
        config.set("transaction.timeout.ms", timeout.as_millis().to_string());
    }
    let given = &translated.config;
    if given.get("acks").is_some_and(|acks| !matches!(acks, "all" | "-1")) && given.get("enable.idempotence").is_none()
    {
        // As Java does: fewer acknowledgements turn idempotence off unless it was asked for.
        config.set("enable.idempotence", "false");
    }
    copy_config(given, &mut config, |_| true);
    if sink.guarantee != Guarantee::ExactlyOnce {
        config.remove("transaction.timeout.ms");
    }
    // Only failures are told message by message.
    config.set("delivery.report.only.error", "true");
    Ok(Prepared { options: sink, config })
}

/// A producer of `config`.
///
/// # Errors
/// librdkafka does not take the configuration.
pub(crate) fn make(config: &ClientConfig) -> Result<BaseProducer<Context>> {
    let servers = config.get("bootstrap.servers").unwrap_or_default();
    let made = config.create_with_context(Context::new(servers));
    made.map_err(|error| kafka_error(format!("make a Kafka producer for {servers}"), &error))
}

/// Takes what librdkafka says outside of calls.
pub(crate) fn serve_events(producer: &BaseProducer<Context>) {
    for _ in 0..EVENTS_MAX {
        producer.poll(Duration::ZERO);
    }
}

/// The number of partitions of a topic that is written: asked on the producer's own connections, so that a broker that makes topics on demand makes
/// it.
///
/// # Errors
/// The topic does not exist; the brokers do not answer within `TOPIC_WAIT`.
pub(crate) fn partition_count(producer: &BaseProducer<Context>, clock: &dyn Clock, topic: &str) -> Result<i32> {
    let what = || format!("list the partitions of topic '{topic}'");
    let deadline = clock.monotonic_us() + u64::try_from(TOPIC_WAIT.as_micros()).unwrap_or(u64::MAX / 2);
    loop {
        serve_events(producer);
        if let Some(reason) = producer.client().context().denied() {
            return Err(Error::invalid(format!("{}: the credentials are not accepted: {reason}", what()))
                .hint("check 'properties.sasl.jaas.config' and 'properties.security.protocol'"));
        }
        let error = match producer.client().fetch_metadata(Some(topic), ANSWER_TIMEOUT) {
            Ok(metadata) => match metadata.topics().first().map(|topic| (topic.error(), topic.partitions().len())) {
                Some((None, count)) if count > 0 => {
                    return i32::try_from(count)
                        .map_err(|_| Error::internal(format!("{}: {count} do not fit", what())));
                }
                Some((Some(code), _)) => KafkaError::MetadataFetch(code.into()),
                _ => KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition),
            },
            Err(error) => error,
        };
        let is_new = error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnknownTopicOrPartition);
        if clock.monotonic_us() >= deadline || !(is_new || passes_by(&error)) {
            let error = kafka_error(what(), &error);
            return Err(if is_new {
                error.hint("create the topic (kafka-topics.sh --create), or correct 'topic'")
            } else {
                error
            });
        }
        clock.sleep(Duration::from_millis(100));
    }
}

/// A topic of a producer, as librdkafka holds it.
pub(crate) struct TopicHandle {
    handle: *mut sys::rd_kafka_topic_t,
    name: String,
    c_name: CString,
    /// Reused between calls.
    batch: Vec<sys::rd_kafka_message_t>,
}

// SAFETY: librdkafka's topics may be used from any thread; the pointers in `batch` are only followed within `produce`.
unsafe impl Send for TopicHandle {}

impl Drop for TopicHandle {
    fn drop(&mut self) {
        // SAFETY: our reference from `rd_kafka_topic_new`; the owner of this drops it before its producer.
        unsafe { sys::rd_kafka_topic_destroy(self.handle) };
    }
}

impl TopicHandle {
    /// The topic `name` of `producer`, which must outlive it.
    ///
    /// # Errors
    /// A name that Kafka does not take.
    pub(crate) fn new(producer: &BaseProducer<Context>, name: &str) -> Result<Self> {
        let c_name = CString::new(name).map_err(|_| Error::invalid("open a topic whose name holds a zero byte"))?;
        // SAFETY: a live client, a zero-terminated name, the default configuration.
        let handle =
            unsafe { sys::rd_kafka_topic_new(producer.client().native_ptr(), c_name.as_ptr(), std::ptr::null_mut()) };
        if handle.is_null() {
            return Err(Error::invalid(format!("open topic '{name}' for writing: librdkafka does not take it")));
        }
        Ok(Self { handle, name: name.to_owned(), c_name, batch: Vec::new() })
    }

    /// The topic's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Hands rows of `chunk` to librdkafka, which copies them, from `chunk.sent` on, until all are taken or its queue is full. Returns how many it
    /// took. Messages that it refuses at once are told to `context`, and count as taken.
    pub(crate) fn produce(&mut self, producer: &BaseProducer<Context>, chunk: &mut Chunk, partition: i32) -> usize {
        let from = chunk.sent;
        while chunk.sent < chunk.rows() {
            let taken = if chunk.is_plain() {
                self.produce_batch(producer, chunk, partition)
            } else {
                self.produce_one(producer, chunk, partition)
            };
            chunk.sent += taken;
            if taken == 0 {
                break;
            }
        }
        chunk.sent - from
    }

    fn produce_batch(&mut self, producer: &BaseProducer<Context>, chunk: &Chunk, partition: i32) -> usize {
        let count = (chunk.rows() - chunk.sent).min(BATCH_ROWS_MAX);
        self.batch.clear();
        for row in chunk.sent..chunk.sent + count {
            let (value, key) = (chunk.value(row), chunk.key(row));
            // SAFETY: a C structure of numbers and pointers, for which zeros are valid.
            let mut message: sys::rd_kafka_message_t = unsafe { std::mem::zeroed() };
            message.payload = value.as_ptr().cast_mut().cast();
            message.len = value.len();
            message.key = key.map_or(std::ptr::null_mut(), |key| key.as_ptr().cast_mut().cast());
            message.key_len = key.map_or(0, <[u8]>::len);
            self.batch.push(message);
        }
        let number = i32::try_from(count).expect("a batch has at most BATCH_ROWS_MAX rows");
        // SAFETY: the chunk's bytes outlive the call, which copies them (F_COPY).
        let good = unsafe {
            sys::rd_kafka_produce_batch(
                self.handle,
                partition,
                sys::RD_KAFKA_MSG_F_COPY,
                self.batch.as_mut_ptr(),
                number,
            )
        };
        if good == number {
            return count;
        }
        // The queue fills up for good within a call: what lies behind the first such row was not taken either.
        let mut taken = 0;
        for (index, message) in self.batch.iter().enumerate() {
            match message.err {
                sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => {}
                sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__QUEUE_FULL => break,
                code => self.refuse(producer, chunk, chunk.sent + index, partition, code.into()),
            }
            taken += 1;
        }
        taken
    }

    fn refuse(
        &self,
        producer: &BaseProducer<Context>,
        chunk: &Chunk,
        row: usize,
        partition: i32,
        code: RDKafkaErrorCode,
    ) {
        producer.client().context().refused(Some(code), || {
            refused_words(&self.name, partition, chunk.key(row), Some(chunk.value(row)), Some(code))
        });
    }

    /// One row with its headers and timestamp.
    fn produce_one(&mut self, producer: &BaseProducer<Context>, chunk: &Chunk, partition: i32) -> usize {
        use sys::rd_kafka_vtype_t as Type;
        let row = chunk.sent;
        let (value, key) = (chunk.value(row), chunk.key(row));
        let field = |vtype, set: &dyn Fn(&mut sys::rd_kafka_vu_t)| {
            // SAFETY: a C structure of numbers and pointers, for which zeros are valid.
            let mut field: sys::rd_kafka_vu_t = unsafe { std::mem::zeroed() };
            field.vtype = vtype;
            set(&mut field);
            field
        };
        let memory = |bytes: &[u8]| sys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 {
            ptr: bytes.as_ptr().cast_mut().cast(),
            size: bytes.len(),
        };
        let mut fields = vec![
            field(Type::RD_KAFKA_VTYPE_TOPIC, &|field| field.u.cstr = self.c_name.as_ptr()),
            field(Type::RD_KAFKA_VTYPE_PARTITION, &|field| field.u.i32_ = partition),
            field(Type::RD_KAFKA_VTYPE_MSGFLAGS, &|field| field.u.i = sys::RD_KAFKA_MSG_F_COPY),
            field(Type::RD_KAFKA_VTYPE_VALUE, &|field| field.u.mem = memory(value)),
        ];
        if let Some(key) = key {
            fields.push(field(Type::RD_KAFKA_VTYPE_KEY, &|field| field.u.mem = memory(key)));
        }
        if let Some(timestamp) = chunk.timestamp(row) {
            fields.push(field(Type::RD_KAFKA_VTYPE_TIMESTAMP, &|field| field.u.i64_ = timestamp));
        }
        // Names must outlive the call.
        let headers = chunk.headers(row);
        let names: Vec<CString> =
            headers.iter().map(|(name, _)| CString::new(name.replace('\0', "")).unwrap_or_default()).collect();
        for ((_, value), name) in headers.iter().zip(&names) {
            let header = sys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_2 {
                name: name.as_ptr(),
                val: value.as_ref().map_or(std::ptr::null(), |value| value.as_ptr().cast::<c_void>()),
                size: value.as_ref().map_or(0, |value| isize::try_from(value.len()).unwrap_or(isize::MAX)),
            };
            fields.push(field(Type::RD_KAFKA_VTYPE_HEADER, &|field| field.u.header = header));
        }
        // SAFETY: a live client; all that the fields point at outlives the call, which copies it.
        let code = unsafe {
            let error = sys::rd_kafka_produceva(producer.client().native_ptr(), fields.as_ptr(), fields.len());
            let code = sys::rd_kafka_error_code(error);
            if !error.is_null() {
                sys::rd_kafka_error_destroy(error);
            }
            code
        };
        match code {
            sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => 1,
            sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__QUEUE_FULL => 0,
            code => {
                self.refuse(producer, chunk, row, partition, code.into());
                1
            }
        }
    }
}

/// Waits until all messages are delivered. librdkafka's own flush waits in steps of 100 ms; polling does not.
///
/// # Errors
/// A message was refused; not all were delivered within `wait`.
pub(crate) fn drain(producer: &BaseProducer<Context>, clock: &dyn Clock, wait: Duration) -> Result<()> {
    let deadline = clock.monotonic_us() + u64::try_from(wait.as_micros()).unwrap_or(u64::MAX / 2);
    while producer.in_flight_count() > 0 && clock.monotonic_us() < deadline {
        producer.poll(Duration::from_micros(500));
    }
    let context = producer.client().context();
    if let Some(failure) = context.take_failure() {
        return Err(failure.into_error(""));
    }
    match producer.in_flight_count() {
        0 => Ok(()),
        left => {
            let state = if context.is_down() { "no broker answers" } else { "the brokers are too slow" };
            Err(Error::new(Kind::Unavailable, format!("deliver {left} messages within {} s: {state}", wait.as_secs())))
        }
    }
}
