//! Fuzz targets: what reads bytes that Weir has not written itself, as plain functions that fail by panicking.
//!
//! Each target takes any bytes and asserts what must hold of them: no panic, no row that vanishes, a place in each error, the same result
//! however the input is cut. Two drivers call them: `bounded` (tests, on the stable compiler, from seeds, for some seconds, with a bound on time
//! and memory of each input), and `cargo fuzz` in the folder `fuzz/`, for as long as one likes. This crate owns no product code.

mod manifest;
mod records;
mod sql;

pub use manifest::manifest;
pub use records::{csv, json};
pub use sql::sql;

#[cfg(test)]
mod bounded;
