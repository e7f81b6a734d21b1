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

/// Whether a raw event must become a dead letter: what is not JSON.
pub fn is_bad(raw: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(raw).is_err()
}

/// The ids of validated events.
pub fn ids_of(lines: &[String]) -> Vec<String> {
    let id_of = |line: &String| {
        let event: serde_json::Value = serde_json::from_str(line).expect("a validated event is JSON");
        event["event_id"].as_str().expect("a validated event has an id").to_owned()
    };
    lines.iter().map(id_of).collect()
}
