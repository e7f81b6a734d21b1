//! Rankings as Flink's plans write them.

use weir_plan::{RankEnd, RankRange, RankSpec, RankStrategy, Schema, SortKey};

use super::{columns, duration};

/// A ranking.
pub(super) fn rank(spec: &RankSpec, input: Option<&Schema>) -> String {
    let RankRange { start, end } = spec.range;
    let range = match end {
        RankEnd::Constant(end) => format!("rankStart={start}, rankEnd={end}"),
        RankEnd::Column(column) => format!("rankEnd={}", columns(input, &[column])),
    };
    format!(
        "Rank(strategy=[{}], rankType=[ROW_NUMBER], rankRange=[{range}], partitionBy=[{}], orderBy=[{}])",
        strategy(&spec.strategy, input),
        columns(input, &spec.keys),
        order(&spec.order, input)
    )
}

fn strategy(strategy: &RankStrategy, input: Option<&Schema>) -> String {
    match strategy {
        RankStrategy::FirstRows | RankStrategy::AppendFast => "AppendFastStrategy".to_owned(),
        RankStrategy::UpdateFast(keys) => format!("UpdateFastStrategy[{}]", columns(input, keys)),
        RankStrategy::Retract => "RetractStrategy".to_owned(),
    }
}

/// The keys of an ORDER BY.
pub(super) fn order(order: &[SortKey], input: Option<&Schema>) -> String {
    let key = |key: &SortKey| {
        let direction = if key.descending { "DESC" } else { "ASC" };
        let nulls = match (key.descending, key.nulls_last) {
            (false, true) => " NULLS LAST",
            (true, false) => " NULLS FIRST",
            _ => "",
        };
        format!("{} {direction}{nulls}", columns(input, &[key.column]))
    };
    order.iter().map(key).collect::<Vec<_>>().join(", ")
}

/// What a ranking remembers between records.
pub(super) fn rank_state(spec: &RankSpec, input: Option<&Schema>) -> String {
    let ttl = if spec.state_ttl.is_zero() {
        "no time to live".to_owned()
    } else {
        format!("time to live {}", duration(spec.state_ttl))
    };
    let rows = match (&spec.strategy, spec.range.end) {
        (RankStrategy::FirstRows, _) => "a count".to_owned(),
        (RankStrategy::Retract, _) => "all rows".to_owned(),
        (_, RankEnd::Constant(1)) => "the first row".to_owned(),
        (_, RankEnd::Constant(end)) => format!("the first {end} rows"),
        (_, RankEnd::Column(_)) => "the first rows".to_owned(),
    };
    let keys = if spec.keys.is_empty() { String::new() } else { format!(" for each ({})", columns(input, &spec.keys)) };
    format!("[{rows}{keys}, {ttl}]")
}
