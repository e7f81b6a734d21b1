//! Bounded SQL over the embedded tables, topics and dead letters: what `weir query` answers.
//!
//! DataFusion plans and executes; Weir gives it the tables that a statement names, read as they are asked for. Nothing is written, and a job that runs
//! over the same folder is not disturbed. Jobs themselves never come here: their SQL is Flink's.

mod catalog;
mod error;
mod json_value;
mod provider;
mod run;
mod show;

pub use run::{QueryResult, run, write};
pub use show::OutputFormat;
