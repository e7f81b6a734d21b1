//! The types of aggregates' results, by Flink's rules.

use weir_plan::{AggregateFunction, DataType, Expr, LogicalType};

use crate::binder::types::{average_type, sum_type};

/// The length of the texts that JSON aggregates give, as Flink says it; they may be longer.
const JSON_LENGTH: u32 = 2000;

/// The type of a call's result. `may_be_empty`: there may be no row to aggregate, since a filter may leave none or there is one group for all rows.
pub(super) fn type_of(function: AggregateFunction, arguments: &[Expr], may_be_empty: bool) -> DataType {
    use AggregateFunction as F;
    let argument = arguments.first().map_or(DataType::nullable(LogicalType::Null), |first| first.data_type.clone());
    let nullable = argument.nullable;
    match function {
        F::Count => DataType::not_null(LogicalType::BigInt),
        F::Sum => DataType { logical: sum_type(&argument.logical), nullable: nullable || may_be_empty },
        F::SumZero => DataType::not_null(sum_type(&argument.logical)),
        F::Avg | F::AvgOfSum | F::VarPop | F::VarSamp | F::StddevPop | F::StddevSamp => {
            DataType { logical: average_type(&argument.logical), nullable: nullable || may_be_empty }
        }
        F::Min | F::Max | F::FirstValue | F::LastValue | F::SingleValue => {
            DataType { logical: argument.logical, nullable: nullable || may_be_empty }
        }
        // These two say NOT NULL even where no row may be left.
        F::ListAgg => argument,
        F::ArrayAgg { .. } => DataType { nullable, logical: LogicalType::Array(Box::new(argument)) },
        F::JsonObjectAgg { .. } | F::JsonArrayAgg { .. } => DataType::not_null(LogicalType::Varchar(JSON_LENGTH)),
        F::Percentile => {
            let double = DataType::nullable(LogicalType::Double);
            match arguments.get(1).map(|shares| &shares.data_type.logical) {
                Some(LogicalType::Array(_)) => DataType::nullable(LogicalType::Array(Box::new(double))),
                _ => double,
            }
        }
    }
}
