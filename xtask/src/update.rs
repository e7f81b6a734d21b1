//! `cargo xtask update --from-flink CASE...`: runs the SQL of cases on a real Flink and writes the rows it gives as what
//! the cases expect. Owns the command line so far; the runs on Flink are not there yet, and the verb says so.

use crate::failure::{Failure, Result};

/// Reads the command line and refuses.
///
/// # Errors
/// Always: the expected rows cannot be written from Flink yet.
pub fn run(args: &[String]) -> Result<()> {
    match args.split_first() {
        Some((flag, cases)) if flag == "--from-flink" && !cases.is_empty() => {
            Err(Failure::new(format!("have Flink write {}: this is not built yet", cases.join(", ")))
                .hint("run the case's SQL through Flink's SQL gateway by hand: `cargo xtask servers up flink`"))
        }
        _ => Err(Failure::usage("read the arguments: expected `--from-flink CASE...`")),
    }
}
