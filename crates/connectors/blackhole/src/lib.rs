//! `'connector' = 'blackhole'`: a sink that takes all rows and keeps none, to measure what stands before it.
//!
//! It takes every kind of row, as Flink's does.

mod factory;
mod sink;

pub use factory::{Factory, spec};
