//! A whole query: WITH, set operations, what stands around a SELECT; views by name.

use std::collections::HashMap;
use std::time::Duration;

use sqlparser::ast::{self, Spanned as _};
use weir_base::Span;
use weir_base::limits::NESTING_MAX;

use super::refusal::{not_supported, refuse};
use super::rel::{Dag, RelId};
use super::sort::Tail;
use crate::error::{SqlError, span_of};
use crate::reserved::check_name;
use crate::{Catalog, Environment, Query, Settings, TableHints, View};

/// Binds the queries of one job.
pub(super) struct QueryBinder<'a> {
    /// Tables and views.
    pub catalog: &'a Catalog,
    /// What is SET.
    pub settings: &'a Settings,
    /// Connectors.
    pub environment: &'a Environment<'a>,
    /// The relations so far.
    pub dag: Dag,
    /// Hints of the query at hand; a view brings its own.
    pub hints: TableHints,
    /// `STATE_TTL` of the SELECT at hand: how long a group aggregate in it keeps its state.
    pub state_ttl: Option<Duration>,
    /// Names that WITH defines, innermost last.
    pub with: Vec<HashMap<String, RelId>>,
    /// Full names of the views that are being bound, outermost first.
    views: Vec<String>,
    /// Queries around the one at hand.
    depth: usize,
}

impl<'a> QueryBinder<'a> {
    /// A binder that has seen nothing yet.
    pub(super) fn new(catalog: &'a Catalog, settings: &'a Settings, environment: &'a Environment<'a>) -> Self {
        Self {
            catalog,
            settings,
            environment,
            dag: Dag::default(),
            hints: TableHints::default(),
            state_ttl: None,
            with: Vec::new(),
            views: Vec::new(),
            depth: 0,
        }
    }

    /// Binds a query as it stands in a statement.
    pub(super) fn query(&mut self, query: &Query) -> Result<RelId, SqlError> {
        let hints = std::mem::replace(&mut self.hints, query.hints.clone());
        // A view's query sees nothing of the WITH around its use.
        let with = std::mem::take(&mut self.with);
        let bound = self.nested(&query.ast).map_err(|error| error.at(query.span));
        self.hints = hints;
        self.with = with;
        bound
    }

    /// Binds the query of `view`.
    pub(super) fn view(&mut self, view: &View, span: Span) -> Result<RelId, SqlError> {
        if self.views.contains(&view.full_name) {
            let path = self.views.join(" -> ");
            return Err(refuse(span, format!("View '{}' reads itself: {path} -> {}", view.full_name, view.full_name))
                .hint("DROP the view and define it without the cycle"));
        }
        self.views.push(view.full_name.clone());
        let bound = self.query(&view.query);
        self.views.pop();
        let bound = bound?;
        if view.columns.is_empty() {
            return Ok(bound);
        }
        let columns = self.dag.pass(bound);
        if columns.len() != view.columns.len() {
            return Err(refuse(
                view.span,
                format!(
                    "VIEW definition and input fields not match:\n\tDef fields: {}.\n\tInput fields: {}.",
                    view.columns.iter().map(|ident| ident.value.as_str()).collect::<Vec<_>>().join(", "),
                    columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
                ),
            ));
        }
        let renamed =
            columns.into_iter().zip(&view.columns).map(|((_, expr), name)| (name.value.clone(), expr)).collect();
        Ok(self.dag.calc(bound, None, renamed, view.span))
    }

    /// Binds a query inside another.
    pub(super) fn nested(&mut self, query: &ast::Query) -> Result<RelId, SqlError> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(refuse(span_of(query.span()), format!("Queries are nested more than {NESTING_MAX} deep")));
        }
        let bound = self.with_names(query);
        self.depth -= 1;
        bound
    }

    fn with_names(&mut self, query: &ast::Query) -> Result<RelId, SqlError> {
        refuse_clauses(query)?;
        let tail = Tail::of(query)?;
        let is_top = self.depth == 1;
        let Some(with) = &query.with else { return self.with_tail(&query.body, tail.as_ref(), is_top) };
        if with.recursive {
            return Err(not_supported(span_of(with.span()), "WITH RECURSIVE"));
        }
        let before = self.with.len();
        for table in &with.cte_tables {
            check_name(&table.alias.name)?;
            let bound = self.nested(&table.query)?;
            let bound = self.rename(bound, &table.alias)?;
            self.with.push(HashMap::from([(table.alias.name.value.clone(), bound)]));
        }
        let bound = self.with_tail(&query.body, tail.as_ref(), is_top);
        self.with.truncate(before);
        bound
    }

    /// `SELECT`, `... UNION ALL ...`, parentheses.
    pub(super) fn body(&mut self, body: &ast::SetExpr) -> Result<RelId, SqlError> {
        match body {
            ast::SetExpr::Select(select) => self.select(select, &[]),
            ast::SetExpr::Query(query) => self.nested(query),
            ast::SetExpr::SetOperation { left, op, set_quantifier, right } => {
                self.set_operation(left, *op, *set_quantifier, right, span_of(body.span()))
            }
            ast::SetExpr::Values(values) => self.values(values, span_of(body.span())),
            other => Err(not_supported(span_of(other.span()), "this statement as a query")),
        }
    }
}

/// What sqlparser takes behind a SELECT, and Flink SQL does not have.
fn refuse_clauses(query: &ast::Query) -> Result<(), SqlError> {
    let span = span_of(query.span());
    if !query.locks.is_empty()
        || query.for_clause.is_some()
        || query.settings.is_some()
        || query.format_clause.is_some()
        || !query.pipe_operators.is_empty()
    {
        return Err(not_supported(span, "what stands behind this query (FOR, SETTINGS, FORMAT, |>)"));
    }
    Ok(())
}
