//! The job's own metrics under Flink's names: restarts, time of running, checkpoints. All are read from the job's monitor when somebody asks.

use weir_base::Timestamp;
use weir_metrics::Scope;

use crate::Job;
use crate::monitor::{CheckpointShown, Shown};

/// What Flink shows where there is nothing to show yet.
const NOTHING: f64 = -1.0;

/// How a figure is read from the monitor at a moment.
type Read = fn(&Shown, Timestamp) -> f64;

/// The figures by name. Times are milliseconds, moments milliseconds since the epoch, sizes bytes.
const FIGURES: [(&str, Read); 12] = [
    ("numRestarts", |shown, _| number(shown.restarts)),
    ("uptime", |shown, now| shown.running_since.map_or(NOTHING, |since| moment(now - since))),
    ("totalNumberOfCheckpoints", |shown, _| number(shown.checkpoints_triggered)),
    ("numberOfInProgressCheckpoints", |shown, _| number(shown.checkpoints_in_progress())),
    ("numberOfCompletedCheckpoints", |shown, _| number(shown.checkpoints_completed)),
    ("numberOfFailedCheckpoints", |shown, _| number(shown.checkpoints_failed)),
    ("lastCompletedCheckpointId", |shown, _| last(shown, |checkpoint| number(checkpoint.epoch.0))),
    ("lastCheckpointDuration", |shown, _| last(shown, |checkpoint| number(checkpoint.duration_ms))),
    ("lastCheckpointSize", |shown, _| last(shown, |checkpoint| number(checkpoint.bytes))),
    ("lastCheckpointFullSize", |shown, _| last(shown, |checkpoint| number(checkpoint.full_bytes))),
    ("lastCheckpointCompletedTimestamp", |shown, _| last(shown, |checkpoint| moment(checkpoint.completed_at))),
    ("lastCheckpointRestoreTimestamp", |shown, _| shown.restored_at.map_or(NOTHING, moment)),
];

/// Registers them with the job's labels.
pub fn register(job: &Job) {
    for (name, read) in FIGURES {
        let (monitor, clock) = (job.monitor.clone(), std::sync::Arc::clone(&job.clock));
        job.metrics.computed(Scope::Job, name, move || read(&monitor.shown(), clock.now()));
    }
}

fn last(shown: &Shown, read: fn(&CheckpointShown) -> f64) -> f64 {
    shown.checkpoint.as_ref().map_or(NOTHING, read)
}

#[expect(clippy::cast_precision_loss, reason = "a page shows doubles")]
fn number(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch are exact in a double for 285,000 years")]
fn moment(moment: Timestamp) -> f64 {
    moment as f64
}

#[cfg(test)]
mod tests {
    use weir_base::Epoch;
    use weir_metrics::Histogram;

    use super::*;
    use crate::monitor::{JobState, Monitor};

    fn figures(monitor: &Monitor, now: Timestamp) -> Vec<f64> {
        FIGURES.iter().map(|(_, read)| read(&monitor.shown(), now)).collect()
    }

    #[test]
    fn every_figure_moves_with_what_the_job_does() {
        let monitor = Monitor::new(1_000, Histogram::default());
        let at_first = [0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0];
        assert_eq!(figures(&monitor, 1_500), at_first);
        monitor.enter(JobState::Running, 2_000);
        let checkpoint =
            CheckpointShown { epoch: Epoch(3), completed_at: 4_000, duration_ms: 12, bytes: 700, full_bytes: 9_000 };
        monitor.update(|shown| {
            shown.checkpoints_triggered = 4;
            shown.checkpoints_completed = 2;
            shown.checkpoints_failed = 1;
            shown.checkpoint = Some(checkpoint);
        });
        let running = [0.0, 3_000.0, 4.0, 1.0, 2.0, 1.0, 3.0, 12.0, 700.0, 9_000.0, 4_000.0, -1.0];
        assert_eq!(figures(&monitor, 5_000), running);
        monitor.enter(JobState::Stopping, 5_500);
        assert_eq!(figures(&monitor, 6_000)[1], 4_000.0, "a job that takes its last checkpoint is up");
        monitor.attempt_failed("lost".to_owned());
        monitor.enter(JobState::Restarting, 6_500);
        monitor.update(|shown| {
            shown.restarts += 1;
            shown.restored_at = Some(7_000);
        });
        let restarted = [1.0, -1.0, 4.0, 0.0, 2.0, 2.0, 3.0, 12.0, 700.0, 9_000.0, 4_000.0, 7_000.0];
        assert_eq!(figures(&monitor, 8_000), restarted);
        monitor.enter(JobState::Running, 9_000);
        assert_eq!(figures(&monitor, 9_100)[1], 100.0, "the time of running begins anew");
    }
}
