//! One kill: waits until its instant has come, kills, and reads from the marks what the process was doing.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use weir_base::{Clock, SystemClock};

use super::aim::{Aim, Bounds};

/// The steps of the protocol, in their order.
pub const STEPS: [&str; 4] = ["prepare", "write", "decide", "apply"];

/// How often the marks are looked at.
const POLL: Duration = Duration::from_micros(500);

/// How long a step may take to come.
const STEP_LIMIT: Duration = Duration::from_secs(60);

/// What a process is told by its environment, so that it leaves marks.
pub struct Hooks {
    marks: PathBuf,
    drawn_out: Option<(&'static str, u64)>,
    swapped: bool,
}

impl Hooks {
    pub(super) fn new(marks: PathBuf, aim: &Aim, bounds: &Bounds, swapped: bool) -> Self {
        let drawn_out = match aim {
            Aim::Instant(_) => None,
            Aim::Step { step, .. } => Some((*step, bounds.delay_ms)),
        };
        Self { marks, drawn_out, swapped }
    }

    /// Puts them into the environment of `command`, and lets it write what it says beside its marks, for whoever looks at a round that was bad.
    pub fn set(&self, command: &mut Command) {
        command.stderr(File::create(self.marks.with_extension("log")).expect("make the process's log"));
        command.env("WEIR_PROTOCOL_MARKS", &self.marks);
        if let Some((step, delay_ms)) = self.drawn_out {
            command.env("WEIR_PROTOCOL_DELAY_STEP", step).env("WEIR_PROTOCOL_DELAY_MS", delay_ms.to_string());
        }
        if self.swapped {
            command.env("WEIR_PROTOCOL_SWAPPED", "1");
        }
    }
}

/// A kill that happened.
#[derive(Debug, PartialEq, Eq)]
pub struct Kill {
    /// The last mark: `start` before the first one.
    pub step: String,
    /// Milliseconds from the process's start.
    pub instant_ms: u64,
}

impl std::fmt::Display for Kill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.step, self.instant_ms)
    }
}

/// Kills `child` as `aim` says; `None` if it has ended by itself before.
pub fn strike(mut child: Child, aim: &Aim, hooks: &Hooks) -> Option<Kill> {
    let clock = SystemClock::new();
    let ended = match *aim {
        Aim::Instant(ms) => {
            clock.sleep(Duration::from_millis(ms));
            child.try_wait().expect("look at weir").is_some()
        }
        Aim::Step { step, occurrence, after_us } => {
            let ended = await_mark(&mut child, &clock, &hooks.marks, step, occurrence);
            if !ended {
                clock.sleep(Duration::from_micros(after_us));
            }
            ended || child.try_wait().expect("look at weir").is_some()
        }
    };
    let instant_ms = clock.monotonic_us() / 1000;
    // A process that ends at this very moment is none that was killed.
    child.kill().expect("kill weir");
    let status = child.wait().expect("wait for weir");
    if ended || std::os::unix::process::ExitStatusExt::signal(&status) != Some(libc::SIGKILL) {
        return None;
    }
    let marks = marks(&hooks.marks);
    Some(Kill { step: marks.lines().last().unwrap_or("start").to_owned(), instant_ms })
}

/// Waits for the mark; whether the process has ended before.
fn await_mark(child: &mut Child, clock: &SystemClock, file: &Path, step: &str, occurrence: u64) -> bool {
    let limit_us = u64::try_from(STEP_LIMIT.as_micros()).expect("a minute fits");
    while (marks(file).lines().filter(|line| *line == step).count() as u64) < occurrence {
        if child.try_wait().expect("look at weir").is_some() {
            return true;
        }
        let is_late = clock.monotonic_us() > limit_us;
        if is_late {
            child.kill().expect("kill weir");
            child.wait().expect("wait for weir");
        }
        assert!(!is_late, "step '{step}' did not come {occurrence} times within {STEP_LIMIT:?}: {}", marks(file));
        clock.sleep(POLL);
    }
    false
}

fn marks(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}
