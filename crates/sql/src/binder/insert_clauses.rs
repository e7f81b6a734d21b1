//! What an INSERT says besides its columns and its query: OVERWRITE, PARTITION, ON CONFLICT.

use sqlparser::ast;
use weir_base::{RowKind, Span};
use weir_plan::{CastMode, ChangelogMode, ConnectorSpec, DataType, Expr, ExprKind, LogicalType, TableOptions, Value};

use super::refusal::{not_supported, refuse};
use crate::catalog::Table;
use crate::error::{SqlError, did_you_mean, span_of};
use crate::{Insert, OnConflict};

/// Refuses clauses that `table`'s connector or a stream does not take.
pub(super) fn check_clauses(insert: &Insert, table: &Table, connector: &ConnectorSpec) -> Result<(), SqlError> {
    if let Some(span) = insert.overwrite {
        let message = if connector.identifier == "filesystem" {
            "Streaming mode not support overwrite.".to_owned()
        } else {
            format!(
                "INSERT OVERWRITE requires that the underlying DynamicTableSink of table '{}' implements the SupportsOverwrite interface.",
                table.full_name
            )
        };
        return Err(refuse(span, message).hint("a stream never ends to be replaced: write INSERT INTO"));
    }
    let Some((on_conflict, span)) = insert.on_conflict else { return Ok(()) };
    let takes = connector.sink.unwrap_or(ChangelogMode::INSERT_ONLY);
    if !takes.updates() || takes.contains(RowKind::UpdateBefore) || table.primary_key.is_empty() {
        let message = format!(
            "ON CONFLICT clause is only allowed for upsert sinks. The sink '{}' is not an upsert sink because it {}.",
            table.full_name,
            if table.primary_key.is_empty() {
                "has no primary key"
            } else if takes.updates() {
                "requires UPDATE_BEFORE (retract mode)"
            } else {
                "only accepts INSERT (append-only) changes"
            }
        );
        return Err(refuse(span, message).hint("leave ON CONFLICT out"));
    }
    let words = match on_conflict {
        OnConflict::Nothing => "NOTHING",
        OnConflict::Error => "ERROR",
        // A new row takes the place of the former one of its key. Where rows are updated by another key, that is not enough: the query is refused then.
        OnConflict::Deduplicate => return Ok(()),
    };
    Err(not_supported(span, format!("ON CONFLICT DO {words}"))
        .hint("ON CONFLICT DO DEDUPLICATE keeps the newest row of each key"))
}

/// The values of `PARTITION (...)`: a column's name, and the constant in its type.
pub(super) fn partition_values(
    insert: &Insert,
    table: &Table,
    type_of: impl Fn(&str) -> Option<DataType>,
) -> Result<Vec<(String, Expr)>, SqlError> {
    let mut values = Vec::with_capacity(insert.partition.len());
    for (column, tree) in &insert.partition {
        let span = span_of(column.span);
        let name = &column.value;
        let Some(data_type) = type_of(name) else {
            let hint = did_you_mean(name, table.partition_keys.iter().map(String::as_str));
            return Err(refuse(span, format!("Unknown target column '{name}'")).hint_maybe(hint));
        };
        if !table.partition_keys.contains(name) {
            let message = format!(
                "Static partition column '{name}' should be in the partition keys list [{}] for table '{}'.",
                table.partition_keys.join(", "),
                table.full_name
            );
            return Err(refuse(span, message).hint("give the value as a column of the query"));
        }
        if let Some(twice) = insert.columns.iter().find(|listed| listed.value == *name) {
            let message = format!("Target column '{name}' is assigned more than once");
            return Err(refuse(span_of(twice.span), message).hint("PARTITION gives its value already"));
        }
        values.push((name.clone(), constant(tree, &data_type, span)?));
    }
    Ok(values)
}

/// The constant `tree` as Flink takes it: its text, cast to the column's type.
fn constant(tree: &ast::Expr, data_type: &DataType, span: Span) -> Result<Expr, SqlError> {
    if matches!(tree, ast::Expr::Value(value) if value.value == ast::Value::Null) {
        return Ok(Expr::new(ExprKind::Literal(Value::Null), data_type.clone().with_nullable(true)).at(span));
    }
    let Some(text) = text_of(tree) else {
        return Err(
            refuse(span, "the value of a partition must be a constant").hint("write PARTITION (column = 'value')")
        );
    };
    let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let literal = Expr::new(ExprKind::Literal(Value::String(text)), DataType::not_null(LogicalType::Char(length)));
    let literal = literal.at(span);
    if data_type.logical.is_string() {
        return Ok(literal);
    }
    let target = DataType::not_null(data_type.logical.clone());
    Ok(Expr::new(ExprKind::Cast(Box::new(literal), CastMode::Cast), target).at(span))
}

/// The text of a constant.
fn text_of(tree: &ast::Expr) -> Option<String> {
    match tree {
        ast::Expr::Value(value) => match &value.value {
            ast::Value::SingleQuotedString(text) => Some(text.clone()),
            ast::Value::Number(digits, _) => Some(digits.clone()),
            ast::Value::Boolean(truth) => Some(truth.to_string()),
            _ => None,
        },
        ast::Expr::TypedString(typed) => match &typed.value.value {
            ast::Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => text_of(expr).map(|text| format!("-{text}")),
        _ => None,
    }
}

/// Tells the print connector which partition its rows are of: it writes it before each, as Flink's does.
pub(super) fn name_partition(options: &mut TableOptions, insert: &Insert, table: &Table, connector: &ConnectorSpec) {
    const IDENTIFIER: &str = "print-identifier";
    if connector.identifier != "print" {
        return;
    }
    let mut parts: Vec<String> = options.get(IDENTIFIER).map(str::to_owned).into_iter().collect();
    for key in &table.partition_keys {
        let value = insert.partition.iter().find(|(column, _)| column.value == *key);
        parts.extend(value.and_then(|(_, tree)| text_of(tree)).map(|text| format!("{key}={text}")));
    }
    if !parts.is_empty() {
        options.values.insert(IDENTIFIER.to_owned(), parts.join(":"));
    }
}
