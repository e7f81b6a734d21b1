//! When a partition that gets no rows is forgotten, as Flink's OVER operators do: not before the time to live, at the latest half of it later.

use weir_base::Timestamp;

/// A time to live.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// In milliseconds; zero: for good.
    pub ttl_ms: i64,
}

impl Retention {
    /// The new time of forgetting of a partition that was touched at `now` and would be forgotten at `expires`.
    pub fn touched(self, expires: Timestamp, now: Timestamp) -> Timestamp {
        if self.ttl_ms == 0 {
            return Timestamp::MAX;
        }
        let least = now.saturating_add(self.ttl_ms);
        let none = expires == Timestamp::MAX;
        if none || least > expires { now.saturating_add(self.ttl_ms.saturating_mul(3) / 2) } else { expires }
    }
}
