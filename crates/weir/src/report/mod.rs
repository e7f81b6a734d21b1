//! What `weir run` and `weir demo` show: a block that is redrawn in place on a terminal, else a line every ten seconds; where the log is JSON, as
//! one of its lines.
//!
//! All figures come from the job's monitor and the metric registry (`figures`); the faces only draw them.

mod figures;
mod live;
mod plain;
mod process;
mod rows;
mod screen;

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use weir_base::{Result, Thread, spawn};
use weir_jobs::Job;
use weir_metrics::Registry;
use weir_plan::{JobGraph, Operator};

use figures::Watch;
pub use process::register as register_process_metrics;
pub use rows::{RowFormat, RowPrinter};
pub use screen::AboveBlock;

/// How often the block is redrawn.
const REDRAW: Duration = Duration::from_millis(500);

/// How often a line is printed where there is no terminal.
const LINE: Duration = Duration::from_secs(10);

/// How a reporter that is to end is noticed.
const POLL: Duration = Duration::from_millis(50);

/// The face that a run shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// A block on standard error, redrawn in place.
    Live,
    /// Lines on standard error.
    Plain,
    /// Lines of the log, so that all of standard error can be read as JSON.
    Logged,
}

impl Face {
    /// The block where standard error is a terminal that can redraw, lines where it cannot; elsewhere lines of the log.
    pub fn of_terminal() -> Self {
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        match (std::io::stderr().is_terminal(), dumb) {
            (false, _) => Self::Logged,
            (true, true) => Self::Plain,
            (true, false) => Self::Live,
        }
    }

    /// The face of a program that logs next to nothing: its figures are lines by themselves.
    pub fn without_log(self) -> Self {
        if self == Self::Logged { Self::Plain } else { self }
    }
}

/// Whether the job's own rows go to the terminal: a block that is redrawn would wipe them.
fn prints(graph: &JobGraph) -> bool {
    graph.nodes.iter().any(|node| matches!(&node.operator, Operator::Sink(spec) if spec.connector == "print"))
}

/// Shows a job while it runs.
pub struct Reporter {
    ended: Arc<AtomicBool>,
    thread: Thread<()>,
}

impl Reporter {
    /// Begins to show `job`; `hint` is the next useful command.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(face: Face, job: &Job, registry: &Registry, hint: String) -> Result<Self> {
        let face = if face == Face::Live && prints(&job.graph) { Face::Plain } else { face };
        let ended = Arc::new(AtomicBool::new(false));
        let mut watch = Watch::new(job, registry.clone(), hint);
        let (seen, clock) = (Arc::clone(&ended), Arc::clone(&job.clock));
        let period = if face == Face::Live { REDRAW } else { LINE };
        let thread = spawn("weir-report", move || {
            let period_us = u64::try_from(period.as_micros()).unwrap_or(u64::MAX);
            // A block is there at once; the first line has something to say: its rates are those since the start.
            let mut due_us = clock.monotonic_us();
            if face != Face::Live {
                watch.look();
                due_us += period_us;
            }
            loop {
                let last = seen.load(Ordering::Acquire);
                if last || clock.monotonic_us() >= due_us {
                    due_us = clock.monotonic_us() + period_us;
                    let figures = watch.look();
                    match face {
                        Face::Live => live::draw(&figures),
                        Face::Plain => plain::print(&figures),
                        Face::Logged => plain::log(&figures),
                    }
                }
                if last {
                    screen::release();
                    return;
                }
                clock.sleep(POLL);
            }
        })?;
        Ok(Self { ended, thread })
    }

    /// Shows the job a last time.
    pub fn end(self) {
        self.ended.store(true, Ordering::Release);
        // A reporter that panicked has already said so; the job's outcome does not depend on it.
        let _ = self.thread.join();
    }
}
