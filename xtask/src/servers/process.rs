//! Processes that outlive us: started in a group of their own, recognised later by id and start time, and ended.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process};
use serde_json::{Value, json};

use super::place::Place;
use crate::clock;
use crate::failure::{Failure, Result};

/// How long a process may take to end after SIGTERM, before SIGKILL.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A process that was started: its id alone could be another's by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its name within its server.
    pub name: String,
    /// Its process id, and its process group's.
    pub pid: u32,
    /// When it was started, in the system's ticks; 0 where the system does not tell.
    ticks: u64,
}

impl Started {
    /// For `processes.json`.
    pub fn to_json(&self) -> Value {
        json!({ "name": self.name, "pid": self.pid, "ticks": self.ticks })
    }

    /// From `processes.json`.
    pub fn of_json(value: &Value) -> Option<Self> {
        let pid = u32::try_from(value.get("pid")?.as_u64()?).ok()?;
        let ticks = value.get("ticks")?.as_u64()?;
        Some(Self { name: value.get("name")?.as_str()?.to_owned(), pid, ticks })
    }

    /// Whether it still runs; a paused one does, one that waits for its parent to ask for its exit code does not.
    pub fn is_alive(&self) -> bool {
        match proc_stat(self.pid) {
            Some((state, ticks)) => state != 'Z' && state != 'X' && (self.ticks == 0 || ticks == self.ticks),
            None if fs::exists("/proc/self/stat").unwrap_or(false) => false,
            None => self.rustix_pid().is_some_and(|pid| test_kill_process(pid).is_ok()),
        }
    }

    /// Ends it and waits: SIGTERM (and SIGCONT, should it be paused), after a while SIGKILL, to its whole group.
    ///
    /// # Errors
    /// Fails when it runs even after SIGKILL.
    pub fn stop(&self) -> Result<()> {
        let Some(pid) = self.rustix_pid().filter(|_| self.is_alive()) else { return Ok(()) };
        for (signals, limit) in [(&[Signal::TERM, Signal::CONT][..], STOP_LIMIT), (&[Signal::KILL], STOP_LIMIT / 2)] {
            for signal in signals {
                // A failure means that it ended meanwhile, which the next line sees.
                let _ = kill_process_group(pid, *signal);
            }
            if clock::wait_for(limit, || (!self.is_alive()).then_some(())).is_some() {
                return Ok(());
            }
        }
        Err(Failure::new(format!("stop {} (process {}): it is there even after SIGKILL", self.name, self.pid)))
    }

    fn rustix_pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.pid).ok()?)
    }
}

/// Starts `command` in `place.run`, in a process group of its own (Ctrl-C on our terminal does not reach it), with empty
/// input and its output appended to its log.
///
/// # Errors
/// Fails when the log cannot be opened or the program not started.
pub fn start(place: &Place, name: &str, mut command: Command) -> Result<Started> {
    let path = place.log(name);
    let failed = |error| Failure::io(format_args!("open {}", path.display()), &error);
    let log = File::options().create(true).append(true).open(&path).map_err(failed)?;
    let errors = log.try_clone().map_err(failed)?;
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command.current_dir(&place.run).stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
    let pid = child.map_err(|error| Failure::io(format_args!("start {name}"), &error))?.id();
    let ticks = proc_stat(pid).map_or(0, |(_, ticks)| ticks);
    Ok(Started { name: name.to_owned(), pid, ticks })
}

/// State and start time of a process, from Linux's `/proc/PID/stat`.
fn proc_stat(pid: u32) -> Option<(char, u64)> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Fields 3 and 22; the second is a name in parentheses that may itself hold both spaces and parentheses.
fn parse_stat(text: &str) -> Option<(char, u64)> {
    let (_, behind) = text.rsplit_once(')')?;
    let fields: Vec<&str> = behind.split_whitespace().collect();
    Some((fields.first()?.chars().next()?, fields.get(19)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_be_called_anything() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 0 0 0 3 1 0 0 20 0 1 0 987654 1 2 3";
        assert_eq!(parse_stat(stat), Some(('S', 987_654)));
        assert_eq!(parse_stat("42 (a) S"), None);
    }

    #[test]
    fn a_paused_process_is_alive_and_can_be_stopped() {
        let folder = std::env::temp_dir().join(format!("weir-xtask-process-{}", std::process::id()));
        fs::create_dir_all(folder.join("servers/run/sleeper")).unwrap();
        let place = Place::under(&folder, "sleeper");
        let mut command = Command::new("sleep");
        command.arg("600");
        let started = start(&place, "sleeper", command).unwrap();
        assert!(started.is_alive());
        kill_process_group(started.rustix_pid().unwrap(), Signal::STOP).unwrap();
        assert!(started.is_alive());
        assert_eq!(Started::of_json(&started.to_json()), Some(started.clone()));
        let another = Started { ticks: started.ticks + 1, ..started.clone() };
        assert!(!another.is_alive(), "the id was given to a process that began at another time");
        started.stop().unwrap();
        assert!(!started.is_alive());
        fs::remove_dir_all(folder).unwrap();
    }
}
