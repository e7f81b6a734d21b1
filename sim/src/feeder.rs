//! The feeder: appends simulated events to an embedded topic at a given rate, on a thread of its own, until it is stopped.
//!
//! Event `i` goes to partition `i` modulo their number, so the ends of the partitions say which events are there: after a crash at any moment a new
//! feeder goes on exactly. What is simulated is kept beside the topics (`simulator-<topic>.json`) for that.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use weir_base::{Clock, Error, Kind, Result, Thread, spawn};
use weir_embedded::{Record, TopicWriter};

use crate::event::Simulation;

/// How often events are appended.
const ROUND: Duration = Duration::from_millis(5);

/// Events in a round at most: a feeder that fell behind catches up in bounded steps.
const ROUND_EVENTS_MAX: u64 = 50_000;

/// What a feeder does.
#[derive(Debug, Clone)]
pub struct FeederSettings {
    /// Weir's data directory.
    pub data_dir: PathBuf,
    /// The topic; made if it is not there.
    pub topic: String,
    /// Partitions of a topic that is made.
    pub partitions: u32,
    /// Events a second; 0: as fast as the disk takes them.
    pub rate: u64,
    /// Ends by itself after so many events more; `None`: never.
    pub events: Option<u64>,
    /// What is simulated, if the topic has no events yet.
    pub simulation: Simulation,
}

/// A feeder at work. Dropping it stops it.
pub struct Feeder {
    shared: Arc<Shared>,
    thread: Option<Thread<Result<()>>>,
    simulation: Simulation,
    first: u64,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Number of the event that comes next.
    next: AtomicU64,
    done: AtomicBool,
}

/// The simulation as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    seed: u64,
    start: i64,
    events_per_second: u64,
    devices: u64,
    sites: u64,
}

impl Feeder {
    /// Starts a feeder.
    ///
    /// # Errors
    /// Somebody else writes to the topic, or the disk fails.
    pub fn start(settings: FeederSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        let writer = TopicWriter::open(&settings.data_dir, &settings.topic, settings.partitions, "simulator")?;
        let ends: Vec<u64> = (0..writer.partitions()).map(|partition| writer.end(partition)).collect();
        let simulation = kept(&settings, ends.iter().any(|end| *end > 0))?;
        let count = u64::from(writer.partitions());
        let nexts = (0..).zip(&ends).map(|(partition, end)| partition + count * end);
        let first = nexts.min().unwrap_or(0);
        let shared = Arc::new(Shared { next: AtomicU64::new(first), ..Shared::default() });
        let work = Work { writer, ends, simulation: simulation.clone(), shared: Arc::clone(&shared), next: first };
        let until = settings.events.map_or(u64::MAX, |events| first.saturating_add(events));
        let thread = spawn("weir-simulator", move || work.run(settings.rate, until, clock.as_ref()))?;
        Ok(Self { shared, thread: Some(thread), simulation, first })
    }

    /// What is simulated: as it was begun, whatever the settings say now.
    pub fn simulation(&self) -> &Simulation {
        &self.simulation
    }

    /// Number of the first event that this feeder appended.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Number of the event that comes next: all before it are in the topic.
    pub fn next(&self) -> u64 {
        self.shared.next.load(Ordering::Acquire)
    }

    /// Whether it has ended by itself: all events appended, or failed (then `stop` says why).
    pub fn is_done(&self) -> bool {
        self.shared.done.load(Ordering::Acquire)
    }

    /// Stops it; the events are synced to disk.
    ///
    /// # Errors
    /// What made it end early.
    pub fn stop(mut self) -> Result<()> {
        self.shared.stop.store(true, Ordering::Release);
        match self.thread.take().map(Thread::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(Error::internal("simulate: the feeder panicked")),
        }
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
    }
}

struct Work {
    writer: TopicWriter,
    /// Events in each partition.
    ends: Vec<u64>,
    simulation: Simulation,
    shared: Arc<Shared>,
    next: u64,
}

impl Work {
    fn run(mut self, rate: u64, until: u64, clock: &dyn Clock) -> Result<()> {
        let result = self.feed(rate, until, clock);
        self.shared.done.store(true, Ordering::Release);
        result
    }

    fn feed(&mut self, rate: u64, until: u64, clock: &dyn Clock) -> Result<()> {
        let (first, since_us) = (self.next, clock.monotonic_us());
        while !self.shared.stop.load(Ordering::Acquire) && self.next < until {
            let elapsed_us = clock.monotonic_us().saturating_sub(since_us);
            let due = match rate {
                0 => u64::MAX,
                rate => {
                    let events = u128::from(elapsed_us) * u128::from(rate) / 1_000_000;
                    first.saturating_add(u64::try_from(events).unwrap_or(u64::MAX))
                }
            };
            let end = due.min(until).min(self.next.saturating_add(ROUND_EVENTS_MAX));
            self.append(end, clock)?;
            if due < self.next.saturating_add(ROUND_EVENTS_MAX) {
                clock.sleep(ROUND);
            }
        }
        self.writer.sync()
    }

    /// Appends the events before number `end`, to each partition at once.
    fn append(&mut self, end: u64, clock: &dyn Clock) -> Result<()> {
        let count = self.ends.len() as u64;
        let mut bytes = Vec::new();
        let mut places = Vec::new();
        let now = clock.now();
        for (partition, written) in (0..).zip(&mut self.ends) {
            bytes.clear();
            places.clear();
            let mut number = u64::from(partition) + *written * count;
            while number < end {
                places.push(self.simulation.write(number, &mut bytes));
                number += count;
            }
            if places.is_empty() {
                continue;
            }
            *written += places.len() as u64;
            let record = |place: &std::ops::Range<usize>| Record {
                key: None,
                value: Some(&bytes[place.clone()]),
                timestamp: now,
            };
            self.writer.append(partition, places.iter().map(record))?;
        }
        self.next = self.next.max(end);
        self.shared.next.store(self.next, Ordering::Release);
        self.writer.tell();
        Ok(())
    }
}

/// The simulation of the topic: the one kept, or a new one that is kept from now on.
fn kept(settings: &FeederSettings, goes_on: bool) -> Result<Simulation> {
    let path = settings.data_dir.join(format!("simulator-{}.json", settings.topic));
    if goes_on {
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = format!(
                    "simulate into the topic {}: it holds records that are not the simulator's",
                    settings.topic
                );
                return Err(Error::new(Kind::Conflict, text).hint("name another topic, or another data directory"));
            }
            Err(error) => return Err(Error::io(format!("read {}", path.display()), error)),
        };
        let kept: Kept = serde_json::from_slice(&text)
            .map_err(|error| Error::new(Kind::Corrupt, format!("read {}: {error}", path.display())))?;
        let Kept { seed, start, events_per_second, devices, sites } = kept;
        return Ok(Simulation { seed, start, events_per_second, devices, sites });
    }
    let Simulation { seed, start, events_per_second, devices, sites } = settings.simulation;
    let text = serde_json::to_vec(&Kept { seed, start, events_per_second, devices, sites });
    let text = text.map_err(|error| Error::internal(error.to_string()))?;
    std::fs::write(&path, text).map_err(|error| Error::io(format!("write {}", path.display()), error))?;
    Ok(settings.simulation.clone())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use weir_base::SystemClock;
    use weir_embedded::EmbeddedStore;

    use super::*;

    fn feed(data_dir: &Path, events: u64, seed: u64) -> Feeder {
        let settings = FeederSettings {
            data_dir: data_dir.to_owned(),
            topic: "raw".into(),
            partitions: 3,
            rate: 0,
            events: Some(events),
            simulation: Simulation { seed, ..Simulation::default() },
        };
        let feeder = Feeder::start(settings, Arc::new(SystemClock::new())).unwrap();
        while !feeder.is_done() {
            SystemClock::new().sleep(Duration::from_millis(1));
        }
        feeder
    }

    #[test]
    fn a_feeder_that_starts_again_goes_on_exactly() {
        let dir = tempfile::tempdir().unwrap();
        let first = feed(dir.path(), 1_000, 5);
        assert_eq!((first.first(), first.next()), (0, 1_000));
        first.stop().unwrap();
        // Another seed is of no effect: the simulation goes on as it was begun.
        let second = feed(dir.path(), 501, 6);
        assert_eq!((second.first(), second.next(), second.simulation().seed), (1_000, 1_501, 5));
        let simulation = second.simulation().clone();
        second.stop().unwrap();
        let topic = EmbeddedStore::open(dir.path()).unwrap().topic("raw").unwrap();
        let mut values: Vec<Vec<u8>> = Vec::new();
        for batch in topic.scan(Some(&[4])).unwrap() {
            let column = format!("{:?}", batch.unwrap().column(0));
            values.extend(
                column.lines().filter(|line| line.starts_with("  ")).map(|line| line.trim().as_bytes().to_vec()),
            );
        }
        assert_eq!(topic.scan(Some(&[1])).unwrap().map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 1_501);
        let mut last = Vec::new();
        simulation.write(1_500, &mut last);
        let last = format!("{:?},", String::from_utf8(last).unwrap());
        assert!(values.iter().any(|value| value == last.as_bytes()), "{last}");
    }

    #[test]
    fn a_topic_of_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = TopicWriter::open(dir.path(), "raw", 1, "other").unwrap();
        writer.append(0, [Record { key: None, value: Some(b"x"), timestamp: 0 }]).unwrap();
        drop(writer);
        let settings = FeederSettings {
            data_dir: dir.path().to_owned(),
            topic: "raw".into(),
            partitions: 1,
            rate: 1,
            events: None,
            simulation: Simulation::default(),
        };
        let error = Feeder::start(settings, Arc::new(SystemClock::new())).err().unwrap();
        assert_eq!(
            error.to_string(),
            "simulate into the topic raw: it holds records that are not the simulator's; name another topic, or another data directory"
        );
    }
}
