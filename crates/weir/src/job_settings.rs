//! From configuration keys to a job's settings.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Error, Result};
use weir_config::Settings;
use weir_jobs::{JobSettings, RestartStrategy};
use weir_ports::EngineSettings;

/// The settings of a job whose script left `values` in force, with its data in `data_dir`.
///
/// # Errors
/// A key is not known, or its value is not of its type or out of bounds.
pub fn job_settings(values: &BTreeMap<String, String>, data_dir: &Path) -> Result<JobSettings> {
    let settings = Settings::new(values.clone())?;
    settings.one_of("execution.checkpointing.mode", &["EXACTLY_ONCE", "AT_LEAST_ONCE"])?;
    let _: u16 = settings.number("execution.checkpointing.max-concurrent-checkpoints")?;
    let interval = settings.duration("execution.checkpointing.interval")?;
    let directory = settings.text("execution.checkpointing.dir");
    let checkpoint_dir = match directory {
        "" => data_dir.join("checkpoints").display().to_string(),
        given => given.to_owned(),
    };
    let drop_nulls = settings.one_of("table.exec.sink.not-null-enforcer", &["ERROR", "DROP"])? == "DROP";
    let batch_rows_max: usize = settings.number("weir.batch.rows-max")?;
    if batch_rows_max == 0 || batch_rows_max > BATCH_ROWS_MAX {
        let text = format!("use the configuration key 'weir.batch.rows-max': it must be 1 to {BATCH_ROWS_MAX}");
        return Err(Error::invalid(text));
    }
    Ok(JobSettings {
        checkpoint_dir,
        checkpoint_interval: (interval > Duration::ZERO).then_some(interval),
        checkpoint_timeout: settings.duration("execution.checkpointing.timeout")?,
        checkpoint_min_pause: settings.duration("execution.checkpointing.min-pause")?,
        checkpoint_failures_tolerable: settings.number("execution.checkpointing.tolerable-failed-checkpoints")?,
        checkpoints_retained: settings.number::<usize>("execution.checkpointing.num-retained")?.max(1),
        recovery_path: match settings.text("execution.state-recovery.path") {
            "" => None,
            path => Some(path.to_owned()),
        },
        restart: restart_strategy(&settings)?,
        data_dir: data_dir.to_owned(),
        engine: EngineSettings {
            batch_rows_max,
            dedup_exact: settings.boolean("weir.dedup.exact")?,
            not_null_drop: drop_nulls,
        },
    })
}

fn restart_strategy(settings: &Settings) -> Result<RestartStrategy> {
    let names = &["none", "off", "disable", "fixed-delay", "exponential-delay", "failure-rate"];
    Ok(match settings.one_of("restart-strategy.type", names)? {
        "fixed-delay" => RestartStrategy::FixedDelay {
            attempts: settings.number("restart-strategy.fixed-delay.attempts")?,
            delay: settings.duration("restart-strategy.fixed-delay.delay")?,
        },
        "exponential-delay" => RestartStrategy::ExponentialDelay {
            initial: settings.duration("restart-strategy.exponential-delay.initial-backoff")?,
            max: settings.duration("restart-strategy.exponential-delay.max-backoff")?,
            multiplier: settings.number("restart-strategy.exponential-delay.backoff-multiplier")?,
            reset_after: settings.duration("restart-strategy.exponential-delay.reset-backoff-threshold")?,
            jitter: settings.number("restart-strategy.exponential-delay.jitter-factor")?,
            attempts: settings.number("restart-strategy.exponential-delay.attempts-before-reset-backoff")?,
        },
        "failure-rate" => RestartStrategy::FailureRate {
            failures_max: settings.number("restart-strategy.failure-rate.max-failures-per-interval")?,
            interval: settings.duration("restart-strategy.failure-rate.failure-rate-interval")?,
            delay: settings.duration("restart-strategy.failure-rate.delay")?,
        },
        _ => RestartStrategy::None,
    })
}
