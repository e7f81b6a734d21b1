//! GROUP BY: aggregation, in windows where GROUP BY names one.
//!
//! The grouped SELECT is bound over the scope with the aggregates as further columns; then every part of it that equals a grouping
//! expression becomes that key's column (`outputs`). What GROUP BY says is in `grouping`, the relation that the aggregation reads is made
//! in `input`, aggregation in windows in `windowed`, that of all rows in `stream`.

mod functions;
mod grouping;
mod input;
mod legacy;
mod outputs;
mod stream;
mod windowed;

use std::cell::RefCell;

use sqlparser::ast::{self, Spanned as _};
use weir_base::Span;
use weir_plan::{Expr, ExprKind};

use super::aggregates::{Aggregate, Aggregates, first_aggregate};
use super::expr::{ExprBinder, check_divisions};
use super::over::{Overs, first_over};
use super::query::QueryBinder;
use super::refusal::{not_supported, refuse};
use super::rel::RelId;
use super::scope::{Attribute, Scope};
use super::select::{Item, name_of, qualify, unique_names};
use crate::error::{SqlError, span_of};
use grouping::Grouping;
use outputs::Outputs;

pub(super) use functions::{GroupCalls, is_group_function};
pub(super) use input::substituted;

/// An aggregation with the places of what it gives.
struct Aggregated {
    rel: RelId,
    /// The output column of each grouping expression.
    groups: Vec<usize>,
    /// The output column of the grouping set's number.
    set: Option<usize>,
    /// The output column of the first aggregate.
    aggregates_at: usize,
    /// The output columns of a group window's start, end and time.
    window: Option<[usize; 3]>,
}

impl QueryBinder<'_> {
    /// Whether a SELECT aggregates.
    pub(super) fn is_grouped(&self, select: &ast::Select, items: &[Item<'_>]) -> Result<bool, SqlError> {
        let grouped = match &select.group_by {
            ast::GroupByExpr::All(_) => return Err(not_supported(span_of(select.span()), "GROUP BY ALL")),
            ast::GroupByExpr::Expressions(trees, modifiers) => {
                if !modifiers.is_empty() {
                    return Err(not_supported(
                        span_of(select.span()),
                        "what stands behind GROUP BY (WITH ROLLUP, CUBE, TOTALS)",
                    )
                    .hint("write GROUP BY ROLLUP(...), CUBE(...) or GROUPING SETS(...)"));
                }
                !trees.is_empty()
            }
        };
        let aggregates =
            items.iter().any(|item| matches!(item, Item::Tree(tree, _) if first_aggregate(tree).is_some()));
        Ok(grouped || aggregates || select.having.is_some())
    }

    /// Binds a SELECT that aggregates.
    pub(super) fn grouped(
        &mut self,
        select: &ast::Select,
        items: &[Item<'_>],
        rel: RelId,
        scope: &Scope,
        span: Span,
    ) -> Result<RelId, SqlError> {
        let ast::GroupByExpr::Expressions(trees, _) = &select.group_by else {
            return Err(not_supported(span, "GROUP BY ALL"));
        };
        let grouping = Grouping::bind(trees, scope)?;
        // Bind the SELECT list and HAVING over scope and aggregates.
        let aggregates = RefCell::new(Aggregates { whole_stream: grouping.is_whole(), ..Aggregates::default() });
        let overs = RefCell::new(Overs::new(&select.named_window));
        let binder = ExprBinder::with_all(scope, &aggregates, &overs);
        let mut columns = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let expr = match item {
                Item::Column(at) => Expr::column(*at, scope.columns[*at].data_type.clone()).at(span),
                Item::Tree(tree, _) => binder.bind(tree)?,
                Item::Field(tree) => binder.bind(tree)?,
            };
            columns.push((name_of(item, scope, index), expr));
        }
        if let Some(place) = select.having.as_ref().and_then(first_over) {
            return Err(refuse(place, "Aggregate functions over windows are not supported yet.")
                .hint("filter in a query around this one, or with QUALIFY"));
        }
        let having = select.having.as_ref().map(|tree| binder.bind_condition(tree, "HAVING")).transpose()?;
        columns.iter().map(|(_, expr)| expr).chain(&having).try_for_each(check_divisions)?;
        let qualify = qualify(select, items, &binder)?;
        let (mut aggregates, mut overs) = (aggregates.into_inner(), overs.into_inner());
        let group_calls = std::mem::take(&mut aggregates.group_calls);
        let calls = aggregates.into_calls();
        let names = call_names(&columns, scope.columns.len(), &grouping, calls.len());
        let aggregated = self.aggregated(rel, &grouping, &calls, &names, scope, span)?;
        // Say the rest in terms of the aggregation's columns, HAVING first, as Flink checks it.
        let output = self.dag.get(aggregated.rel).columns.clone();
        let outputs = Outputs::new(&grouping, &aggregated, scope, group_calls.calls, &output);
        let proctimes = outputs.proctimes(&columns);
        let having = having.map(|expr| outputs.rewritten(expr, scope)).transpose()?;
        let columns = columns
            .into_iter()
            .map(|(name, expr)| Ok((name, outputs.rewritten(expr, scope)?)))
            .collect::<Result<Vec<_>, SqlError>>()?;
        if !overs.is_empty() {
            for expr in overs.exprs_mut() {
                *expr = outputs.rewritten(expr.clone(), scope)?;
            }
            let qualify = qualify.map(|expr| outputs.rewritten(expr, scope)).transpose()?;
            let rel = having.into_iter().fold(aggregated.rel, |rel, having| self.dag.filter(rel, having));
            return self.over_and_calc(rel, columns, qualify, overs, span);
        }
        let calc = self.dag.calc(aggregated.rel, having, unique_names(columns), span);
        Ok(proctimes.into_iter().fold(calc, |calc, index| self.dag.set_attribute(calc, index, Attribute::ProcTime)))
    }

    /// The aggregation, in windows or of all rows, where `calls` give columns of `names`.
    fn aggregated(
        &mut self,
        rel: RelId,
        grouping: &Grouping,
        calls: &[Aggregate],
        names: &[String],
        scope: &Scope,
        span: Span,
    ) -> Result<Aggregated, SqlError> {
        match self.windowed(rel, grouping, calls, scope, span)? {
            Some(aggregated) => Ok(aggregated),
            None => Ok(self.group_aggregate(rel, grouping, calls, names, scope, span)),
        }
    }

    /// The rows of `rel` grouped by `grouping`, each group once, in the order of `grouping`.
    fn distinct_groups(&mut self, rel: RelId, scope: &Scope, exprs: Vec<Expr>, span: Span) -> Result<RelId, SqlError> {
        let names: Vec<String> = self.dag.get(rel).columns.iter().map(|column| column.name.clone()).collect();
        let grouping = Grouping::plain(exprs.clone());
        let aggregated = self.aggregated(rel, &grouping, &[], &[], scope, span)?;
        let output = self.dag.get(aggregated.rel).columns.clone();
        let outputs = Outputs::new(&grouping, &aggregated, scope, Vec::new(), &output);
        let columns = names.into_iter().zip(exprs).map(|(name, expr)| Ok((name, outputs.rewritten(expr, scope)?)));
        let columns = columns.collect::<Result<Vec<_>, SqlError>>()?;
        Ok(self.dag.calc(aggregated.rel, None, columns, span))
    }
}

/// The names of aggregates: those of the SELECT's items that are just an aggregate, as Flink's plans have them.
fn call_names(columns: &[(String, Expr)], scope_width: usize, grouping: &Grouping, calls: usize) -> Vec<String> {
    let keys = grouping.exprs.len() + usize::from(grouping.has_sets());
    let named = |call: usize| {
        let is = |(_, expr): &&(String, Expr)| matches!(expr.kind, ExprKind::Column(at) if at == scope_width + call);
        columns.iter().find(is).map_or_else(|| format!("$f{}", keys + call), |(name, _)| name.clone())
    };
    (0..calls).map(named).collect()
}
