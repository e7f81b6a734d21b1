//! `GROUP BY` without a window: results that change with each row.

mod equal;
mod groups;
mod operator;
mod output;
mod steps;

pub use operator::{GroupAggregate, GroupContext};
