//! GROUP BY without a window and SELECT DISTINCT: an aggregation whose results change with each row.

use std::collections::BTreeSet;

use weir_base::Span;
use weir_plan::{AggregateCall, AggregateFunction, DataType, Expr, ExprKind};

use super::aggregates::Aggregate;
use super::changelog::unique;
use super::expr::cast::implicit_cast;
use super::group::Below;
use super::query::QueryBinder;
use super::rel::{GroupAggregate, Rel, RelColumn, RelId, RelOp};
use super::scope::{Attribute, Scope, ScopeColumn};
use super::select::unique_names;
use crate::error::SqlError;

impl QueryBinder<'_> {
    /// Adds the Calc with keys, arguments and filters, and the aggregation above it: keys, then aggregates.
    pub(super) fn group_aggregate(
        &mut self,
        input: RelId,
        calls: &[Aggregate],
        scope: &Scope,
        grouping: &[Expr],
        span: Span,
    ) -> RelId {
        let mut below = Below::default();
        let mut out = Vec::with_capacity(grouping.len() + calls.len());
        let column = |name: String, data_type: &DataType| RelColumn {
            name,
            data_type: data_type.clone(),
            attribute: Attribute::None,
        };
        let mut keys = Vec::with_capacity(grouping.len());
        for expr in grouping {
            let name = match expr.kind {
                ExprKind::Column(index) => scope.columns[index].name.clone(),
                _ => format!("$f{}", keys.len()),
            };
            keys.push(below.column(expr.clone(), &name));
            out.push(column(name, &expr.data_type));
        }
        let mut aggregates = Vec::with_capacity(calls.len());
        for (index, call) in calls.iter().enumerate() {
            aggregates.push(AggregateCall {
                function: call.function,
                argument_types: call.arguments.iter().map(|expr| expr.data_type.clone()).collect(),
                arguments: call.arguments.iter().map(|expr| below.column(expr.clone(), "$a")).collect(),
                distinct: call.distinct,
                filter: call.filter.as_ref().map(|expr| below.column(expr.clone(), "$f")),
                separator: call.separator.clone(),
                data_type: call.data_type.clone(),
            });
            out.push(column(format!("EXPR${index}"), &call.data_type));
        }
        if below.columns.is_empty() {
            // COUNT(*) reads no column; a batch needs one to carry its rows.
            let first = &self.dag.get(input).columns[0];
            below.columns.push((first.name.clone(), Expr::column(0, first.data_type.clone())));
        }
        let input = self.dag.calc(input, None, unique_names(below.columns), span);
        if let Some(columns) = self.of_single_rows(input, &keys, &aggregates, &out) {
            return self.dag.calc(input, None, columns, span);
        }
        let aggregate = GroupAggregate { keys, aggregates, kept: Vec::new(), state_ttl: self.state_ttl };
        let op = RelOp::GroupAggregate(Box::new(aggregate));
        self.dag.add(Rel { op, inputs: vec![input], columns: out, span })
    }

    /// What the aggregation gives where each group has one row that is known to be the only one: its own columns. Flink takes such an aggregation out, unless it
    /// has an aggregate that is more than its argument.
    fn of_single_rows(
        &self,
        input: RelId,
        keys: &[usize],
        aggregates: &[AggregateCall],
        out: &[RelColumn],
    ) -> Option<Vec<(String, Expr)>> {
        let is_argument = |call: &AggregateCall| {
            let plain =
                matches!(call.function, AggregateFunction::Sum | AggregateFunction::Min | AggregateFunction::Max);
            plain && call.filter.is_none()
        };
        let grouped: BTreeSet<usize> = keys.iter().copied().collect();
        let single = unique(&self.dag, input).iter().any(|key| key.is_subset(&grouped));
        if keys.is_empty() || !single || !aggregates.iter().all(is_argument) {
            return None;
        }
        let below = &self.dag.get(input).columns;
        let sources = keys.iter().copied().chain(aggregates.iter().flat_map(|call| call.arguments.iter().copied()));
        let column = |(index, column): (usize, &RelColumn)| {
            let expr = Expr::column(index, below[index].data_type.clone());
            (column.name.clone(), implicit_cast(expr, &column.data_type.logical))
        };
        Some(sources.zip(out).map(column).collect())
    }

    /// `SELECT DISTINCT`: each row of `input` once.
    pub(super) fn distinct(&mut self, input: RelId, span: Span) -> Result<RelId, SqlError> {
        let columns = self.dag.pass(input);
        let of_column = |column: &RelColumn| ScopeColumn {
            qualifier: None,
            name: column.name.clone(),
            data_type: column.data_type.clone(),
            attribute: column.attribute,
        };
        let scope = Scope { columns: self.dag.get(input).columns.iter().map(of_column).collect() };
        let grouping: Vec<Expr> = columns.into_iter().map(|(_, expr)| expr).collect();
        self.distinct_groups(input, &scope, grouping, span)
    }
}
