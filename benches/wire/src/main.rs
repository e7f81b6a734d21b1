//! Plain librdkafka beside Weir, for `cargo xtask bench kafka`: a copy from topic to topic in transactions, events at a steady pace, what a
//! `read_committed` consumer sees and when. Uses nothing of Weir's connector, so that it can be held against it.
//!
//! `wire copy SERVERS FROM TO`, `wire paced SERVERS TOPIC RATE SECONDS`, `wire latency SERVERS TOPIC SECONDS`, `wire count SERVERS TOPIC`: each prints
//! one line of `name value` pairs.

mod copy;
mod paced;
mod watch;

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use weir_base::{Error, Result};

/// How long a broker may take to answer.
const ANSWER: Duration = Duration::from_secs(30);

fn main() -> std::process::ExitCode {
    // `cargo bench` adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["copy", servers, from, to] => copy::run(servers, from, to),
        ["paced", servers, topic, rate, seconds] => number(rate)
            .and_then(|rate| Ok((rate, number(seconds)?)))
            .and_then(|(rate, seconds)| paced::run(servers, topic, rate, seconds)),
        ["latency", servers, topic, seconds] => {
            number(seconds).and_then(|seconds| watch::latency(servers, topic, seconds))
        }
        ["count", servers, topic] => watch::count(servers, topic),
        _ => Err(Error::invalid(
            "read the arguments: copy SERVERS FROM TO | paced SERVERS TOPIC RATE SECONDS | latency SERVERS TOPIC SECONDS | count SERVERS TOPIC",
        )),
    };
    match done {
        Ok(line) => {
            println!("{line}");
            std::process::ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: failed to {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> Result<u64> {
    text.parse().map_err(|_| Error::invalid(format!("read the number '{text}'")))
}

fn failed(what: &str, error: &rdkafka::error::KafkaError) -> Error {
    Error::invalid(format!("{what}: {error}"))
}

/// A consumer of committed records that is assigned all of `topic` from `offset` on, and where each partition ends now.
fn consumer(servers: &str, topic: &str, offset: Offset) -> Result<(BaseConsumer, Vec<i64>)> {
    let made: std::result::Result<BaseConsumer, _> = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .set("group.id", "weir-wire")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "10")
        .set("queued.max.messages.kbytes", "65536")
        .create();
    let consumer = made.map_err(|error| failed("make a consumer", &error))?;
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER).map_err(|error| failed("ask for the topic", &error))?;
    let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
    let (mut list, mut ends) = (TopicPartitionList::new(), Vec::new());
    for partition in 0..i32::try_from(partitions).unwrap_or(0) {
        let added = list.add_partition_offset(topic, partition, offset);
        added.map_err(|error| failed("name a partition", &error))?;
        let marks = consumer.fetch_watermarks(topic, partition, ANSWER);
        ends.push(marks.map_err(|error| failed("ask for a partition's end", &error))?.1);
    }
    consumer.assign(&list).map_err(|error| failed("assign the partitions", &error))?;
    Ok((consumer, ends))
}
