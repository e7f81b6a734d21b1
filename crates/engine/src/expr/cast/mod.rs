//! CAST and TRY_CAST: from every type to every type that Flink can cast.
//!
//! It owns the choice of the cast; numbers are in `number`, texts from values in `write`, values from texts in `read`, times in `temporal`, arrays, maps
//! and rows in `nested`.

mod length;
mod nested;
mod number;
mod read;
mod read_decimal;
mod read_time;
mod temporal;
mod write;

use std::sync::Arc;

use arrow_array::{ArrayRef, new_null_array};
use weir_base::{Error, Result, Span};
use weir_plan::{CastMode, DataType, LogicalType};

use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::Failure;
use super::zone::Zone;

pub(crate) use length::{fitted, misfit};
pub(crate) use read_decimal::decimal_of_double;
pub(super) use read_time::{date_of_text, timestamp_of_text};
pub(super) use write::{write_double, write_float};

/// A cast of evaluated values.
pub(super) struct CastKernel {
    /// The conversion.
    pub(super) apply: Apply,
    /// Whether a row can fail.
    pub(super) is_fallible: bool,
}

impl CastKernel {
    /// A conversion that cannot fail.
    fn infallible(
        apply: impl Fn(&[Column], &Scope<'_>) -> Result<ArrayRef, EvalError> + Send + Sync + 'static,
    ) -> Self {
        Self { apply: Box::new(apply), is_fallible: false }
    }

    /// A conversion that fails for some values unless `failure` is NULL.
    fn fallible(
        failure: Failure,
        apply: impl Fn(&[Column], &Scope<'_>) -> Result<ArrayRef, EvalError> + Send + Sync + 'static,
    ) -> Self {
        Self { apply: Box::new(apply), is_fallible: failure == Failure::Raise }
    }
}

/// `node` cast to `target`.
///
/// # Errors
/// Flink cannot cast the one type to the other.
pub(super) fn compile(node: Node, target: &DataType, mode: CastMode, zone: &Zone, span: Span) -> Result<Node> {
    let failure = if mode == CastMode::TryCast { Failure::Null } else { Failure::Raise };
    match kernel(&node.data_type, target, failure, zone)? {
        None => Ok(node.retyped(target.clone())),
        Some(cast) => Ok(Node::call(vec![node], target.clone(), span, cast.is_fallible, cast.apply)),
    }
}

/// The conversion from `source` to `target`; None where values stay as they are.
///
/// # Errors
/// Flink cannot cast the one type to the other.
pub(super) fn kernel(
    source: &DataType,
    target: &DataType,
    failure: Failure,
    zone: &Zone,
) -> Result<Option<CastKernel>> {
    use LogicalType as T;
    let (from, to) = (&source.logical, &target.logical);
    if from == to {
        return Ok(None);
    }
    let arrow = target.arrow();
    let cast = match (from, to) {
        (T::Null, _) => Some(CastKernel::infallible(move |_, scope| Ok(new_null_array(&arrow, scope.rows)))),
        (T::Char(_) | T::Varchar(_), T::Char(_) | T::Varchar(_)) => length::between_texts(from, to),
        (T::Char(_) | T::Varchar(_), T::Binary(_) | T::Varbinary(_)) => Some(length::text_to_bytes(to)),
        (T::Binary(_) | T::Varbinary(_), T::Binary(_) | T::Varbinary(_)) => length::between_bytes(from, to),
        (_, T::Char(_) | T::Varchar(_)) => Some(write::to_text(source, to, zone)),
        (T::Char(_) | T::Varchar(_), _) => {
            Some(read::from_text(to, failure, zone).ok_or_else(|| refused(source, target))?)
        }
        _ if number::is_number_or_boolean(from) && number::is_number_or_boolean(to) => Some(number::between(from, to)),
        (_, T::IntervalYearMonth | T::IntervalDayTime) if from.is_integer() => Some(temporal::interval(from, to)),
        (T::Array(_) | T::Map(..) | T::Row(_), _) => Some(nested::between(source, target, failure, zone)?),
        _ => match temporal::between(from, to, zone) {
            Some(cast) => cast,
            None => return Err(refused(source, target)),
        },
    };
    Ok(cast)
}

/// Flink cannot cast this.
fn refused(source: &DataType, target: &DataType) -> Error {
    Error::invalid(format!("cast {source} to {target}: there is no such cast"))
        .hint("cast by way of STRING, or use a function")
}

/// `array` behind a shared pointer.
fn shared<A: arrow_array::Array + 'static>(array: A) -> ArrayRef {
    Arc::new(array)
}

#[cfg(test)]
mod tests;
