//! Kills of a job from files to files, with deduplication; and of a build that makes rows visible too early, which must be found out.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};

use weir_base::Rng;

use crate::binary::Place;
use crate::kill_harness::{self, Bounds, Hooks, Round, Scenario};
use crate::once::differences;

/// Kills of a round at most: one that comes after the end is the last.
const KILLS: u64 = 3;

/// Events of a round.
const EVENTS: u64 = 200_000;

/// Rounds within which a swapped order must have been found out.
const ROUNDS_SWAPPED: u64 = 20;

/// Cut into many small batches, so that a round lasts for several checkpoints.
const JOB: &str = "
SET 'execution.checkpointing.interval' = '10 ms';
SET 'parallelism.default' = '2';
SET 'weir.batch.rows-max' = '8';
SET 'pipeline.name' = 'killed';
CREATE TABLE events (id BIGINT, device STRING, pt AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json',
  'json.ignore-parse-errors' = 'true');
CREATE TABLE firsts (id BIGINT, device STRING) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json',
  'sink.rolling-policy.rollover-interval' = '30 ms', 'sink.rolling-policy.check-interval' = '10 ms');
INSERT INTO firsts SELECT id, device FROM (
  SELECT id, device, ROW_NUMBER() OVER (PARTITION BY id ORDER BY pt) AS n FROM events) WHERE n = 1;
";

/// Files to files, by a build whose order of the commit is right, or swapped.
struct Files<const SWAPPED: bool>;

impl<const SWAPPED: bool> Scenario for Files<SWAPPED> {
    const NAME: &'static str = "files";
    const TEST: &'static str = "kills::files_to_files_lose_and_double_nothing";
    const SWAPPED: bool = SWAPPED;

    fn bounds(&self) -> Bounds {
        Bounds { instants_ms: 20..420, delay_ms: 60, occurrences: 2 }
    }

    fn begin<'a>(&'a self, place: &'a Place, _: u64, rng: &mut Rng) -> Box<dyn Round + 'a> {
        place.write("job.sql", JOB);
        Box::new(FilesRound { place, expected: write_input(place, rng) })
    }
}

struct FilesRound<'a> {
    place: &'a Place,
    expected: BTreeSet<String>,
}

impl FilesRound<'_> {
    fn command(&self) -> Command {
        let mut command =
            self.place.weir(["run", "job.sql", "--resume", "-D", "metrics.reporter.prom.port=21000-29999"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

impl Round for FilesRound<'_> {
    fn start(&mut self, hooks: &Hooks) -> Child {
        let mut command = self.command();
        hooks.set(&mut command);
        command.spawn().expect("start weir")
    }

    fn goes_on(&mut self, kills: u64) -> bool {
        kills < KILLS
    }

    fn may_end(&self) -> bool {
        true
    }

    fn end(&mut self) -> Vec<String> {
        let end = self.command().status().expect("run weir to its end");
        assert!(end.success(), "the job did not end: {end}");
        differences("files", &self.place.lines("out"), &self.expected).into_iter().collect()
    }
}

/// Writes four files; the rows that must come out.
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

#[test]
fn files_to_files_lose_and_double_nothing() {
    kill_harness::run(&Files::<false>);
}

#[test]
fn a_build_with_the_commit_order_swapped_is_found_out() {
    let tally = kill_harness::run_seeds(&Files::<true>, 101..=100 + ROUNDS_SWAPPED, |tally| !tally.is_wrong());
    assert!(tally.is_wrong(), "{ROUNDS_SWAPPED} rounds did not notice that rows became visible too early: {tally}");
}
