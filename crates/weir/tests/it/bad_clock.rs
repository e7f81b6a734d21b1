//! A clock that is set back and forth while a job runs. Times to live are of processing time, as in Flink: a clock set back forgets nothing,
//! one set forward lets keys expire, and neither stops checkpoints, whose intervals are durations.

use std::io::Write;
use std::process::{Child, Stdio};
use std::time::Duration;

use weir_base::{Clock, SystemClock};

use crate::binary::{Place, wait};

/// The first row of each id within ten minutes, by processing time. Rows are visible once their checkpoint is complete.
const FIRSTS: &str = "
SET 'restart-strategy.type' = 'none';
SET 'execution.checkpointing.interval' = '50 ms';
SET 'table.exec.state.ttl' = '10 min';
CREATE TABLE input (id INT, step INT, p AS PROCTIME())
  WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json', 'source.monitor-interval' = '20 ms');
CREATE TABLE output (id INT, step INT) WITH ('connector' = 'kafka', 'topic' = 'firsts', 'format' = 'json',
  'properties.bootstrap.servers' = 'none:9092');
INSERT INTO output SELECT id, step FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY p) AS n FROM input) WHERE n = 1;
";

const MINUTE_MS: i64 = 60_000;

struct Running {
    place: Place,
    child: Child,
}

impl Running {
    /// A process whose clock is `minutes` from the true time.
    fn start(place: Place, minutes: i64) -> Self {
        place.write("job.sql", FIRSTS);
        place.write("offset", (minutes * MINUTE_MS).to_string());
        let port = "metrics.reporter.prom.port=21000-29999";
        let mut weir = place.weir(["run", "job.sql", "--embedded", "--resume", "-D", port]);
        weir.env("WEIR_CLOCK_OFFSET_FILE", place.path("offset")).stdout(Stdio::null());
        let log = std::fs::File::options().create(true).append(true).open(place.path("log"));
        let child = weir.stderr(log.expect("open the log")).spawn().expect("start weir");
        Self { place, child }
    }

    /// Sets the clock to `minutes` from the true time.
    fn set_clock(&self, minutes: i64) {
        // As a whole: half a number must not be read.
        let unfinished = self.place.write("offset.new", (minutes * MINUTE_MS).to_string());
        std::fs::rename(unfinished, self.place.path("offset")).expect("set the clock");
    }

    /// Stops it with a last checkpoint.
    fn stop(mut self) -> Place {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        // SAFETY: a signal to a process that is no memory of ours.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
        assert_eq!(self.child.wait().expect("wait for weir").code(), Some(0));
        self.place
    }

    /// Hands in a file with `ids`, and then one that marks the end of the step; waits until the mark is visible.
    fn step(&self, step: i32, ids: &[i32]) {
        let mut file = std::fs::File::create(self.place.path(&format!("in/.{step}"))).expect("make a file");
        for id in ids.iter().chain([&(1000 + step)]) {
            writeln!(file, "{{\"id\":{id},\"step\":{step}}}").expect("show the file");
        }
        std::fs::rename(self.place.path(&format!("in/.{step}")), self.place.path(&format!("in/{step}.json")))
            .expect("show the file");
        let clock = SystemClock::new();
        while !self.rows().contains(&(1000 + step, step)) {
            let log = || {
                std::fs::read_to_string(self.place.path("log"))
                    .unwrap_or_default()
                    .lines()
                    .filter(|line| !line.contains("completed checkpoint"))
                    .collect::<Vec<_>>()
                    .join("\n")
            };
            assert!(clock.monotonic_us() < 20_000_000, "step {step} was not completed: {:?}\n{}", self.rows(), log());
            wait(Duration::from_millis(30));
        }
    }

    /// All that is visible: ids with their steps, by step.
    fn rows(&self) -> Vec<(i32, i32)> {
        let output =
            self.place.weir(["query", "SELECT value FROM firsts", "--format", "json"]).output().expect("start weir");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let row = |line: &str| {
            let row: serde_json::Value = serde_json::from_str(line).ok()?;
            let value: serde_json::Value = serde_json::from_str(row["value"].as_str()?).ok()?;
            let number = |name: &str| i32::try_from(value[name].as_i64()?).ok();
            Some((number("id")?, number("step")?))
        };
        let mut rows: Vec<(i32, i32)> = text.lines().filter_map(row).collect();
        rows.sort_by_key(|(id, step)| (*step, *id));
        rows
    }
}

#[test]
fn a_clock_that_jumps_loses_no_state_and_no_checkpoint() {
    let place = Place::new();
    std::fs::create_dir(place.path("in")).unwrap();
    let running = Running::start(place, 0);
    running.step(1, &[1, 2, 3]);
    // Back by an hour: nothing is forgotten, what is new is new.
    running.set_clock(-60);
    running.step(2, &[1, 2, 3, 4]);
    // A little forward: five minutes for the first keys, more than an hour for the one that was new meanwhile.
    running.set_clock(5);
    running.step(3, &[1, 2, 3, 4]);
    // Restored by a process whose clock is a day behind.
    let place = running.stop();
    let running = Running::start(place, -24 * 60);
    running.step(4, &[1, 2, 3, 4, 5]);
    // Two hours forward: all keys have expired, as in Flink; then known again, also when the clock goes back.
    running.set_clock(120);
    running.step(5, &[1, 5]);
    running.set_clock(0);
    running.step(6, &[1, 5]);
    let marks = |step| (1000 + step, step);
    let expected = [
        vec![(1, 1), (2, 1), (3, 1), marks(1)],
        vec![(4, 2), marks(2)],
        vec![(4, 3), marks(3)],
        vec![(5, 4), marks(4)],
        vec![(1, 5), (5, 5), marks(5)],
        vec![marks(6)],
    ];
    assert_eq!(running.rows(), expected.concat());
    running.stop();
}
