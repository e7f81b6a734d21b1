//! Relations in the words of Flink's plans: who asks, and which node gives what it cannot take.

use weir_plan::{ChangelogMode, Keep, Order, RankEnd, RankRange, SortKey};

use crate::binder::rel::{Dag, Ranking, RankingKind, Rel, RelColumn, RelId, RelOp};

/// The name under which a relation asks for rows.
pub(super) fn name(rel: &Rel) -> String {
    match &rel.op {
        RelOp::Sink(spec) => format!("Table sink '{}'", spec.table),
        RelOp::Scan(_) => "StreamPhysicalTableSourceScan".to_owned(),
        RelOp::Calc { .. } => "StreamPhysicalCalc".to_owned(),
        RelOp::Deduplicate { .. } => "StreamPhysicalRank".to_owned(),
        RelOp::Rank(ranking) => match ranking.kind {
            RankingKind::Top => "StreamPhysicalRank".to_owned(),
            RankingKind::Limit => "StreamPhysicalLimit".to_owned(),
            RankingKind::SortLimit => "StreamPhysicalSortLimit".to_owned(),
        },
        RelOp::Over(_) => "StreamPhysicalOverAggregate".to_owned(),
        RelOp::Sort(_) => "StreamPhysicalTemporalSort".to_owned(),
        RelOp::Window(_) => "StreamPhysicalWindowTableFunction".to_owned(),
        RelOp::WindowAggregate(_) => "StreamPhysicalWindowAggregate".to_owned(),
        RelOp::WindowRank(_) => "StreamPhysicalWindowRank".to_owned(),
        RelOp::Expand { .. } => "StreamPhysicalExpand".to_owned(),
        RelOp::GroupAggregate(_) => "StreamPhysicalGroupAggregate".to_owned(),
        RelOp::Correlate(_) => "StreamPhysicalCorrelate".to_owned(),
        RelOp::Union => "StreamPhysicalUnion".to_owned(),
    }
}

/// A relation that gives updates, where its inputs give `kinds`.
pub(super) fn node(dag: &Dag, id: RelId, kinds: &[ChangelogMode]) -> String {
    let rel = dag.get(id);
    let input = || &dag.get(rel.inputs[0]).columns;
    match &rel.op {
        RelOp::Deduplicate { keys, order, keep } => {
            let order = match order {
                Order::RowTime(column) => format!("ROWTIME {}", rel.columns[*column].name),
                Order::ProcTime => "PROCTIME".to_owned(),
            };
            let direction = if *keep == Keep::Last { "DESC" } else { "ASC" };
            format!(
                "Rank(strategy=[UndefinedStrategy], rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=1], partitionBy=[{}], \
                 orderBy=[{order} {direction}], select=[{}])",
                names(input(), keys),
                all_names(&rel.columns)
            )
        }
        RelOp::Rank(ranking) => ranked(rel, ranking, input()),
        RelOp::Over(over) => format!(
            "OverAggregate(partitionBy=[{}], orderBy=[{}], select=[{}])",
            names(input(), &over.keys),
            ordered(input(), &over.order),
            all_names(&rel.columns)
        ),
        RelOp::GroupAggregate(aggregate) => {
            let keys = names(input(), &aggregate.keys);
            let group_by = if keys.is_empty() { String::new() } else { format!("groupBy=[{keys}], ") };
            let outputs = rel.columns[aggregate.keys.len()..].iter();
            let retracts = if kinds[rel.inputs[0].0].is_insert_only() { "" } else { "_RETRACT" };
            let calls = aggregate.aggregates.iter().zip(outputs).map(|(call, output)| {
                let arguments =
                    if call.arguments.is_empty() { "*".to_owned() } else { names(input(), &call.arguments) };
                let distinct = if call.distinct { "DISTINCT " } else { "" };
                let filter = call.filter.map(|index| format!(" FILTER {}", input()[index].name)).unwrap_or_default();
                format!("{}{retracts}({distinct}{arguments}){filter} AS {}", call.function.name(), output.name)
            });
            let select: Vec<String> = Some(keys).filter(|keys| !keys.is_empty()).into_iter().chain(calls).collect();
            format!("GroupAggregate({group_by}select=[{}])", select.join(", "))
        }
        _ => name(rel).trim_start_matches("StreamPhysical").to_owned(),
    }
}

fn ranked(rel: &Rel, ranking: &Ranking, input: &[RelColumn]) -> String {
    let RankRange { start, end } = ranking.range;
    let order = ordered(input, &ranking.order);
    let end_text = match end {
        RankEnd::Constant(end) => end.to_string(),
        RankEnd::Column(column) => input[column].name.clone(),
    };
    let (offset, fetch) = (start - 1, if let RankEnd::Constant(end) = end { end - (start - 1) } else { 0 });
    match ranking.kind {
        RankingKind::Limit => format!("Limit(offset=[{offset}], fetch=[{fetch}])"),
        RankingKind::SortLimit => {
            format!("SortLimit(orderBy=[{order}], offset=[{offset}], fetch=[{fetch}], strategy=[UndefinedStrategy])")
        }
        RankingKind::Top => {
            let range = match end {
                RankEnd::Constant(_) => format!("rankStart={start}, rankEnd={end_text}"),
                RankEnd::Column(_) => format!("rankEnd={end_text}"),
            };
            format!(
                "Rank(strategy=[UndefinedStrategy], rankType=[ROW_NUMBER], rankRange=[{range}], partitionBy=[{}], orderBy=[{order}], select=[{}])",
                names(input, &ranking.keys),
                all_names(&rel.columns)
            )
        }
    }
}

fn ordered(columns: &[RelColumn], order: &[SortKey]) -> String {
    let key = |key: &SortKey| format!("{} {}", columns[key.column].name, if key.descending { "DESC" } else { "ASC" });
    order.iter().map(key).collect::<Vec<_>>().join(", ")
}

/// The names of the columns at `indices`.
fn names(columns: &[RelColumn], indices: &[usize]) -> String {
    indices.iter().map(|index| columns[*index].name.as_str()).collect::<Vec<_>>().join(", ")
}

fn all_names(columns: &[RelColumn]) -> String {
    columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}
