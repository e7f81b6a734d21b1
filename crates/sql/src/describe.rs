//! SHOW, SET and DESCRIBE as text: Flink's bordered tables.

use std::collections::BTreeMap;

use sqlparser::ast;
use weir_plan::{DataType, Field, JobGraph, Operator};

use crate::error::SqlResult;
use crate::{Catalog, Column, ColumnKind, Query, Relation, StatementKind, Table};

/// All settings in force, as `SET;` shows them.
pub(crate) fn settings(in_force: &BTreeMap<String, String>) -> String {
    let rows: Vec<Vec<String>> = in_force.iter().map(|(key, value)| vec![key.clone(), value.clone()]).collect();
    bordered(&["key", "value"], &rows)
}

/// A list of names.
pub(crate) fn names(heading: &str, names: &[&str]) -> String {
    bordered(&[heading], &names.iter().map(|name| vec![(*name).to_owned()]).collect::<Vec<_>>())
}

/// The columns of a table or a view; `plan` plans a view's query for the types of its columns.
pub(crate) fn relation(
    catalog: &Catalog,
    name: &ast::ObjectName,
    plan: impl Fn(&Query) -> SqlResult<JobGraph>,
) -> SqlResult<String> {
    let rows = match catalog.resolve(name)? {
        Relation::Table(table) => {
            let computed = computed_types(table, &plan);
            table.columns.iter().map(|column| row_of(table, column, &computed)).collect()
        }
        Relation::View(view) => {
            let graph = plan(&view.query)?;
            let fields = given(&graph);
            let row = |(index, field): (usize, &Field)| {
                let name = view.columns.get(index).map_or(&field.name, |renamed| &renamed.value);
                vec![
                    name.clone(),
                    type_text(&field.data_type),
                    null_text(&field.data_type),
                    String::new(),
                    String::new(),
                    String::new(),
                ]
            };
            fields.iter().enumerate().map(row).collect::<Vec<_>>()
        }
    };
    Ok(bordered(&["name", "type", "null", "key", "extras", "watermark"], &rows))
}

/// The types of the computed columns by name: a plan that reads them knows. Of a table that cannot be read nobody does.
fn computed_types(table: &Table, plan: impl Fn(&Query) -> SqlResult<JobGraph>) -> BTreeMap<String, DataType> {
    let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
    let computed = table.columns.iter().filter(|column| matches!(column.kind, ColumnKind::Computed(_)));
    let names: Vec<String> = computed.map(|column| quoted(&column.name)).collect();
    if names.is_empty() {
        return BTreeMap::new();
    }
    let sql = format!("SELECT {} FROM {}", names.join(", "), quoted(&table.name));
    let statements = crate::script::read(&sql, &|_| None).and_then(crate::parse::parse_script).unwrap_or_default();
    let query = statements.into_iter().find_map(|statement| match statement.kind {
        StatementKind::Select(query) => Some(query),
        _ => None,
    });
    let fields = query.and_then(|query| plan(&query).ok()).map(|graph| given(&graph)).unwrap_or_default();
    fields.into_iter().map(|field| (field.name, field.data_type)).collect()
}

/// The columns that a query's plan gives to its sink.
fn given(graph: &JobGraph) -> Vec<Field> {
    let sink = graph.nodes.iter().rev().find(|node| matches!(node.operator, Operator::Sink(_)));
    sink.map(|sink| sink.schema.fields.clone()).unwrap_or_default()
}

fn row_of(table: &Table, column: &Column, computed: &BTreeMap<String, DataType>) -> Vec<String> {
    let (data_type, extras) = match &column.kind {
        ColumnKind::Physical(data_type) => (Some(data_type), String::new()),
        ColumnKind::Computed(expression) => (computed.get(&column.name), format!("AS {expression}")),
        ColumnKind::Metadata { key, data_type, is_virtual } => {
            let from = if *key == column.name { String::new() } else { format!(" FROM '{key}'") };
            (Some(data_type), format!("METADATA{from}{}", if *is_virtual { " VIRTUAL" } else { "" }))
        }
    };
    let key = if table.primary_key.contains(&column.name) {
        format!("PRI({})", table.primary_key.join(", "))
    } else {
        String::new()
    };
    let watermark = table.watermark.as_ref().filter(|watermark| watermark.column == column.name);
    vec![
        column.name.clone(),
        data_type.map(type_text).unwrap_or_default(),
        data_type.map(null_text).unwrap_or_default(),
        key,
        extras,
        watermark.map(|watermark| watermark.expression.to_string()).unwrap_or_default(),
    ]
}

/// The type without its nullability, which has a column of its own.
fn type_text(data_type: &DataType) -> String {
    data_type.logical.to_string()
}

fn null_text(data_type: &DataType) -> String {
    if data_type.nullable { "TRUE" } else { "FALSE" }.to_owned()
}

fn bordered(headings: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return "Empty set".to_owned();
    }
    let width = |index: usize| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
        cells.max().unwrap_or(0).max(headings[index].chars().count())
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let rule = widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect::<String>() + "+";
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells.zip(&widths).map(|(cell, width)| format!("| {cell:<width$} ")).collect::<String>();
        cells + "|"
    };
    let mut lines = vec![rule.clone(), line(&mut headings.iter().copied()), rule.clone()];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.push(rule);
    lines.join("\n")
}
