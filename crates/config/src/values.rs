//! How values are written: durations, sizes, truth. Flink's spellings.

use std::time::Duration;

/// Reads a duration: a whole number and a unit (`ms`, `s`, `min`, `h`, `d` and their long forms, `us`, `ns`); without a unit, milliseconds.
///
/// # Errors
/// Says what was expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let number: u64 = number.parse().map_err(|_| wrong_duration(text))?;
    let nanos: u128 = match unit.as_str() {
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => 1,
        "us" | "µs" | "micro" | "micros" | "microsecond" | "microseconds" => 1_000,
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000_000,
        "m" | "min" | "minute" | "minutes" => 60_000_000_000,
        "h" | "hour" | "hours" => 3_600_000_000_000,
        "d" | "day" | "days" => 86_400_000_000_000,
        _ => return Err(wrong_duration(text)),
    };
    let total = u128::from(number) * nanos;
    u64::try_from(total).map(Duration::from_nanos).map_err(|_| format!("'{text}' is longer than 584 years"))
}

fn wrong_duration(text: &str) -> String {
    format!("'{text}' is not a duration: write a whole number and ms, s, min, h or d, such as '10 s'")
}

/// Reads a size in bytes: a whole number and `b`, `kb`, `mb`, `gb` or `tb` (powers of 1024); without a unit, bytes.
///
/// # Errors
/// Says what was expected.
pub fn parse_memory_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is not a size: write a whole number and b, kb, mb, gb or tb, such as '128 mb'");
    let (number, unit) = split(text);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let shift = match unit.as_str() {
        "" | "b" | "bytes" => 0,
        "k" | "kb" | "kibibytes" => 10,
        "m" | "mb" | "mebibytes" => 20,
        "g" | "gb" | "gibibytes" => 30,
        "t" | "tb" | "tebibytes" => 40,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << shift).ok_or_else(|| format!("'{text}' is larger than any memory"))
}

/// Reads `true` or `false`, in any case.
///
/// # Errors
/// Says what was expected.
pub fn parse_bool(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("'{text}' is neither 'true' nor 'false'")),
    }
}

fn split(text: &str) -> (&str, String) {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    (&text[..end], text[end..].trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_flink_reads_them() {
        let table = [
            ("10s", 10_000),
            ("5 min", 300_000),
            ("100", 100),
            ("2 h", 7_200_000),
            ("30000 ms", 30_000),
            ("1 d", 86_400_000),
        ];
        for (text, millis) in table {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1 s", "1.5 s", "1 fortnight", "99999999999 d"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_read_as_flink_reads_them() {
        assert_eq!(parse_memory_size("128MB"), Ok(128 << 20));
        assert_eq!(parse_memory_size("1 gb"), Ok(1 << 30));
        assert_eq!(parse_memory_size("77"), Ok(77));
        assert!(parse_memory_size("1 pb").is_err());
        assert!(parse_memory_size("99999999999 tb").is_err());
    }
}
