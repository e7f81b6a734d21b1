//! The kinds of row that each relation gives, inferred as Flink does it: from the sources up what can change at all (`kinds`), then from the sinks
//! down whether an update comes with its former row (`-U`) or by its key alone (`keys`, `sink`).
//!
//! It reads the DAG that was optimised and gives one to be laid out: a relation that one reader wants with former rows and another without
//! them stands there twice. What each operator takes, gives and asks for is in [`kinds`], [`asks`] and [`keys`]; a new operator is added there.

mod describe;
mod keys;
mod kinds;
mod monotonic;
mod sink;
mod strategies;

use std::collections::{BTreeSet, HashMap};

use weir_base::RowKind;
use weir_plan::{ChangelogMode, Expr};

use super::rel::{Dag, Rel, RelId, RelOp, columns_of};
use crate::error::SqlError;
use keys::Keys;
use monotonic::Changes;

pub(super) use keys::unique;

/// Whether an update comes with the row that it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum UpdateKind {
    /// `-U` and `+U`; also where nothing updates.
    BeforeAndAfter,
    /// `+U` alone: who reads it knows the former row by its key.
    OnlyAfter,
}

/// Relations with the kinds of row that each gives.
pub(super) struct Inferred {
    /// The relations.
    pub dag: Dag,
    /// By relation; for a sink, what it is given.
    pub modes: Vec<ChangelogMode>,
    /// By relation: the columns that tell a row's versions from other rows, if it has such keys.
    pub keys: Vec<Keys>,
}

/// Infers the kinds of row.
///
/// # Errors
/// In Flink's words, when an operator or a sink cannot take what it would be given.
pub(super) fn infer(dag: &Dag) -> Result<Inferred, SqlError> {
    let kinds = kinds::of(dag)?;
    let keys = keys::of(dag);
    let dag = strategies::chosen(dag, &kinds, &keys, &monotonic::of(dag));
    let dag = strategies::settled(dag.clone(), &only_after(&dag, &kinds, &keys));
    let only_after = only_after(&dag, &kinds, &keys);
    let changes = monotonic::of(&dag);
    let inference = Inference { dag: &dag, kinds: &kinds, keys: &keys, changes: &changes, only_after };
    let wanted = inference.wanted()?;
    Ok(inference.rebuilt(&wanted))
}

/// What is known before it is decided who gets former rows.
struct Inference<'a> {
    dag: &'a Dag,
    /// With `-U` wherever there are updates.
    kinds: &'a [ChangelogMode],
    keys: &'a [Keys],
    /// How columns change over the updates of a row.
    changes: &'a [Changes],
    /// By relation, whether it can leave former rows out.
    only_after: Vec<bool>,
}

/// What `rel` asks of its inputs where its reader wants `wanted` of it.
fn asks(rel: &Rel, wanted: UpdateKind) -> UpdateKind {
    match &rel.op {
        // These pass rows on as they come.
        RelOp::Calc { .. } | RelOp::Expand { .. } | RelOp::Window(_) | RelOp::Union | RelOp::Sink(_) => wanted,
        // Rows that only rise need not be taken back.
        RelOp::Rank(ranking) if ranking.updates.is_some() => UpdateKind::OnlyAfter,
        // These keep, fold or multiply rows: what a former row did must be undone.
        RelOp::Scan(_)
        | RelOp::Correlate(_)
        | RelOp::Deduplicate { .. }
        | RelOp::Rank(_)
        | RelOp::Over(_)
        | RelOp::Sort(_)
        | RelOp::WindowAggregate(_)
        | RelOp::WindowRank(_)
        | RelOp::GroupAggregate(_) => UpdateKind::BeforeAndAfter,
    }
}

/// Which relations can leave former rows out: a filter cannot unless it reads the key only, since the new row may not pass where the former did.
fn only_after(dag: &Dag, kinds: &[ChangelogMode], keys: &[Keys]) -> Vec<bool> {
    let mut can = Vec::with_capacity(dag.len());
    for id in 0..dag.len() {
        let rel = dag.get(RelId(id));
        let inputs = || rel.inputs.iter().all(|input| !kinds[input.0].updates() || can[input.0]);
        can.push(match (&rel.op, asks(rel, UpdateKind::OnlyAfter)) {
            (RelOp::Calc { condition: Some(condition), .. }, _) => {
                reads_key_only(condition, &keys[rel.inputs[0].0]) && inputs()
            }
            (RelOp::Rank(_), _) => true,
            (_, UpdateKind::OnlyAfter) => inputs(),
            (_, UpdateKind::BeforeAndAfter) => true,
        });
    }
    can
}

fn reads_key_only(condition: &Expr, keys: &Keys) -> bool {
    let mut read = BTreeSet::new();
    columns_of(condition, &mut read);
    keys.iter().any(|key| read.is_subset(key))
}

impl Inference<'_> {
    /// For each relation the forms in which its readers want it.
    fn wanted(&self) -> Result<Vec<BTreeSet<UpdateKind>>, SqlError> {
        let mut wanted = vec![BTreeSet::new(); self.dag.len()];
        for id in (0..self.dag.len()).rev() {
            let rel = self.dag.get(RelId(id));
            if let RelOp::Sink(spec) = &rel.op {
                wanted[id].insert(self.sink(rel, spec)?);
            }
            for form in wanted[id].clone() {
                for input in &rel.inputs {
                    let form = self.form(*input, asks(rel, form));
                    wanted[input.0].insert(form);
                }
            }
        }
        Ok(wanted)
    }

    /// The one form of a relation that does not update.
    fn form(&self, id: RelId, wanted: UpdateKind) -> UpdateKind {
        if self.kinds[id.0].updates() { wanted } else { UpdateKind::BeforeAndAfter }
    }

    /// The DAG with each relation in the forms that are wanted.
    fn rebuilt(&self, wanted: &[BTreeSet<UpdateKind>]) -> Inferred {
        let mut inferred = Inferred { dag: Dag::default(), modes: Vec::new(), keys: Vec::new() };
        let mut places: HashMap<(RelId, UpdateKind), RelId> = HashMap::new();
        for (id, forms) in wanted.iter().enumerate() {
            for form in forms {
                let mut rel = self.dag.get(RelId(id)).clone();
                let asked = asks(&rel, *form);
                for input in &mut rel.inputs {
                    *input = places[&(*input, self.form(*input, asked))];
                }
                let mode = match form {
                    UpdateKind::BeforeAndAfter => self.kinds[id],
                    UpdateKind::OnlyAfter => self.kinds[id].without(RowKind::UpdateBefore),
                };
                match &mut rel.op {
                    RelOp::Sink(spec) => spec.changelog = mode,
                    RelOp::GroupAggregate(aggregate) => aggregate.kept = monotonic::kept(aggregate, &self.changes[id]),
                    _ => {}
                }
                places.insert((RelId(id), *form), inferred.dag.add_anew(rel));
                inferred.modes.push(mode);
                inferred.keys.push(self.keys[id].clone());
            }
        }
        inferred
    }
}
