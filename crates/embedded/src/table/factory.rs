//! The factory of `'connector' = 'questdb'` under `--embedded`, and the sink of the dead letters.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use weir_base::{Error, Result};
use weir_connector::{Factory, JobContext, Sink, Source, dead_letter_schema};
use weir_plan::{Schema, SinkSpec, SourceSpec};

use super::columns::can_be_key;
use super::lanes::Lanes;
use super::sink::TableSink;
use super::{layout, schema};
use crate::owner::Holder;
use crate::signal::lock;

/// The table of the dead letters.
const DEAD_LETTERS: &str = "dead_letters";

/// Columns that make a dead letter the same one when it is written again.
const DEAD_LETTER_KEY: [&str; 10] =
    ["job", "epoch", "kind", "cause", "table", "split", "offset", "line", "column", "raw"];

/// Makes embedded tables of `questdb` tables. Options that speak of a server mean nothing here; `table` names the embedded table.
#[derive(Default)]
pub struct EmbeddedTableFactory {
    /// How many sinks of this run write to each table.
    sinks: Mutex<BTreeMap<String, u32>>,
}

impl Factory for EmbeddedTableFactory {
    fn identifier(&self) -> &'static str {
        "questdb"
    }

    fn source(&self, spec: &SourceSpec, _context: &JobContext) -> Result<Box<dyn Source>> {
        Err(Error::invalid(format!("read the table {}: a table of the connector 'questdb' is a sink only", spec.table))
            .hint("read it with `weir query`, or read the topic that it was written from"))
    }

    fn sink(&self, spec: &SinkSpec, context: &JobContext) -> Result<Box<dyn Sink>> {
        let default = spec.table.rsplit('.').next().unwrap_or(&spec.table);
        let name = spec.options.get("table").unwrap_or(default).to_owned();
        let number = {
            let mut sinks = lock(&self.sinks);
            let number = sinks.entry(name.clone()).or_default();
            *number += 1;
            *number - 1
        };
        if let Some((key, _)) = spec.metadata.first() {
            return Err(Error::invalid(format!(
                "write the metadata column '{key}' to {name}: embedded tables have none"
            )));
        }
        sink(&context.data_dir, &name, &spec.physical, &spec.primary_key, number, context)
    }
}

/// The sink of a job's dead letters: the embedded table `dead_letters`, in which the same letter written twice is one.
///
/// # Errors
/// The disk fails, or the table has other columns.
pub fn dead_letters_sink(context: &JobContext) -> Result<Box<dyn Sink>> {
    let schema = dead_letter_schema();
    let key: Vec<usize> = DEAD_LETTER_KEY.iter().filter_map(|name| schema.index_of(name)).collect();
    sink(&context.data_dir, DEAD_LETTERS, &schema, &key, 0, context)
}

fn sink(
    data_dir: &Path,
    name: &str,
    columns: &Schema,
    primary_key: &[usize],
    number: u32,
    context: &JobContext,
) -> Result<Box<dyn Sink>> {
    let arrow = columns.arrow();
    if let Some(index) = primary_key.iter().find(|index| !can_be_key(arrow.field(**index).data_type())) {
        let field = &columns.fields[*index];
        let text = format!("write to the table {name}: its key holds '{}' of the type {}", field.name, field.data_type);
        return Err(Error::invalid(text).hint("use columns of scalar types as PRIMARY KEY"));
    }
    let dir = layout::table(data_dir, name)?;
    schema::ensure(&dir, name, columns, primary_key)?;
    let folder = dir.join("lanes").join(format!("{}-{number}", context.job));
    let lanes = Lanes::claim(&dir, folder, primary_key, &Holder::of_job(context))?;
    Ok(Box::new(TableSink::new(lanes, name, &arrow, primary_key)))
}
