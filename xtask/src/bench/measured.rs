//! A program run on given cores, with what it took: time on the wall, CPU time, memory. The kernel's own account in `/proc`.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::clock;
use crate::command::{tail, typed};
use crate::failure::{Failure, Result};

/// How often a running program is looked at. Its CPU time is exact: it is read when it has ended and is not yet waited for.
const LOOK: Duration = Duration::from_millis(5);

/// The kernel counts CPU time in these: `USER_HZ`, 100 on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a program took.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Taken {
    /// Seconds from its start to its end.
    pub wall: f64,
    /// Seconds of CPU in user mode.
    pub user: f64,
    /// Seconds of CPU in the kernel.
    pub system: f64,
    /// Bytes of memory at most.
    pub peak_bytes: u64,
}

impl Taken {
    /// Seconds of CPU.
    pub fn cpu(&self) -> f64 {
        self.user + self.system
    }
}

/// `program` bound to `cores` (a list as `taskset` takes it).
pub fn pinned(cores: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", cores]).arg(program);
    command
}

/// Runs `command` to its end; its output goes to the file at `log`.
///
/// # Errors
/// Fails when it cannot be started, or ends with another code than 0; the text holds its last words.
pub fn run(command: &mut Command, log: &Path) -> Result<Taken> {
    let failed = |error| Failure::io(format_args!("write {}", log.display()), &error);
    let out = File::create(log).map_err(failed)?;
    let same = out.try_clone().map_err(failed)?;
    let start = clock::now();
    let child = command.stdin(Stdio::null()).stdout(out).stderr(same).spawn();
    let mut child = child.map_err(|error| Failure::io(format_args!("start `{}`", typed(command)), &error))?;
    let mut taken = to_the_end(&child);
    taken.wall = start.elapsed().as_secs_f64();
    let status = child.wait().map_err(|error| Failure::io(format_args!("wait for `{}`", typed(command)), &error))?;
    if status.success() {
        return Ok(taken);
    }
    let said = fs::read_to_string(log).unwrap_or_default();
    Err(Failure::new(format!("run `{}`: {status}\n{}", typed(command), tail(&said, 15))))
}

/// Looks at `child` until it has ended; it stays to be waited for.
fn to_the_end(child: &Child) -> Taken {
    let mut last = Taken::default();
    while let Some(seen) = of_process(child.id()) {
        last = Taken { peak_bytes: seen.0.peak_bytes.max(last.peak_bytes), ..seen.0 };
        if seen.1 == 'Z' {
            break;
        }
        clock::sleep(LOOK);
    }
    last
}

/// What the process `pid` has taken so far (without the time on the wall), and its state; `None` when there is no such process.
pub fn of_process(pid: u32) -> Option<(Taken, char)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets, which may hold anything.
    let rest: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let seconds = |index: usize| rest.get(index)?.parse::<f64>().ok().map(|ticks| ticks / TICKS_PER_SECOND);
    let state = rest.first()?.chars().next()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0);
    Some((Taken { wall: 0.0, user: seconds(11)?, system: seconds(12)?, peak_bytes: kilobytes * 1024 }, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_measured_to_its_end() {
        let log = std::env::temp_dir().join(format!("weir-measured-{}.log", std::process::id()));
        let mut busy = Command::new("sh");
        busy.args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done"]);
        let taken = run(&mut busy, &log).unwrap();
        assert!(taken.user > 0.0 && taken.cpu() <= taken.wall + 0.05, "{taken:?}");
        assert!(taken.peak_bytes > 100_000, "{taken:?}");
        assert_eq!(fs::read_to_string(&log).unwrap(), "done\n");
        let failure = run(Command::new("sh").args(["-c", "echo why; exit 3"]), &log).unwrap_err();
        assert_eq!(failure.to_string(), "run `sh -c echo why; exit 3`: exit status: 3\nwhy");
        fs::remove_file(&log).unwrap();
    }

    #[test]
    fn a_process_that_is_not_there_has_taken_nothing() {
        assert_eq!(of_process(u32::MAX), None);
    }
}
