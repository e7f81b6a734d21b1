//! `'connector' = 'filesystem'`: files on local disks as tables, read and written exactly once.
//!
//! Source: one file is one split and keeps its order; a position is a byte and a line. Sink: parts with a hidden name that get their final one
//! when the epoch that closed them is decided, and never change again. It owns no format: lines go to and come from `weir_format`.

mod factory;
mod lines;
mod location;
mod options;
mod parts;
mod reader;
mod sink;
mod source;
mod writer;

#[cfg(test)]
mod tests;

pub use factory::{Factory, spec};
