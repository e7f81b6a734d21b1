//! `weir explain`: the plan of a script, without running it.

use clap::Args;
use weir_sql::Step;

use super::Exit;
use crate::program::{Script, ScriptArgs};

/// Show the plan of a Flink SQL script: operators, exchanges, changelog modes, keyed state.
#[derive(Debug, Args)]
pub struct ExplainCommand {
    #[command(flatten)]
    script: ScriptArgs,
}

impl ExplainCommand {
    /// Prints the plan of each job and query in the script.
    pub fn run(self) -> Result<(), Exit> {
        let script = Script::read(&self.script)?;
        for step in script.compile(false)?.steps {
            match step {
                Step::Job { graph, .. } | Step::Query { graph, .. } => println!("{}", weir_sql::explain(&graph)),
                Step::Text(text) => println!("{text}"),
            }
        }
        Ok(())
    }
}
