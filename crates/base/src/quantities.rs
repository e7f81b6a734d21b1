//! Durations and sizes as Flink writes them in options and settings. The one place that reads them: what a `SET` takes, a table's option takes.

use std::time::Duration;

/// Reads a duration: a whole number and one of Flink's units (`d`, `h`, `min`, `s`, `ms`, `µs`, `ns` and their long forms), in any case; without a
/// unit, milliseconds. `None`: it is none, or longer than 584 years.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let nanos: u64 = match unit.as_str() {
        "d" | "day" | "days" => 86_400_000_000_000,
        "h" | "hour" | "hours" => 3_600_000_000_000,
        "m" | "min" | "minute" | "minutes" => 60_000_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000_000,
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1_000_000,
        "µs" | "micro" | "micros" | "microsecond" | "microseconds" => 1_000,
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => 1,
        _ => return None,
    };
    number.checked_mul(nanos).map(Duration::from_nanos)
}

/// Reads a size in bytes: a whole number and `b`, `kb`, `mb`, `gb` or `tb` (powers of 1024) or their other forms in Flink, in any case; without a unit,
/// bytes. `None`: it is none, or more than 64 bits hold.
pub fn parse_memory_size(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let shift = match unit.as_str() {
        "" | "b" | "bytes" => 0,
        "k" | "kb" | "kibibytes" => 10,
        "m" | "mb" | "mebibytes" => 20,
        "g" | "gb" | "gibibytes" => 30,
        "t" | "tb" | "tebibytes" => 40,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

/// A number and the unit behind it, both trimmed.
fn number_and_unit(text: &str) -> Option<(u64, String)> {
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..digits].parse().ok()?, text[digits..].trim().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_flink_reads_them() {
        let table = [
            ("10s", 10_000),
            (" 5  Min ", 300_000),
            ("100", 100),
            ("2 h", 7_200_000),
            ("30000 ms", 30_000),
            ("1 DAYS", 86_400_000),
            ("0", 0),
        ];
        for (text, millis) in table {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse_duration("7 µs"), Some(Duration::from_micros(7)));
        assert_eq!(parse_duration("7 nanos"), Some(Duration::from_nanos(7)));
        for text in ["", "s", "-1 s", "1.5 s", "1 fortnight", "2 mins", "99999999999 d", "99999999999999999999"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_read_as_flink_reads_them() {
        for (text, bytes) in
            [("128MB", 128 << 20), ("1 kb", 1024), ("12", 12), ("1g", 1 << 30), ("3 tebibytes", 3 << 40)]
        {
            assert_eq!(parse_memory_size(text), Some(bytes), "{text}");
        }
        for text in ["", "mb", "1 pb", "1.5 mb", "-1", "99999999999 tb"] {
            assert_eq!(parse_memory_size(text), None, "{text}");
        }
    }
}
