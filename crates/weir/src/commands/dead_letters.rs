//! `weir dead-letters`: records that were set aside, listed or sent again.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Exit;
use crate::report::RowFormat;

/// List or replay records that were set aside.
#[derive(Debug, Args)]
pub struct DeadLettersCommand {
    #[command(subcommand)]
    action: Action,

    /// The data directory to read.
    #[arg(long, value_name = "DIR", default_value = "weir-data", global = true)]
    data_dir: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the newest dead letters.
    List {
        /// Letters at most.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
        /// How they are shown.
        #[arg(long, value_enum, default_value = "table")]
        format: RowFormat,
    },
    /// Write the raw records again, one a line, to standard output or to an embedded topic. Records longer than the kept 64 KiB are refused by name.
    Replay {
        /// Only records that were read from this table.
        #[arg(long, value_name = "TABLE")]
        table: Option<String>,
        /// Append them to this embedded topic; no job may be running on the data directory.
        #[arg(long, value_name = "TOPIC")]
        topic: Option<String>,
    },
}

impl DeadLettersCommand {
    /// Lists or replays.
    pub fn run(self) -> Result<(), Exit> {
        match self.action {
            Action::List { limit, format } => {
                let sql = format!(
                    "SELECT time, kind, cause, \"table\", split, \"offset\", line, \"column\", raw_length \
                     FROM dead_letters ORDER BY time DESC LIMIT {limit}"
                );
                let result = weir_query::run(&self.data_dir, &sql).map_err(Exit::refused)?;
                print!("{}", weir_query::format(&result, format.for_query()).map_err(Exit::failed)?);
                Ok(())
            }
            Action::Replay { table, topic } => {
                let records =
                    weir_query::dead_letter_records(&self.data_dir, table.as_deref()).map_err(Exit::refused)?;
                match topic {
                    None => {
                        let mut out = std::io::stdout().lock();
                        for record in &records {
                            let written = out.write_all(record).and_then(|()| out.write_all(b"\n"));
                            written.map_err(|source| Exit::failed(format!("write records: {source}")))?;
                        }
                    }
                    Some(topic) => {
                        let lock = crate::data_dir::DataDir::lock(&self.data_dir).map_err(Exit::refused)?;
                        weir_embedded::append_records(lock.path(), &topic, &records).map_err(Exit::failed)?;
                    }
                }
                eprintln!("{} records replayed", records.len());
                Ok(())
            }
        }
    }
}
