//! The telemetry job on a real Kafka and a real QuestDB, exactly once, proven by killing it; and what two processes or a stop do to it.

use std::process::{Child, Stdio};

use weir_base::Rng;

use crate::binary::{Place, Ran};
use crate::kill_harness::{self, Bounds, Hooks, Round, Scenario};
use crate::pipeline::Pipeline;
use crate::servers::{Servers, servers};
use crate::topics;

/// Events of a round.
const EVENTS: u64 = 15_000;

/// Events a second.
const RATE: u64 = 5_000;

/// Kafka to Kafka and QuestDB.
struct Telemetry {
    servers: Servers,
}

impl Scenario for Telemetry {
    const NAME: &'static str = "kafka";
    const TEST: &'static str = "kafka::kafka_to_kafka_and_questdb_lose_and_double_nothing";

    fn bounds(&self) -> Bounds {
        Bounds { instants_ms: 50..1_600, delay_ms: 60, occurrences: 4 }
    }

    fn begin<'a>(&'a self, place: &'a Place, seed: u64, _: &mut Rng) -> Box<dyn Round + 'a> {
        let pipeline = Pipeline::new(place, &self.servers, &format!("k{seed}"));
        let feed = pipeline.feed(EVENTS, RATE);
        Box::new(TelemetryRound { pipeline, feed })
    }
}

struct TelemetryRound<'a> {
    pipeline: Pipeline<'a>,
    feed: Child,
}

impl Round for TelemetryRound<'_> {
    fn start(&mut self, hooks: &Hooks) -> Child {
        let mut command = self.pipeline.job_command("data");
        hooks.set(&mut command);
        command.spawn().expect("start the job")
    }

    /// As long as events come.
    fn goes_on(&mut self, _: u64) -> bool {
        self.feed.try_wait().expect("look at the feed").is_none()
    }

    fn may_end(&self) -> bool {
        false
    }

    fn end(&mut self) -> Vec<String> {
        assert!(self.feed.wait().expect("wait for the feed").success(), "the feed failed");
        self.pipeline.finish("data");
        let sent = topics::values(&self.pipeline.servers.kafka, &self.pipeline.raw()).len() as u64;
        assert!(sent >= EVENTS, "the feed sent too little: {sent}");
        let mut wrong = self.pipeline.wrong();
        wrong.extend(self.pipeline.wrong_letters("data"));
        if wrong.is_empty() {
            self.pipeline.forget();
        }
        wrong
    }
}

#[test]
fn kafka_to_kafka_and_questdb_lose_and_double_nothing() {
    let Some(servers) = servers("kafka_to_kafka_and_questdb_lose_and_double_nothing") else { return };
    kill_harness::run(&Telemetry { servers });
}

#[test]
fn a_paused_process_is_fenced_by_the_one_that_took_its_job_over() {
    let Some(servers) = servers("a_paused_process_is_fenced_by_the_one_that_took_its_job_over") else { return };
    let place = Place::new();
    let pipeline = Pipeline::new(&place, &servers, "z");
    let mut feed = pipeline.feed(EVENTS, RATE);
    let first = pipeline.job_command("data-1").stderr(Stdio::piped()).spawn().expect("start the first");
    pipeline.await_valid(1);
    let pid = i32::try_from(first.id()).expect("a process id fits");
    // SAFETY: a signal to a child that was not waited for yet.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGSTOP) }, 0);
    let mut second = pipeline.job_command("data-2").spawn().expect("start the second");
    feed.wait().expect("wait for the feed");
    // What the first has left is aborted when the second takes over; then all that was sent comes out.
    pipeline.await_valid(pipeline.expected_count());
    // SAFETY: as above.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGCONT) }, 0);
    let fenced = Ran::of(first.wait_with_output().expect("wait for the first"));
    assert_eq!(fenced.code, Some(1), "{}", fenced.err);
    assert!(fenced.err.contains("fenced"), "{}", fenced.err);
    assert!(second.try_wait().expect("look at the second").is_none(), "the second must have taken the job over");
    second.kill().expect("kill the second");
    second.wait().expect("wait for the second");
    pipeline.finish("data-2");
    let wrong = pipeline.wrong();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    pipeline.forget();
}

#[test]
fn a_stopped_job_leaves_no_transaction_open_and_goes_on() {
    let Some(servers) = servers("a_stopped_job_leaves_no_transaction_open_and_goes_on") else { return };
    let place = Place::new();
    let pipeline = Pipeline::new(&place, &servers, "s");
    let mut feed = pipeline.feed(EVENTS, RATE);
    let mut job = pipeline.job_command("data").spawn().expect("start the job");
    pipeline.await_valid(1);
    let pid = i32::try_from(job.id()).expect("a process id fits");
    // SAFETY: a signal to a child that was not waited for yet.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
    assert_eq!(job.wait().expect("wait for the job").code(), Some(0));
    assert_eq!(topics::hanging(&servers.kafka, &pipeline.valid()), None);
    feed.wait().expect("wait for the feed");
    pipeline.finish("data");
    pipeline.assert_good("data");
}
