//! Flink's built-in scalar functions by name: what arguments each takes and what type it gives.
//!
//! `table` is the list, a file for each family; `signature` checks and casts arguments against an entry of it. Operators with a syntax of their own
//! (`EXTRACT(x FROM y)`, `a LIKE b`) come here by the function's name once the binder of expressions has taken them apart.

pub(super) mod json_support;
mod known;
mod results;
mod signature;
mod table;
mod type_text;

use weir_base::Span;
use weir_plan::Expr;

use crate::error::SqlError;

pub(super) use known::is_aggregate;
pub(super) use type_text::type_of;

/// The names of all functions, in lower case and in order.
pub(super) fn names() -> Vec<String> {
    let mut names: Vec<String> = table::names().chain(known::aggregates()).map(str::to_ascii_lowercase).collect();
    names.sort();
    names.dedup();
    names
}

/// Binds a call of `name`.
///
/// # Errors
/// When there is no such function, with the nearest name, or when it does not take these arguments, with its supported forms.
pub(super) fn call(name: &str, arguments: Vec<Expr>, span: Span) -> Result<Expr, SqlError> {
    match table::lookup(name) {
        Some(forms) => signature::bind_first(forms, arguments, span),
        None => Err(known::unknown(name, &arguments, span)),
    }
}

/// Whether `name`, in upper case, is a scalar function: of the table, or one still to come.
pub(super) fn is_scalar(name: &str) -> bool {
    table::lookup(name).is_some() || known::is_to_come(name)
}

/// Binds an operator that has a syntax of its own.
///
/// # Errors
/// When it does not take these arguments.
pub(super) fn operator(function: weir_plan::Function, arguments: Vec<Expr>, span: Span) -> Result<Expr, SqlError> {
    let signature = table::OPERATORS.iter().find(|signature| signature.function == function);
    signature.expect("every operator that is bound this way is in the table").bind(arguments, span)
}
