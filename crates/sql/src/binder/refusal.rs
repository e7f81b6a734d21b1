//! The two shapes of a planning error: what Flink refuses too, and what Weir does not do yet.

use std::fmt::Display;

use weir_base::Span;

use crate::error::SqlError;

/// An error about the text at `span`, in Flink's words where Flink has some.
pub(super) fn refuse(span: Span, message: impl Into<String>) -> SqlError {
    SqlError::new(span, message)
}

/// `what` is Flink SQL, but not planned here yet.
pub(super) fn not_supported(span: Span, what: impl Display) -> SqlError {
    SqlError::new(span, format!("{what} is not supported yet"))
}
