//! The functions of an OVER aggregation, with a state for each partition: aggregates and LAG side by side.

use arrow_array::{ArrayRef, RecordBatch};
use weir_base::Result;
use weir_plan::{AggregateCall, OverFunction};

use super::lag::Lag;
use crate::operators::aggregate::{Aggregates, mark_of};

/// The functions.
pub struct Functions {
    /// The aggregates among them.
    pub aggregates: Aggregates,
    /// The LAGs among them.
    pub lags: Vec<Lag>,
    /// For each function whether it is an aggregate; the others are LAGs.
    is_aggregate: Vec<bool>,
    /// Says of which functions states are.
    pub mark: u32,
    /// Partitions that there are states for.
    keys: u32,
    /// States that are free.
    free: Vec<u32>,
}

impl Functions {
    /// Without states; `retracts`: rows are taken back, too.
    ///
    /// # Errors
    /// A function is not there for its arguments' types.
    pub fn new(functions: &[OverFunction], retracts: bool) -> Result<Self> {
        let mut calls: Vec<AggregateCall> = Vec::new();
        let mut lags = Vec::new();
        for function in functions {
            match function {
                OverFunction::Aggregate(call) => calls.push(call.clone()),
                OverFunction::Lag { argument, offset, default, data_type } => {
                    lags.push(Lag::new(*argument, *offset, *default, data_type)?);
                }
            }
        }
        let lag_count = u32::try_from(lags.len()).expect("a SELECT has fewer functions than a u32 counts");
        Ok(Self {
            aggregates: Aggregates::new(&calls, retracts)?,
            lags,
            is_aggregate: functions.iter().map(|function| matches!(function, OverFunction::Aggregate(_))).collect(),
            mark: mark_of(&calls, retracts) ^ lag_count,
            keys: 0,
            free: Vec::new(),
        })
    }

    /// A state for a new partition.
    pub fn add_key(&mut self) -> u32 {
        if let Some(key) = self.free.pop() {
            return key;
        }
        self.keys += 1;
        self.aggregates.grow(self.keys as usize);
        self.lags.iter_mut().for_each(|lag| lag.grow(self.keys as usize));
        self.keys - 1
    }

    /// Makes a state as if it had seen nothing.
    pub fn reset(&mut self, key: u32) {
        self.aggregates.reset(&[key]);
        self.lags.iter_mut().for_each(|lag| lag.reset(key));
    }

    /// Gives a state back.
    pub fn free_key(&mut self, key: u32) {
        self.reset(key);
        self.free.push(key);
    }

    /// Takes rows in.
    ///
    /// # Errors
    /// A function does not take a value.
    pub fn update(&mut self, data: &RecordBatch, rows: &[u32], keys: &[u32]) -> Result<()> {
        self.aggregates.update(data, rows, keys)?;
        self.lags.iter_mut().try_for_each(|lag| lag.update(data, rows, keys))
    }

    /// Takes rows back.
    ///
    /// # Errors
    /// As `update`.
    pub fn retract(&mut self, data: &RecordBatch, rows: &[u32], keys: &[u32]) -> Result<()> {
        self.aggregates.retract(data, rows, keys)
    }

    /// The results for `keys`, a column for each function.
    ///
    /// # Errors
    /// A result cannot be made.
    pub fn finish_keys(&self, keys: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut aggregates = self.aggregates.finish_keys(keys)?.into_iter();
        let mut lags = self.lags.iter();
        let column = |is_aggregate: &bool| {
            if *is_aggregate {
                Ok(aggregates.next().expect("each aggregate gives a column"))
            } else {
                lags.next().expect("each LAG was built").finish_keys(keys)
            }
        };
        self.is_aggregate.iter().map(column).collect()
    }

    /// Bytes of memory that the states take.
    pub fn bytes(&self) -> usize {
        self.aggregates.bytes() + self.lags.iter().map(Lag::bytes).sum::<usize>()
    }
}
