//! `UNION ALL` and `UNION`: the inputs' columns brought to common types.

use sqlparser::ast::{SetExpr, SetOperator, SetQuantifier};
use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind};

use super::expr::cast::implicit_cast;
use super::query::QueryBinder;
use super::refusal::{not_supported, refuse};
use super::rel::{Rel, RelColumn, RelId, RelOp};
use super::scope::Attribute;
use super::types::{calcite_name, least_restrictive_type};
use crate::error::SqlError;

impl QueryBinder<'_> {
    /// `left UNION [ALL] right`; a chain of them is one operator.
    pub(super) fn set_operation(
        &mut self,
        left: &SetExpr,
        operator: SetOperator,
        quantifier: SetQuantifier,
        right: &SetExpr,
        span: Span,
    ) -> Result<RelId, SqlError> {
        let all = match (operator, quantifier) {
            (SetOperator::Union, SetQuantifier::All) => true,
            (SetOperator::Union, SetQuantifier::None | SetQuantifier::Distinct) => false,
            (SetOperator::Intersect | SetOperator::Except, SetQuantifier::None | SetQuantifier::Distinct) => {
                return Err(not_supported(span, format!("{operator}, which Flink plans as a join,")));
            }
            (SetOperator::Minus, _) => {
                return Err(refuse(span, "MINUS is not allowed under the current SQL conformance level"));
            }
            (_, SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName) => {
                return Err(refuse(span, format!("Flink SQL has no {operator} {quantifier}"))
                    .hint("give the columns in one order on both sides"));
            }
            _ => {
                return Err(not_supported(span, format!("{operator} {quantifier}"))
                    .hint("count the rows of each side by UNION ALL and GROUP BY"));
            }
        };
        let mut trees = vec![right];
        let mut rest = left;
        // Only a chain of the same operation is one: a UNION in it has thrown rows away.
        while let SetExpr::SetOperation { left, op: SetOperator::Union, set_quantifier, right } = rest
            && *set_quantifier == quantifier
        {
            trees.push(right);
            rest = left;
        }
        trees.push(rest);
        let mut inputs = Vec::with_capacity(trees.len());
        for tree in trees.into_iter().rev() {
            inputs.push(self.body(tree)?);
        }
        let union = self.union(inputs, if all { "UNION ALL" } else { "UNION" }, span)?;
        if all { Ok(union) } else { self.distinct(union, span) }
    }

    fn union(&mut self, inputs: Vec<RelId>, name: &str, span: Span) -> Result<RelId, SqlError> {
        let width = self.dag.get(inputs[0]).columns.len();
        if inputs.iter().any(|input| self.dag.get(*input).columns.len() != width) {
            return Err(refuse(span, format!("Column count mismatch in {name}")));
        }
        let mut columns = Vec::with_capacity(width);
        for index in 0..width {
            let all: Vec<&RelColumn> = inputs.iter().map(|input| &self.dag.get(*input).columns[index]).collect();
            let types: Vec<DataType> = all.iter().map(|column| column.data_type.clone()).collect();
            let Some(data_type) = least_restrictive_type(&types) else {
                let names: Vec<_> = types.iter().map(|data_type| calcite_name(&data_type.logical)).collect();
                return Err(refuse(
                    span,
                    format!("Type mismatch in column {} of {name}: {}", index + 1, names.join(", ")),
                ));
            };
            // A time attribute stays one where all inputs have the same.
            let first = all[0].attribute;
            let same = first.is_time()
                && all.iter().all(|column| column.attribute == first && column.data_type.logical == data_type.logical);
            let attribute = if same { first } else { Attribute::None };
            columns.push(RelColumn { name: all[0].name.clone(), data_type, attribute });
        }
        let inputs: Vec<RelId> = inputs.into_iter().map(|input| self.aligned(input, &columns, span)).collect();
        Ok(self.dag.add(Rel { op: RelOp::Union, inputs, columns, span }))
    }

    /// `input` with the columns' types.
    fn aligned(&mut self, input: RelId, columns: &[RelColumn], span: Span) -> RelId {
        let passed = self.dag.pass(input);
        let cast: Vec<(String, Expr)> = passed
            .into_iter()
            .zip(columns)
            .map(|((name, expr), column)| (name, implicit_cast(expr, &column.data_type.logical)))
            .collect();
        if cast.iter().all(|(_, expr)| matches!(expr.kind, ExprKind::Column(_))) {
            return input;
        }
        self.dag.calc(input, None, cast, span)
    }
}
