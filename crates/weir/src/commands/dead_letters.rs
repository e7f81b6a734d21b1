//! `weir dead-letters`: records that were set aside, listed or sent again.

use std::io::Write;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use clap::{Args, Subcommand};
use weir_base::{Clock, Error, Result, SystemClock};
use weir_embedded::{Record, TOPIC_PARTITIONS_DEFAULT, TopicWriter};

use super::Exit;
use crate::data_dir::DataDir;
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
                let mut out = std::io::stdout().lock();
                let shown = weir_query::write(&self.data_dir, &sql, format.for_query(), &mut out);
                shown.map(|_| ()).map_err(Exit::refused)
            }
            Action::Replay { table, topic } => {
                let records = records(&self.data_dir, table.as_deref()).map_err(Exit::refused)?;
                match topic {
                    None => {
                        let mut out = std::io::stdout().lock();
                        for record in &records {
                            let written = out.write_all(record).and_then(|()| out.write_all(b"\n"));
                            written.map_err(|source| Exit::failed(format!("write records: {source}")))?;
                        }
                    }
                    Some(topic) => {
                        let held = DataDir::lock(&self.data_dir).map_err(Exit::refused)?;
                        append(held.path(), &topic, &records).map_err(Exit::failed)?;
                    }
                }
                eprintln!("{} records replayed", records.len());
                Ok(())
            }
        }
    }
}

/// The raw bytes of the records that were set aside whole, oldest first.
fn records(data_dir: &Path, table: Option<&str>) -> Result<Vec<Vec<u8>>> {
    let of_table =
        table.map(|table| format!(" AND \"table\" LIKE '%{}'", table.replace('\'', "''"))).unwrap_or_default();
    let sql = format!(
        "SELECT raw, raw_length FROM dead_letters WHERE kind = 'record'{of_table} ORDER BY time, split, \"offset\""
    );
    let mut records = Vec::new();
    for batch in weir_query::run(data_dir, &sql)?.batches {
        let (raw, lengths) = (batch.column(0).as_binary_view(), batch.column(1).as_primitive::<Int64Type>());
        for row in 0..batch.num_rows() {
            let kept = raw.value(row);
            if kept.len() as i64 != lengths.value(row) {
                return Err(Error::invalid(format!(
                    "replay a record of {} bytes: only its first {} were kept",
                    lengths.value(row),
                    kept.len()
                ))
                .hint("replay it from its source; the dead letter names table, split and offset"));
            }
            records.push(kept.to_vec());
        }
    }
    Ok(records)
}

/// Appends records to an embedded topic, to its partitions in turn.
fn append(data_dir: &Path, topic: &str, records: &[Vec<u8>]) -> Result<()> {
    let mut writer = TopicWriter::open(data_dir, topic, TOPIC_PARTITIONS_DEFAULT, "dead-letters")?;
    let partitions = writer.partitions() as usize;
    let now = SystemClock::new().now();
    for partition in 0..partitions {
        let part = records.iter().skip(partition).step_by(partitions);
        let part = part.map(|record| Record { key: None, value: Some(record), timestamp: now });
        writer.append(u32::try_from(partition).unwrap_or(0), part)?;
    }
    writer.tell();
    Ok(())
}
