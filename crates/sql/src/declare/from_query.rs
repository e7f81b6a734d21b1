//! CREATE TABLE AS: the columns that a query adds to those declared.

use sqlparser::ast::Ident;
use weir_base::Span;
use weir_plan::DataType;

use crate::error::{SqlResult, did_you_mean, span_of};
use crate::statement::CreateTable;
use crate::{Column, ColumnKind, SqlError};

/// The columns that CREATE TABLE AS adds to those declared, and the query's columns in the order of the table's.
#[derive(Debug)]
pub(crate) struct FromQuery {
    /// All columns of the table.
    pub(crate) columns: Vec<Column>,
    /// The table's columns that the query fills, in the order of its own.
    pub(crate) targets: Vec<Ident>,
}

/// What a CREATE TABLE AS of a query with the columns `given` comes to.
pub(crate) fn with_query(create: &CreateTable, given: &[(String, DataType)], span: Span) -> SqlResult<FromQuery> {
    let column = |(name, data_type): &(String, DataType)| Column {
        name: name.clone(),
        kind: ColumnKind::Physical(data_type.clone()),
        comment: None,
        span,
    };
    let targets = given.iter().map(|(name, _)| Ident::with_quote('`', name.clone())).collect();
    if !create.body.names.is_empty() {
        return ordered(&create.body.names, given, targets, column);
    }
    let mut columns = create.body.columns.clone();
    for (position, field) in given.iter().enumerate() {
        let Some(declared) = columns.iter().find(|declared| declared.name == field.0) else {
            columns.push(column(field));
            continue;
        };
        check_type(declared, &field.1, position)?;
    }
    let filled = |column: &Column| given.iter().any(|(name, _)| *name == column.name);
    if let Some(left) = columns.iter().find(|column| {
        matches!(&column.kind, ColumnKind::Physical(data_type) if !data_type.nullable) && !filled(column)
    }) {
        let message = format!("Column '{}' has no default value and does not allow NULLs.", left.name);
        return Err(SqlError::new(left.span, message).hint("name a column of the query so, or leave NOT NULL out"));
    }
    Ok(FromQuery { columns, targets })
}

/// The query's columns in the order of `names`.
fn ordered(
    names: &[Ident],
    given: &[(String, DataType)],
    targets: Vec<Ident>,
    column: impl Fn(&(String, DataType)) -> Column,
) -> SqlResult<FromQuery> {
    let place = names.first().map(|name| span_of(name.span)).unwrap_or_default();
    if names.len() != given.len() {
        let message = "The number of columns in the column list must match the number of columns in the source schema.";
        let given = given.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(SqlError::new(place, message).hint(format!("the query's columns are: {given}")));
    }
    let mut columns = Vec::with_capacity(names.len());
    for name in names {
        let Some(field) = given.iter().find(|(known, _)| *known == name.value) else {
            let hint = did_you_mean(&name.value, given.iter().map(|(known, _)| known.as_str()));
            let message = format!("Column '{}' not found in the source schema.", name.value);
            return Err(SqlError::new(span_of(name.span), message).hint_maybe(hint));
        };
        columns.push(column(field));
    }
    Ok(FromQuery { columns, targets })
}

/// Whether a column declared can hold what the query gives.
fn check_type(declared: &Column, given: &DataType, position: usize) -> SqlResult<()> {
    let incompatible = |target: String| {
        SqlError::new(
            declared.span,
            format!(
                "Incompatible types for sink column '{}' at position {}. The source column has type '{given}', while the target column has type \
                 '{target}'.",
                declared.name,
                position + 1
            ),
        )
        .hint("cast it in the query, or declare another type")
    };
    match &declared.kind {
        ColumnKind::Physical(data_type) | ColumnKind::Metadata { data_type, is_virtual: false, .. } => {
            let fits = crate::binder::fits(given, data_type);
            if fits { Ok(()) } else { Err(incompatible(data_type.to_string())) }
        }
        ColumnKind::Computed(_) | ColumnKind::Metadata { .. } => {
            let message = format!(
                "A column named '{}' already exists in the source schema. Computed columns cannot overwrite physical columns.",
                declared.name
            );
            Err(SqlError::new(declared.span, message).hint("rename one of them"))
        }
    }
}
