//! Tumbling windows: aggregation (`TumbleAggregate`) and assignment without it (`TumbleAssign`).

mod aggregate;
mod assign;
mod delta;
mod window;
mod windows;

pub use aggregate::{TumbleAggregate, TumbleContext};
pub use assign::TumbleAssign;
