//! Hooks of the kill harness, in builds with debug assertions only: a released binary has none of them.
//!
//! `WEIR_PROTOCOL_MARKS=FILE` appends the name of each step of the checkpoint protocol to a file, so that a harness that kills the process at a random
//! instant knows in which step it hit. `WEIR_PROTOCOL_DELAY_MS=N` makes each step last longer, so that every one of them is hit often enough.
//! `WEIR_PROTOCOL_SWAPPED=1` makes rows visible before they are decided: the harness must find that out.

use weir_jobs::Protocol;

/// The hooks that the environment asks for.
#[cfg(debug_assertions)]
pub fn protocol() -> Protocol {
    use std::io::Write;

    let swapped = std::env::var_os("WEIR_PROTOCOL_SWAPPED").is_some();
    let Some(path) = std::env::var_os("WEIR_PROTOCOL_MARKS") else {
        return Protocol { swapped, ..Protocol::default() };
    };
    let delay = std::env::var("WEIR_PROTOCOL_DELAY_MS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let told = move |step: &str| {
        let marks = std::fs::OpenOptions::new().create(true).append(true).open(&path);
        // A mark that cannot be written costs the harness a count, never the job a row.
        let _ = marks.and_then(|mut file| file.write_all(format!("{step}\n").as_bytes()));
        use weir_base::Clock;
        weir_base::SystemClock::new().sleep(std::time::Duration::from_millis(delay));
    };
    Protocol { told: Some(Box::new(told)), swapped }
}

/// A released binary has no hooks.
#[cfg(not(debug_assertions))]
pub fn protocol() -> Protocol {
    Protocol::default()
}
