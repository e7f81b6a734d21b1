//! Ranking: the rows of each partition that stand at certain places of an order, as a changelog that Flink would give row by row.
//!
//! `first_rows` keeps a count only. `top_n` owns the state of all others; how a row changes its partition and what is given for it is in `append`, `update`
//! and `retract`, one for each of Flink's strategies.

mod append;
mod first_rows;
mod output;
mod partition;
mod retract;
mod top_n;
mod update;

use std::ops::Range;

use weir_base::Result;
use weir_plan::{RankSpec, RankStrategy, Schema};

pub use first_rows::FirstRows;
pub use top_n::TopN;

use super::Operator;

/// What a ranking is built from, beside its spec.
#[derive(Debug, Clone)]
pub struct RankContext<'a> {
    /// The columns of its input.
    pub input: &'a Schema,
    /// The columns it gives.
    pub output: &'a Schema,
    /// The key groups that this subtask owns.
    pub key_groups: Range<u16>,
    /// Key groups of the job.
    pub max_parallelism: u16,
    /// Whether an update gives the former row too (`-U`).
    pub update_before: bool,
}

/// Builds the ranking of `spec`.
///
/// # Errors
/// A column cannot be a key, has no order, or cannot be kept in state.
pub fn rank(spec: &RankSpec, context: &RankContext<'_>) -> Result<Box<dyn Operator>> {
    match &spec.strategy {
        RankStrategy::FirstRows => Ok(Box::new(FirstRows::new(spec, context)?)),
        _ => Ok(Box::new(TopN::new(spec, context)?)),
    }
}
