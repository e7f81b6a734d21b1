//! What the telemetry job must make of its raw events, worked out without Weir's SQL.

use std::collections::BTreeSet;

/// The ids that the job must give once, worked out from the raw topic without Weir's SQL.
pub fn expected_ids(raw: &[String]) -> BTreeSet<String> {
    let range = |sensor: &str| match sensor {
        "temperature" => Some(-50.0..=150.0),
        "humidity" => Some(0.0..=100.0),
        "pressure" => Some(300.0..=1100.0),
        "vibration" => Some(0.0..=500.0),
        "voltage" => Some(0.0..=600.0),
        "co2" => Some(0.0..=10_000.0),
        _ => None,
    };
    let valid = |line: &String| {
        let event: serde_json::Value = serde_json::from_str(line).ok()?;
        let id = event.get("event_id")?.as_str()?.to_owned();
        event.get("device_id")?.as_str()?;
        event.get("timestamp")?.as_i64()?;
        let value = event.get("value")?.as_f64()?;
        range(event.get("sensor_type")?.as_str()?)?.contains(&value).then_some(id)
    };
    raw.iter().filter_map(valid).collect()
}

/// The id of a validated event.
pub fn id_of(line: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(line).expect("a validated event is JSON");
    event["event_id"].as_str().expect("a validated event has an id").to_owned()
}

/// Asserts that each expected id was given once, and nothing else.
#[track_caller]
pub fn assert_once(what: &str, got: Vec<String>, expected: &BTreeSet<String>) {
    let unique: BTreeSet<String> = got.iter().cloned().collect();
    let (lost, made_up) = (expected.difference(&unique).count(), unique.difference(expected).count());
    let doubled = got.len() - unique.len();
    assert_eq!((lost, doubled, made_up), (0, 0, 0), "{what}: lost, doubled, made up");
}
