//! Runs one query: plan, look up the names, execute, hand the batches over.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt as _;
use weir_base::limits::{BATCH_ROWS_MAX, SCRIPT_BYTES_MAX};
use weir_base::{Error, Result};

use crate::catalog::Names;
use crate::error::from_datafusion;
use crate::json_value::json_value;
use crate::show::{OutputFormat, Shown};

/// All rows of a query.
#[derive(Debug, Clone)]
pub struct QueryResult {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

/// Runs `sql` over the tables and topics under `data_dir` and gives all rows.
///
/// # Errors
/// There is no such folder, a name is unknown, the SQL is wrong, or files do not read back as they were written.
pub fn run(data_dir: &Path, sql: &str) -> Result<QueryResult> {
    let mut batches = Vec::new();
    let schema = each_batch(data_dir, sql, |_, batch| {
        batches.extend(batch);
        Ok(())
    })?;
    Ok(QueryResult { schema, batches })
}

/// Runs `sql` and writes its rows to `out`: as JSON or CSV while they come, as a table when all are there. Returns the number of rows.
///
/// # Errors
/// As `run`, and when `out` cannot be written.
pub fn write(data_dir: &Path, sql: &str, format: OutputFormat, out: &mut dyn Write) -> Result<u64> {
    let mut shown = Shown::new(format, out);
    let schema = each_batch(data_dir, sql, |schema, batch| match batch {
        Some(batch) => shown.batch(schema, &batch),
        None => Ok(()),
    })?;
    shown.finish(&schema)
}

/// Calls `take` with each batch, once with none before the first; gives the columns.
fn each_batch(
    data_dir: &Path,
    sql: &str,
    mut take: impl FnMut(&SchemaRef, Option<RecordBatch>) -> Result<()>,
) -> Result<SchemaRef> {
    if sql.len() > SCRIPT_BYTES_MAX {
        return Err(Error::invalid(format!("run a query of {} bytes: {SCRIPT_BYTES_MAX} are allowed", sql.len())));
    }
    let names = Names::read(data_dir)?;
    if let Some(batch) = show_tables(&names, sql)? {
        let schema = batch.schema();
        take(&schema, Some(batch))?;
        return Ok(schema);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| Error::io("start the query's runtime", error))?;
    runtime.block_on(async {
        let failed = |error| from_datafusion(&error);
        let context = session();
        let state = context.state();
        let dialect = state.config().options().sql_parser.dialect;
        let statement = state.sql_to_statement(sql, &dialect).map_err(failed)?;
        for name in state.resolve_table_references(&statement).map_err(failed)? {
            let provider = names.provider(name.table())?;
            context.register_table(name, provider).map_err(failed)?;
        }
        let plan = state.statement_to_plan(statement).await.map_err(failed)?;
        let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        options.verify_plan(&plan).map_err(|error| {
            from_datafusion(&error).hint("a query only reads: SELECT, EXPLAIN, DESCRIBE, SHOW TABLES")
        })?;
        let frame = context.execute_logical_plan(plan).await.map_err(failed)?;
        let schema: SchemaRef = Arc::clone(frame.schema().inner());
        let mut batches = frame.execute_stream().await.map_err(failed)?;
        take(&schema, None)?;
        while let Some(batch) = batches.next().await {
            take(&schema, Some(batch.map_err(failed)?))?;
        }
        Ok(schema)
    })
}

/// A session in which names are taken as they are written, as in Flink.
fn session() -> SessionContext {
    let mut config =
        SessionConfig::new().with_target_partitions(1).with_batch_size(BATCH_ROWS_MAX).with_information_schema(true);
    let options = config.options_mut();
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.collect_spans = true;
    let context = SessionContext::new_with_config(config);
    context.register_udf(json_value());
    context
}

/// What `SHOW TABLES` answers; `None` for another statement.
fn show_tables(names: &Names, sql: &str) -> Result<Option<RecordBatch>> {
    let words: Vec<String> = sql.trim().trim_end_matches(';').split_whitespace().map(str::to_uppercase).collect();
    if words != ["SHOW", "TABLES"] {
        return Ok(None);
    }
    let (names, kinds): (Vec<&str>, Vec<&str>) = names.all().unzip();
    let field = |name: &str| Field::new(name, DataType::Utf8View, false);
    let schema = Arc::new(Schema::new(vec![field("name"), field("kind")]));
    let column = |values: Vec<&str>| Arc::new(StringViewArray::from(values));
    let batch = RecordBatch::try_new(schema, vec![column(names), column(kinds)]);
    batch.map(Some).map_err(|error| Error::internal(error.to_string()))
}

#[cfg(test)]
mod tests;
