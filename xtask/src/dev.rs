//! `cargo xtask dev`: the demo from the development build; what follows is handed on to it.

use crate::command;
use crate::failure::Result;

/// Builds Weir and runs `weir demo` with `args`, on this terminal.
///
/// # Errors
/// Fails when the build or the demo does.
pub fn run(args: &[String]) -> Result<()> {
    let mut cargo = command::cargo();
    cargo.args(["run", "--package", "weir", "--bin", "weir", "--", "demo"]).args(args);
    command::run(&mut cargo)
}
