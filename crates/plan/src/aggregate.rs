//! Aggregate calls as plain data.

use crate::DataType;

/// The aggregate functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AggregateFunction {
    /// `COUNT(*)` and `COUNT(x)`
    Count,
    /// `SUM(x)`
    Sum,
    /// `AVG(x)`: an integer average is cut, as in Flink.
    Avg,
    /// `MIN(x)`
    Min,
    /// `MAX(x)`
    Max,
}

impl AggregateFunction {
    /// Its SQL name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "COUNT",
            Self::Sum => "SUM",
            Self::Avg => "AVG",
            Self::Min => "MIN",
            Self::Max => "MAX",
        }
    }
}

/// One aggregate of an aggregation, over columns of its input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AggregateCall {
    /// The function.
    pub function: AggregateFunction,
    /// The input column, `None` for `COUNT(*)`.
    pub argument: Option<usize>,
    /// The type of `argument`'s column.
    pub argument_type: Option<DataType>,
    /// `DISTINCT`
    pub distinct: bool,
    /// A BOOLEAN input column: only rows where it is TRUE count (`FILTER (WHERE ...)`).
    pub filter: Option<usize>,
    /// The type of the result, by Flink's rules.
    pub data_type: DataType,
}
