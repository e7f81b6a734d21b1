//! The upsert keys of relations: columns that all versions of a row share and no other row has, so that `+U` by them replaces the former row.

use std::collections::BTreeSet;

use weir_plan::{Expr, ExprKind};

use crate::binder::rel::{Dag, Ranking, RankingKind, Rel, RelId, RelOp};

/// Keys, each a set of columns; there may be several, or none.
pub(in crate::binder) type Keys = BTreeSet<BTreeSet<usize>>;

/// Keys that a projection may make of one: a column that stands in it twice makes two.
const KEYS_MAX: usize = 64;

/// The upsert keys by relation.
pub(super) fn of(dag: &Dag) -> Vec<Keys> {
    let mut keys: Vec<Keys> = Vec::with_capacity(dag.len());
    for id in 0..dag.len() {
        let rel = dag.get(RelId(id));
        let input = rel.inputs.first().map(|input| &keys[input.0]);
        keys.push(of_rel(rel, input));
    }
    keys
}

/// The columns that no two rows of `id` share, as far as Flink knows them when it takes needless aggregations out: primary keys of tables and keys of groups.
pub(in crate::binder) fn unique(dag: &Dag, id: RelId) -> Keys {
    let mut chain = vec![id];
    let mut at = id;
    while let (RelOp::Calc { .. }, [input]) = (&dag.get(at).op, dag.get(at).inputs.as_slice()) {
        at = *input;
        chain.push(at);
    }
    let known = matches!(dag.get(at).op, RelOp::Scan(_) | RelOp::GroupAggregate(_));
    let first = if known { of_rel(dag.get(at), None) } else { Keys::new() };
    chain.iter().rev().skip(1).fold(first, |keys, id| of_rel(dag.get(*id), Some(&keys)))
}

fn of_rel(rel: &Rel, input: Option<&Keys>) -> Keys {
    let only = |key: &mut dyn Iterator<Item = usize>| Keys::from([key.collect()]);
    match &rel.op {
        RelOp::Scan(scan) if scan.primary_key.is_empty() => Keys::new(),
        RelOp::Scan(scan) => only(&mut scan.primary_key.iter().copied()),
        RelOp::Calc { projection, .. } => projected(projection, input),
        RelOp::Deduplicate { keys, .. } => only(&mut keys.iter().copied()),
        RelOp::GroupAggregate(aggregate) => only(&mut (0..aggregate.keys.len())),
        RelOp::Rank(ranking) => of_ranking(rel, ranking, input),
        RelOp::Sink(_) | RelOp::Sort(_) => input.cloned().unwrap_or_default(),
        // A row becomes several: what told it from the others does not any more.
        RelOp::Correlate(_)
        | RelOp::Window(_)
        | RelOp::Expand { .. }
        | RelOp::Union
        | RelOp::Over(_)
        | RelOp::WindowAggregate(_)
        | RelOp::WindowRank(_) => Keys::new(),
    }
}

/// The keys of a ranking: those of its input, and the partition with the place in it.
fn of_ranking(rel: &Rel, ranking: &Ranking, input: Option<&Keys>) -> Keys {
    let partition = || ranking.keys.iter().copied();
    if ranking.kind == RankingKind::Top && ranking.is_first() {
        return Keys::from([partition().collect()]);
    }
    let mut keys = input.cloned().unwrap_or_default();
    if ranking.number {
        keys.insert(partition().chain([rel.columns.len() - 1]).collect());
    }
    keys
}

/// The keys of `input` in the columns that show them.
fn projected(projection: &[Expr], input: Option<&Keys>) -> Keys {
    let mut keys = Keys::new();
    for key in input.into_iter().flatten() {
        // Each column of the key may stand in several places.
        let mut shown: Vec<BTreeSet<usize>> = vec![BTreeSet::new()];
        for column in key {
            let places = (0..projection.len()).filter(|at| source_column(&projection[*at]) == Some(*column));
            shown = places
                .flat_map(|at| shown.iter().map(move |part| part.iter().copied().chain([at]).collect()))
                .take(KEYS_MAX)
                .collect();
        }
        keys.extend(shown);
    }
    keys
}

/// The column whose values `expr` gives, so that unequal ones stay unequal.
fn source_column(expr: &Expr) -> Option<usize> {
    match &expr.kind {
        ExprKind::Column(index) => Some(*index),
        _ => None,
    }
}
