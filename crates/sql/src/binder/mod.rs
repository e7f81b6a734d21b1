//! The binder: queries with their catalog become typed relations, then a job graph.
//!
//! [`plan_inserts`] and [`plan_select`] are the ways in. A query is bound (`query`, `select`, `from`, `window`, `group`, `over`) into a
//! DAG of relations (`rel`), whose expressions are typed by Flink's rules (`expr`, `functions`, `types`); the DAG is rewritten
//! (`optimize`), told which kinds of row each relation gives (`changelog`), and laid out as a `JobGraph` (`graph`). It knows connectors as data only, and runs nothing.

mod aggregates;
mod changelog;
mod expr;
mod from;
mod functions;
mod graph;
mod group;
mod group_stream;
mod optimize;
mod over;
mod query;
mod refusal;
mod rel;
mod scope;
mod select;
mod sink;
mod source;
mod types;
mod union;
mod values;
mod window;

use weir_plan::JobGraph;

use crate::error::SqlError;
use crate::{Catalog, Environment, Insert, Query, Settings};
use query::QueryBinder;

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
    graph::lay_out(&changelog::infer(&dag, settings)?, settings, environment)
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
    graph::lay_out(&changelog::infer(&dag, settings)?, settings, environment)
}

#[cfg(test)]
mod tests;
