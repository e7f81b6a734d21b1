//! From configuration keys to a job's settings.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use weir_base::limits::{BATCH_ROWS_MAX, SOURCE_LINGER};
use weir_base::{Error, Result};
use weir_config::Settings;
use weir_jobs::{JobSettings, RestartStrategy};
use weir_ports::{BufferTimeout, Debloat, EngineSettings, LengthEnforcer, SinkConstraints};

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
    settings.one_of("table.exec.sink.nested-constraint-enforcer", &["IGNORE"])?;
    settings.one_of("table.exec.legacy-cast-behaviour", &["DISABLED"])?;
    let batch_rows_max: usize = settings.number("weir.batch.rows-max")?;
    if batch_rows_max == 0 || batch_rows_max > BATCH_ROWS_MAX {
        let text = format!("use the configuration key 'weir.batch.rows-max': it must be 1 to {BATCH_ROWS_MAX}");
        return Err(Error::invalid(text));
    }
    let buffer_timeout = buffer_timeout(&settings)?;
    Ok(JobSettings {
        checkpoint_dir,
        checkpoint_interval: (interval > Duration::ZERO).then_some(interval),
        checkpoint_timeout: settings.duration("execution.checkpointing.timeout")?,
        checkpoint_min_pause: settings.duration("execution.checkpointing.min-pause")?,
        checkpoint_failures_tolerable: settings.number("execution.checkpointing.tolerable-failed-checkpoints")?,
        checkpoints_retained: at_least_one(&settings, "execution.checkpointing.num-retained")?,
        recovery_path: match settings.text("execution.state-recovery.path") {
            "" => None,
            path => Some(path.to_owned()),
        },
        carried_bytes_max: settings.bytes("weir.carried.bytes-max")?,
        restart: restart_strategy(&settings)?,
        data_dir: data_dir.to_owned(),
        engine: EngineSettings {
            batch_rows_max,
            buffer_timeout: buffer_timeout.unwrap_or(BufferTimeout::AtOnce),
            source_linger: match buffer_timeout {
                Some(BufferTimeout::AtOnce) => Duration::ZERO,
                Some(BufferTimeout::After(timeout)) => SOURCE_LINGER.min(timeout),
                Some(BufferTimeout::WhenFull) | None => SOURCE_LINGER,
            },
            debloat: debloat(&settings)?,
            latency_interval: Some(settings.duration("metrics.latency.interval")?).filter(|every| !every.is_zero()),
            dedup_exact: settings.boolean("weir.dedup.exact")?,
            sink_constraints: sink_constraints(&settings)?,
            late_letters: settings.boolean("weir.dead-letter.late")?,
        },
    })
}

/// What becomes of rows that do not keep to the declared types of a sink.
fn sink_constraints(settings: &Settings) -> Result<SinkConstraints> {
    let lengths = settings.one_of("table.exec.sink.type-length-enforcer", &["IGNORE", "TRIM_PAD", "ERROR"])?;
    Ok(SinkConstraints {
        not_null_drop: settings.one_of("table.exec.sink.not-null-enforcer", &["ERROR", "DROP"])? == "DROP",
        lengths: match lengths {
            "TRIM_PAD" => LengthEnforcer::TrimPad,
            "ERROR" => LengthEnforcer::Error,
            _ => LengthEnforcer::Ignore,
        },
    })
}

fn at_least_one(settings: &Settings, key: &str) -> Result<usize> {
    match settings.number(key)? {
        0 => Err(Error::invalid(format!("use the configuration key '{key}': it must be at least 1"))),
        number => Ok(number),
    }
}

/// How long rows wait for more on their way to another task, if the user says so.
fn buffer_timeout(settings: &Settings) -> Result<Option<BufferTimeout>> {
    if !settings.boolean("execution.buffer-timeout.enabled")? {
        return Ok(Some(BufferTimeout::WhenFull));
    }
    let key = "execution.buffer-timeout.interval";
    Ok(Some(match settings.text(key) {
        "" => return Ok(None),
        // Flink's word for no timeout is a negative one, which is no duration.
        "-1" | "-1ms" | "-1 ms" => BufferTimeout::WhenFull,
        _ => match settings.duration(key)? {
            Duration::ZERO => BufferTimeout::AtOnce,
            timeout => BufferTimeout::After(timeout),
        },
    }))
}

/// Buffer debloating, if it is enabled.
fn debloat(settings: &Settings) -> Result<Option<Debloat>> {
    let key = |name: &str| format!("taskmanager.network.memory.buffer-debloat.{name}");
    let positive = |name: &str| match settings.duration(&key(name))? {
        Duration::ZERO => {
            Err(Error::invalid(format!("use the configuration key '{}': it must be longer than 0", key(name))))
        }
        duration => Ok(duration),
    };
    let debloat = Debloat {
        target: positive("target")?,
        period: positive("period")?,
        samples: u32::try_from(at_least_one(settings, &key("samples"))?).unwrap_or(u32::MAX),
        threshold_percent: settings.number(&key("threshold-percentages"))?,
    };
    Ok(settings.boolean(&key("enabled"))?.then_some(debloat))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_of_carried_rows_is_that_of_the_limits_unless_it_is_set() {
        let bound = |values: &[(&str, &str)]| {
            let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            job_settings(&values, Path::new("data")).map(|settings| settings.carried_bytes_max)
        };
        assert_eq!(bound(&[]).unwrap(), weir_base::limits::CARRIED_BYTES_MAX);
        assert_eq!(bound(&[("weir.carried.bytes-max", "64 kb")]).unwrap(), 64 << 10);
        let error = bound(&[("weir.carried.bytes-max", "much")]).unwrap_err();
        let words = "use the configuration: Could not parse value 'much' for key 'weir.carried.bytes-max'.";
        assert!(error.to_string().starts_with(words), "{error}");
    }
}
