//! Aggregate functions: what windows, grouped aggregation and OVER share.
//!
//! `Aggregates` is what an operator holds: the aggregate calls, each with a column of states, one for each of the operator's keys. A function is a `Fold` in a
//! file of its own; `Distinct` stands before any of them. Large states are collections (`Multiset`, `Sequence`) whose elements go to checkpoints one by one.

mod accumulator;
mod aggregates;
mod array_agg;
mod average;
mod average_of_sum;
mod build;
mod bytes;
mod count;
mod distinct;
mod elements;
mod first_last;
mod first_last_retract;
mod fold;
mod json_array_agg;
mod json_object_agg;
mod list_agg;
mod min_max;
mod min_max_retract;
mod multiset;
mod percentile;
mod rows;
mod sequence;
mod sum;
mod sum_retract;
mod sum_zero;
#[cfg(test)]
mod tests;
mod values;
mod variance;

pub use aggregates::{Aggregates, mark_of};
pub use bytes::{Fixed, put_bytes, take_bytes};
pub use elements::{ELEMENTS, FrozenAggregates, StoredElements, read_element_key};
