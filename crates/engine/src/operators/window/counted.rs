//! The aggregates of windows whose input takes rows back: they count the rows of each key beside, for a key without rows is not given.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use weir_base::{Error, Result, RowKind};
use weir_connector::Batch;
use weir_plan::{AggregateCall, AggregateFunction, DataType, LogicalType};

use crate::operators::aggregate::{Aggregates, mark_of};

/// The aggregates of `calls`, with a count of rows behind them if rows are taken back, and their mark.
///
/// # Errors
/// A function is not there for its arguments' types.
pub fn aggregates_of(calls: &[AggregateCall], retracts: bool) -> Result<(Aggregates, u32)> {
    let mut calls = calls.to_vec();
    if retracts {
        calls.push(AggregateCall {
            function: AggregateFunction::Count,
            arguments: Vec::new(),
            argument_types: Vec::new(),
            distinct: false,
            filter: None,
            separator: None,
            data_type: DataType::not_null(LogicalType::BigInt),
        });
    }
    Ok((Aggregates::new(&calls, retracts)?, mark_of(&calls, retracts)))
}

/// Takes rows of a batch in or back, as their kinds say, in their order.
///
/// # Errors
/// As `Aggregates::update`.
pub fn take(aggregates: &mut Aggregates, batch: &Batch, rows: &[u32], keys: &[u32]) -> Result<()> {
    let data: &RecordBatch = &batch.data;
    let Some(kinds) = &batch.kinds else { return aggregates.update(data, rows, keys) };
    let back = |row: u32| matches!(kinds[row as usize], RowKind::UpdateBefore | RowKind::Delete);
    let mut start = 0;
    for run in rows.chunk_by(|one, next| back(*one) == back(*next)) {
        let keys = &keys[start..start + run.len()];
        start += run.len();
        match run.first() {
            Some(row) if back(*row) => aggregates.retract(data, run, keys)?,
            _ => aggregates.update(data, run, keys)?,
        }
    }
    Ok(())
}

/// The keys that have rows, by the count behind `results`, which is taken off; `None`: all have.
///
/// # Errors
/// There is no count.
pub fn with_rows(results: &mut Vec<ArrayRef>) -> Result<Option<UInt32Array>> {
    let counts = results.pop().ok_or_else(|| Error::internal("give a window: the count of rows is missing"))?;
    let counts = counts.as_primitive_opt::<Int64Type>();
    let counts = counts.ok_or_else(|| Error::internal("give a window: the count of rows is no number"))?.values();
    if counts.iter().all(|count| *count > 0) {
        return Ok(None);
    }
    Ok(Some((0..).zip(counts).filter(|(_, count)| **count > 0).map(|(key, _)| key).collect()))
}
