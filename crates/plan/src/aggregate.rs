//! Aggregate calls as plain data.

use std::fmt;

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
    /// The input columns, none for `COUNT(*)`.
    pub arguments: Vec<usize>,
    /// The types of the columns in `arguments`.
    pub argument_types: Vec<DataType>,
    /// `DISTINCT`: over all arguments together.
    pub distinct: bool,
    /// A BOOLEAN input column: only rows where it is TRUE count (`FILTER (WHERE ...)`).
    pub filter: Option<usize>,
    /// What LISTAGG puts between two texts.
    pub separator: Option<String>,
    /// The type of the result, by Flink's rules.
    pub data_type: DataType,
}

impl fmt::Display for AggregateCall {
    /// The call by the types of its arguments, such as `SUM(DISTINCT INT)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types: Vec<String> = self.argument_types.iter().map(|argument| argument.logical.to_string()).collect();
        let arguments = if types.is_empty() { "*".to_owned() } else { types.join(", ") };
        write!(f, "{}({}{arguments})", self.function.name(), if self.distinct { "DISTINCT " } else { "" })
    }
}
