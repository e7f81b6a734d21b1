//! From rankings, OVER aggregations and sorts to what the engine does.

use std::time::Duration;

use weir_plan::{
    AggregateCall, AggregateFunction, DataType, LogicalType, Operator, OverFunction, OverSpec, RankSpec, RankStrategy,
    SortKey,
};

use super::over::checked;
use super::rel::{Over, OverCall, Ranking, RankingKind, Rel, RelColumn};
use super::scope::Attribute;
use crate::error::SqlError;

/// The ranking's operator. `insert_only`: its input gives nothing else.
pub(super) fn rank(ranking: &Ranking, below: &[RelColumn], insert_only: bool, state_ttl: Duration) -> Operator {
    // The rows of one partition have no processing time that would tell them apart: they stand as they came.
    let by_arrival = |key: &SortKey| below[key.column].attribute == Attribute::ProcTime;
    let first_rows = match ranking.order.as_slice() {
        [] => ranking.kind == RankingKind::Limit,
        [key] => by_arrival(key) && !key.descending,
        _ => false,
    };
    let strategy = match &ranking.updates {
        _ if insert_only && first_rows => RankStrategy::FirstRows,
        _ if insert_only => RankStrategy::AppendFast,
        Some(key) => RankStrategy::UpdateFast(key.clone()),
        None => RankStrategy::Retract,
    };
    Operator::Rank(Box::new(RankSpec {
        keys: ranking.keys.clone(),
        order: ranking.order.iter().filter(|key| !by_arrival(key)).copied().collect(),
        range: ranking.range,
        number: ranking.number,
        strategy,
        state_ttl,
    }))
}

/// The OVER aggregation's operator.
///
/// # Errors
/// When Flink does not plan it on streams.
pub(super) fn over(rel: &Rel, over: &Over, below: &[RelColumn], state_ttl: Duration) -> Result<Operator, SqlError> {
    let order = checked(rel, over, below)?;
    // On streams Flink counts rows for all three: a row that is equal in the order is counted, too.
    let count = || AggregateCall {
        function: AggregateFunction::Count,
        arguments: Vec::new(),
        argument_types: Vec::new(),
        distinct: false,
        filter: None,
        separator: None,
        data_type: DataType::not_null(LogicalType::BigInt),
    };
    let function = |call: &OverCall| match call {
        OverCall::Rank(_) => OverFunction::Aggregate(count()),
        OverCall::Function(function) => function.clone(),
    };
    Ok(Operator::Over(Box::new(OverSpec {
        keys: over.keys.clone(),
        order,
        frame: over.frame,
        functions: over.calls.iter().map(function).collect(),
        state_ttl,
    })))
}

/// The name of a ranking in Flink's dashboard, and in the uid.
pub(super) fn rank_name(kind: RankingKind) -> (&'static str, &'static str) {
    match kind {
        RankingKind::Top => ("Rank", "rank"),
        RankingKind::Limit => ("Limit", "limit"),
        RankingKind::SortLimit => ("SortLimit", "sort-limit"),
    }
}
