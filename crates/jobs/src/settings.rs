//! What the configuration says of a job's checkpoints and restarts, as plain data; read from Flink's keys by the `config` crate's owner.

use std::path::PathBuf;
use std::time::Duration;

use weir_ports::EngineSettings;

use crate::RestartStrategy;

/// Settings of a job.
#[derive(Debug, Clone)]
pub struct JobSettings {
    /// `execution.checkpointing.dir` as a path, or Weir's default below the data directory.
    pub checkpoint_dir: String,
    /// `execution.checkpointing.interval`; `None`: only the last one, at the end or at a stop.
    pub checkpoint_interval: Option<Duration>,
    /// `execution.checkpointing.timeout`
    pub checkpoint_timeout: Duration,
    /// `execution.checkpointing.min-pause`
    pub checkpoint_min_pause: Duration,
    /// `execution.checkpointing.tolerable-failed-checkpoints`
    pub checkpoint_failures_tolerable: u64,
    /// `execution.checkpointing.num-retained`
    pub checkpoints_retained: usize,
    /// `execution.state-recovery.path`: the checkpoint to start from, whatever was decided since.
    pub recovery_path: Option<String>,
    /// `weir.carried.bytes-max`: bytes of rows on disk that a sink could not give to its outside yet, before the job is held back.
    pub carried_bytes_max: u64,
    /// `restart-strategy.*`
    pub restart: RestartStrategy,
    /// Weir's data directory.
    pub data_dir: PathBuf,
    /// How the engine runs.
    pub engine: EngineSettings,
}
