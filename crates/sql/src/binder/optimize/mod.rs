//! Rewrites of the DAG before it is laid out: Calcs merged, columns pruned, filters moved into sources, Calcs that do nothing dropped.
//!
//! Each pass reads a DAG and builds a new one from the sinks' side; none changes which rows come out, or which errors they meet.

mod merge;
mod prune;
mod push;

use std::collections::BTreeSet;

use super::over::checked;
use super::rel::{Dag, Rel, RelId, RelOp};
use crate::error::SqlError;

/// The DAG that is laid out, holding only what `sinks` need.
///
/// # Errors
/// When an OVER aggregation is left that Flink does not plan on streams.
pub(super) fn optimize(dag: &Dag, sinks: &[RelId]) -> Result<Dag, SqlError> {
    for id in reachable(dag, sinks) {
        let rel = dag.get(id);
        if let RelOp::Over(over) = &rel.op {
            checked(rel, over, &dag.get(rel.inputs[0]).columns)?;
        }
    }
    let (dag, sinks) = merge::merge(dag, sinks);
    let (dag, sinks) = prune::prune(&dag, &sinks);
    let (dag, sinks) = merge::merge(&dag, &sinks);
    let (dag, sinks) = push::push(&dag, &sinks);
    // A pruned Calc, and one whose filter went into the source, may do nothing now, or can merge with the next.
    let (dag, sinks) = merge::merge(&dag, &sinks);
    Ok(copied(&dag, &sinks))
}

/// The relations that `sinks` need, inputs first.
fn reachable(dag: &Dag, sinks: &[RelId]) -> BTreeSet<RelId> {
    let mut seen = BTreeSet::new();
    let mut todo = sinks.to_vec();
    while let Some(id) = todo.pop() {
        if seen.insert(id) {
            todo.extend(&dag.get(id).inputs);
        }
    }
    seen
}

/// How many edges read each relation.
fn readers(dag: &Dag, sinks: &[RelId]) -> Vec<usize> {
    let mut readers = vec![0; dag.len()];
    for id in reachable(dag, sinks) {
        for input in &dag.get(id).inputs {
            readers[input.0] += 1;
        }
    }
    readers
}

/// Builds a new DAG: `change` sees each relation, inputs first and already renumbered, and adds what shall stand for it.
fn rebuilt(dag: &Dag, sinks: &[RelId], mut change: impl FnMut(RelId, Rel, &mut Dag) -> RelId) -> (Dag, Vec<RelId>) {
    let mut new = Dag::default();
    let mut places: Vec<Option<RelId>> = vec![None; dag.len()];
    for id in reachable(dag, sinks) {
        let mut rel = dag.get(id).clone();
        for input in &mut rel.inputs {
            *input = places[input.0].expect("inputs come before the relations that read them");
        }
        places[id.0] = Some(change(id, rel, &mut new));
    }
    let sinks = sinks.iter().map(|sink| places[sink.0].expect("every sink was rebuilt")).collect();
    (new, sinks)
}

/// The same DAG without what no sink needs.
fn copied(dag: &Dag, sinks: &[RelId]) -> Dag {
    rebuilt(dag, sinks, |_, rel, new| add(rel, new)).0
}

fn add(rel: Rel, dag: &mut Dag) -> RelId {
    if matches!(rel.op, RelOp::Sink(_)) { dag.add_anew(rel) } else { dag.add(rel) }
}
