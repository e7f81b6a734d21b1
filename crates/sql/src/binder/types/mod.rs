//! Flink's typing rules, pure functions over types: common types, arithmetic, casts, names in messages.
//!
//! They know no syntax and no tables; the binder of expressions asks them and makes the casts they name explicit.

mod arithmetic;
mod casts;
mod common;
mod names;

pub(super) use arithmetic::{
    average_type, decimal_add, decimal_divide, decimal_modulo, decimal_multiply, decimal_of, decimal_round, sum_type,
};
pub(super) use casts::{cast_refusal, explicit_cast_exists, implicit_cast_exists};
pub(super) use common::{equality_type, least_common_type, least_restrictive_type, ordering_type};
pub(super) use names::{calcite_name, root_name, summary};
