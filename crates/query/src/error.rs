//! DataFusion's errors as Weir's: the cause in its own words, with its place in the SQL where that is known.

use std::error::Error as _;

use datafusion::common::DataFusionError;
use weir_base::{Error, Kind};

/// `error` as one of Weir's own.
pub(crate) fn from_datafusion(error: &DataFusionError) -> Error {
    if let Some(own) = own(error) {
        return own;
    }
    let place = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let place = place.map(|span| format!(" at line {}, column {}", span.start.line, span.start.column));
    let kind = match error.find_root() {
        DataFusionError::Internal(_) => Kind::Internal,
        DataFusionError::ResourcesExhausted(_) => Kind::Exhausted,
        _ => Kind::Invalid,
    };
    let text = error.find_root().strip_backtrace();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("no reason given").trim_end_matches('.').to_owned();
    let text = match error.find_root() {
        DataFusionError::SQL(cause, _) => cause.to_string().trim_start_matches("sql parser error: ").to_owned(),
        _ => first,
    };
    let failed = Error::new(kind, format!("run the query{}: {text}", place.unwrap_or_default()));
    match error.find_root() {
        DataFusionError::SQL(..) => failed.hint("a name that is a word of SQL stands in backticks: `offset`"),
        _ => failed,
    }
}

/// An error of Weir that went through DataFusion.
fn own(error: &DataFusionError) -> Option<Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(own) = error.downcast_ref::<Error>() {
            let copy = Error::new(own.kind(), own.message());
            return Some(match own.hint_text() {
                Some(hint) => copy.hint(hint),
                None => copy,
            });
        }
        cause = match error.downcast_ref::<DataFusionError>() {
            Some(DataFusionError::External(inner)) => Some(inner.as_ref()),
            Some(other) => other.source(),
            None => error.source(),
        };
    }
    None
}
