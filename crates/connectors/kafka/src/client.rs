//! The librdkafka clients' surroundings: their log and error callbacks, and how their errors read here.
//!
//! It owns no connection. A client's context collects what librdkafka says outside of calls: that no broker answers, that the credentials are wrong,
//! that a message was refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::ProducerContext;
use rdkafka::{ClientConfig, ClientContext};
use weir_base::{Error, Kind};

/// Bytes of a refused message that its error shows.
const SHOWN_BYTES_MAX: usize = 120;

/// What librdkafka tells about one client, outside of calls.
#[derive(Debug)]
pub(crate) struct Context {
    /// `bootstrap.servers`, for words.
    servers: String,
    /// Whether no broker answers at the moment.
    down: AtomicBool,
    /// Why the brokers do not let us in, the last time they said so.
    denied: Mutex<Option<String>>,
    /// The first message that was refused since the last `take_failure`.
    failure: Mutex<Option<Refused>>,
}

/// A message that was refused: why, and what it held.
#[derive(Debug)]
pub(crate) struct Refused {
    words: String,
    /// Whether the brokers did not take it in time, rather than not at all.
    is_late: bool,
}

impl Refused {
    /// As an error; `what` stands before its words.
    pub(crate) fn into_error(self, what: &str) -> Error {
        let text = format!("{what}{}", self.words);
        if self.is_late {
            return Error::new(Kind::Unavailable, text)
                .hint("see what keeps the brokers, or raise 'properties.delivery.timeout.ms'");
        }
        Error::new(Kind::Exhausted, text).hint("leave such rows out, or raise the limit on both sides")
    }
}

impl Context {
    pub(crate) fn new(servers: &str) -> Self {
        Self {
            servers: servers.to_owned(),
            down: AtomicBool::new(false),
            denied: Mutex::default(),
            failure: Mutex::default(),
        }
    }

    /// Whether no broker answers.
    pub(crate) fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    /// Told when a broker has answered: the next silence is news again.
    pub(crate) fn answered(&self) {
        if self.down.swap(false, Ordering::Relaxed) {
            tracing::info!(brokers = %self.servers, "brokers answer again");
        }
    }

    /// Why the brokers do not let us in, if they said so.
    pub(crate) fn denied(&self) -> Option<String> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn deny(&self, what: &str, reason: &str) {
        let mut denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        if denied.is_none() {
            tracing::warn!(brokers = %self.servers, reason, "{what}");
        }
        *denied = Some(reason.to_owned());
    }

    /// The first message refused since the last call, in words.
    pub(crate) fn take_failure(&self) -> Option<Refused> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Takes a refused message down; only the first one's words are kept.
    pub(crate) fn refused(&self, code: Option<RDKafkaErrorCode>, words: impl FnOnce() -> String) {
        let is_late = code == Some(RDKafkaErrorCode::MessageTimedOut);
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert_with(|| Refused { words: words(), is_late });
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // librdkafka repeats itself at each retry: what matters is said by `error` below, once.
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(facility, "{message}");
            }
            _ => tracing::debug!(facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                if !self.down.swap(true, Ordering::Relaxed) {
                    tracing::warn!(brokers = %self.servers, "no broker answers; retrying until one does");
                }
            }
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed) => {
                self.deny("the brokers do not accept the credentials", reason);
            }
            // Another failure of TLS may be that of a broker that is just starting.
            Some(RDKafkaErrorCode::SSL) if reason.contains("certificate") => {
                self.deny("a certificate is not believed", reason);
            }
            _ => tracing::debug!(brokers = %self.servers, %error, reason, "librdkafka reports an error"),
        }
    }
}

impl ConsumerContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        // Only failures come here: `delivery.report.only.error` is set.
        if let Err((error, message)) = result {
            let code = error.rdkafka_error_code();
            self.refused(code, || {
                refused_words(message.topic(), message.partition(), message.key(), message.payload(), code)
            });
        }
    }
}

/// Why a message was refused, with what it held.
pub(crate) fn refused_words(
    topic: &str,
    partition: i32,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    code: Option<RDKafkaErrorCode>,
) -> String {
    let reason = match code {
        Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize) => {
            "it is larger than 'max.message.bytes' of the topic or 'properties.max.request.size' of the table"
                .to_owned()
        }
        Some(RDKafkaErrorCode::MessageTimedOut) => "no broker has taken it in time".to_owned(),
        Some(code) => code.to_string(),
        None => "no reason given".to_owned(),
    };
    let (bytes, key_bytes) = (value.map_or(0, <[u8]>::len), key.map_or(0, <[u8]>::len));
    let shown = |bytes: Option<&[u8]>| match bytes {
        Some(bytes) => String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES_MAX)]).into_owned(),
        None => "NULL".to_owned(),
    };
    format!(
        "a message of {bytes} bytes (key {key_bytes} bytes) to topic '{topic}' partition {partition} was refused: {reason}; key {}, value begins with {}",
        shown(key),
        shown(value)
    )
}

/// An error of librdkafka as ours: `what` fits after "failed to".
pub(crate) fn kafka_error(what: impl std::fmt::Display, error: &KafkaError) -> Error {
    let code = error.rdkafka_error_code();
    let kind = match code {
        Some(
            RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownPartition,
        ) => Kind::NotFound,
        Some(RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::Fenced | RDKafkaErrorCode::InvalidProducerEpoch) => {
            Kind::Conflict
        }
        Some(
            RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
            | RDKafkaErrorCode::InvalidTransactionTimeout
            | RDKafkaErrorCode::InvalidArgument,
        ) => Kind::Invalid,
        Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::QueueFull) => Kind::Exhausted,
        None if matches!(error, KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_)) => Kind::Invalid,
        _ => Kind::Unavailable,
    };
    Error::new(kind, format!("{what}: {}", words(error))).caused_by(error.clone())
}

/// What librdkafka says, without the wrapper's name.
pub(crate) fn words(error: &KafkaError) -> String {
    match error {
        KafkaError::Transaction(inner) => inner.string(),
        KafkaError::ClientCreation(text) => text.clone(),
        KafkaError::ClientConfig(_, text, key, value) => format!("{text} ({key} = {value})"),
        _ => error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string()),
    }
}

/// The brokers of a cluster in a form that can be compared: sorted, without blanks.
pub(crate) fn cluster_of(bootstrap_servers: &str) -> String {
    let mut servers: Vec<&str> =
        bootstrap_servers.split(',').map(str::trim).filter(|server| !server.is_empty()).collect();
    servers.sort_unstable();
    servers.dedup();
    servers.join(",")
}

/// Copies the entries of `from` whose key `takes` says so into `into`. `config_map` itself hides passwords.
pub(crate) fn copy_config(from: &ClientConfig, into: &mut ClientConfig, takes: impl Fn(&str) -> bool) {
    for key in from.config_map().into_keys().filter(|key| takes(key)) {
        into.set(key, from.get(key).unwrap_or_default());
    }
}
