//! ALTER TABLE: the table after a change, checked as a whole.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Ident};
use weir_base::Span;

use super::{check, set_primary_key};
use crate::catalog::{ObjectPath, quoted};
use crate::error::{SqlResult, did_you_mean, span_of};
use crate::statement::{ColumnPlace, TableChange, TableParts};
use crate::{Column, ColumnKind, SqlError, Table};

/// The table at `path` after `change`, which is not a new name for the table.
///
/// # Errors
/// The change does not fit the table, or the table does not hold together after it.
pub(crate) fn alter(table: &Table, path: &ObjectPath, change: &TableChange) -> SqlResult<Table> {
    let mut altered = table.clone();
    match change {
        TableChange::Add(parts) => add(&mut altered, parts)?,
        TableChange::Modify(parts) => modify(&mut altered, parts)?,
        TableChange::DropColumns(columns) => drop_columns(&mut altered, columns)?,
        TableChange::DropPrimaryKey(span) => drop_primary_key(&mut altered, *span)?,
        TableChange::DropConstraint(name) => drop_constraint(&mut altered, name)?,
        TableChange::DropWatermark(span) => {
            if altered.watermark.take().is_none() {
                return Err(failed(*span, "The current table does not define any watermark strategy."));
            }
        }
        TableChange::DropDistribution(span) => {
            if altered.distribution.take().is_none() {
                let message = format!("Table {} does not have a distribution to drop.", path.quoted());
                return Err(SqlError::new(*span, message));
            }
        }
        TableChange::RenameColumn(from, to) => rename_column(&mut altered, from, to)?,
        TableChange::Set(options) => {
            altered.options.values.extend(options.values.clone());
            altered.options.spans.extend(options.spans.clone());
        }
        TableChange::Reset(keys) => reset(&mut altered, keys)?,
        TableChange::Partition { drop, values, lenient, span } => {
            partition(&mut altered, path, *drop, values, *lenient, *span)?;
        }
        TableChange::Rename(_) => {}
    }
    check(&altered, &[])?;
    Ok(altered)
}

fn failed(span: Span, reason: impl std::fmt::Display) -> SqlError {
    SqlError::new(span, format!("Failed to execute ALTER TABLE statement.\n{reason}"))
}

/// The error that a column that is named is not there.
fn unknown(table: &Table, name: &Ident, message: String) -> SqlError {
    let hint = did_you_mean(&name.value, table.columns.iter().map(|column| column.name.as_str()));
    failed(span_of(name.span), message).hint_maybe(hint)
}

fn add(table: &mut Table, parts: &TableParts) -> SqlResult<()> {
    if let Some(distribution) = &parts.distribution {
        if let Some(former) = &table.distribution {
            let former = crate::unparse::distribution(former);
            return Err(failed(
                distribution.span,
                format!(
                    "The current table has already defined the distribution '{former}'. You can modify it or drop it before adding a new one."
                ),
            ));
        }
        table.distribution = Some(distribution.clone());
    }
    let former = table.columns.clone();
    for (column, place) in parts.body.columns.iter().zip(&parts.places) {
        if former.iter().any(|former| former.name == column.name) {
            return Err(failed(column.span, format!("Column {} already exists in the table.", quoted(&column.name))));
        }
        let at = index_of_place(table, place)?.unwrap_or(table.columns.len());
        table.columns.insert(at, column.clone());
    }
    if let Some(watermark) = &parts.body.watermark {
        if let Some(former) = &table.watermark {
            let strategy = format!("{} AS {}", quoted(&former.column), crate::unparse::expression(&former.expression));
            return Err(failed(
                watermark.span,
                format!(
                    "The current table has already defined the watermark strategy {strategy}. You might want to drop it before adding a new one."
                ),
            ));
        }
        table.watermark = Some(watermark.clone());
    }
    if let Some(key) = &parts.body.primary_key {
        if !table.primary_key.is_empty() {
            let names = table.primary_key.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
            return Err(failed(
                key.span,
                format!(
                    "The current table has already defined the primary key constraint [{names}]. You might want to drop it before adding a new one."
                ),
            ));
        }
        set_primary_key(table, key, |_| true)?;
    }
    Ok(())
}

fn modify(table: &mut Table, parts: &TableParts) -> SqlResult<()> {
    if let Some(distribution) = &parts.distribution {
        if table.distribution.is_none() {
            let reason = "The base table does not define any distribution. You might want to add a new one.";
            return Err(failed(distribution.span, reason).hint("write ALTER TABLE ... ADD DISTRIBUTION ..."));
        }
        table.distribution = Some(distribution.clone());
    }
    for (column, place) in parts.body.columns.iter().zip(&parts.places) {
        let Some(at) = table.columns.iter().position(|former| former.name == column.name) else {
            let hint = did_you_mean(&column.name, table.columns.iter().map(|column| column.name.as_str()));
            let reason = format!("Column {} does not exist in the table.", quoted(&column.name));
            return Err(failed(column.span, reason).hint_maybe(hint));
        };
        let former = table.columns.remove(at);
        let comment = column.comment.clone().or(former.comment);
        let to = match place {
            ColumnPlace::After(name) if name.value == column.name => at,
            place => index_of_place(table, place)?.unwrap_or(at),
        };
        let mut column = Column { comment, ..column.clone() };
        if table.primary_key.contains(&column.name)
            && let ColumnKind::Physical(data_type) = &mut column.kind
        {
            data_type.nullable = false;
        }
        table.columns.insert(to, column);
    }
    if let Some(watermark) = &parts.body.watermark {
        if table.watermark.is_none() {
            let reason = "The current table does not define any watermark. You might want to add a new one.";
            return Err(failed(watermark.span, reason).hint("write ALTER TABLE ... ADD WATERMARK FOR ..."));
        }
        table.watermark = Some(watermark.clone());
    }
    if let Some(key) = &parts.body.primary_key {
        if table.primary_key.is_empty() {
            let reason =
                "The current table does not define any primary key constraint. You might want to add a new one.";
            return Err(failed(key.span, reason).hint("write ALTER TABLE ... ADD PRIMARY KEY ..."));
        }
        set_primary_key(table, key, |_| true)?;
    }
    Ok(())
}

/// The index at which a column goes in; None: where it would anyway.
fn index_of_place(table: &Table, place: &ColumnPlace) -> SqlResult<Option<usize>> {
    match place {
        ColumnPlace::Default => Ok(None),
        ColumnPlace::First => Ok(Some(0)),
        ColumnPlace::After(name) => match table.columns.iter().position(|column| column.name == name.value) {
            Some(index) => Ok(Some(index + 1)),
            None => {
                let reason =
                    format!("Referenced column {} by 'AFTER' does not exist in the table.", quoted(&name.value));
                Err(unknown(table, name, reason))
            }
        },
    }
}

fn drop_columns(table: &mut Table, columns: &[Ident]) -> SqlResult<()> {
    let mut dropped: Vec<&str> = Vec::new();
    for column in columns {
        let name = quoted(&column.value);
        if dropped.contains(&column.value.as_str()) {
            return Err(failed(span_of(column.span), format!("Duplicate column {name}.")));
        }
        if table.column(&column.value).is_none() {
            return Err(unknown(table, column, format!("The column {name} does not exist in the base table.")));
        }
        dropped.push(&column.value);
    }
    for column in columns {
        refuse_used(table, column, &dropped)?;
    }
    let is_left = |column: &Column| !columns.iter().any(|dropped| dropped.value == column.name);
    table.columns.retain(is_left);
    Ok(())
}

/// Refuses to take away a column that other parts of the table use; `leaving` go with it.
fn refuse_used(table: &Table, column: &Ident, leaving: &[&str]) -> SqlResult<()> {
    let (span, name) = (span_of(column.span), quoted(&column.value));
    if table.primary_key.contains(&column.value) && !leaving.is_empty() {
        return Err(failed(span, format!("The column {name} is used as the primary key.")));
    }
    if table.partition_keys.contains(&column.value) {
        return Err(failed(span, format!("The column {name} is used as the partition keys.")));
    }
    if table.distribution.as_ref().is_some_and(|distribution| distribution.keys.contains(&column.value)) {
        return Err(failed(span, format!("The column {name} is used as a distribution key.")));
    }
    if let Some(watermark) = &table.watermark
        && (watermark.column == column.value || reads(&watermark.expression, &column.value))
    {
        return Err(failed(span, format!("The column {name} is referenced by watermark expression.")));
    }
    let computed = table.columns.iter().find(|other| match &other.kind {
        ColumnKind::Computed(expression) => !leaving.contains(&other.name.as_str()) && reads(expression, &column.value),
        _ => false,
    });
    match computed {
        Some(other) => {
            Err(failed(span, format!("The column {name} is referenced by computed column {}.", quoted(&other.name))))
        }
        None => Ok(()),
    }
}

/// Whether `expression` reads the column `name`.
fn reads(expression: &ast::Expr, name: &str) -> bool {
    ast::visit_expressions(expression, |part| {
        let is_it = match part {
            ast::Expr::Identifier(ident) => ident.value == name,
            ast::Expr::CompoundIdentifier(parts) => parts.first().is_some_and(|ident| ident.value == name),
            _ => false,
        };
        if is_it { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .is_break()
}

fn drop_primary_key(table: &mut Table, span: Span) -> SqlResult<()> {
    if table.primary_key.is_empty() {
        return Err(failed(span, "The current table does not define any primary key."));
    }
    table.primary_key.clear();
    table.primary_key_name = None;
    Ok(())
}

fn drop_constraint(table: &mut Table, name: &Ident) -> SqlResult<()> {
    let span = span_of(name.span);
    if !table.primary_key.is_empty() {
        let own = crate::unparse::key_name(table);
        if own != name.value {
            return Err(failed(
                span,
                format!(
                    "The current table does not define a primary key constraint named '{}'. Available constraint name: ['{own}'].",
                    name.value
                ),
            ));
        }
    }
    drop_primary_key(table, span)
}

fn rename_column(table: &mut Table, from: &Ident, to: &Ident) -> SqlResult<()> {
    if table.column(&from.value).is_none() {
        let reason = format!("The column {} does not exist in the base table.", quoted(&from.value));
        return Err(unknown(table, from, reason));
    }
    refuse_used(table, from, &[])?;
    if table.column(&to.value).is_some() {
        let reason = format!("The column {} already existed in table schema.", quoted(&to.value));
        return Err(failed(span_of(to.span), reason));
    }
    for column in &mut table.columns {
        if column.name == from.value {
            column.name.clone_from(&to.value);
        }
    }
    for key in &mut table.primary_key {
        if *key == from.value {
            key.clone_from(&to.value);
        }
    }
    Ok(())
}

fn reset(table: &mut Table, keys: &[(String, Span)]) -> SqlResult<()> {
    for (key, span) in keys {
        if key == "connector" {
            return Err(SqlError::new(*span, "ALTER TABLE RESET does not support changing 'connector'")
                .hint("SET ('connector' = '...') changes it"));
        }
        table.options.values.remove(key);
        table.options.spans.remove(key);
    }
    Ok(())
}

fn partition(
    table: &mut Table,
    path: &ObjectPath,
    drop: bool,
    values: &[(String, String)],
    lenient: bool,
    span: Span,
) -> SqlResult<()> {
    let place = format!("{}.{} in catalog {}", path.database, path.object, path.catalog);
    let shown = values.iter().map(|(column, value)| format!("{column}={value}")).collect::<Vec<_>>();
    let spec = format!("Partition CatalogPartitionSpec{{{{{}}}}} of table {place}", shown.join(", "));
    let text = shown.join("/");
    let is_there = table.partitions.contains(&text);
    if drop {
        if !is_there && !lenient {
            return Err(SqlError::new(span, format!("{spec} does not exist.")));
        }
        table.partitions.retain(|partition| *partition != text);
        return Ok(());
    }
    if table.partition_keys.is_empty() {
        return Err(SqlError::new(span, format!("Table {place} is not partitioned."))
            .hint("declare it with PARTITIONED BY (...)"));
    }
    if values.len() != table.partition_keys.len()
        || values.iter().any(|(column, _)| !table.partition_keys.contains(column))
    {
        let keys = table.partition_keys.join(", ");
        let message = format!(
            "PartitionSpec CatalogPartitionSpec{{{{{}}}}} does not match partition keys [{keys}] of table {place}.",
            shown.join(", ")
        );
        return Err(SqlError::new(span, message).hint("give each partition key a value"));
    }
    if is_there {
        return if lenient { Ok(()) } else { Err(SqlError::new(span, format!("{spec} already exists."))) };
    }
    table.partitions.push(text);
    table.partitions.sort();
    Ok(())
}
