//! The demo: embedded topics and tables, killed and started again.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::Duration;

use weir_base::Rng;

use crate::binary::{Place, Ran, wait};
use crate::telemetry::{assert_once, expected_ids, id_of};

/// Rounds of kills in an ordinary test run.
const ROUNDS: u64 = 20;

/// Starts the demo over the folder `data`, for so many events more.
fn start(place: &Place, events: u64, marks: Option<&str>) -> Child {
    let mut command = place.weir(["demo", "--rate", "5000", "--data-dir", "data", "--events", &events.to_string()]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(marks) = marks {
        command.env("WEIR_PROTOCOL_MARKS", place.path(marks)).env("WEIR_PROTOCOL_DELAY_MS", "60");
    }
    command.spawn().expect("start the demo")
}

/// The first column of a query, a value a line.
fn column(place: &Place, sql: &str) -> Vec<String> {
    let output = place.weir(["query", sql, "--data-dir", "data", "--format", "json"]).output().expect("start a query");
    let text = Ran::of(output).ok().out;
    let value = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).expect("a row is JSON");
        row["v"].as_str().expect("a text").to_owned()
    };
    text.lines().map(value).collect()
}

#[test]
fn embedded_topic_to_table_and_topic_lose_and_double_nothing() {
    let mut steps: BTreeMap<String, u64> = BTreeMap::new();
    for seed in 1..=ROUNDS {
        let mut rng = Rng::new(seed);
        let place = Place::new();
        for kill in 0..2 {
            let marks = format!("marks-{kill}");
            let mut demo = start(&place, 1_000_000, Some(&marks));
            wait(Duration::from_millis(900 + rng.below(900)));
            assert!(demo.try_wait().expect("look at the demo").is_none(), "round {seed}: the demo ended by itself");
            demo.kill().expect("kill the demo");
            demo.wait().expect("wait for the demo");
            let text = std::fs::read_to_string(place.path(&marks)).unwrap_or_default();
            *steps.entry(text.lines().last().unwrap_or("start").to_owned()).or_default() += 1;
        }
        assert!(start(&place, 500, None).wait().expect("wait for the demo").success(), "round {seed} did not end");
        let raw = column(&place, "SELECT value AS v FROM raw_telemetry");
        let expected = expected_ids(&raw);
        assert!(expected.len() > 2_000, "round {seed}: the simulator sent too little: {}", expected.len());
        assert_once(
            &format!("round {seed}, table"),
            column(&place, "SELECT event_id AS v FROM sensor_readings"),
            &expected,
        );
        let valid = column(&place, "SELECT value AS v FROM validated_telemetry");
        assert_once(&format!("round {seed}, topic"), valid.iter().map(|line| id_of(line)).collect(), &expected);
    }
    println!("embedded topic -> table + topic: kills by step: {steps:?}");
}
