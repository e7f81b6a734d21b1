//! Values of options: durations and sizes as Flink writes them.

use std::time::Duration;

use weir_base::{Error, Result};
use weir_plan::TableOptions;

/// The duration under `key`: `10s`, `5 min`, `100ms`; a bare number is milliseconds.
///
/// # Errors
/// The value is none.
pub(crate) fn duration(options: &TableOptions, key: &str) -> Result<Option<Duration>> {
    let Some(text) = options.get(key) else { return Ok(None) };
    let wrong = || Error::invalid(format!("read the option '{key}' = '{text}': it must be a duration such as '10s'"));
    let (number, unit) = number_and_unit(text).ok_or_else(wrong)?;
    let nanos: u64 = match unit.as_str() {
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => 1,
        "us" | "µs" | "micro" | "micros" | "microsecond" | "microseconds" => 1_000,
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000_000_000,
        "h" | "hour" | "hours" => 3_600_000_000_000,
        "d" | "day" | "days" => 86_400_000_000_000,
        _ => return Err(wrong()),
    };
    Ok(Some(Duration::from_nanos(number.checked_mul(nanos).ok_or_else(wrong)?)))
}

/// The size in bytes under `key`: `128MB`, `1 kb`; a bare number is bytes.
///
/// # Errors
/// The value is none.
pub(crate) fn memory_size(options: &TableOptions, key: &str) -> Result<Option<u64>> {
    let Some(text) = options.get(key) else { return Ok(None) };
    let wrong = || Error::invalid(format!("read the option '{key}' = '{text}': it must be a size such as '128MB'"));
    let (number, unit) = number_and_unit(text).ok_or_else(wrong)?;
    let shift = match unit.as_str() {
        "" | "b" | "bytes" => 0,
        "k" | "kb" | "kibibytes" => 10,
        "m" | "mb" | "mebibytes" => 20,
        "g" | "gb" | "gibibytes" => 30,
        "t" | "tb" | "tebibytes" => 40,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << shift).map(Some).ok_or_else(wrong)
}

fn number_and_unit(text: &str) -> Option<(u64, String)> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, text[digits..].trim().to_lowercase()))
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
