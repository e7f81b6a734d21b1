//! The commands, one a file. Each gives an exit code: 0 done, 1 failed while it ran, 2 refused before anything started.

mod dead_letters;
mod demo;
mod explain;
mod query;
mod run;

use std::fmt::Display;
use std::process::ExitCode;

use clap::Subcommand;

/// What `weir` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a Flink SQL script in the foreground.
    Run(run::RunCommand),
    /// Run the telemetry example with embedded topics and tables, fed by a device simulator.
    Demo(demo::DemoCommand),
    /// Show the plan of a Flink SQL script.
    Explain(explain::ExplainCommand),
    /// Query embedded tables, topics and dead letters.
    Query(query::QueryCommand),
    /// List or replay records that were set aside.
    DeadLetters(dead_letters::DeadLettersCommand),
}

/// How a command ended, when it did not succeed.
pub enum Exit {
    /// It failed while it ran.
    Failed(String),
    /// It was refused before anything started.
    Refused(String),
}

impl Exit {
    /// A failure that says "failed to" and the error's text.
    pub fn failed(error: impl Display) -> Self {
        Self::Failed(format!("failed to {error}"))
    }

    /// A refusal that says "failed to" and the error's text.
    pub fn refused(error: impl Display) -> Self {
        Self::Refused(format!("failed to {error}"))
    }
}

impl Command {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        let ended = match self {
            Self::Run(command) => command.run(),
            Self::Demo(command) => command.run(),
            Self::Explain(command) => command.run(),
            Self::Query(command) => command.run(),
            Self::DeadLetters(command) => command.run(),
        };
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(Exit::Failed(message)) => {
                eprintln!("error: {message}");
                ExitCode::from(1)
            }
            Err(Exit::Refused(message)) => {
                eprintln!("error: {message}");
                ExitCode::from(2)
            }
        }
    }
}
