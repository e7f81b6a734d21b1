//! Metrics: cells that the hot path writes, a registry that reads them, Flink's scopes and names, Prometheus' text.
//!
//! A cell is one atomic number owned by one task; nothing is locked to count. The registry knows each cell by its scope, its name and its
//! labels and reads it only when somebody asks.

mod cell;
mod exposition;
mod registry;

pub use cell::{Counter, Gauge, Histogram, Meter};
pub use exposition::{Page, exposition};
pub use registry::{Labels, Metric, Registry, Scope, Value};
