//! How rankings are kept up to date, chosen as Flink chooses it.
//!
//! Rows that are updated by a key and only ever rise in the order need no former versions: what falls out of the range never comes back
//! (`UpdateFast`). All other
//! updating input is kept whole. A deduplication of rows that are updated is such a ranking, too.

use weir_base::RowKind;
use weir_plan::{ChangelogMode, Keep, Order, RankEnd, RankRange, SortKey};

use super::keys::Keys;
use super::monotonic::{Change, Changes};
use crate::binder::rel::{Dag, Ranking, RankingKind, RelId, RelOp};

/// The DAG with its rankings' strategies.
pub(super) fn chosen(dag: &Dag, kinds: &[ChangelogMode], keys: &[Keys], changes: &[Changes]) -> Dag {
    let mut new = Dag::default();
    for index in 0..dag.len() {
        let mut rel = dag.get(RelId(index)).clone();
        let updating = rel.inputs.first().filter(|input| !kinds[input.0].is_insert_only()).copied();
        if let Some(input) = updating {
            if let RelOp::Deduplicate { keys, order, keep } = &rel.op {
                rel.op = RelOp::Rank(Box::new(as_ranking(keys, *order, *keep)));
            }
            if let RelOp::Rank(ranking) = &mut rel.op {
                let deletes = kinds[input.0].contains(RowKind::Delete);
                let changes = changes[input.0].as_deref().filter(|_| !deletes);
                ranking.updates = changes.and_then(|changes| updates(ranking, &keys[input.0], changes));
            }
        }
        new.add_anew(rel);
    }
    new
}

/// The DAG where rankings whose input cannot leave former rows out take all changes.
pub(super) fn settled(dag: Dag, only_after: &[bool]) -> Dag {
    let mut new = Dag::default();
    for index in 0..dag.len() {
        let mut rel = dag.get(RelId(index)).clone();
        if let RelOp::Rank(ranking) = &mut rel.op
            && !only_after[rel.inputs[0].0]
        {
            ranking.updates = None;
        }
        new.add_anew(rel);
    }
    new
}

fn as_ranking(keys: &[usize], order: Order, keep: Keep) -> Ranking {
    let descending = keep == Keep::Last;
    let order = match order {
        Order::RowTime(column) => vec![SortKey { column, descending, nulls_last: descending }],
        Order::ProcTime => Vec::new(),
    };
    let range = RankRange { start: 1, end: RankEnd::Constant(1) };
    Ranking { kind: RankingKind::Top, keys: keys.to_vec(), order, range, number: false, updates: None }
}

/// The key by which the input's rows are updated, if they only rise in the order of `ranking`.
fn updates(ranking: &Ranking, keys: &Keys, changes: &[Change]) -> Option<Vec<usize>> {
    let key = keys.iter().find(|key| ranking.keys.iter().all(|column| key.contains(column)))?;
    let rises = |sort: &SortKey| match changes[sort.column] {
        Change::Constant => true,
        Change::Increasing => sort.descending,
        Change::Decreasing => !sort.descending,
        Change::Any => false,
    };
    (!ranking.order.is_empty() && ranking.order.iter().all(rises)).then(|| key.iter().copied().collect())
}
