//! The binder: queries with their catalog become typed relations, then a job graph.
//!
//! [`plan_inserts`] and [`plan_select`] are the ways in. A query is bound (`query`, `select`, `from`, `window`, `group`, `over`) into a
//! DAG of relations (`rel`), whose expressions are typed by Flink's rules (`expr`, `functions`, `types`); the DAG is rewritten
//! (`optimize`), told which kinds of row each relation gives (`changelog`), and laid out as a `JobGraph` (`graph`). It knows connectors as data
//! only, and runs nothing.

mod aggregates;
mod changelog;
mod correlate;
mod expr;
mod from;
mod functions;
mod graph;
mod group;
mod insert_clauses;
mod logical;
mod optimize;
mod ordered;
mod over;
mod query;
mod refusal;
mod rel;
mod scope;
mod select;
mod sink;
mod sort;
mod source;
mod types;
mod union;
mod values;
mod window;
mod window_rank;
mod windows_of;

use weir_plan::{DataType, JobGraph};

use crate::error::SqlError;
use crate::{Catalog, Environment, Insert, Query, Settings, Table};
use query::QueryBinder;
use scope::Attribute;

/// Plans the INSERTs of one statement set (or a single one) as one job; what they share is computed once.
///
/// # Errors
/// When a query is refused, or does not fit its sink; at the place in the script.
pub fn plan_inserts(
    catalog: &Catalog,
    settings: &Settings,
    environment: &Environment<'_>,
    inserts: &[Insert],
) -> Result<JobGraph, SqlError> {
    let mut binder = QueryBinder::new(catalog, settings, environment);
    let mut sinks = Vec::with_capacity(inserts.len());
    for insert in inserts {
        sinks.push(binder.insert(insert)?);
    }
    let dag = optimize::optimize(&binder.dag, &sinks)?;
    graph::lay_out(&changelog::infer(&dag)?, settings, environment)
}

/// Plans a bare query; its rows go to a sink of the connector `collect`.
///
/// # Errors
/// When the query is refused; at the place in the script.
pub fn plan_select(
    catalog: &Catalog,
    settings: &Settings,
    environment: &Environment<'_>,
    query: &Query,
) -> Result<JobGraph, SqlError> {
    let mut binder = QueryBinder::new(catalog, settings, environment);
    let sink = binder.collect(query)?;
    let dag = optimize::optimize(&binder.dag, &[sink])?;
    graph::lay_out(&changelog::infer(&dag)?, settings, environment)
}

/// What the INSERTs say, as bound: EXPLAIN's syntax tree.
///
/// # Errors
/// As [`plan_inserts`].
pub fn tree_of_inserts(
    catalog: &Catalog,
    settings: &Settings,
    environment: &Environment<'_>,
    inserts: &[Insert],
) -> Result<String, SqlError> {
    let mut binder = QueryBinder::new(catalog, settings, environment);
    let sinks = inserts.iter().map(|insert| binder.insert(insert)).collect::<Result<Vec<_>, _>>()?;
    Ok(logical::print(&binder.dag, &sinks))
}

/// What a bare query says, as bound: EXPLAIN's syntax tree.
///
/// # Errors
/// As [`plan_select`].
pub fn tree_of_query(
    catalog: &Catalog,
    settings: &Settings,
    environment: &Environment<'_>,
    query: &Query,
) -> Result<String, SqlError> {
    let mut binder = QueryBinder::new(catalog, settings, environment);
    let sink = binder.collect(query)?;
    Ok(logical::print(&binder.dag, &[sink]))
}

/// A column with what DESCRIBE tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// ` *ROWTIME*` or ` *PROCTIME*` where it is a time attribute.
    pub time: &'static str,
}

fn typed(columns: &[rel::RelColumn]) -> Vec<TypedColumn> {
    let time = |attribute| match attribute {
        Attribute::RowTime => " *ROWTIME*",
        Attribute::ProcTime => " *PROCTIME*",
        _ => "",
    };
    let column = |column: &rel::RelColumn| TypedColumn {
        name: column.name.clone(),
        data_type: column.data_type.clone(),
        time: time(column.attribute),
    };
    columns.iter().map(column).collect()
}

/// The columns of `table` as declared, in DDL order.
///
/// # Errors
/// A computed column or the watermark is refused.
pub fn columns_of_table(table: &Table) -> Result<Vec<TypedColumn>, SqlError> {
    source::declared_columns(table).map(|columns| typed(&columns))
}

/// The columns that `query` gives.
///
/// # Errors
/// The query is refused.
pub fn columns_of_query(
    catalog: &Catalog,
    settings: &Settings,
    environment: &Environment<'_>,
    query: &Query,
) -> Result<Vec<TypedColumn>, SqlError> {
    let mut binder = QueryBinder::new(catalog, settings, environment);
    let bound = binder.query(query)?;
    Ok(typed(&binder.dag.get(bound).columns))
}

/// The names of all functions, in lower case and in order.
pub fn function_names() -> Vec<String> {
    functions::names()
}

/// Whether a value of type `given` goes into a column of type `target` by itself.
pub fn fits(given: &DataType, target: &DataType) -> bool {
    (target.nullable || !given.nullable) && types::implicit_cast_exists(&given.logical, &target.logical)
}

#[cfg(test)]
mod tests;
