//! Table options against what connectors and formats take: unknown keys, missing ones, values of the wrong type, each at its place.

use std::time::Duration;

use weir_plan::{ConnectorSpec, TableOptions};

use crate::error::SqlResult;
use crate::{Environment, SqlError, Table};

/// How a table is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is read.
    Source,
    /// It is written.
    Sink,
}

/// The options of `table` used as `role`, with those of a hint laid over, checked against its connector and formats.
///
/// # Errors
/// Fails, at the option's place, on an unknown connector, format or option, a missing option, a value of the wrong type, and on a
/// connector that cannot be used so.
pub fn options_for<'e>(
    _table: &Table,
    _hint: Option<&TableOptions>,
    _role: Role,
    _environment: &Environment<'e>,
) -> SqlResult<(TableOptions, &'e ConnectorSpec)> {
    Err(SqlError::new(Default::default(), ""))
}

/// A duration as Flink writes it: a number and a unit (`ms` where there is none).
pub fn parse_duration(_text: &str) -> Option<Duration> {
    None
}
