//! Kills of the demo: embedded topics and tables, fed by the simulator that lives in the same process.

use std::process::{Child, Command, Stdio};

use weir_base::Rng;

use crate::binary::{Place, Ran};
use crate::kill_harness::{self, Bounds, Hooks, Round, Scenario};
use crate::once::differences;
use crate::telemetry::{expected_ids, ids_of, is_bad};

/// Kills of a round.
const KILLS: u64 = 2;

/// Events that must have been sent in a round before it says something.
const EVENTS_MIN: usize = 1_000;

/// The embedded topic to an embedded table and a topic.
struct Embedded;

impl Scenario for Embedded {
    const NAME: &'static str = "embedded";
    const TEST: &'static str = "demo::embedded_topic_to_table_and_topic_lose_and_double_nothing";

    fn bounds(&self) -> Bounds {
        // One checkpoint a second: the second one of a run is awaited now and then, a third would only take time.
        Bounds { instants_ms: 50..1_800, delay_ms: 60, occurrences: 2 }
    }

    fn begin<'a>(&'a self, place: &'a Place, _: u64, _: &mut Rng) -> Box<dyn Round + 'a> {
        Box::new(Demo { place })
    }
}

struct Demo<'a> {
    place: &'a Place,
}

impl Demo<'_> {
    /// Starts the demo, for so many events more.
    fn command(&self, events: u64) -> Command {
        let events = events.to_string();
        let mut command = self.place.weir(["demo", "--rate", "5000", "--data-dir", "data", "--events", &events]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// The column `v` of a query, a value a line.
    fn column(&self, sql: &str) -> Vec<String> {
        let output = self.place.weir(["query", sql, "--data-dir", "data", "--format", "json"]).output();
        let text = Ran::of(output.expect("start a query")).ok().out;
        let value = |line: &str| {
            let row: serde_json::Value = serde_json::from_str(line).expect("a row is JSON");
            row["v"].as_str().expect("a text").to_owned()
        };
        text.lines().map(value).collect()
    }
}

impl Round for Demo<'_> {
    fn start(&mut self, hooks: &Hooks) -> Child {
        let mut command = self.command(1_000_000);
        hooks.set(&mut command);
        command.spawn().expect("start the demo")
    }

    fn goes_on(&mut self, kills: u64) -> bool {
        kills < KILLS
    }

    fn may_end(&self) -> bool {
        false
    }

    fn end(&mut self) -> Vec<String> {
        let end = self.command(EVENTS_MIN as u64).status().expect("run the demo to its end");
        assert!(end.success(), "the demo did not end: {end}");
        let raw = self.column("SELECT value AS v FROM raw_telemetry");
        assert!(raw.len() >= EVENTS_MIN, "the simulator sent too little: {}", raw.len());
        let expected = expected_ids(&raw);
        let table = self.column("SELECT event_id AS v FROM sensor_readings");
        let topic = ids_of(&self.column("SELECT value AS v FROM validated_telemetry"));
        let mut wrong: Vec<String> = differences("table", &table, &expected).into_iter().collect();
        wrong.extend(differences("topic", &topic, &expected));
        let mut letters = self.column("SELECT CAST(raw AS STRING) AS v FROM dead_letters WHERE kind = 'record'");
        let mut bad: Vec<String> = raw.into_iter().filter(|line| is_bad(line)).collect();
        letters.sort_unstable();
        bad.sort_unstable();
        if letters != bad {
            wrong.push(format!("dead letters: {} instead of {}", letters.len(), bad.len()));
        }
        wrong
    }
}

#[test]
fn embedded_topic_to_table_and_topic_lose_and_double_nothing() {
    kill_harness::run(&Embedded);
}
