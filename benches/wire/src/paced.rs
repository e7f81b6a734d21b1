//! Telemetry events into a topic at a steady pace, each with the moment at which it was made.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use weir_base::{Clock, Result, SystemClock};

use super::{ANSWER, failed};

/// How many numbers before a duplicate its first event stands: one that is no duplicate.
const BACK: u64 = 101;

/// Events are made in portions of so long.
const PORTION: Duration = Duration::from_millis(2);

/// `rate` events a second for `seconds`; behind its pace it does not leave any out.
pub fn run(servers: &str, topic: &str, rate: u64, seconds: u64) -> Result<String> {
    let made: std::result::Result<ThreadedProducer<DefaultProducerContext>, _> = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .set("linger.ms", "1")
        .set("queue.buffering.max.messages", "1000000")
        .create();
    let producer = made.map_err(|error| failed("make a producer", &error))?;
    let clock = SystemClock::new();
    let start = clock.monotonic_us();
    let (mut sent, mut unique, mut event) = (0, 0_u64, String::new());
    while sent < rate * seconds {
        let due = (clock.monotonic_us() - start).saturating_mul(rate) / 1_000_000;
        while sent < due.min(rate * seconds) {
            write_event(&mut event, sent, clock.now());
            send(&producer, topic, &event, &clock)?;
            unique += u64::from(!is_duplicate(sent));
            sent += 1;
        }
        clock.sleep(PORTION);
    }
    let took = clock.monotonic_us() - start;
    producer.flush(ANSWER).map_err(|error| failed("flush the producer", &error))?;
    Ok(format!("records {sent} ids {unique} seconds {}", took / 1_000_000))
}

fn is_duplicate(number: u64) -> bool {
    number.is_multiple_of(20) && number >= BACK
}

fn send(
    producer: &ThreadedProducer<DefaultProducerContext>,
    topic: &str,
    event: &str,
    clock: &SystemClock,
) -> Result<()> {
    loop {
        match producer.send(BaseRecord::<(), str>::to(topic).payload(event)) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => clock.sleep(PORTION),
            Err((error, _)) => return Err(failed("send an event", &error)),
        }
    }
}

/// The event number `number`; one in twenty is the one of [`BACK`] numbers before.
fn write_event(event: &mut String, number: u64, now: i64) {
    use std::fmt::Write;
    let which = if is_duplicate(number) { number - BACK } else { number };
    let mixed = which.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let device = mixed >> 32;
    let tenths = mixed % 1_000;
    event.clear();
    let written = write!(
        event,
        "{{\"event_id\":\"{mixed:016x}{which:016x}\",\"device_id\":\"device-{:05}\",\"site_id\":\"site-{:02}\",\"sensor_type\":\"temperature\",\
         \"value\":{}.{},\"unit\":\"C\",\"timestamp\":{now},\"quality\":\"good\",\"metadata\":{{\"fw\":\"2.{}.0\"}}}}",
        device % 10_000,
        device % 40,
        tenths / 10,
        tenths % 10,
        device % 10
    );
    written.expect("writing into memory cannot fail");
}
