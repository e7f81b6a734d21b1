//! SIGINT and SIGTERM: the first asks the job to stop with a last checkpoint, a second one ends the process at once.
//!
//! SIGXFSZ: a file that reaches the process's limit on the size of files must fail the write that did it, with its path, rather than end the process.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use signal_hook::consts::signal::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use weir_base::{Clock, Error, Kind, Result, spawn};
use weir_jobs::{JobState, Monitor, StopRequest};

/// How long a job that is still starting may go on after a stop was asked for: within `limits::STOP_TIMEOUT` the process must have ended.
const START_STOP_TIMEOUT: Duration = Duration::from_secs(4);

/// How often the job is looked at.
const POLL: Duration = Duration::from_millis(100);

/// A stop request that both signals make.
///
/// # Errors
/// The system refuses the handlers.
pub fn stop_on_signals() -> Result<StopRequest> {
    let stop = StopRequest::default();
    let refused = |source| Error::new(Kind::Internal, format!("listen for signals: {source}"));
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(refused)?;
    // With a handler in place, whatever it does, the write fails with "File too large".
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map_err(refused)?;
    let asked = stop.clone();
    spawn("weir-signals", move || {
        for signal in signals.forever() {
            if asked.is_requested() {
                std::process::exit(128 + signal);
            }
            asked.stop();
        }
    })?;
    Ok(stop)
}

/// Ends the process when a stop was asked for and the job is still starting after `STOP_TIMEOUT`: it waits for an outside that does not answer, and has
/// produced nothing that a last checkpoint would have to hold.
///
/// # Errors
/// The system gives no thread.
pub fn end_a_hanging_start(monitor: Monitor, clock: Arc<dyn Clock>, stop: StopRequest) -> Result<()> {
    spawn("weir-stop", move || {
        let mut asked_us = None;
        loop {
            let state = monitor.shown().state;
            if matches!(state, JobState::Finished | JobState::Suspended | JobState::Failed) {
                return;
            }
            let now_us = clock.monotonic_us();
            if stop.is_requested() {
                let since_us = *asked_us.get_or_insert(now_us);
                let waited = Duration::from_micros(now_us.saturating_sub(since_us));
                if state == JobState::Initializing && waited >= START_STOP_TIMEOUT {
                    eprintln!("error: failed to start before the stop: a server that the job needs does not answer");
                    std::process::exit(1);
                }
            }
            clock.sleep(POLL);
        }
    })
    .map(|_| ())
}
