//! Ranking as plain data: which rows of each partition stand at which places of an order.

use std::time::Duration;

/// One key of an ORDER BY, over columns of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SortKey {
    /// The column.
    pub column: usize,
    /// `DESC`
    pub descending: bool,
    /// Whether NULL stands behind all values. Flink's default: NULL is the least, so first with ASC and last with DESC.
    pub nulls_last: bool,
}

/// The places that are given, from 1, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RankRange {
    /// The first place.
    pub start: u64,
    /// The last place.
    pub end: RankEnd,
}

/// The last place that is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RankEnd {
    /// The same for all partitions.
    Constant(u64),
    /// What this whole-number column says in the first row of the partition.
    Column(usize),
}

/// How a ranking is kept up to date, as Flink chooses it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RankStrategy {
    /// Insert-only input in the order in which it comes: the first rows stay, nothing is taken back.
    FirstRows,
    /// Insert-only input: rows that cannot enter the range any more are forgotten.
    AppendFast,
    /// Input that updates rows with this key and only ever raises them in the order: no row comes back once it is out of the range.
    UpdateFast(Vec<usize>),
    /// Any changelog: all rows are kept.
    Retract,
}

/// A ranking; output: the input's columns, and the place as BIGINT NOT NULL if it is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct RankSpec {
    /// `PARTITION BY`; empty: all rows together.
    pub keys: Vec<usize>,
    /// `ORDER BY`; empty: as they come.
    pub order: Vec<SortKey>,
    /// The places that are given.
    pub range: RankRange,
    /// Whether the place is the last column.
    pub number: bool,
    /// How it is kept up to date.
    pub strategy: RankStrategy,
    /// `table.exec.state.ttl`: processing time after which a row that was not written again is forgotten; zero: never.
    pub state_ttl: Duration,
}
