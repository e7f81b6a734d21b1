//! Events read back with a JSON parser agree with what was worked out beforehand.

use std::collections::{HashMap, HashSet};

use super::*;
use crate::Expected;

fn simulation() -> Simulation {
    Simulation { seed: 7, ..Simulation::default() }
}

/// What the job's SQL makes of an event, by a parser of others.
fn judge(bytes: &[u8]) -> (Fate, Option<String>) {
    let Ok(event) = serde_json::from_slice::<serde_json::Value>(bytes) else { return (Fate::CutOff, None) };
    let text = |name: &str| event[name].as_str().map(str::to_owned);
    let (id, device, time, value) =
        (text("event_id"), text("device_id"), event["timestamp"].as_i64(), event["value"].as_f64());
    let (Some(id), Some(_), Some(_), Some(value)) = (id, device, time, value) else { return (Fate::Missing, None) };
    let range = match event["sensor_type"].as_str().unwrap() {
        "temperature" => -50.0..=150.0,
        "humidity" => 0.0..=100.0,
        "pressure" => 300.0..=1100.0,
        "vibration" => 0.0..=500.0,
        "voltage" => 0.0..=600.0,
        "co2" => 0.0..=10_000.0,
        other => panic!("unknown sensor {other}"),
    };
    if range.contains(&value) { (Fate::Valid, Some(id)) } else { (Fate::OutOfRange, None) }
}

#[test]
fn events_are_what_was_worked_out_beforehand() {
    let simulation = simulation();
    for range in [0..60_000u64, 1_000_000..1_030_000] {
        let mut seen = HashSet::new();
        let mut counted = Expected { total: range.end - range.start, ..Expected::default() };
        for number in range.clone() {
            let mut bytes = Vec::new();
            simulation.write(number, &mut bytes);
            let (fate, id) = judge(&bytes);
            assert_eq!(fate, simulation.fate(number), "event {number}: {}", String::from_utf8_lossy(&bytes));
            match fate {
                Fate::CutOff => counted.dead_letters += 1,
                Fate::Missing => counted.missing += 1,
                Fate::OutOfRange => counted.out_of_range += 1,
                Fate::Valid if seen.insert(id.unwrap()) => counted.valid_unique += 1,
                Fate::Valid => counted.duplicates += 1,
            }
        }
        assert_eq!(Expected::of(&simulation, range.clone()), counted);
        let share = |count: u64, of_100_000: u64| {
            let expected = counted.total * of_100_000 / 100_000;
            assert!(count > expected / 2 && count < expected * 2, "{count} of about {expected}");
        };
        share(counted.dead_letters, 200);
        share(counted.missing, 300);
        share(counted.out_of_range, 500);
        // What a later range repeats lies mostly before it.
        if range.start == 0 {
            share(counted.duplicates, 4_500);
        }
    }
}

#[test]
fn events_carry_the_fields_of_the_job_and_times_up_to_two_seconds_late() {
    let simulation = simulation();
    let fields =
        ["event_id", "device_id", "site_id", "sensor_type", "value", "unit", "timestamp", "quality", "metadata"];
    let (mut devices, mut sites, mut latest) = (HashSet::new(), HashSet::new(), 0);
    let mut last_of_original = HashMap::new();
    for number in 0..40_000 {
        let mut bytes = b"before".to_vec();
        let at = simulation.write(number, &mut bytes);
        let original = simulation.original(number);
        if let Some(first) = last_of_original.insert(original, bytes[at.clone()].to_vec()) {
            assert_eq!(bytes[at], first, "a repeat has the bytes of its original");
            continue;
        }
        if simulation.fate(number) != Fate::Valid {
            continue;
        }
        let text = std::str::from_utf8(&bytes[at.clone()]).unwrap();
        let event: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(event.as_object().unwrap().len(), fields.len());
        let places: Vec<usize> = fields.iter().map(|name| text.find(&format!("\"{name}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
        assert!(event["metadata"]["fw"].as_str().unwrap().starts_with("1."));
        devices.insert(event["device_id"].as_str().unwrap().to_owned());
        sites.insert(event["site_id"].as_str().unwrap().to_owned());
        let late = simulation.time(number) - event["timestamp"].as_i64().unwrap();
        assert!((0..=2_000).contains(&late), "{text}");
        latest = latest.max(late);
    }
    assert_eq!((devices.len(), sites.len()), (1_000, 40));
    assert!(latest > 1_900);
}

#[test]
fn a_repeat_lies_at_most_fifty_seconds_behind() {
    let simulation = Simulation { events_per_second: 100, ..simulation() };
    let mut longest = 0;
    for number in 0..100_000 {
        let original = simulation.original(number);
        assert_eq!(simulation.original(original), original);
        longest = longest.max(number - original);
    }
    assert!((4_900..=5_000).contains(&longest), "{longest}");
}

#[test]
fn another_seed_gives_other_events_and_the_same_gives_the_same() {
    let event = |seed: u64| {
        let mut bytes = Vec::new();
        Simulation { seed, ..simulation() }.write(123_456, &mut bytes);
        bytes
    };
    assert_eq!(event(1), event(1));
    assert_ne!(event(1), event(2));
}
