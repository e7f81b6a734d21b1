//! The kill harness: SIGKILL at random instants, then the job goes on; every row must be there once.
//!
//! Each step of the checkpoint protocol is drawn out a little (a debug hook), so that kills fall into all of them; the steps that were hit are counted
//! and printed. The same rounds over a build that makes rows visible too early must find rows twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use weir_base::Rng;

use crate::binary::{Place, wait};

/// Rounds of a scenario in an ordinary test run.
const ROUNDS: u64 = 20;

/// Kills of a round at most: one that comes after the end is the last.
const KILLS: u64 = 3;

/// Events of a round.
const EVENTS: u64 = 160_000;

/// The steps of the protocol that kills are counted by.
const STEPS: [&str; 4] = ["prepare", "write", "decide", "apply"];

/// Files to files, with deduplication, cut into many small batches so that a round lasts for several checkpoints.
const JOB: &str = "
SET 'execution.checkpointing.interval' = '10 ms';
SET 'parallelism.default' = '2';
SET 'weir.batch.rows-max' = '8';
SET 'pipeline.name' = 'killed';
CREATE TABLE events (id BIGINT, device STRING, pt AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json',
  'json.ignore-parse-errors' = 'true');
CREATE TABLE firsts (id BIGINT, device STRING) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json',
  'sink.rolling-policy.rollover-interval' = '100 ms', 'sink.rolling-policy.check-interval' = '20 ms');
INSERT INTO firsts SELECT id, device FROM (
  SELECT id, device, ROW_NUMBER() OVER (PARTITION BY id ORDER BY pt) AS n FROM events) WHERE n = 1;
";

/// What the rounds of a scenario came to.
#[derive(Default)]
struct Tally {
    kills: BTreeMap<String, u64>,
    lost: u64,
    doubled: u64,
}

fn write_input(place: &Place, rng: &mut Rng) -> BTreeSet<String> {
    let mut expected = BTreeSet::new();
    for file in 0..4 {
        let mut text = String::new();
        for event in 0..EVENTS / 4 {
            // One in twenty is an earlier id again; one in five hundred is cut off.
            let fresh = file * (EVENTS / 4) + event;
            let id = if rng.below(20) == 0 { rng.below(fresh + 1) } else { fresh };
            let line = format!("{{\"id\":{id},\"device\":\"d{}\"}}", id % 100);
            if rng.below(500) == 0 {
                text.push_str(&line[..line.len() / 2]);
            } else {
                text.push_str(&line);
                expected.insert(line);
            }
            text.push('\n');
        }
        place.write(&format!("in/part-{file}.json"), text);
    }
    expected
}

/// One round: killed, and killed again, then run to the end.
fn round(seed: u64, swapped: bool, tally: &mut Tally) {
    let mut rng = Rng::new(seed);
    let place = Place::new();
    let expected = write_input(&place, &mut rng);
    let job = place.write("job.sql", JOB);
    let start = |marks: Option<&str>| {
        let mut command = place.weir(["run", "--resume", "-D", "metrics.reporter.prom.port=21000-29999"]);
        command.arg(&job).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        if let Some(marks) = marks {
            command.env("WEIR_PROTOCOL_MARKS", place.path(marks)).env("WEIR_PROTOCOL_DELAY_MS", "25");
            if swapped {
                command.env("WEIR_PROTOCOL_SWAPPED", "1");
            }
        }
        command.spawn().expect("start weir")
    };
    for kill in 0..KILLS {
        let marks = format!("marks-{kill}");
        let mut child = start(Some(&marks));
        wait(Duration::from_millis(120 + rng.below(400)));
        let ended = child.try_wait().expect("look at weir").is_some();
        child.kill().expect("kill weir");
        child.wait().expect("wait for weir");
        if ended {
            break;
        }
        let text = std::fs::read_to_string(place.path(&marks)).unwrap_or_default();
        let last = text.lines().last().unwrap_or("start").to_owned();
        *tally.kills.entry(last).or_default() += 1;
    }
    let end = start(None).wait().expect("wait for weir");
    assert!(end.success(), "round {seed} did not end: {end}");
    let lines = place.lines("out");
    let unique: BTreeSet<String> = lines.iter().cloned().collect();
    tally.doubled += (lines.len() - unique.len()) as u64;
    tally.lost += expected.difference(&unique).count() as u64;
    assert!(unique.is_subset(&expected), "round {seed} wrote rows that nobody sent");
}

fn share_of_each_step(tally: &Tally) -> String {
    let total: u64 = tally.kills.values().sum();
    let shares = tally.kills.iter().map(|(step, count)| format!("{step} {count}"));
    format!("{total} kills: {}", shares.collect::<Vec<_>>().join(", "))
}

#[test]
fn files_to_files_lose_and_double_nothing() {
    let mut tally = Tally::default();
    for seed in 1..=ROUNDS {
        round(seed, false, &mut tally);
    }
    println!("file -> file: {}; lost {}, doubled {}", share_of_each_step(&tally), tally.lost, tally.doubled);
    assert_eq!((tally.lost, tally.doubled), (0, 0), "lost, doubled");
    for step in STEPS {
        assert!(
            tally.kills.get(step).copied().unwrap_or(0) > 0,
            "no kill fell into '{step}': {}",
            share_of_each_step(&tally)
        );
    }
}

#[test]
fn a_build_with_the_commit_order_swapped_is_found_out() {
    let mut tally = Tally::default();
    for seed in 101..=100 + ROUNDS {
        round(seed, true, &mut tally);
        if tally.doubled + tally.lost > 0 {
            println!("found out after {} rounds: {}", seed - 100, share_of_each_step(&tally));
            return;
        }
    }
    panic!("{ROUNDS} rounds did not notice that rows became visible too early: {}", share_of_each_step(&tally));
}
