//! The shipped binary as it is measured: on given cores, a script in a folder of its own, to its end or until it is told to stop.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::measured::{self, Taken};
use crate::clock;
use crate::command::{self, tail};
use crate::failure::{Failure, Result};

/// How long a job may take from SIGTERM to its end.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// The binary, and the folder of one job of it.
pub struct Weir {
    binary: PathBuf,
    folder: PathBuf,
}

/// A job that runs.
pub struct Running {
    child: Child,
    log: PathBuf,
}

/// A checkpoint, as its log line tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// From its trigger to its completion.
    pub duration_ms: u64,
    /// For how long the slowest task stood still.
    pub sync_us: u64,
    /// Bytes that it wrote.
    pub bytes: u64,
    /// Bytes of the whole state.
    pub full_bytes: u64,
}

impl Weir {
    /// Builds the binary that users get, for a job in the empty folder `name`.
    ///
    /// # Errors
    /// Fails when it does not build.
    pub fn build(name: &str) -> Result<Self> {
        let binary = super::release_binary("weir", "weir")?;
        let weir = Self { binary, folder: command::target_dir().join("bench").join(name) };
        weir.empty()?;
        Ok(weir)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Empties its folder.
    ///
    /// # Errors
    /// The disk's.
    pub fn empty(&self) -> Result<()> {
        // There is none at the first time.
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir_all(&self.folder)
            .map_err(|error| Failure::io(format_args!("make {}", self.folder.display()), &error))
    }

    /// Runs `script` on `cores` to its end.
    ///
    /// # Errors
    /// Fails as the job does.
    pub fn run(&self, cores: &str, script: &str, more: &[&str]) -> Result<Taken> {
        measured::run(&mut self.command(cores, script, more)?, &self.folder.join("weir.log"))
    }

    /// Starts `script` on `cores`.
    ///
    /// # Errors
    /// Fails when it cannot be started.
    pub fn start(&self, cores: &str, script: &str, more: &[&str]) -> Result<Running> {
        let log = self.folder.join("weir.log");
        let failed = |error| Failure::io(format_args!("write {}", log.display()), &error);
        let out = File::create(&log).map_err(failed)?;
        let same = out.try_clone().map_err(failed)?;
        let mut command = self.command(cores, script, more)?;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(same).spawn();
        let child = child.map_err(|error| Failure::io(format_args!("start `{}`", command::typed(&command)), &error))?;
        Ok(Running { child, log })
    }

    fn command(&self, cores: &str, script: &str, more: &[&str]) -> Result<Command> {
        let file = self.folder.join("job.sql");
        fs::write(&file, script).map_err(|error| Failure::io(format_args!("write {}", file.display()), &error))?;
        let mut command = measured::pinned(cores, &self.binary);
        command.arg("run").arg(&file).arg("--fresh").arg("--data-dir").arg(self.folder.join("data")).args(more);
        Ok(command)
    }
}

impl Running {
    /// The process, for `/proc`.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it has completed `count` checkpoints.
    ///
    /// # Errors
    /// It ends before, or takes longer than `limit`.
    pub fn wait_for_checkpoints(&mut self, count: usize, limit: Duration) -> Result<()> {
        let seen = clock::wait_for(limit, || {
            let ended = self.child.try_wait().ok().flatten().is_some();
            (ended || checkpoints(&self.said()).len() >= count).then_some(!ended)
        });
        match seen {
            Some(true) => Ok(()),
            _ => Err(Failure::new(format!("see {count} checkpoints:\n{}", tail(&self.said(), 15)))),
        }
    }

    /// Stops it by SIGTERM; gives what it said and took.
    ///
    /// # Errors
    /// It does not end, or ends with another code than 0.
    pub fn stop(mut self) -> Result<(String, Taken)> {
        let taken = measured::of_process(self.pid()).map_or_else(Taken::default, |(taken, _)| taken);
        if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            // A failure means that it has ended, which the next line sees.
            let _ = kill_process(pid, Signal::TERM);
        }
        let ended = clock::wait_for(STOP_LIMIT, || self.child.try_wait().ok().flatten());
        match ended {
            Some(status) if status.success() => Ok((self.said(), taken)),
            Some(status) => Err(Failure::new(format!("stop the job: {status}\n{}", tail(&self.said(), 15)))),
            None => Err(Failure::new(format!("stop the job: it still runs after {STOP_LIMIT:?}"))),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that was stopped has gone; one that was left behind by an error must not stay.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The completed checkpoints that a log tells of, in order.
pub fn checkpoints(log: &str) -> Vec<Checkpoint> {
    let of_line = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        let number = |key: &str| line.get(key).and_then(Value::as_u64);
        (line.get("message")? == "completed checkpoint").then_some(())?;
        Some(Checkpoint {
            duration_ms: number("duration_ms")?,
            sync_us: number("sync_us")?,
            bytes: number("bytes")?,
            full_bytes: number("full_bytes")?,
        })
    };
    log.lines().filter_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_are_found_among_the_lines_of_a_log() {
        let log = "plain\n{\"message\":\"job is RUNNING\"}\n\
            {\"message\":\"completed checkpoint\",\"duration_ms\":4,\"sync_us\":11,\"bytes\":5,\"full_bytes\":6,\"epoch\":1}\n";
        assert_eq!(checkpoints(log), [Checkpoint { duration_ms: 4, sync_us: 11, bytes: 5, full_bytes: 6 }]);
    }
}
