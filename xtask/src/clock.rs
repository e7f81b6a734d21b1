//! Time for the verbs: they wait for real processes, so this is the system's own time, asked for in one place.

use std::time::{Duration, Instant};

/// This instant.
#[expect(clippy::disallowed_methods, reason = "xtask waits for real servers; it does not link the product's Clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// Waits for `duration`.
#[expect(clippy::disallowed_methods, reason = "xtask waits for real servers; it does not link the product's Clock")]
pub fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}

/// Asks `ready` every 50 ms until it gives something; `None` after `limit`.
pub fn wait_for<T>(limit: Duration, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
    let start = now();
    loop {
        if let Some(found) = ready() {
            return Some(found);
        }
        if start.elapsed() >= limit {
            return None;
        }
        sleep(Duration::from_millis(50));
    }
}

/// `4.2 s` or `3 min 07 s`.
pub fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        return format!("{}.{} s", seconds, duration.subsec_millis() / 100);
    }
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_in_tenths_then_in_minutes() {
        let cases =
            [(0, "0.0 s"), (4_250, "4.2 s"), (59_999, "59.9 s"), (60_000, "1 min 00 s"), (187_000, "3 min 07 s")];
        for (millis, text) in cases {
            assert_eq!(shown(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn waiting_asks_at_least_once_and_ends_with_what_it_got() {
        assert_eq!(wait_for(Duration::ZERO, || Some(7)), Some(7));
        assert_eq!(wait_for(Duration::ZERO, || None::<u8>), None);
        let mut asked = 0;
        let third = wait_for(Duration::from_secs(5), || {
            asked += 1;
            (asked == 3).then_some(asked)
        });
        assert_eq!(third, Some(3));
    }
}
