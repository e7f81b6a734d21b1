//! Servers that are killed and restarted, or paused, under the running telemetry job: it goes on by itself, and nothing is lost or doubled.

use std::fs::File;
use std::process::Child;
use std::time::Duration;

use weir_base::{Clock, SystemClock};

use crate::binary::{Place, wait};
use crate::pipeline::{Pipeline, RESTARTS};
use crate::servers::{Kind, servers_alone};

/// Events that came out (and marks of transactions) before servers misbehave.
const EVENTS_FIRST: i64 = 100;

/// How long the job may take to have everything visible, once the servers are well and all events were sent.
const CAUGHT_UP_LIMIT_US: u64 = 60_000_000;

/// How long the process may take from SIGTERM to its end.
const STOP_LIMIT_US: u64 = 5_500_000;

/// A job that runs, with its log in its place.
struct Running<'a> {
    pipeline: &'a Pipeline<'a>,
    job: Child,
}

impl<'a> Running<'a> {
    fn start(pipeline: &'a Pipeline<'a>) -> Self {
        let log = File::create(pipeline.place.path("job.log")).expect("make the log");
        let mut command = pipeline.job_command("data");
        // Between the end of an epoch's rows and its commit the transaction is open; that is drawn out a little, so that it can be met.
        command.env("WEIR_PROTOCOL_MARKS", pipeline.place.path("marks"));
        command.env("WEIR_PROTOCOL_DELAY_STEP", "write").env("WEIR_PROTOCOL_DELAY_MS", "100");
        Self { pipeline, job: command.stderr(log).spawn().expect("start the job") }
    }

    /// Waits until it runs.
    fn await_begin(&mut self) {
        while !self.log().contains("is RUNNING") {
            self.assert_alive();
            wait(Duration::from_millis(50));
        }
    }

    /// Waits until a transaction is open and waits for its commit.
    fn await_open_transaction(&self) {
        let clock = SystemClock::new();
        let marks = || std::fs::read_to_string(self.pipeline.place.path("marks")).unwrap_or_default();
        let first = marks().len();
        while marks().get(first..).is_none_or(|new| !new.ends_with("write\n")) {
            assert!(clock.monotonic_us() < CAUGHT_UP_LIMIT_US, "no checkpoint comes\n{}", self.log());
            clock.sleep(Duration::from_millis(2));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.pipeline.place.path("job.log")).expect("read the log")
    }

    /// Asserts that it still runs: no outage ends a job.
    #[track_caller]
    fn assert_alive(&mut self) {
        let ended = self.job.try_wait().expect("look at the job");
        assert!(ended.is_none(), "the job has ended: {ended:?}\n{}", self.log());
    }

    fn signal(&self, signal: libc::c_int) {
        let pid = i32::try_from(self.job.id()).expect("a process id fits");
        // SAFETY: a signal to a child that was not waited for yet.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// Waits until the job has everything visible by itself, stops it, and asserts that nothing is wrong. Gives its log.
    fn assert_recovers(mut self) -> String {
        let clock = SystemClock::new();
        loop {
            self.assert_alive();
            if self.pipeline.is_caught_up() {
                break;
            }
            assert!(clock.monotonic_us() < CAUGHT_UP_LIMIT_US, "the job does not catch up\n{}", self.log());
            wait(Duration::from_millis(200));
        }
        self.signal(libc::SIGTERM);
        let clock = SystemClock::new();
        let status = self.job.wait().expect("wait for the job");
        assert_eq!(status.code(), Some(0), "{}", self.log());
        assert!(clock.monotonic_us() < STOP_LIMIT_US, "the stop took {} us", clock.monotonic_us());
        self.pipeline.assert_good("data");
        self.log()
    }
}

/// What the job of a test is like.
struct Setting {
    /// The test's name.
    test: &'static str,
    /// What its topics are named after.
    name: &'static str,
    /// Events that are fed, and how many of them a second.
    events: u64,
    rate: u64,
    /// Replacements in the script.
    replaced: &'static [(&'static str, &'static str)],
    /// More words on the command line.
    options: &'static [&'static str],
}

impl Setting {
    /// A job that is fed 5,000 events a second for five seconds.
    fn of(test: &'static str, name: &'static str) -> Self {
        Self { test, name, events: 25_000, rate: 5_000, replaced: &[], options: &[] }
    }

    /// Runs the job while `outage` happens; gives its log.
    fn survives(self, outage: impl FnOnce(&mut Running<'_>)) -> Option<String> {
        let servers = servers_alone(self.test)?;
        let place = Place::new();
        let mut pipeline = Pipeline::new(&place, &servers, self.name);
        pipeline.options = [RESTARTS, self.options].concat();
        pipeline.replaced = self.replaced.to_vec();
        let mut running = Running::start(&pipeline);
        running.await_begin();
        let mut feed = pipeline.feed(self.events, self.rate);
        while pipeline.valid_end() < EVENTS_FIRST {
            running.assert_alive();
            wait(Duration::from_millis(50));
        }
        outage(&mut running);
        assert!(feed.wait().expect("wait for the feed").success(), "the feed failed");
        Some(running.assert_recovers())
    }
}

#[test]
fn a_broker_that_is_killed_or_paused_costs_no_row() {
    Setting::of("a_broker_that_is_killed_or_paused_costs_no_row", "bk").survives(|running| {
        let killed = Kind::Kafka.kill();
        wait(Duration::from_millis(500));
        drop(killed);
        wait(Duration::from_millis(1_500));
        let paused = Kind::Kafka.pause();
        wait(Duration::from_millis(3_000));
        drop(paused);
        running.assert_alive();
    });
}

#[test]
fn a_questdb_that_is_killed_or_paused_costs_no_row() {
    Setting::of("a_questdb_that_is_killed_or_paused_costs_no_row", "qk").survives(|running| {
        let killed = Kind::QuestDb.kill();
        wait(Duration::from_millis(500));
        drop(killed);
        wait(Duration::from_millis(1_500));
        let paused = Kind::QuestDb.pause();
        wait(Duration::from_millis(3_000));
        drop(paused);
        running.assert_alive();
    });
}

/// The shortest that librdkafka takes is a second; the broker looks once a second for transactions that have timed out.
const SHORT_TRANSACTIONS: &[(&str, &str)] =
    &[("'properties.transaction.timeout.ms' = '600000'", "'properties.transaction.timeout.ms' = '1500'")];

#[test]
fn a_broker_that_is_away_for_longer_than_a_transaction_may_take_costs_no_row() {
    let setting = Setting::of("a_broker_that_is_away_for_longer_than_a_transaction_may_take_costs_no_row", "bt");
    Setting { replaced: SHORT_TRANSACTIONS, ..setting }.survives(|running| {
        let paused = Kind::Kafka.pause();
        wait(Duration::from_millis(4_000));
        drop(paused);
        running.assert_alive();
    });
}

#[test]
fn a_transaction_that_has_timed_out_is_told_and_its_rows_are_written_again() {
    // Rows that are waiting in the process would time out there; few enough, they have all been delivered when it is paused, and the broker is the one
    // that ends the transaction.
    for (events, rate) in [(25_000, 5_000), (500, 100)] {
        let setting = Setting::of("a_transaction_that_has_timed_out_is_told_and_its_rows_are_written_again", "tt");
        let log = Setting { events, rate, replaced: SHORT_TRANSACTIONS, ..setting }.survives(|running| {
            running.await_open_transaction();
            running.signal(libc::SIGSTOP);
            wait(Duration::from_millis(4_000));
            running.signal(libc::SIGCONT);
        });
        if let Some(log) = log {
            let words = "it was open for longer than 'transaction.timeout.ms' = 1500; if that comes again, raise";
            assert!(log.contains(words), "{log}");
        }
    }
}

#[test]
fn while_questdb_is_away_kafka_goes_on_up_to_the_bound_of_carried_rows_and_then_the_job_waits() {
    let setting =
        Setting::of("while_questdb_is_away_kafka_goes_on_up_to_the_bound_of_carried_rows_and_then_the_job_waits", "qb");
    let log = Setting { options: &["-D", "weir.carried.bytes-max=1mb"], ..setting }.survives(|running| {
        let end = |running: &Running<'_>| running.pipeline.valid_end();
        let killed = Kind::QuestDb.kill();
        let at_first = end(running);
        let (clock, mut last, mut since_us) = (SystemClock::new(), at_first, 0);
        // Held back: nothing for fifteen times the interval of checkpoints.
        while clock.monotonic_us() - since_us < 1_500_000 {
            assert!(clock.monotonic_us() < 30_000_000, "the job is not held back: {last}\n{}", running.log());
            wait(Duration::from_millis(100));
            let now = end(running);
            if now != last {
                (last, since_us) = (now, clock.monotonic_us());
            }
        }
        running.assert_alive();
        // A row is some hundred bytes on disk: thousands of them fit below the bound, and not all that were sent.
        assert!(last > at_first + 1_000, "Kafka's output did not go on: {at_first}, then {last}");
        let (visible, sent) = (running.pipeline.valid_count(), running.pipeline.expected_count());
        assert!(visible + 1_000 < sent, "{visible} of {sent} rows were written");
        drop(killed);
    });
    if let Some(log) = log {
        assert!(log.contains("QuestDB does not take rows; they are carried on disk until it does"), "{log}");
        assert!(!log.contains("job failed"), "{log}");
    }
}
