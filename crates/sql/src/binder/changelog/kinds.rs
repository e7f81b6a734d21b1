//! What can change at all: the kinds of row that each relation takes and gives, before it is decided whether updates come with their former rows.

use weir_base::RowKind;
use weir_plan::{ChangelogMode, Keep, WindowKind, WindowSpec};

use super::describe::{name, node};
use crate::binder::refusal::{not_supported, refuse};
use crate::binder::rel::{Dag, Rel, RelId, RelOp, Window};
use crate::error::SqlError;

/// What a relation takes of its inputs.
enum Takes {
    /// All kinds of row.
    All,
    /// What its reader takes: it passes rows on.
    AsReader,
    /// Inserts only, in Flink as here.
    InsertOnly,
    /// All but deletes.
    NoDeletes,
    /// Inserts only; Flink takes more: what is not there yet.
    InsertsYet(&'static str),
}

fn takes(rel: &Rel) -> Takes {
    match &rel.op {
        RelOp::Scan(_)
        | RelOp::GroupAggregate(_)
        | RelOp::WindowAggregate(_)
        | RelOp::Rank(_)
        | RelOp::Deduplicate { .. } => Takes::All,
        RelOp::Over(over) if !over.by_time => Takes::All,
        RelOp::Over(_) | RelOp::Sort(_) => Takes::InsertOnly,
        RelOp::Window(Window { spec: WindowSpec { kind: WindowKind::Session { .. }, .. }, .. }) => {
            Takes::InsertsYet("SESSION without its aggregation over rows that are updated or deleted")
        }
        RelOp::Calc { .. } | RelOp::Correlate(_) | RelOp::Expand { .. } | RelOp::Window(_) | RelOp::Union => {
            Takes::AsReader
        }
        RelOp::WindowRank(_) => Takes::InsertsYet("the first rows of windows over rows that are updated or deleted"),
        RelOp::Sink(spec) if spec.changelog.is_insert_only() => Takes::InsertOnly,
        RelOp::Sink(spec) if !spec.changelog.contains(RowKind::Delete) => Takes::NoDeletes,
        RelOp::Sink(_) => Takes::All,
    }
}

/// What `rel` gives, where its inputs give `below`; with `-U` wherever there is `+U`.
fn gives(rel: &Rel, below: ChangelogMode) -> ChangelogMode {
    match &rel.op {
        RelOp::Scan(_) | RelOp::WindowAggregate(_) | RelOp::WindowRank(_) => ChangelogMode::INSERT_ONLY,
        RelOp::Calc { .. } | RelOp::Correlate(_) | RelOp::Expand { .. } | RelOp::Window(_) | RelOp::Union => below,
        RelOp::Sort(_) | RelOp::Sink(_) => below,
        RelOp::Over(over) if over.by_time => ChangelogMode::INSERT_ONLY,
        RelOp::Over(_) => ChangelogMode::ALL,
        RelOp::Rank(ranking) if below.is_insert_only() && ranking.is_insert_only() => ChangelogMode::INSERT_ONLY,
        RelOp::Rank(_) => ChangelogMode::ALL,
        RelOp::Deduplicate { .. } if !below.is_insert_only() => ChangelogMode::ALL,
        // A group may go only where rows can go.
        RelOp::GroupAggregate(_) if below.is_insert_only() => ChangelogMode::ALL.without(RowKind::Delete),
        RelOp::GroupAggregate(_) => ChangelogMode::ALL,
        RelOp::Deduplicate { keep: Keep::First, .. } => ChangelogMode::INSERT_ONLY,
        RelOp::Deduplicate { keep: Keep::Last, .. } => ChangelogMode::ALL,
    }
}

/// The kinds of row by relation.
///
/// # Errors
/// When a relation takes no updates or deletes, and would be given some.
pub(super) fn of(dag: &Dag) -> Result<Vec<ChangelogMode>, SqlError> {
    let mut kinds: Vec<ChangelogMode> = Vec::with_capacity(dag.len());
    for id in 0..dag.len() {
        let rel = dag.get(RelId(id));
        let below = rel
            .inputs
            .iter()
            .map(|input| kinds[input.0])
            .reduce(ChangelogMode::union)
            .unwrap_or(ChangelogMode::INSERT_ONLY);
        if !below.is_insert_only() {
            match takes(rel) {
                Takes::All | Takes::AsReader => {}
                Takes::NoDeletes if !deletes(dag, rel, &kinds) => {}
                Takes::InsertOnly | Takes::NoDeletes => return Err(cannot_consume(dag, rel, &kinds)),
                Takes::InsertsYet(what) => return Err(not_supported(rel.span, what)),
            }
        }
        kinds.push(gives(rel, below));
    }
    Ok(kinds)
}

/// Whether an input of `rel` really deletes: of last rows Flink says so, though as long as rows are only inserted there is always one.
fn deletes(dag: &Dag, rel: &Rel, kinds: &[ChangelogMode]) -> bool {
    let mut todo = rel.inputs.clone();
    while let Some(id) = todo.pop() {
        let below = dag.get(id);
        match (takes(below), &below.op) {
            _ if !kinds[id.0].contains(RowKind::Delete) => {}
            (Takes::AsReader, _) => todo.extend(&below.inputs),
            (_, RelOp::Deduplicate { .. }) => {}
            _ => return true,
        }
    }
    false
}

fn cannot_consume(dag: &Dag, rel: &Rel, kinds: &[ChangelogMode]) -> SqlError {
    let producer = producer(dag, rel, kinds);
    let given = kinds[producer.0];
    let takes_updates = matches!(takes(rel), Takes::NoDeletes);
    let what = match (given.updates() && !takes_updates, given.contains(RowKind::Delete)) {
        (true, true) => "update and delete",
        (true, false) => "update",
        _ => "delete",
    };
    let error = refuse(
        rel.span,
        format!(
            "{} doesn't support consuming {what} changes which is produced by node {}",
            name(rel),
            node(dag, producer, kinds)
        ),
    );
    error.hint(match &rel.op {
        RelOp::Sink(_) => {
            "choose a sink that takes updates, or write rows that are final: aggregate in windows, keep the first row (ORDER BY ... ASC)"
        }
        _ => "let it read rows that are only inserted: aggregate in windows, keep the first row (ORDER BY ... ASC)",
    })
}

/// The relation below `rel` that makes the updates; what passes them on is not to blame.
fn producer(dag: &Dag, rel: &Rel, kinds: &[ChangelogMode]) -> RelId {
    let updating = |rel: &Rel| rel.inputs.iter().copied().find(|input| !kinds[input.0].is_insert_only());
    let mut at = updating(rel).expect("an input gives more than inserts");
    loop {
        let below = dag.get(at);
        match (takes(below), updating(below)) {
            (Takes::AsReader, Some(next)) => at = next,
            _ => return at,
        }
    }
}
