//! SIGINT and SIGTERM: the first asks the job to stop with a last checkpoint, a second one ends the process at once.

use weir_base::{Error, Kind, Result, spawn};
use weir_jobs::StopRequest;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// A stop request that both signals make.
///
/// # Errors
/// The system refuses the handlers.
pub fn stop_on_signals() -> Result<StopRequest> {
    let stop = StopRequest::default();
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|source| Error::new(Kind::Internal, format!("listen for signals: {source}")))?;
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
