//! The operators, one a file. They are synchronous: handed elements, they return elements; no I/O, no clock, no thread.

pub mod aggregate;
mod build;
mod calc;
mod changes;
mod contract;
mod correlate;
pub mod deduplicate;
mod expand;
pub mod group;
pub mod over;
pub mod rank;
mod rows;
mod rowtime;
mod sort;
mod sort_key;
#[cfg(test)]
mod test_harness;
mod union;
pub mod window;

pub use build::{BuildContext, build};
pub use calc::keep_rows;
pub use contract::{Collector, Equation, Operator, Restore};
