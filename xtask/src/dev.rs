//! `cargo xtask dev`: the demo from the development build; what follows is handed on to it.

use std::os::unix::process::CommandExt;

use crate::command;
use crate::failure::{Failure, Result};

/// Becomes `cargo run -- demo ARGS`: the demo has the terminal to itself, and Ctrl-C ends it in its own way.
///
/// # Errors
/// Fails when cargo cannot be started; else there is no way back.
pub fn run(args: &[String]) -> Result<()> {
    let mut cargo = command::cargo();
    cargo.args(["run", "--package", "weir", "--bin", "weir", "--", "demo"]).args(args);
    let error = cargo.exec();
    Err(Failure::io(format_args!("start `{}`", command::typed(&cargo)), &error))
}
