//! Files of events for benchmarks.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use weir_base::{Error, Result};

use crate::event::Simulation;

/// Writes `events` lines to `path`: 10,000 devices, 10,000 events a second of event time, all the faults of the simulator. Returns what was simulated.
///
/// # Errors
/// The file cannot be written.
pub fn write_file(path: &Path, events: u64, seed: u64) -> Result<Simulation> {
    let simulation = Simulation { seed, devices: 10_000, ..Simulation::default() };
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let mut line = Vec::new();
        for number in 0..events {
            line.clear();
            simulation.write(number, &mut line);
            line.push(b'\n');
            file.write_all(&line)?;
        }
        file.flush()
    };
    write().map_err(|error| Error::io(format!("write {}", path.display()), error))?;
    Ok(simulation)
}
