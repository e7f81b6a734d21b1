//! OVER aggregation as plain data: for each row, functions over the rows of its partition before it.

use std::time::Duration;

use crate::{AggregateCall, DataType, SortKey, TimeDomain};

/// An OVER aggregation; output: the input's columns, then one for each function.
#[derive(Debug, Clone, PartialEq)]
pub struct OverSpec {
    /// `PARTITION BY`; empty: all rows together.
    pub keys: Vec<usize>,
    /// `ORDER BY`
    pub order: OverOrder,
    /// The rows that count for a row.
    pub frame: OverFrame,
    /// The functions.
    pub functions: Vec<OverFunction>,
    /// `table.exec.state.ttl`: processing time after which a partition without new rows is forgotten; zero: never.
    pub state_ttl: Duration,
}

/// What orders the rows of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverOrder {
    /// A time attribute: rows are given once, in the order of time.
    Time(TimeDomain),
    /// Any column: a row that comes between others updates those behind it.
    Column(SortKey),
}

/// How many rows before the current one count, and the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverFrame {
    /// `ROWS BETWEEN n PRECEDING AND CURRENT ROW`; `None`: all before it.
    Rows(Option<u64>),
    /// `RANGE BETWEEN ... PRECEDING AND CURRENT ROW`, with all rows that the order holds equal to the current one, in milliseconds; `None`: all before it.
    Range(Option<u64>),
}

/// A function of an OVER aggregation.
#[derive(Debug, Clone, PartialEq)]
pub enum OverFunction {
    /// An aggregate function.
    Aggregate(AggregateCall),
    /// `LAG(argument, offset, default)`
    Lag {
        /// The input column.
        argument: usize,
        /// How many rows before the current one.
        offset: u64,
        /// The column with the value where there is no such row, of the result's type; `None`: NULL.
        default: Option<usize>,
        /// The type of the result.
        data_type: DataType,
    },
}
