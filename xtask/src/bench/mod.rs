//! `cargo xtask bench`: measurements, one file each. Owns the command line; none is there yet, and the verb says so.

use crate::failure::{Failure, Result};

/// Names the measurement that was asked for, and refuses.
///
/// # Errors
/// Always: there is no measurement yet.
pub fn run(args: &[String]) -> Result<()> {
    let name = args.first().map_or("anything", String::as_str);
    Err(Failure::usage(format!("measure {name}: there are no measurements yet")))
}
