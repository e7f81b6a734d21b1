//! Choices among values.

use weir_base::Span;
use weir_plan::{Expr, Function as F, LogicalType};

use super::super::results as r;
use super::super::signature::Argument::{
    Boolean, Common, CommonBytes, CommonNumber, CommonText, Date, Time, TimestampOfAny,
};
use super::super::signature::Signature;
use super::fixed;
use crate::binder::refusal::refuse;
use crate::error::SqlError;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("GREATEST", F::Greatest, &[Common], r::first).variadic().finish(comparable).inferred("GREATEST(<COMPARABLE>...)"),
    fixed("LEAST", F::Least, &[Common], r::first).variadic().finish(comparable).inferred("LEAST(<COMPARABLE>...)"),
    fixed("COALESCE", F::Coalesce, &[Common], r::coalesced).variadic().inferred("COALESCE(<COMMON>, <COMMON>...)"),
    fixed("IFNULL", F::Coalesce, &[Common, Common], r::coalesced)
        .inferred("IFNULL(input <COMMON>, null_replacement <COMMON>)"),
    fixed("IF", F::If, &[Boolean, CommonNumber, CommonNumber], r::chosen),
    fixed("IF", F::If, &[Boolean, CommonText, CommonText], r::chosen),
    fixed("IF", F::If, &[Boolean, Boolean, Boolean], r::chosen),
    fixed("IF", F::If, &[Boolean, CommonBytes, CommonBytes], r::chosen),
    fixed("IF", F::If, &[Boolean, Date, Date], r::chosen),
    fixed("IF", F::If, &[Boolean, TimestampOfAny, TimestampOfAny], r::chosen),
    fixed("IF", F::If, &[Boolean, Time, Time], r::chosen),
];

/// GREATEST and LEAST compare no bytes, no collections, and no bare NULL.
#[expect(clippy::ptr_arg, reason = "a last step of binding: others of its type add arguments")]
fn comparable(arguments: &mut Vec<Expr>, span: Span) -> Result<(), SqlError> {
    use LogicalType as T;
    match &arguments[0].data_type.logical {
        T::Binary(_) | T::Varbinary(_) | T::Array(_) | T::Map(..) | T::Row(_) | T::Null => {
            Err(refuse(span, format!("Comparable type expected, but was '{}'.", arguments[0].data_type)))
        }
        _ => Ok(()),
    }
}
