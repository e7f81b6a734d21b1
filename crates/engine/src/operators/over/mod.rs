//! OVER aggregation: each row with functions over the rows of its partition up to it.
//!
//! `time` orders by a time attribute and gives each row once; `sorted` orders by any column and updates what it gave. Both leave the functions to `functions`,
//! which `units` calls for many partitions at once.

mod clock;
mod functions;
mod lag;
mod partition;
mod running;
mod sorted;
mod states;
mod time;
mod units;

use std::ops::Range;

use weir_base::Result;
use weir_plan::{OverOrder, OverSpec, Schema};

pub use sorted::SortedOver;
pub use time::TimeOver;

use super::Operator;

/// What an OVER aggregation is built from, beside its spec.
#[derive(Debug, Clone)]
pub struct OverContext<'a> {
    /// The columns of its input.
    pub input: &'a Schema,
    /// The columns it gives.
    pub output: &'a Schema,
    /// The key groups that this subtask owns.
    pub key_groups: Range<u16>,
    /// Key groups of the job.
    pub max_parallelism: u16,
}

/// Builds the OVER aggregation of `spec`.
///
/// # Errors
/// A column cannot be a key, has no order, or cannot be kept in state; a function is not there for its arguments' types.
pub fn over(spec: &OverSpec, context: &OverContext<'_>) -> Result<Box<dyn Operator>> {
    Ok(match spec.order {
        OverOrder::Time(domain) => Box::new(TimeOver::new(spec, domain, context)?),
        OverOrder::Column(key) => Box::new(SortedOver::new(spec, key, context)?),
    })
}
