//! How the values of a row change over its updates: a column that only grows needs nothing taken back from a MAX over it, and Flink takes nothing back there.

use weir_plan::{AggregateCall, AggregateFunction, Expr, ExprKind, Function, Keep};

use crate::binder::over::conjuncts;
use crate::binder::rel::{Dag, GroupAggregate, Rel, RelId, RelOp};

/// How a column changes from one version of a row to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It stays.
    Constant,
    /// It never becomes less.
    Increasing,
    /// It never becomes greater.
    Decreasing,
    /// Either.
    Any,
}

/// The changes of all columns; `None`: rows may go, and nothing is known.
pub(super) type Changes = Option<Vec<Change>>;

/// The changes by relation.
pub(super) fn of(dag: &Dag) -> Vec<Changes> {
    let mut changes: Vec<Changes> = Vec::with_capacity(dag.len());
    // Columns that are counts, or sums of such: never below zero.
    let mut natural: Vec<Vec<bool>> = Vec::with_capacity(dag.len());
    for id in 0..dag.len() {
        let rel = dag.get(RelId(id));
        let below = rel.inputs.first().map(|input| &natural[input.0]);
        let inputs: Vec<&Changes> = rel.inputs.iter().map(|input| &changes[input.0]).collect();
        let of_rel = of_rel(rel, &inputs, below);
        natural.push(natural_columns(rel, below));
        changes.push(of_rel);
    }
    changes
}

fn of_rel(rel: &Rel, inputs: &[&Changes], natural: Option<&Vec<bool>>) -> Changes {
    let width = rel.columns.len();
    match &rel.op {
        RelOp::Scan(_) => Some(vec![Change::Constant; width]),
        RelOp::Calc { condition, projection } => through_calc(condition.as_ref(), projection, inputs[0].as_deref()?),
        RelOp::Deduplicate { keys, keep, .. } => {
            constant(inputs[0].as_deref()?).then_some(())?;
            let updates = *keep == Keep::Last;
            let change = |index| if updates && !keys.contains(&index) { Change::Any } else { Change::Constant };
            Some((0..width).map(change).collect())
        }
        RelOp::GroupAggregate(aggregate) => of_groups(aggregate, inputs[0].as_deref()?, natural),
        RelOp::Union => {
            let first = inputs[0].as_ref()?;
            inputs.iter().all(|input| input.is_some()).then_some(())?;
            let same = inputs.iter().all(|input| input.as_ref() == Some(first));
            Some(if same { first.clone() } else { vec![Change::Any; width] })
        }
        RelOp::Window(_) | RelOp::WindowAggregate(_) | RelOp::WindowRank(_) | RelOp::Expand { .. } => {
            constant(inputs[0].as_deref()?).then(|| vec![Change::Constant; width])
        }
        _ => None,
    }
}

fn constant(changes: &[Change]) -> bool {
    changes.iter().all(|change| *change == Change::Constant)
}

fn through_calc(condition: Option<&Expr>, projection: &[Expr], below: &[Change]) -> Changes {
    if constant(below) {
        return Some(vec![Change::Constant; projection.len()]);
    }
    let loses =
        condition.is_some_and(|condition| conjuncts(condition.clone()).iter().any(|part| may_stop(part, below)));
    let change = |expr: &Expr| match column_of(expr) {
        Some(index) if !loses => below[index],
        _ => Change::Any,
    };
    Some(projection.iter().map(change).collect())
}

/// The column that `expr` is, a cast of it too.
fn column_of(expr: &Expr) -> Option<usize> {
    match &expr.kind {
        ExprKind::Column(index) => Some(*index),
        ExprKind::Cast(inner, _) => column_of(inner),
        _ => None,
    }
}

/// Whether a condition may hold for one version of a row and not for the next; Flink looks no deeper than at comparisons.
fn may_stop(condition: &Expr, below: &[Change]) -> bool {
    let changing = |expr: &Expr| column_of(expr).map(|index| below[index]).filter(|change| *change != Change::Constant);
    match &condition.kind {
        ExprKind::Column(index) => below[*index] != Change::Constant,
        ExprKind::Call(function, operands) => {
            let change = operands.iter().find_map(changing);
            match function {
                Function::And
                | Function::Or
                | Function::Not
                | Function::IsNull
                | Function::IsNotNull
                | Function::IsTrue
                | Function::IsNotTrue => operands.iter().any(|operand| may_stop(operand, below)),
                Function::Greater | Function::GreaterOrEqual => {
                    change.is_some_and(|change| change != Change::Increasing)
                }
                Function::Less | Function::LessOrEqual => change.is_some_and(|change| change != Change::Decreasing),
                Function::Equal | Function::NotEqual => change.is_some(),
                _ => false,
            }
        }
        _ => false,
    }
}

fn of_groups(aggregate: &GroupAggregate, below: &[Change], natural: Option<&Vec<bool>>) -> Changes {
    aggregate.keys.iter().all(|key| below[*key] == Change::Constant).then_some(())?;
    let updates = !constant(below);
    let calls = aggregate.aggregates.iter().map(|call| {
        let change = of_call(call, natural);
        match (call.function, call.arguments.as_slice()) {
            (AggregateFunction::Count, _) => change,
            (_, [argument]) if !updates || below[*argument] == change => change,
            (_, []) => change,
            _ => Change::Any,
        }
    });
    Some(vec![Change::Constant; aggregate.keys.len()].into_iter().chain(calls).collect())
}

fn of_call(call: &AggregateCall, natural: Option<&Vec<bool>>) -> Change {
    match call.function {
        AggregateFunction::Count | AggregateFunction::Max => Change::Increasing,
        AggregateFunction::Min => Change::Decreasing,
        AggregateFunction::Sum if is_natural(call, natural) => Change::Increasing,
        _ => Change::Any,
    }
}

fn is_natural(call: &AggregateCall, natural: Option<&Vec<bool>>) -> bool {
    call.arguments.first().zip(natural).is_some_and(|(argument, natural)| natural[*argument])
}

fn natural_columns(rel: &Rel, below: Option<&Vec<bool>>) -> Vec<bool> {
    match &rel.op {
        RelOp::Calc { projection, .. } => projection
            .iter()
            .map(|expr| column_of(expr).zip(below).is_some_and(|(index, below)| below[index]))
            .collect(),
        RelOp::GroupAggregate(aggregate) => {
            let keys = aggregate.keys.iter().map(|key| below.is_some_and(|below| below[*key]));
            let calls = aggregate.aggregates.iter().map(|call| match call.function {
                AggregateFunction::Count => true,
                AggregateFunction::Sum | AggregateFunction::Min | AggregateFunction::Max => is_natural(call, below),
                _ => false,
            });
            keys.chain(calls).collect()
        }
        _ => vec![false; rel.columns.len()],
    }
}

/// The aggregates of `aggregate` from which nothing is taken back: their argument moves one way only.
pub(super) fn kept(aggregate: &GroupAggregate, changes: &Changes) -> Vec<usize> {
    let Some(changes) = changes else { return Vec::new() };
    let keeps = |(index, call): &(usize, &AggregateCall)| {
        let change = changes[aggregate.keys.len() + index];
        matches!(
            (call.function, change),
            (AggregateFunction::Max, Change::Increasing) | (AggregateFunction::Min, Change::Decreasing)
        )
    };
    aggregate.aggregates.iter().enumerate().filter(keeps).map(|(index, _)| index).collect()
}
