//! Expressions: `weir_plan::Expr` compiled to kernels over whole columns, with Flink's results.
//!
//! An [`Evaluator`] gives a column, a [`Predicate`] the rows to keep, a [`Calc`] both over a batch. `compile` lowers an expression to a tree of nodes
//! (`node`); each family of functions is a file of its own. Types are the binder's work: here at most widths and precisions are evened out.
//! Where a row has no value (a division by
//! zero, a text that is no number) the error names the row; parts behind AND, OR, CASE, COALESCE and IF are evaluated only for the rows that need them.

mod arithmetic;
mod array;
mod calc;
mod case;
mod cast;
mod compare;
mod compile;
mod decimal;
mod dispatch;
mod encoding;
mod equality;
mod evaluator;
mod hash;
mod json;
mod like;
mod literal;
mod logic;
mod map;
mod math;
mod metric;
mod nested;
mod node;
mod printf;
mod random;
mod real;
mod regexp;
mod rows;
mod select;
mod split;
#[cfg(test)]
mod tests;
mod text;
mod text_edit;
mod text_find;
mod text_make;
mod time;
mod time_parts;
mod time_pattern;
mod time_text;
mod time_zoned;
mod url;
mod zone;

pub(crate) use cast::decimal_of_double;
pub(crate) use decimal::to_double as decimal_to_double;
pub(crate) use json::write_json_text;

pub use calc::{Calc, Calculated};
pub(crate) use cast::{fitted, misfit};
pub use evaluator::{CompileContext, Evaluator, Predicate};
pub use metric::OwnMetrics;
pub(crate) use nested::with_nulls;
pub use node::EvalError;
pub use zone::Zone;
