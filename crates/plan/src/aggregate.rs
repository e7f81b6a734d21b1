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
    /// `$SUM0(x)`: 0 where `SUM` is NULL.
    SumZero,
    /// `AVG(x)`: an integer average is cut, as in Flink.
    Avg,
    /// `AVG(x)` as Flink's plan makes it of `SUM(x)` and `COUNT(x)`: the sum is of the argument's own type.
    AvgOfSum,
    /// `MIN(x)`
    Min,
    /// `MAX(x)`
    Max,
    /// `VAR_POP(x)`
    VarPop,
    /// `VAR_SAMP(x)`, `VARIANCE(x)`
    VarSamp,
    /// `STDDEV_POP(x)`
    StddevPop,
    /// `STDDEV_SAMP(x)`, `STDDEV(x)`
    StddevSamp,
    /// `FIRST_VALUE(x)`: the first that is not NULL.
    FirstValue,
    /// `LAST_VALUE(x)`: the last that is not NULL.
    LastValue,
    /// `SINGLE_VALUE(x)`: a second row fails the job.
    SingleValue,
    /// `LISTAGG(x [, separator])`
    ListAgg,
    /// `ARRAY_AGG(x)`
    ArrayAgg {
        /// `IGNORE NULLS`
        ignore_nulls: bool,
    },
    /// `JSON_OBJECTAGG(k VALUE v)`: arguments a text, and JSON.
    JsonObjectAgg {
        /// `ABSENT ON NULL`
        absent_on_null: bool,
    },
    /// `JSON_ARRAYAGG(x)`: the argument is JSON.
    JsonArrayAgg {
        /// `ABSENT ON NULL`
        absent_on_null: bool,
    },
    /// `PERCENTILE(x, shares [, frequency])`: arguments a number, a DOUBLE or an array of them, an integer.
    Percentile,
}

impl AggregateFunction {
    /// Its SQL name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "COUNT",
            Self::Sum => "SUM",
            Self::SumZero => "$SUM0",
            Self::Avg | Self::AvgOfSum => "AVG",
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::VarPop => "VAR_POP",
            Self::VarSamp => "VAR_SAMP",
            Self::StddevPop => "STDDEV_POP",
            Self::StddevSamp => "STDDEV_SAMP",
            Self::FirstValue => "FIRST_VALUE",
            Self::LastValue => "LAST_VALUE",
            Self::SingleValue => "SINGLE_VALUE",
            Self::ListAgg => "LISTAGG",
            Self::ArrayAgg { .. } => "ARRAY_AGG",
            Self::JsonObjectAgg { .. } => "JSON_OBJECTAGG",
            Self::JsonArrayAgg { .. } => "JSON_ARRAYAGG",
            Self::Percentile => "PERCENTILE",
        }
    }

    /// Whether it is a variance or a deviation.
    pub fn is_variance(self) -> bool {
        matches!(self, Self::VarPop | Self::VarSamp | Self::StddevPop | Self::StddevSamp)
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
        let distinct = if self.distinct { "DISTINCT " } else { "" };
        write!(f, "{}({distinct}{arguments})", self.function.name())?;
        match self.function {
            AggregateFunction::AvgOfSum => f.write_str(" of SUM"),
            AggregateFunction::ArrayAgg { ignore_nulls: true } => f.write_str(" IGNORE NULLS"),
            AggregateFunction::JsonObjectAgg { absent_on_null }
            | AggregateFunction::JsonArrayAgg { absent_on_null } => {
                f.write_str(if absent_on_null { " ABSENT ON NULL" } else { " NULL ON NULL" })
            }
            _ => Ok(()),
        }
    }
}
