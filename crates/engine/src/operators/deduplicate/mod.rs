//! Deduplication in its four kinds: the first or last row of each key, by processing time or by event time.

mod exact;
mod fingerprints;
mod last;
mod proctime_first;
mod rowtime_first;
mod seen;
pub(super) mod table;

use std::ops::Range;
use std::time::Duration;

use weir_base::Result;
use weir_plan::{Keep, Order, Schema};

pub use last::KeepLast;
pub use proctime_first::ProcTimeFirst;
pub use rowtime_first::RowTimeFirst;

use super::Operator;

/// What a deduplication is built from, beside its keys and its kind.
#[derive(Debug, Clone)]
pub struct DeduplicateContext<'a> {
    /// The columns of its input.
    pub input: &'a Schema,
    /// `table.exec.state.ttl`; zero: keys are never forgotten.
    pub state_ttl: Duration,
    /// The key groups that this subtask owns.
    pub key_groups: Range<u16>,
    /// Key groups of the job.
    pub max_parallelism: u16,
    /// `weir.dedup.exact`: whole keys rather than fingerprints (of the first row by processing time; the others always keep whole keys).
    pub exact: bool,
    /// Whether an update gives the former row too (`-U`); not where all that reads it is an upsert sink.
    pub update_before: bool,
}

/// Builds the deduplication of the given kind.
///
/// # Errors
/// A column cannot be a key.
pub fn deduplicate(
    keys: &[usize],
    order: Order,
    keep: Keep,
    context: &DeduplicateContext<'_>,
) -> Result<Box<dyn Operator>> {
    match (order, keep) {
        (Order::ProcTime, Keep::First) => Ok(Box::new(ProcTimeFirst::new(keys, context)?)),
        (Order::RowTime(rowtime), Keep::First) => Ok(Box::new(RowTimeFirst::new(keys, rowtime, context)?)),
        (order, Keep::Last) => Ok(Box::new(KeepLast::new(keys, order, context)?)),
    }
}
