//! The clock of the process. In builds with debug assertions only, a test can set it: `WEIR_CLOCK_OFFSET_FILE=FILE` names a file that holds
//! milliseconds, which are added to what the system says for as long as they stand there. Durations are measured as ever, as they are when an
//! operator sets the clock of a machine.

use std::sync::Arc;

use weir_base::{Clock, SystemClock};

/// The process's clock.
#[cfg(not(debug_assertions))]
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

/// The process's clock, moved as the environment asks for.
#[cfg(debug_assertions)]
pub fn clock() -> Arc<dyn Clock> {
    match std::env::var_os("WEIR_CLOCK_OFFSET_FILE") {
        Some(file) => Arc::new(moved::MovedClock { system: SystemClock::new(), file: file.into() }),
        None => Arc::new(SystemClock::new()),
    }
}

#[cfg(debug_assertions)]
mod moved {
    use std::path::PathBuf;
    use std::time::Duration;

    use weir_base::{Clock, SystemClock, Timestamp};

    /// The system's clock, and what is added to it.
    pub struct MovedClock {
        pub system: SystemClock,
        pub file: PathBuf,
    }

    impl Clock for MovedClock {
        fn now(&self) -> Timestamp {
            // No file, or one that is being written: not moved.
            let text = std::fs::read_to_string(&self.file).unwrap_or_default();
            self.system.now() + text.trim().parse::<i64>().unwrap_or(0)
        }

        fn monotonic_us(&self) -> u64 {
            self.system.monotonic_us()
        }

        fn sleep(&self, duration: Duration) {
            self.system.sleep(duration);
        }
    }
}
