//! Hooks of the kill harness, in builds with debug assertions only: a released binary has none of them.
//!
//! What kills between two rows is in `kill_at_rows`.
//!
//! `WEIR_PROTOCOL_MARKS=FILE` appends the name of each step of the checkpoint protocol to a file, so that a harness that kills the process at a random
//! instant knows in which step it hit. `WEIR_PROTOCOL_DELAY_MS=N` makes the step that `WEIR_PROTOCOL_DELAY_STEP` names last longer, so that it can be hit.
//! `WEIR_PROTOCOL_SWAPPED=1` makes rows visible before they are decided: the harness must find that out.

#[cfg(debug_assertions)]
use std::sync::Arc;

use weir_connector::Factory;
use weir_jobs::Protocol;

#[cfg(debug_assertions)]
use crate::kill_at_rows::{Budget, Metered};

/// The hooks that the environment asks for.
#[derive(Clone, Default)]
pub struct KillPoints {
    #[cfg(debug_assertions)]
    budget: Option<Arc<Budget>>,
}

#[cfg(debug_assertions)]
impl KillPoints {
    /// Reads the environment.
    pub fn of_environment() -> Self {
        Self { budget: Budget::of_environment() }
    }

    /// Connectors whose sources stop at the row that the process is to be killed at.
    pub fn metered(&self, factories: Vec<Box<dyn Factory>>) -> Vec<Box<dyn Factory>> {
        let Some(budget) = &self.budget else { return factories };
        let metered = |factory| -> Box<dyn Factory> { Box::new(Metered { factory, budget: Arc::clone(budget) }) };
        factories.into_iter().map(metered).collect()
    }

    /// The hooks into the steps of a checkpoint.
    pub fn protocol(&self) -> Protocol {
        use std::io::Write;

        let mut protocol = Protocol::default();
        if let Some(budget) = self.budget.clone() {
            budget.begin();
            protocol.completed = Some(Box::new(move |positions| budget.completed(positions)));
        }
        protocol.swapped = std::env::var_os("WEIR_PROTOCOL_SWAPPED").is_some();
        let Some(path) = std::env::var_os("WEIR_PROTOCOL_MARKS") else { return protocol };
        let delay = std::env::var("WEIR_PROTOCOL_DELAY_MS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        let drawn_out = std::env::var("WEIR_PROTOCOL_DELAY_STEP").unwrap_or_default();
        protocol.told = Some(Box::new(move |step: &str| {
            let marks = std::fs::OpenOptions::new().create(true).append(true).open(&path);
            // A mark that cannot be written costs the harness a count, never the job a row.
            let _ = marks.and_then(|mut file| file.write_all(format!("{step}\n").as_bytes()));
            if step == drawn_out {
                use weir_base::Clock;
                weir_base::SystemClock::new().sleep(std::time::Duration::from_millis(delay));
            }
        }));
        protocol
    }
}

/// A released binary has no hooks.
#[cfg(not(debug_assertions))]
impl KillPoints {
    /// None.
    pub fn of_environment() -> Self {
        Self::default()
    }

    /// The connectors as they are.
    pub fn metered(&self, factories: Vec<Box<dyn Factory>>) -> Vec<Box<dyn Factory>> {
        factories
    }

    /// None.
    pub fn protocol(&self) -> Protocol {
        Protocol::default()
    }
}
