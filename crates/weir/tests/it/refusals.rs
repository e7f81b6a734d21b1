//! What Kafka refuses, or never answers: the exact words, the exit code, and that nothing is left behind.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use weir_base::{Clock, SystemClock};

use crate::binary::{Place, Ran, wait};
use crate::servers::servers;
use crate::topics;

/// A name that no other run uses.
fn unique(name: &str) -> String {
    format!("{name}_{}", std::process::id())
}

/// A job that copies a topic to another one, exactly once.
fn copy(from: (&str, &str), to: (&str, &str), options: &str) -> String {
    format!(
        "SET 'restart-strategy.type' = 'none';
CREATE TABLE lines (line STRING) WITH ('connector' = 'kafka', 'topic' = '{}', 'format' = 'raw',
  'properties.bootstrap.servers' = '{}', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'{options});
CREATE TABLE copied (line STRING) WITH ('connector' = 'kafka', 'topic' = '{}', 'format' = 'raw',
  'properties.bootstrap.servers' = '{}', 'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = '{}');
INSERT INTO copied SELECT line FROM lines;",
        from.1, from.0, to.1, to.0, to.1
    )
}

/// The last line of what a run said: its error.
fn error_of(ran: &Ran) -> &str {
    ran.err.trim_end().lines().rev().find(|line| line.starts_with("error: ")).unwrap_or_default()
}

#[test]
fn a_topic_that_is_not_there_is_named() {
    let Some(servers) = servers("a_topic_that_is_not_there_is_named") else { return };
    let (missing, to) = (unique("missing"), unique("never"));
    let ran = Place::new().run(&copy((&servers.kafka, &missing), (&servers.kafka, &to), ""), &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(
        error_of(&ran),
        format!(
            "error: failed to list the partitions of topic '{missing}' at {}: UnknownTopicOrPartition (Broker: Unknown topic or \
             partition); create the topic (kafka-topics.sh --create), or correct 'topic'",
            servers.kafka
        )
    );
}

#[test]
fn a_message_over_the_brokers_limit_fails_the_job_and_nothing_of_its_epoch_is_seen() {
    let Some(servers) = servers("a_message_over_the_brokers_limit_fails_the_job_and_nothing_of_its_epoch_is_seen")
    else {
        return;
    };
    let (brokers, place, to) = (&servers.kafka, Place::new(), unique("large"));
    topics::create(brokers, &to, 1);
    place.write("in/a.txt", format!("a short one\n{}\n", "x".repeat(2_000_000)));
    let sql = format!(
        "SET 'restart-strategy.type' = 'none';
        CREATE TABLE lines (line STRING) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'raw');
        CREATE TABLE copied (line STRING) WITH ('connector' = 'kafka', 'topic' = '{to}', 'format' = 'raw',
          'properties.bootstrap.servers' = '{brokers}', 'properties.max.request.size' = '10000000',
          'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = '{to}');
        INSERT INTO copied SELECT line FROM lines;"
    );
    let ran = place.run(&sql, &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(topics::hanging(brokers, &to), None);
    assert_eq!(topics::values(brokers, &to), Vec::<String>::new());
    assert_eq!(
        error_of(&ran),
        format!(
            "error: failed to commit the transaction of epoch 1: it was aborted: epoch 1 in transaction '{to}': a message of 2000000 bytes \
             (key 0 bytes) to topic '{to}' partition 0 was refused: it is larger than 'max.message.bytes' of the topic or \
             'properties.max.request.size' of the table; key NULL, value begins with {}; leave such rows out, or raise the limit on both sides",
            "x".repeat(120)
        )
    );
    topics::remove(brokers, &[&to]);
}

#[test]
fn credentials_that_the_broker_does_not_accept_are_named_and_right_ones_work() {
    let Some(servers) = servers("credentials_that_the_broker_does_not_accept_are_named_and_right_ones_work") else {
        return;
    };
    let (place, from, to) = (Place::new(), unique("secret_in"), unique("secret_out"));
    topics::create(&servers.kafka, &from, 1);
    topics::create(&servers.kafka, &to, 1);
    topics::send(&servers.kafka, &from, 0, "a line");
    let login = |password: &str| {
        format!(
            ", 'properties.security.protocol' = 'SASL_PLAINTEXT', 'properties.sasl.mechanism' = 'PLAIN', 'properties.sasl.jaas.config' = \
             'org.apache.kafka.common.security.plain.PlainLoginModule required username=\"weir\" password=\"{password}\";'"
        )
    };
    let sql = |password: &str| copy((&servers.kafka_sasl, &from), (&servers.kafka, &to), &login(password));
    let clock = SystemClock::new();
    let ran = place.run(&sql("guessed"), &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(clock.monotonic_us() < 15_000_000, "it took {} us", clock.monotonic_us());
    assert!(!ran.err.contains("guessed"), "a password must not be shown: {}", ran.err);
    let (begin, end) = (
        format!(
            "error: failed to list the partitions of topic '{from}' at {0}: the credentials are not accepted: \
             sasl_plaintext://{0}/bootstrap: SASL authentication error: Authentication failed: Invalid username or password",
            servers.kafka_sasl
        ),
        "; check 'properties.sasl.jaas.config' and 'properties.security.protocol'",
    );
    let error = error_of(&ran);
    assert!(error.starts_with(&begin) && error.ends_with(end), "{error}");
    place.run(&sql("secret"), &["--fresh"]).ok();
    assert_eq!(topics::values(&servers.kafka, &to), ["a line"]);
    topics::remove(&servers.kafka, &[&from, &to]);
}

#[test]
fn a_start_that_waits_for_a_silent_broker_ends_within_five_seconds_of_a_stop() {
    // Connections are taken by the system, and never answered.
    let silent = TcpListener::bind("127.0.0.1:0").expect("listen");
    let address = silent.local_addr().expect("an address").to_string();
    let place = Place::new();
    place.write("job.sql", copy((&address, "from"), (&address, "to"), ""));
    let mut command = place.weir(["run", "job.sql", "-D", "metrics.reporter.prom.port=21000-29999"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("start weir");
    wait(Duration::from_millis(1_500));
    let pid = i32::try_from(child.id()).expect("a process id fits");
    // SAFETY: a signal to a child that was not waited for yet.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
    let clock = SystemClock::new();
    let ran = Ran::of(child.wait_with_output().expect("wait for weir"));
    assert!(clock.monotonic_us() < 5_000_000, "the stop took {} us: {}", clock.monotonic_us(), ran.err);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(error_of(&ran), "error: failed to start before the stop: a server that the job needs does not answer");
}
