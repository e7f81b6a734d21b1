//! What a `read_committed` consumer sees: how much there is, and how long after it was made.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::message::Message;
use weir_base::{Clock, Error, Result, SystemClock};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::{consumer, failed};

/// Nothing for so long means that no more is visible.
const SILENCE: Duration = Duration::from_secs(3);

/// How long the first record is waited for.
const FIRST: Duration = Duration::from_secs(60);

/// Seconds at the beginning that do not count: clients connect, codes warm up.
const WARM_UP: u64 = 10;

/// Records in the topic that are committed now, and how many different event ids they have.
pub fn count(servers: &str, topic: &str) -> Result<String> {
    let (consumer, ends) = consumer(servers, topic, Offset::Beginning)?;
    let mut ids: HashSet<u64, BuildHasherDefault<Xxh3Default>> = HashSet::default();
    let mut records: u64 = 0;
    if ends.iter().all(|end| *end == 0) {
        return Ok("records 0 ids 0".to_owned());
    }
    while let Some(message) = consumer.poll(if records == 0 { FIRST } else { SILENCE }) {
        let message = message.map_err(|error| failed("read the topic", &error))?;
        records += 1;
        if let Some(id) = field(message.payload().unwrap_or_default(), b"\"event_id\":\"") {
            ids.insert(xxh3_64(id));
        }
    }
    Ok(format!("records {records} ids {}", ids.len()))
}

/// For `seconds` after the first record: milliseconds between an event's `timestamp` and now.
pub fn latency(servers: &str, topic: &str, seconds: u64) -> Result<String> {
    let (consumer, _) = consumer(servers, topic, Offset::End)?;
    let clock = SystemClock::new();
    let mut late: Vec<i64> = Vec::new();
    let mut started = None;
    loop {
        let Some(message) = consumer.poll(if started.is_none() { FIRST } else { SILENCE }) else { break };
        let message = message.map_err(|error| failed("read the topic", &error))?;
        let now = clock.monotonic_us();
        let begun = *started.get_or_insert(now);
        let second = (now - begun) / 1_000_000;
        if second >= seconds {
            break;
        }
        let time = field(message.payload().unwrap_or_default(), b"\"timestamp\":").and_then(number);
        if let Some(time) = time.filter(|_| second >= WARM_UP) {
            late.push(clock.now() - time);
        }
    }
    if late.is_empty() {
        return Err(Error::invalid(format!("see events in the topic '{topic}' for longer than {WARM_UP} s")));
    }
    late.sort_unstable();
    let share = |thousandths: usize| late[(late.len() - 1) * thousandths / 1000];
    Ok(format!(
        "records {} min {} p50 {} p90 {} p99 {} p999 {} max {}",
        late.len(),
        share(0),
        share(500),
        share(900),
        share(990),
        share(999),
        share(1000)
    ))
}

/// The bytes of the value behind `name`, up to the next quote or comma.
fn field<'a>(payload: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let start = payload.windows(name.len()).position(|window| window == name)? + name.len();
    let rest = &payload[start..];
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b',' | b'}'))?;
    Some(&rest[..end])
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
