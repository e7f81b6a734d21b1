//! Merges a Calc into the Calc below it, and drops Calcs that give their input as it is.
//!
//! Two are merged only where nothing is computed more often than before: the lower one has no other reader (or computes nothing), and of
//! what it computes nothing is used twice. Where that does not hold, leading conditions on plain columns still move down.

use std::collections::HashSet;

use weir_plan::{Expr, ExprKind, Function};

use super::{add, readers, rebuilt};
use crate::binder::expr::all_of;
use crate::binder::group::substituted;
use crate::binder::over::conjuncts;
use crate::binder::rel::{Dag, Rel, RelId, RelOp};

/// Merges all that can be merged.
pub(super) fn merge(dag: &Dag, sinks: &[RelId]) -> (Dag, Vec<RelId>) {
    let readers = readers(dag, sinks);
    // Relations of the new DAG that more than one reads; what stands for a dropped Calc is read by the Calc's readers too.
    let mut shared: HashSet<RelId> = HashSet::new();
    rebuilt(dag, sinks, |id, mut rel, new| {
        let mut place = None;
        if matches!(rel.op, RelOp::Calc { .. }) {
            let below_is_shared = shared.contains(&rel.inputs[0]);
            rel = merged(rel, new, below_is_shared);
            place = is_identity(&rel, new).then(|| rel.inputs[0]);
        }
        let place = place.unwrap_or_else(|| add(rel, new));
        if readers[id.0] > 1 {
            shared.insert(place);
        }
        place
    })
}

/// `upper` with the Calcs below it folded in, as far as they can be.
fn merged(mut upper: Rel, dag: &mut Dag, shared: bool) -> Rel {
    let lower = dag.get(upper.inputs[0]).clone();
    let RelOp::Calc { condition: lower_condition, projection: lower_projection } = &lower.op else { return upper };
    let RelOp::Calc { condition, projection } = &upper.op else { return upper };
    let computes = lower_condition.is_some() || lower_projection.iter().any(|expr| !is_plain(expr));
    if shared && computes {
        return upper;
    }
    if !uses_at_most_once(condition.iter().chain(projection), lower_projection) {
        return if shared { upper } else { condition_moved_down(upper, lower, dag) };
    }
    let condition =
        both(lower_condition.as_ref(), condition.as_ref().map(|upper| substituted(upper, lower_projection)));
    let projection: Vec<Expr> = projection.iter().map(|expr| substituted(expr, lower_projection)).collect();
    upper.op = RelOp::Calc { condition, projection };
    upper.inputs = lower.inputs;
    upper
}

/// Moves the leading parts of the upper condition that read plain columns below the lower projection.
fn condition_moved_down(mut upper: Rel, mut lower: Rel, dag: &mut Dag) -> Rel {
    let RelOp::Calc { condition: upper_condition @ Some(_), .. } = &mut upper.op else { return upper };
    let RelOp::Calc { condition, projection } = &mut lower.op else { return upper };
    let taken = upper_condition.take().expect("the condition was just seen");
    let span = taken.span;
    let mut rest = conjuncts(taken);
    let plain = rest.iter().take_while(|part| reads_plain_columns(part, projection)).count();
    let moved: Vec<Expr> = rest.drain(..plain).map(|part| substituted(&part, projection)).collect();
    *upper_condition = joined(rest, span);
    if plain > 0 {
        *condition = both(condition.as_ref(), joined(moved, span));
        upper.inputs = vec![dag.add(lower)];
    }
    upper
}

fn joined(mut parts: Vec<Expr>, span: weir_base::Span) -> Option<Expr> {
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(all_of(Function::And, parts, span)),
    }
}

/// `first AND second`, in this order: what the first keeps out, the second never sees.
fn both(first: Option<&Expr>, second: Option<Expr>) -> Option<Expr> {
    match (first, second) {
        (Some(first), Some(second)) => {
            let span = second.span;
            let parts = conjuncts(first.clone()).into_iter().chain(conjuncts(second)).collect();
            joined(parts, span)
        }
        (Some(first), None) => Some(first.clone()),
        (None, second) => second,
    }
}

/// Whether `expr` costs nothing to evaluate again.
fn is_plain(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) => true,
        ExprKind::Field(inner, _) => is_plain(inner),
        _ => false,
    }
}

fn reads_plain_columns(part: &Expr, projection: &[Expr]) -> bool {
    let mut plain = true;
    part.visit(&mut |inner| {
        if let ExprKind::Column(index) = inner.kind {
            plain &= is_plain(&projection[index]);
        }
    });
    plain
}

fn uses_at_most_once<'e>(exprs: impl Iterator<Item = &'e Expr>, projection: &[Expr]) -> bool {
    let mut uses = vec![0_usize; projection.len()];
    for expr in exprs {
        expr.visit(&mut |part| {
            if let ExprKind::Column(index) = part.kind {
                uses[index] += 1;
            }
        });
    }
    uses.iter().zip(projection).all(|(uses, expr)| *uses <= 1 || is_plain(expr))
}

/// Whether a Calc gives the columns of its input, all and in order; names do not matter below a sink.
fn is_identity(rel: &Rel, dag: &Dag) -> bool {
    let RelOp::Calc { condition: None, projection } = &rel.op else { return false };
    let below = &dag.get(rel.inputs[0]).columns;
    projection.len() == below.len()
        && projection.iter().enumerate().all(|(at, expr)| matches!(expr.kind, ExprKind::Column(index) if index == at))
}
