//! `'connector' = 'datagen'`: generated rows, random or in sequence, at a rate.
//!
//! Row `n` is a function of the table's name and `n` alone (but for times that lie relative to now): a restored job goes on with exactly the rows
//! that it would have given. A table is one split, so its rows have one order.

mod factory;
mod generator;
mod options;
mod source;

#[cfg(test)]
mod tests;

pub use factory::{Factory, spec};
