//! The names of properties: what becomes of each that Java clients know, and which librdkafka knows.

use std::ffi::{CStr, CString};

use rdkafka_sys as sys;

use super::Side;

/// What becomes of a property of the Java clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Tuning of the Java client: accepted, no effect.
    NoEffect,
    /// Weir or its options act on it themselves.
    Ours,
    /// Passed on under the same name, but only to clients of this kind.
    Other(Side),
    /// librdkafka calls it so.
    Renamed(&'static str),
    /// librdkafka calls it so and counts in kilobytes.
    Kilobytes(&'static str),
    /// Refused, with what to do.
    Refused(&'static str),
    /// `sasl.jaas.config`
    Jaas,
    /// Location or type of a trust or key store.
    Store,
    /// `ssl.endpoint.identification.algorithm`
    EndpointIdentification,
}

/// Tuning of the Java clients for which librdkafka has no counterpart.
const NO_EFFECT: &[&str] = &[
    "auto.include.jmx.reporter",
    "client.id.prefix",
    "config.providers",
    "default.api.timeout.ms",
    "exclude.internal.topics",
    "group.remote.assignor",
    "key.deserializer",
    "key.serializer",
    "max.block.ms",
    "max.poll.records",
    "metadata.max.idle.ms",
    "metadata.recovery.rebootstrap.trigger.ms",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "partition.assignment.strategy",
    "partitioner.adaptive.partitioning.enable",
    "partitioner.availability.timeout.ms",
    "partitioner.ignore.keys",
    "register.consumer.metrics",
    "sasl.login.connect.timeout.ms",
    "sasl.login.read.timeout.ms",
    "sasl.login.refresh.buffer.seconds",
    "sasl.login.refresh.min.period.seconds",
    "sasl.login.refresh.window.factor",
    "sasl.login.refresh.window.jitter",
    "sasl.login.retry.backoff.max.ms",
    "sasl.login.retry.backoff.ms",
    "security.providers",
    "ssl.keymanager.algorithm",
    "ssl.secure.random.implementation",
    "ssl.trustmanager.algorithm",
    "value.deserializer",
    "value.serializer",
];

/// What becomes of `key`; `None`: it is passed on under its own name to every client, if librdkafka knows it.
pub(super) fn fate(key: &str) -> Option<Fate> {
    if NO_EFFECT.contains(&key) {
        return Some(Fate::NoEffect);
    }
    Some(match key {
        "auto.offset.reset"
        | "commit.offsets.on.checkpoint"
        | "partition.discovery.interval.ms"
        | "enable.auto.commit"
        | "auto.commit.interval.ms"
        | "transactional.id" => Fate::Ours,
        "receive.buffer.bytes" => Fate::Renamed("socket.receive.buffer.bytes"),
        "send.buffer.bytes" => Fate::Renamed("socket.send.buffer.bytes"),
        "fetch.max.wait.ms" => Fate::Renamed("fetch.wait.max.ms"),
        "max.request.size" => Fate::Renamed("message.max.bytes"),
        "buffer.memory" => Fate::Kilobytes("queue.buffering.max.kbytes"),
        "compression.gzip.level" | "compression.lz4.level" | "compression.zstd.level" => {
            Fate::Renamed("compression.level")
        }
        "ssl.truststore.certificates" => Fate::Renamed("ssl.ca.pem"),
        "ssl.keystore.key" => Fate::Renamed("ssl.key.pem"),
        "ssl.keystore.certificate.chain" => Fate::Renamed("ssl.certificate.pem"),
        "ssl.truststore.location" | "ssl.truststore.type" | "ssl.keystore.location" | "ssl.keystore.type" => {
            Fate::Store
        }
        "ssl.endpoint.identification.algorithm" => Fate::EndpointIdentification,
        "sasl.jaas.config" => Fate::Jaas,
        "interceptor.classes"
        | "sasl.client.callback.handler.class"
        | "sasl.login.callback.handler.class"
        | "sasl.login.class"
        | "security.protocol.class"
        | "ssl.engine.factory.class" => Fate::Refused("remove it: a Java class cannot be loaded"),
        "partitioner.class" => Fate::Refused("remove it and use 'sink.partitioner'"),
        "ssl.truststore.password" => Fate::Refused("export the truststore as PEM, which has no password"),
        "ssl.protocol" | "ssl.provider" | "ssl.enabled.protocols" => {
            Fate::Refused("remove it: OpenSSL chooses the newest protocol that both sides know")
        }
        "fetch.min.bytes"
        | "fetch.max.bytes"
        | "max.partition.fetch.bytes"
        | "isolation.level"
        | "check.crcs"
        | "max.poll.interval.ms"
        | "session.timeout.ms"
        | "heartbeat.interval.ms"
        | "group.id"
        | "group.instance.id"
        | "group.protocol"
        | "allow.auto.create.topics" => Fate::Other(Side::Consumer),
        "acks"
        | "linger.ms"
        | "batch.size"
        | "compression.type"
        | "delivery.timeout.ms"
        | "request.timeout.ms"
        | "enable.idempotence"
        | "transaction.timeout.ms"
        | "retries"
        | "max.in.flight.requests.per.connection" => Fate::Other(Side::Producer),
        _ => return None,
    })
}

/// Why librdkafka does not take a property.
pub(super) enum Rejected {
    /// It does not know the name.
    Unknown,
    /// It does not take the value, in its words.
    Value(String),
}

/// A configuration of librdkafka, freed when dropped.
struct Conf(*mut sys::rd_kafka_conf_t);

impl Conf {
    fn new() -> Self {
        // SAFETY: no precondition; the object is ours until `Drop`.
        Self(unsafe { sys::rd_kafka_conf_new() })
    }
}

impl Drop for Conf {
    fn drop(&mut self) {
        // SAFETY: made by `rd_kafka_conf_new` and given to nobody else.
        unsafe { sys::rd_kafka_conf_destroy(self.0) };
    }
}

/// Tries a property on a fresh configuration.
pub(super) fn try_set(name: &str, value: &str) -> Result<(), Rejected> {
    let conf = Conf::new();
    let (Ok(name), Ok(value)) = (CString::new(name), CString::new(value)) else {
        return Err(Rejected::Value("it holds a zero byte".to_owned()));
    };
    let mut words = [0; 512];
    // SAFETY: all pointers live through the call, and the buffer's length is its own.
    let outcome =
        unsafe { sys::rd_kafka_conf_set(conf.0, name.as_ptr(), value.as_ptr(), words.as_mut_ptr(), words.len()) };
    match outcome {
        sys::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK => Ok(()),
        sys::rd_kafka_conf_res_t::RD_KAFKA_CONF_UNKNOWN => Err(Rejected::Unknown),
        _ => {
            // SAFETY: librdkafka ends its text with a zero byte inside the buffer.
            let words = unsafe { CStr::from_ptr(words.as_ptr()) };
            Err(Rejected::Value(words.to_string_lossy().into_owned()))
        }
    }
}

/// The known property that looks most like `key`, if one does.
pub(super) fn nearest(key: &str) -> Option<String> {
    const LIKENESS_MIN: f64 = 0.85;
    let known = librdkafka_names().into_iter().chain(NO_EFFECT.iter().map(|name| (*name).to_owned()));
    known
        .chain(["max.request.size", "sasl.jaas.config", "auto.offset.reset", "buffer.memory"].map(str::to_owned))
        .map(|name| (strsim::jaro_winkler(key, &name), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

fn librdkafka_names() -> Vec<String> {
    let conf = Conf::new();
    let mut count = 0;
    // SAFETY: gives an array of `count` zero-terminated strings, names and values in turn, freed below.
    unsafe {
        let pairs = sys::rd_kafka_conf_dump(conf.0, &mut count);
        let names = (0..count).step_by(2).map(|index| CStr::from_ptr(*pairs.add(index)).to_string_lossy().into_owned());
        let names = names.collect();
        sys::rd_kafka_conf_dump_free(pairs, count);
        names
    }
}
