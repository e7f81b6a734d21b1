//! `weir query`: a query over embedded tables, topics and dead letters, while a job runs or after.

use std::path::PathBuf;

use clap::Args;

use super::Exit;
use crate::report::RowFormat;

/// Query embedded tables, topics and dead letters, while a job runs or after.
#[derive(Debug, Args)]
pub struct QueryCommand {
    /// The query, such as "SELECT COUNT(*) FROM sensor_readings".
    #[arg(value_name = "SELECT")]
    sql: String,

    /// The data directory to read.
    #[arg(long, value_name = "DIR", default_value = "weir-data")]
    data_dir: PathBuf,

    /// How rows are shown.
    #[arg(long, value_enum, default_value = "table")]
    format: RowFormat,
}

impl QueryCommand {
    /// Runs the query and prints its rows.
    pub fn run(self) -> Result<(), Exit> {
        let mut out = std::io::stdout().lock();
        let shown = weir_query::write(&self.data_dir, &self.sql, self.format.for_query(), &mut out);
        shown.map(|_| ()).map_err(Exit::refused)
    }
}
