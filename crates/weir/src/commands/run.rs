//! `weir run`: a Flink SQL script in the foreground, until its jobs end or somebody stops it.

use std::path::PathBuf;

use clap::Args;
use weir_jobs::Outcome;
use weir_sql::Step;
use weir_state::Intention;

use super::Exit;
use crate::data_dir::DataDir;
use crate::program::{Script, ScriptArgs};
use crate::report::{Face, RowFormat};
use crate::signals;
use crate::wire_up::{Runtime, RuntimeOptions};

/// Run a Flink SQL script in the foreground.
///
/// A bounded job ends by itself with exit code 0; one that fails exits with 1 and the error; a mistake in the command or in the SQL exits with 2
/// before anything starts. SIGINT and SIGTERM stop it with a last checkpoint.
#[derive(Debug, Args)]
pub struct RunCommand {
    #[command(flatten)]
    script: ScriptArgs,

    /// Keep embedded topics and tables, and checkpoints unless the script says otherwise, here.
    #[arg(long, value_name = "DIR", default_value = "weir-data")]
    data_dir: PathBuf,

    /// Stand in for the servers: kafka tables are embedded topics, questdb tables embedded tables.
    #[arg(long)]
    embedded: bool,

    /// Go on from the newest checkpoint of an unfinished run; start afresh where there is none.
    #[arg(long, conflicts_with = "fresh")]
    resume: bool,

    /// Start anew although an unfinished run was found; its checkpoints are given up.
    #[arg(long)]
    fresh: bool,

    /// How a bare SELECT shows its rows.
    #[arg(long, value_enum, default_value = "table")]
    format: RowFormat,
}

impl RunCommand {
    /// Runs all steps of the script, one after another.
    pub fn run(self) -> Result<(), Exit> {
        let script = Script::read(&self.script)?;
        let settings = script.settings().map_err(Exit::refused)?;
        crate::logging::start();
        let program = script.compile(self.embedded)?;
        let data_dir = DataDir::lock(&self.data_dir).map_err(Exit::refused)?;
        let stop = signals::stop_on_signals().map_err(Exit::refused)?;
        let options = RuntimeOptions { embedded: self.embedded, data_dir: data_dir.path().to_owned() };
        let runtime = Runtime::start(&settings, options).map_err(Exit::refused)?;
        let intention = match (self.resume, self.fresh) {
            (true, _) => Intention::Resume,
            (_, true) => Intention::Fresh,
            _ => Intention::Ask,
        };
        for step in program.steps {
            match step {
                Step::Text(text) => println!("{text}"),
                Step::Query { graph, settings } => runtime.query(graph, &settings, self.format, &stop)?,
                Step::Job { graph, settings } => {
                    let job = runtime.job(graph, &settings)?;
                    let [job_manager, task_manager] = runtime.metric_addresses();
                    let hint = format!(
                        "metrics: http://localhost:{}/metrics and :{}/metrics",
                        job_manager.port(),
                        task_manager.port()
                    );
                    let outcome = runtime.run(&job, intention, &stop, Face::of_terminal(), hint)?;
                    if outcome == Outcome::Suspended {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}
