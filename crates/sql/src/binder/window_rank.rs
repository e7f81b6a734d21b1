//! Ranking within windows: `ROW_NUMBER() OVER (PARTITION BY window_start, window_end ...)` becomes an operator that gives its rows when the window ends.

use weir_base::Span;
use weir_plan::{DataType, LogicalType, SortKey, WindowRankSpec};

use super::query::QueryBinder;
use super::refusal::refuse;
use super::rel::{Rel, RelColumn, RelId, RelOp};
use super::scope::Attribute;
use crate::error::SqlError;

/// A ranking as it is written.
pub(super) struct WindowRanking<'a> {
    /// What is ranked.
    pub input: RelId,
    /// `PARTITION BY`
    pub keys: &'a [usize],
    /// `ORDER BY`
    pub order: &'a [SortKey],
    /// The first place that is asked for, from 1.
    pub first: u64,
    /// The last place that is asked for; `None`: a column says it.
    pub last: Option<u64>,
    /// The function: ROW_NUMBER, RANK, DENSE_RANK.
    pub function: &'a str,
    /// Where it stands.
    pub span: Span,
}

impl QueryBinder<'_> {
    /// The ranking within windows, its place as the last column; `None` where PARTITION BY names no window.
    pub(super) fn window_rank(&mut self, ranking: &WindowRanking<'_>) -> Result<Option<RelId>, SqlError> {
        let Some(windows) = self.dag.windows_of(ranking.input) else { return Ok(None) };
        let names = |columns: &[usize]| ranking.keys.iter().any(|key| columns.contains(key));
        if !names(&windows.starts) || !names(&windows.ends) {
            return Ok(None);
        }
        let below = self.dag.get(ranking.input).clone();
        let attribute = |key: &SortKey| below.columns[key.column].attribute;
        let by_time = matches!(ranking.order, [key] if attribute(key).is_time());
        let deduplicates = by_time && ranking.first == 1 && ranking.last == Some(1) && ranking.function == "ROW_NUMBER";
        let processing = ranking.order.iter().any(|key| attribute(key) == Attribute::ProcTime);
        if deduplicates && (!windows.event || processing) {
            return Err(refuse(ranking.span, "Processing time Window Deduplication is not supported yet.")
                .hint("deduplicate in windows of event time, by the WATERMARK column"));
        }
        if !windows.event {
            return Err(refuse(ranking.span, "Processing time Window TopN is not supported yet.")
                .hint("rank in windows of event time, over the WATERMARK column"));
        }
        if ranking.function != "ROW_NUMBER" {
            let function = ranking.function;
            return Err(refuse(
                ranking.span,
                format!(
                    "{function}() function is not supported on Window TopN currently, only ROW_NUMBER() is supported."
                ),
            ));
        }
        let Some(last) = ranking.last else {
            return Err(refuse(ranking.span, "Rank strategy rankEnd is not supported on window rank currently.")
                .hint("compare the row number with a constant"));
        };
        let keys = ranking.keys.iter().copied().filter(|key| windows.property(*key).is_none()).collect();
        let spec = WindowRankSpec {
            window: windows.spec,
            end: windows.ends[0],
            keys,
            order: ranking.order.to_vec(),
            first: ranking.first,
            last,
            newest_first: deduplicates && ranking.order[0].descending,
            number: true,
        };
        let mut columns = below.columns;
        columns.push(RelColumn {
            name: "w0$o0".to_owned(),
            data_type: DataType::not_null(LogicalType::BigInt),
            attribute: Attribute::None,
        });
        let op = RelOp::WindowRank(Box::new(spec));
        let span = ranking.span;
        Ok(Some(self.dag.add(Rel { op, inputs: vec![ranking.input], columns, span })))
    }
}
