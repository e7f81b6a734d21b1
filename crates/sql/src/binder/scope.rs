//! The names that an expression can see: columns of the relations in FROM, with what the planner knows of each.

use sqlparser::ast::Ident;
use weir_base::Span;
use weir_plan::DataType;

use super::refusal::refuse;
use crate::error::{SqlError, did_you_mean, span_of};

/// What a column is besides a value; kept while the bare column is passed on, lost in any expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Attribute {
    /// A value only.
    None,
    /// The event time of its rows: watermarks speak of it.
    RowTime,
    /// Processing time.
    ProcTime,
    /// The number of a `ROW_NUMBER() OVER (...)`.
    RowNumber,
    /// `window_start` of a window function.
    WindowStart,
    /// `window_end` of a window function.
    WindowEnd,
}

impl Attribute {
    /// Whether it is one of the two time attributes.
    pub(super) fn is_time(self) -> bool {
        matches!(self, Self::RowTime | Self::ProcTime)
    }
}

/// A column in scope; its index is that in the relation below.
#[derive(Debug, Clone)]
pub(super) struct ScopeColumn {
    /// The alias or name of its relation.
    pub qualifier: Option<String>,
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// What else it is.
    pub attribute: Attribute,
}

/// The columns in scope, in the order of the relation below.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// The columns.
    pub columns: Vec<ScopeColumn>,
}

impl Scope {
    /// Finds what a dotted name begins with: the column's index, and how many parts of the name it took.
    ///
    /// # Errors
    /// When no column or more than one is meant.
    pub(super) fn resolve(&self, parts: &[Ident]) -> Result<(usize, usize), SqlError> {
        if let [qualifier, name, ..] = parts
            && self.has_qualifier(&qualifier.value)
            && let Some(index) = self.unique(name, |column| {
                column.qualifier.as_deref() == Some(qualifier.value.as_str()) && column.name == name.value
            })?
        {
            return Ok((index, 2));
        }
        let Some(first) = parts.first() else { return Err(refuse(Span::default(), "A column needs a name")) };
        if let Some(index) = self.unique(first, |column| column.name == first.value)? {
            return Ok((index, 1));
        }
        Err(self.not_found(parts))
    }

    /// Whether a relation in scope is called `name`.
    pub(super) fn has_qualifier(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.qualifier.as_deref() == Some(name))
    }

    /// The columns of the relation called `qualifier`, all where it is absent.
    pub(super) fn columns_of(&self, qualifier: Option<&str>) -> impl Iterator<Item = (usize, &ScopeColumn)> {
        self.columns.iter().enumerate().filter(move |(_, column)| match qualifier {
            None => true,
            Some(qualifier) => column.qualifier.as_deref() == Some(qualifier),
        })
    }

    fn unique(&self, name: &Ident, wanted: impl Fn(&ScopeColumn) -> bool) -> Result<Option<usize>, SqlError> {
        let mut found = self.columns.iter().enumerate().filter(|(_, column)| wanted(column)).map(|(index, _)| index);
        match (found.next(), found.next()) {
            (index, None) => Ok(index),
            (_, Some(_)) => Err(refuse(span_of(name.span), format!("Column '{}' is ambiguous", name.value))
                .hint("put the table's name or alias before it, or give the columns different names")),
        }
    }

    fn not_found(&self, parts: &[Ident]) -> SqlError {
        let last = &parts[parts.len().min(2) - 1];
        if let [qualifier, name, ..] = parts {
            if !self.has_qualifier(&qualifier.value) {
                let qualifiers = self.columns.iter().filter_map(|column| column.qualifier.as_deref());
                return refuse(span_of(qualifier.span), format!("Table '{}' not found", qualifier.value))
                    .hint_maybe(did_you_mean(&qualifier.value, qualifiers));
            }
            let columns = self.columns_of(Some(&qualifier.value)).map(|(_, column)| column.name.as_str());
            return refuse(
                span_of(last.span),
                format!("Column '{}' not found in table '{}'", name.value, qualifier.value),
            )
            .hint_maybe(did_you_mean(&name.value, columns));
        }
        let columns = self.columns.iter().map(|column| column.name.as_str());
        refuse(span_of(last.span), format!("Column '{}' not found in any table", last.value))
            .hint_maybe(did_you_mean(&last.value, columns).or_else(|| self.list()))
    }

    fn list(&self) -> Option<String> {
        const SHOWN_MAX: usize = 20;
        let names: Vec<_> = self.columns.iter().take(SHOWN_MAX).map(|column| column.name.as_str()).collect();
        let more = if self.columns.len() > SHOWN_MAX { ", ..." } else { "" };
        (!names.is_empty()).then(|| format!("there are: {}{more}", names.join(", ")))
    }
}
