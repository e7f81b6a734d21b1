//! DataFusion's errors as Weir's: the cause in its own words, with its place in the SQL where that is known.

use std::error::Error as _;

use datafusion::common::{Column, DataFusionError, SchemaError};
use weir_base::{Error, Kind};

/// How like a column's name (0 to 1) another must be to be thought of.
const LIKENESS_MIN: f64 = 0.75;

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
    let what = format!("run the query{}", place.unwrap_or_default());
    if let DataFusionError::SchemaError(schema, _) = error.find_root()
        && let SchemaError::FieldNotFound { field, valid_fields } = schema.as_ref()
    {
        return no_column(&what, field, valid_fields);
    }
    let text = error.find_root().strip_backtrace();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("no reason given").trim_end_matches('.').to_owned();
    let text = match error.find_root() {
        DataFusionError::SQL(cause, _) => cause.to_string().trim_start_matches("sql parser error: ").to_owned(),
        _ => first,
    };
    let failed = Error::new(kind, format!("{what}: {text}"));
    match error.find_root() {
        DataFusionError::SQL(..) => failed.hint("a name that is a word of SQL stands in backticks: `offset`"),
        _ => failed,
    }
}

/// A column that none of the query's tables has, in the words that a job's SQL gets.
fn no_column(what: &str, wanted: &Column, known: &[Column]) -> Error {
    let table_of = |column: &Column| column.relation.as_ref().map(|relation| relation.table().to_owned());
    let mut tables: Vec<String> = known.iter().filter_map(table_of).collect();
    tables.dedup();
    let (name, table) = (&wanted.name, table_of(wanted));
    if let Some(table) = table.as_ref().filter(|table| !tables.contains(table)) {
        let hint = format!("the query reads {}", tables.join(", "));
        return Error::invalid(format!("{what}: Table '{table}' not found")).hint(hint);
    }
    let place = match (&table, tables.as_slice()) {
        (Some(table), _) => format!("table '{table}'"),
        (None, [table]) => format!("table '{table}'"),
        (None, _) => "any table".to_owned(),
    };
    let of_table: Vec<&str> = known
        .iter()
        .filter(|column| table.is_none() || table_of(column) == table)
        .map(|column| column.name.as_str())
        .collect();
    let near = of_table
        .iter()
        .map(|known| (strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase()), *known))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let hint = match near {
        Some((_, near)) => format!("did you mean '{near}'?"),
        None => format!("it has {}", of_table.join(", ")),
    };
    Error::invalid(format!("{what}: Column '{name}' not found in {place}")).hint(hint)
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
