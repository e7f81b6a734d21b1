//! What can be written as JSON by JSON_OBJECT, JSON_ARRAY and JSON_STRING.

use weir_plan::{Expr, LogicalType};

use crate::binder::refusal::refuse;
use crate::error::SqlError;

/// Refuses a value that is of no such type.
///
/// # Errors
/// It is, or holds, a date, a time, an interval, or a map whose keys are no texts; or it is a bare NULL.
pub(in crate::binder) fn check(value: &Expr) -> Result<(), SqlError> {
    let Some(misfit) = misfit(&value.data_type.logical) else { return Ok(()) };
    if *misfit == LogicalType::Null {
        return Err(
            refuse(value.span, "Type is not supported: a bare NULL").hint("give it a type: CAST(NULL AS STRING)")
        );
    }
    Err(refuse(value.span, format!("Type '{misfit}' is not scalar or cannot be converted into JSON."))
        .hint("CAST it to STRING"))
}

/// The type in it that has no JSON.
fn misfit(logical: &LogicalType) -> Option<&LogicalType> {
    use LogicalType as T;
    match logical {
        T::Null | T::Date | T::Time(_) | T::IntervalYearMonth | T::IntervalDayTime => Some(logical),
        T::Array(element) => misfit(&element.logical),
        T::Map(key, _) if !key.logical.is_string() => Some(logical),
        T::Map(_, value) => misfit(&value.logical),
        T::Row(fields) => fields.iter().find_map(|field| misfit(&field.data_type.logical)),
        _ => None,
    }
}
