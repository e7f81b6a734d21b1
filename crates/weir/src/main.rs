//! The `weir` binary: parses the command line and hands over to one command. Everything else lives in the commands and in `wire_up`.

mod commands;
mod data_dir;
mod job_settings;
#[cfg(debug_assertions)]
mod kill_at_rows;
mod kill_points;
mod logging;
mod moved_clock;
mod program;
mod report;
mod signals;
mod wire_up;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;

/// Weir: a streaming platform in one binary. It runs streaming jobs written in Flink SQL.
#[derive(Debug, Parser)]
#[command(name = "weir", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.command.run()
}
