//! Tumbling windows: aggregation (`TumbleAggregate`) and assignment without it (`TumbleAssign`).

mod accumulator;
mod aggregate;
mod assign;
mod average;
mod count;
mod delta;
mod distinct;
mod fold;
mod min_max;
mod sum;
mod window;
mod windows;

pub use aggregate::{TumbleAggregate, TumbleContext};
pub use assign::TumbleAssign;
