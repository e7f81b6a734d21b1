//! Values of options: durations and sizes as Flink writes them.

use std::time::Duration;

use weir_base::{Error, Result, parse_duration, parse_memory_size};
use weir_plan::TableOptions;

/// The duration under `key`: `10s`, `5 min`, `100ms`; a bare number is milliseconds.
///
/// # Errors
/// The value is none.
pub(crate) fn duration(options: &TableOptions, key: &str) -> Result<Option<Duration>> {
    let Some(text) = options.get(key) else { return Ok(None) };
    let wrong = || Error::invalid(format!("read the option '{key}' = '{text}': it must be a duration such as '10s'"));
    parse_duration(text).map(Some).ok_or_else(wrong)
}

/// The size in bytes under `key`: `128MB`, `1 kb`; a bare number is bytes.
///
/// # Errors
/// The value is none.
pub(crate) fn memory_size(options: &TableOptions, key: &str) -> Result<Option<u64>> {
    let Some(text) = options.get(key) else { return Ok(None) };
    let wrong = || Error::invalid(format!("read the option '{key}' = '{text}': it must be a size such as '128MB'"));
    parse_memory_size(text).map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_read_as_flink_reads_them() {
        let options = |value: &str| TableOptions {
            values: [("k".to_owned(), value.to_owned())].into_iter().collect(),
            ..TableOptions::default()
        };
        for (text, millis) in [("10s", 10_000), ("5 min", 300_000), ("100ms", 100), ("7", 7), ("1 d", 86_400_000)] {
            assert_eq!(duration(&options(text), "k").unwrap(), Some(Duration::from_millis(millis)));
        }
        for (text, bytes) in [("128MB", 128 << 20), ("1 kb", 1024), ("12", 12), ("1g", 1 << 30)] {
            assert_eq!(memory_size(&options(text), "k").unwrap(), Some(bytes));
        }
        assert_eq!(
            duration(&options("soon"), "k").unwrap_err().to_string(),
            "read the option 'k' = 'soon': it must be a duration such as '10s'"
        );
        assert_eq!(
            memory_size(&options("12 ells"), "k").unwrap_err().to_string(),
            "read the option 'k' = '12 ells': it must be a size such as '128MB'"
        );
    }
}
