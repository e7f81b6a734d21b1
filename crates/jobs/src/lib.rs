//! Jobs: started, checkpointed, restarted, stopped. The coordinator of exactly-once.
//!
//! It speaks to the `Workers` port and to connectors' traits; it knows no worker, no connector and no SQL. A job runs as attempts (`attempt`), each
//! under a generation of its own; between two of them the restart strategy decides.

mod attempt;
mod commit;
mod job;
mod metrics;
mod monitor;
mod restart;
mod settings;
mod start;
mod stop;
mod totals;

pub use attempt::Outcome;
pub use job::{Connectors, Job, PositionsTold, Protocol, StepTold, check, run};
pub use monitor::{CheckpointShown, JobState, Monitor, Shown};
pub use restart::{RestartStrategy, Restarts};
pub use settings::JobSettings;
pub use stop::StopRequest;
