//! `cargo xtask tidy`: the rules of style as a test. Each rule is a function from a file to its breaches, and each
//! breach says why the rule is there. What the compiler and clippy check (docs, unwrap) is theirs; here is the rest.

mod check;
mod files;
mod rules;
mod rust_source;

pub use check::run;
