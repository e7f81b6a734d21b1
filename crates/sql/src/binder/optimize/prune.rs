//! Drops columns that nobody reads. A relation with several readers keeps what any of them reads.

use std::collections::BTreeSet;

use weir_plan::{Order, RankEnd, RowWindows, SourceColumn, TimeDomain, WatermarkSpec};

use super::{add, reachable, rebuilt};
use crate::binder::changelog::unique;
use crate::binder::rel::{Dag, OverCall, Rel, RelId, RelOp, Scan, columns_of};
use crate::binder::source::shift_columns;

type Wanted = BTreeSet<usize>;

/// Prunes all relations.
pub(super) fn prune(dag: &Dag, sinks: &[RelId]) -> (Dag, Vec<RelId>) {
    let wanted = wanted(dag, sinks);
    rebuilt(dag, sinks, |id, rel, new| {
        let inputs: Vec<&Wanted> = dag.get(id).inputs.iter().map(|input| &wanted[input.0]).collect();
        let pruned = pruned(rel, &wanted[id.0], &inputs, new);
        add(pruned, new)
    })
}

/// The columns of each relation that are read, by its readers or by itself.
fn wanted(dag: &Dag, sinks: &[RelId]) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = vec![Wanted::new(); dag.len()];
    for id in reachable(dag, sinks).into_iter().rev() {
        let rel = dag.get(id);
        let all = 0..rel.columns.len();
        match &rel.op {
            RelOp::Sink(_) | RelOp::WindowAggregate(_) => wanted[id.0].extend(all),
            RelOp::GroupAggregate(aggregate) => wanted[id.0].extend(0..aggregate.keys.len()),
            _ => {}
        }
        // A batch without columns cannot say how many rows it has.
        if wanted[id.0].is_empty() {
            wanted[id.0].insert(0);
        }
        want(dag, id, &mut wanted);
    }
    wanted
}

/// Adds what the relation `id` reads, by itself and for its readers.
fn want(dag: &Dag, id: RelId, wanted: &mut [Wanted]) {
    let rel = dag.get(id);
    let mine = wanted[id.0].clone();
    match &rel.op {
        RelOp::Scan(scan) => {
            if let Some(watermark) = &scan.spec.watermark {
                wanted[id.0].insert(watermark.column);
                columns_of(&watermark.expression, &mut wanted[id.0]);
            }
        }
        RelOp::Calc { condition, projection } => {
            let input = &mut wanted[rel.inputs[0].0];
            let read = mine.iter().map(|index| &projection[*index]);
            condition.iter().chain(read).for_each(|expr| columns_of(expr, input));
        }
        RelOp::Sort(order) => {
            wanted[id.0].extend(order.iter().map(|key| key.column));
            let mine = wanted[id.0].clone();
            wanted[rel.inputs[0].0].extend(mine);
        }
        RelOp::Correlate(spec) => {
            // The element's columns stay together: they are made together.
            wanted[id.0].extend(spec.kept.len()..rel.columns.len());
            let input = &mut wanted[rel.inputs[0].0];
            input.extend(mine.iter().filter_map(|index| spec.kept.get(*index)));
            columns_of(&spec.collection, input);
        }
        RelOp::Expand { projections } => {
            let input = &mut wanted[rel.inputs[0].0];
            for projection in projections {
                mine.iter().for_each(|index| columns_of(&projection[*index], input));
            }
        }
        RelOp::Union => rel.inputs.iter().for_each(|input| wanted[input.0].extend(&mine)),
        RelOp::Sink(_) => wanted[rel.inputs[0].0].extend(mine),
        _ => want_keyed(dag, id, mine, wanted),
    }
}

/// The same for relations that keep rows by a key.
fn want_keyed(dag: &Dag, id: RelId, mine: Wanted, wanted: &mut [Wanted]) {
    let rel = dag.get(id);
    match &rel.op {
        RelOp::Over(over) => {
            let width = dag.get(rel.inputs[0]).columns.len();
            let mut over = over.clone();
            let mut read: Vec<usize> =
                over.calls.iter_mut().flat_map(OverCall::columns_mut).map(|column| *column).collect();
            read.extend(over.keys.iter().copied().chain(over.order.iter().map(|key| key.column)));
            wanted[id.0].extend(read.into_iter().chain(width..rel.columns.len()));
            let mine: Vec<usize> = wanted[id.0].iter().copied().filter(|index| *index < width).collect();
            wanted[rel.inputs[0].0].extend(mine);
        }
        RelOp::Rank(ranking) => {
            let width = dag.get(rel.inputs[0]).columns.len();
            let input = rel.inputs[0];
            let read = ranking.keys.iter().copied().chain(ranking.order.iter().map(|key| key.column));
            // What tells rows apart stays: rows that are updated are found by it.
            let keys = unique(dag, input).into_iter().next().into_iter().flatten();
            let end = match ranking.range.end {
                RankEnd::Column(column) => Some(column),
                RankEnd::Constant(_) => None,
            };
            wanted[id.0].extend(read.chain(keys).chain(end));
            let mine: Vec<usize> = wanted[id.0].iter().copied().filter(|index| *index < width).collect();
            wanted[input.0].extend(mine);
        }
        RelOp::Deduplicate { keys, order, .. } => {
            wanted[id.0].extend(keys);
            if let Order::RowTime(index) = order {
                wanted[id.0].insert(*index);
            }
            let mine = wanted[id.0].clone();
            wanted[rel.inputs[0].0].extend(mine);
        }
        RelOp::Window(window) => {
            let width = rel.columns.len() - 3;
            wanted[id.0].extend(width..width + 3);
            wanted[id.0].extend(&window.keys);
            if let TimeDomain::Event(index) = window.time {
                wanted[id.0].insert(index);
            }
            let mine: Vec<usize> = wanted[id.0].iter().copied().filter(|index| *index < width).collect();
            wanted[rel.inputs[0].0].extend(mine);
        }
        RelOp::WindowAggregate(spec) => {
            let mut read: Vec<usize> = spec.keys.clone();
            read.extend(spec.aggregates.iter().flat_map(|call| call.arguments.iter().copied().chain(call.filter)));
            if let RowWindows::Time(TimeDomain::Event(index)) | RowWindows::End(index) = spec.rows {
                read.push(index);
            }
            wanted[rel.inputs[0].0].extend(read);
        }
        RelOp::GroupAggregate(aggregate) => {
            let first = aggregate.keys.len();
            let calls = mine.iter().filter_map(|index| aggregate.aggregates.get(index.checked_sub(first)?));
            let read = calls.flat_map(|call| call.arguments.iter().copied().chain(call.filter));
            wanted[rel.inputs[0].0].extend(aggregate.keys.iter().copied().chain(read));
        }
        RelOp::WindowRank(spec) => {
            let width = rel.columns.len() - 1;
            wanted[id.0].extend(spec.keys.iter().chain(spec.order.iter().map(|key| &key.column)).chain([&spec.end]));
            wanted[id.0].insert(width);
            let mine: Vec<usize> = wanted[id.0].iter().copied().filter(|index| *index < width).collect();
            wanted[rel.inputs[0].0].extend(mine);
        }
        _ => {}
    }
}

/// Where a kept column stands among those that are kept.
fn place(kept: &Wanted, index: usize) -> usize {
    kept.range(..index).count()
}

fn pruned(mut rel: Rel, kept: &Wanted, inputs: &[&Wanted], dag: &mut Dag) -> Rel {
    // Relations that pass their input's columns on take just those that they give; another reader may want more.
    let passed = match &rel.op {
        RelOp::Deduplicate { .. } | RelOp::Sort(_) | RelOp::Union => Some(rel.columns.len()),
        RelOp::Over(over) => Some(rel.columns.len() - over.calls.len()),
        RelOp::Rank(ranking) => Some(rel.columns.len() - usize::from(ranking.number)),
        RelOp::Window(_) => Some(rel.columns.len() - 3),
        RelOp::WindowRank(_) => Some(rel.columns.len() - 1),
        RelOp::Scan(_)
        | RelOp::Calc { .. }
        | RelOp::Correlate(_)
        | RelOp::Expand { .. }
        | RelOp::WindowAggregate(_)
        | RelOp::GroupAggregate(_)
        | RelOp::Sink(_) => None,
    };
    let passed: Option<Wanted> = passed.map(|width| kept.iter().copied().filter(|index| *index < width).collect());
    if let Some(passed) = &passed {
        for (input, has) in rel.inputs.iter_mut().zip(inputs) {
            *input = narrowed(*input, has, passed, dag);
        }
    }
    let input = passed.as_ref().or(inputs.first().copied());
    let below = |index: usize| input.map_or(index, |kept| place(kept, index));
    let width = rel.columns.len();
    shift(&mut rel.op, kept, width, &below);
    rel.columns = kept.iter().map(|index| rel.columns[*index].clone()).collect();
    rel
}

/// What `op` does over its pruned input, whose columns stand where `below` says.
fn shift(op: &mut RelOp, kept: &Wanted, width: usize, below: &dyn Fn(usize) -> usize) {
    match op {
        RelOp::Scan(scan) => prune_scan(scan, kept),
        RelOp::Calc { condition, projection } => {
            *projection = kept.iter().map(|index| projection[*index].clone()).collect();
            condition.iter_mut().chain(projection).for_each(|expr| shift_columns(expr, below));
        }
        RelOp::Sort(order) => order.iter_mut().for_each(|key| key.column = below(key.column)),
        RelOp::Expand { projections } => {
            for projection in projections {
                *projection = kept.iter().map(|index| projection[*index].clone()).collect();
                projection.iter_mut().for_each(|expr| shift_columns(expr, below));
            }
        }
        RelOp::Correlate(spec) => {
            spec.kept = kept.iter().filter_map(|index| spec.kept.get(*index)).map(|index| below(*index)).collect();
            shift_columns(&mut spec.collection, below);
        }
        _ => shift_keyed(op, kept, width, below),
    }
}

/// The same for relations that keep rows by a key.
fn shift_keyed(op: &mut RelOp, kept: &Wanted, width: usize, below: &dyn Fn(usize) -> usize) {
    match op {
        RelOp::Over(over) => {
            let places = over.keys.iter_mut().chain(over.order.iter_mut().map(|key| &mut key.column));
            places
                .chain(over.calls.iter_mut().flat_map(OverCall::columns_mut))
                .for_each(|column| *column = below(*column));
        }
        RelOp::Rank(ranking) => {
            ranking.number &= kept.contains(&(width - 1));
            let places = ranking.keys.iter_mut().chain(ranking.order.iter_mut().map(|key| &mut key.column));
            places.for_each(|column| *column = below(*column));
            if let RankEnd::Column(column) = &mut ranking.range.end {
                *column = below(*column);
            }
        }
        RelOp::Deduplicate { keys, order, .. } => {
            keys.iter_mut().for_each(|key| *key = below(*key));
            if let Order::RowTime(index) = order {
                *index = below(*index);
            }
        }
        RelOp::Window(window) => {
            window.keys.iter_mut().for_each(|key| *key = below(*key));
            if let TimeDomain::Event(index) = &mut window.time {
                *index = below(*index);
            }
        }
        RelOp::WindowAggregate(spec) => {
            spec.keys.iter_mut().for_each(|key| *key = below(*key));
            for call in &mut spec.aggregates {
                call.arguments.iter_mut().chain(&mut call.filter).for_each(|index| *index = below(*index));
            }
            if let RowWindows::Time(TimeDomain::Event(index)) | RowWindows::End(index) = &mut spec.rows {
                *index = below(*index);
            }
        }
        RelOp::GroupAggregate(aggregate) => {
            let mut index = aggregate.keys.len();
            aggregate.aggregates.retain(|_| {
                index += 1;
                kept.contains(&(index - 1))
            });
            aggregate.keys.iter_mut().for_each(|key| *key = below(*key));
            for call in &mut aggregate.aggregates {
                call.arguments.iter_mut().chain(&mut call.filter).for_each(|index| *index = below(*index));
            }
        }
        RelOp::WindowRank(spec) => {
            spec.keys.iter_mut().for_each(|key| *key = below(*key));
            spec.order.iter_mut().for_each(|key| key.column = below(key.column));
            spec.end = below(spec.end);
        }
        _ => {}
    }
}

/// `input`, which has the columns `has`, with the columns `needs` only.
fn narrowed(input: RelId, has: &Wanted, needs: &Wanted, dag: &mut Dag) -> RelId {
    if has == needs {
        return input;
    }
    let all = dag.pass(input);
    let columns = needs.iter().map(|index| all[place(has, *index)].clone()).collect();
    let span = dag.get(input).span;
    dag.calc(input, None, columns, span)
}

fn prune_scan(scan: &mut Scan, kept: &Wanted) {
    let primary_key = &mut scan.primary_key;
    if primary_key.iter().any(|index| !kept.contains(index)) {
        primary_key.clear();
    }
    primary_key.iter_mut().for_each(|index| *index = place(kept, *index));
    let spec = &mut scan.spec;
    spec.projection = kept.iter().map(|index| spec.projection[*index].clone()).collect();
    if let Some(WatermarkSpec { column, expression, .. }) = &mut spec.watermark {
        *column = place(kept, *column);
        shift_columns(expression, |index| place(kept, index));
    }
    let mut read = Wanted::new();
    spec.projection.iter().for_each(|expr| columns_of(expr, &mut read));
    let columns: Vec<SourceColumn> = read.iter().map(|index| spec.columns[*index].clone()).collect();
    spec.columns = columns;
    spec.projection.iter_mut().for_each(|expr| shift_columns(expr, |index| place(&read, index)));
}
