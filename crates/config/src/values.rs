//! How values are written: durations, sizes, truth. Flink's spellings.

use std::time::Duration;

/// Reads a duration as `weir_base::parse_duration` does.
///
/// # Errors
/// Says what was expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    weir_base::parse_duration(text).ok_or_else(|| {
        format!("'{text}' is not a duration: write a whole number and ms, s, min, h or d, such as '10 s'")
    })
}

/// Reads a size in bytes as `weir_base::parse_memory_size` does.
///
/// # Errors
/// Says what was expected.
pub fn parse_memory_size(text: &str) -> Result<u64, String> {
    weir_base::parse_memory_size(text).ok_or_else(|| {
        format!("'{text}' is not a size: write a whole number and b, kb, mb, gb or tb, such as '128 mb'")
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_is_told_with_an_example() {
        assert_eq!(parse_duration("10 s"), Ok(Duration::from_secs(10)));
        assert_eq!(
            parse_duration("soon"),
            Err("'soon' is not a duration: write a whole number and ms, s, min, h or d, such as '10 s'".to_owned())
        );
        assert_eq!(parse_memory_size("1 gb"), Ok(1 << 30));
        assert_eq!(
            parse_memory_size("1 pb"),
            Err("'1 pb' is not a size: write a whole number and b, kb, mb, gb or tb, such as '128 mb'".to_owned())
        );
        assert_eq!(parse_bool(" TRUE "), Ok(true));
        assert_eq!(parse_bool("yes"), Err("'yes' is neither 'true' nor 'false'".to_owned()));
    }
}
