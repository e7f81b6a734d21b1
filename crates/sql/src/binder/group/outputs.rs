//! A grouped SELECT's expressions in terms of the aggregation's output: keys, aggregates, the grouping set, the window.

use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function, LogicalType, Value};

use super::Aggregated;
use super::functions::{CALLS_AT, GroupCall};
use super::grouping::Grouping;
use super::legacy::Auxiliary;
use crate::binder::over;
use crate::binder::refusal::refuse;
use crate::binder::rel::{RelColumn, key_of_expr};
use crate::binder::scope::Scope;
use crate::error::SqlError;

/// Where the parts of a grouped SELECT are found in the aggregation's output.
pub(super) struct Outputs<'a> {
    /// What is grouped by.
    grouping: &'a Grouping,
    /// The places.
    aggregated: &'a Aggregated,
    /// Columns of the scope; those behind are aggregates.
    scope_width: usize,
    /// Functions of the grouping in the SELECT.
    calls: Vec<GroupCall>,
    /// The columns of the output.
    columns: &'a [RelColumn],
}

impl<'a> Outputs<'a> {
    /// The places in `columns`, which are those of the aggregation.
    pub(super) fn new(
        grouping: &'a Grouping,
        aggregated: &'a Aggregated,
        scope: &Scope,
        calls: Vec<GroupCall>,
        columns: &'a [RelColumn],
    ) -> Self {
        Self { grouping, aggregated, scope_width: scope.columns.len(), calls, columns }
    }

    fn column(&self, index: usize, span: Span) -> Expr {
        Expr::column(index, self.columns[index].data_type.clone()).at(span)
    }

    /// Which of `columns` are the processing time of a group window.
    pub(super) fn proctimes(&self, columns: &[(String, Expr)]) -> Vec<usize> {
        let is_proctime = |expr: &Expr| match expr.kind {
            ExprKind::Column(index) if (CALLS_AT..over::CALLS_AT).contains(&index) => matches!(
                &self.calls[index - CALLS_AT],
                GroupCall::Auxiliary(call) if call.tells == Auxiliary::ProcTime
            ),
            _ => false,
        };
        (0..columns.len()).filter(|index| is_proctime(&columns[*index].1)).collect()
    }

    /// `expr` over the aggregation's output.
    pub(super) fn rewritten(&self, expr: Expr, scope: &Scope) -> Result<Expr, SqlError> {
        let key = key_of_expr(&expr);
        if let Some(group) = self.grouping.exprs.iter().position(|group| key_of_expr(group) == key) {
            return Ok(self.column(self.aggregated.groups[group], expr.span));
        }
        let Expr { kind, data_type, span } = expr;
        let kind = match kind {
            // An OVER call, which reads the aggregation's columns itself.
            ExprKind::Column(index) if index >= over::CALLS_AT => ExprKind::Column(index),
            ExprKind::Column(index) if index >= CALLS_AT => return self.call(&self.calls[index - CALLS_AT], span),
            ExprKind::Column(index) if index >= self.scope_width => {
                return Ok(self.column(self.aggregated.aggregates_at + index - self.scope_width, span));
            }
            ExprKind::Column(index) => {
                return Err(refuse(span, format!("Expression '{}' is not being grouped", scope.columns[index].name))
                    .hint("put it into GROUP BY or into an aggregate"));
            }
            ExprKind::Literal(value) => ExprKind::Literal(value),
            ExprKind::Call(function, arguments) => {
                let arguments = arguments.into_iter().map(|argument| self.rewritten(argument, scope));
                ExprKind::Call(function, arguments.collect::<Result<_, _>>()?)
            }
            ExprKind::Cast(inner, mode) => ExprKind::Cast(Box::new(self.rewritten(*inner, scope)?), mode),
            ExprKind::Field(inner, index) => ExprKind::Field(Box::new(self.rewritten(*inner, scope)?), index),
            ExprKind::Case { branches, otherwise } => {
                let branches = branches
                    .into_iter()
                    .map(|(condition, result)| Ok((self.rewritten(condition, scope)?, self.rewritten(result, scope)?)));
                let branches = branches.collect::<Result<_, SqlError>>()?;
                ExprKind::Case { branches, otherwise: Box::new(self.rewritten(*otherwise, scope)?) }
            }
        };
        Ok(Expr { kind, data_type, span })
    }

    /// What a function of the grouping comes to.
    fn call(&self, call: &GroupCall, span: Span) -> Result<Expr, SqlError> {
        match call {
            GroupCall::GroupId => Ok(number(0, span)),
            GroupCall::Grouping(arguments) => self.grouping_id(arguments, span),
            GroupCall::Auxiliary(call) => {
                let Some(window) =
                    self.aggregated.window.filter(|_| self.grouping.window.as_ref() == Some(&call.window))
                else {
                    return Err(call.without_window(span));
                };
                Ok(match call.tells {
                    Auxiliary::Start => self.column(window[0], span),
                    Auxiliary::End => self.column(window[1], span),
                    Auxiliary::RowTime => self.column(window[2], span),
                    Auxiliary::ProcTime => {
                        let data_type = DataType::not_null(LogicalType::TimestampLtz(3));
                        Expr::new(ExprKind::Call(Function::CurrentTimestamp, Vec::new()), data_type).at(span)
                    }
                })
            }
        }
    }

    /// A bit for each argument, the last one's the lowest: set where the row's grouping set lacks it.
    fn grouping_id(&self, arguments: &[Expr], span: Span) -> Result<Expr, SqlError> {
        let group = |argument: &Expr| {
            let key = key_of_expr(argument);
            self.grouping.exprs.iter().position(|group| key_of_expr(group) == key).ok_or_else(|| {
                let place = if argument.span.is_known() { argument.span } else { span };
                refuse(place, "Argument to GROUPING operator must be a grouped expression")
                    .hint("name an expression of GROUP BY")
            })
        };
        let groups: Vec<usize> = arguments.iter().map(group).collect::<Result<_, _>>()?;
        let value = |set: &super::grouping::GroupingSet| {
            groups.iter().fold(0_i64, |bits, group| bits << 1 | i64::from(!set.exprs.contains(group)))
        };
        let sets = &self.grouping.sets;
        let first = sets.first().map_or(0, value);
        let Some(set_column) = self.aggregated.set.filter(|_| sets.iter().any(|set| value(set) != first)) else {
            return Ok(number(first, span));
        };
        let branches = sets[1..].iter().map(|set| {
            let sides = vec![self.column(set_column, span), number(set.id, span)];
            let condition = ExprKind::Call(Function::Equal, sides);
            (Expr::new(condition, DataType::not_null(LogicalType::Boolean)).at(span), number(value(set), span))
        });
        let kind = ExprKind::Case { branches: branches.collect(), otherwise: Box::new(number(first, span)) };
        Ok(Expr::new(kind, DataType::not_null(LogicalType::BigInt)).at(span))
    }
}

fn number(value: i64, span: Span) -> Expr {
    Expr::new(ExprKind::Literal(Value::Integer(value)), DataType::not_null(LogicalType::BigInt)).at(span)
}
