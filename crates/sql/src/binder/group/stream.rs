//! GROUP BY without a window and SELECT DISTINCT: an aggregation whose results change with each row.

use std::collections::BTreeSet;

use weir_base::Span;
use weir_plan::{AggregateCall, AggregateFunction, Expr};

use super::Aggregated;
use super::grouping::Grouping;
use super::input::Base;
use crate::binder::aggregates::Aggregate;
use crate::binder::changelog::unique;
use crate::binder::expr::cast::implicit_cast;
use crate::binder::query::QueryBinder;
use crate::binder::rel::{GroupAggregate, Rel, RelColumn, RelId, RelOp};
use crate::binder::scope::{Attribute, Scope, ScopeColumn};
use crate::error::SqlError;

impl QueryBinder<'_> {
    /// Adds the aggregation of all rows of each group: keys, then aggregates, which are called `names`.
    pub(super) fn group_aggregate(
        &mut self,
        rel: RelId,
        grouping: &Grouping,
        calls: &[Aggregate],
        names: &[String],
        scope: &Scope,
        span: Span,
    ) -> Aggregated {
        let columns = self.dag.pass(rel).into_iter().map(|(_, expr)| expr).collect();
        let base = Base { input: rel, condition: None, columns };
        let key_exprs: Vec<usize> = (0..grouping.exprs.len()).collect();
        let input = self.group_input(&base, grouping, &key_exprs, calls, None, scope, span);
        let mut out = input.outputs;
        out.extend(calls.iter().zip(names).map(|(call, name)| RelColumn {
            name: name.clone(),
            data_type: call.data_type.clone(),
            attribute: Attribute::None,
        }));
        let aggregates_at = input.keys.len();
        let set = grouping.has_sets().then(|| aggregates_at - 1);
        let rel = match self.of_single_rows(input.rel, &input.keys, &input.aggregates, &out) {
            Some(columns) if set.is_none() => self.dag.calc(input.rel, None, columns, span),
            _ => {
                let aggregate = GroupAggregate {
                    keys: input.keys,
                    aggregates: input.aggregates,
                    kept: Vec::new(),
                    state_ttl: self.state_ttl,
                };
                let op = RelOp::GroupAggregate(Box::new(aggregate));
                self.dag.add(Rel { op, inputs: vec![input.rel], columns: out, span })
            }
        };
        Aggregated { rel, groups: key_exprs, set, aggregates_at, window: None }
    }

    /// What the aggregation gives where each group has one row that is known to be the only one: its own columns. Flink takes such an aggregation
    /// out, unless it
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
    pub(in crate::binder) fn distinct(&mut self, input: RelId, span: Span) -> Result<RelId, SqlError> {
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
