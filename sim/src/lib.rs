//! The device simulator: sensors' events as JSON, with the faults of the field, each event made from its number alone.
//!
//! What event number `i` says depends on `i`, the seed and the start time only: a feeder or a source that stopped goes on exactly, and what a job must
//! make of a range of events can be worked out without running one.

mod connector;
mod event;
mod expected;
mod feeder;
mod file;
mod sensor;

pub use connector::{SimulatorFactory, spec};
pub use event::{Fate, Simulation};
pub use expected::Expected;
pub use feeder::{Feeder, FeederSettings};
pub use file::write_file;
pub use sensor::{SENSORS, Sensor};
