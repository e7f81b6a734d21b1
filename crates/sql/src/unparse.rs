//! Back to SQL, as Flink writes it: expressions with names in backticks, tables as CREATE statements.

use std::fmt::Write as _;

use sqlparser::ast::{self, Expr, FunctionArg, FunctionArgExpr};
use weir_plan::{DataType, LENGTH_MAX, LogicalType};

use crate::catalog::{Distribution, ObjectPath, quoted};
use crate::{ColumnKind, Table, View};

/// `CREATE TABLE ...` of `table` at `path`.
pub(crate) fn table(table: &Table, path: &ObjectPath, temporary: bool) -> String {
    let mut elements: Vec<String> = Vec::new();
    for column in &table.columns {
        let mut text = quoted(&column.name);
        match &column.kind {
            ColumnKind::Physical(data_type) => {
                let _ = write!(text, " {}", serialized(data_type));
            }
            ColumnKind::Computed(tree) => {
                let _ = write!(text, " AS {}", expression(tree));
            }
            ColumnKind::Metadata { data_type, .. } => {
                let _ = write!(text, " {} {}", serialized(data_type), metadata(&column.kind, &column.name));
            }
        }
        if let Some(comment) = &column.comment {
            let _ = write!(text, " COMMENT {}", literal(comment));
        }
        elements.push(text);
    }
    if let Some(watermark) = &table.watermark {
        let strategy = expression(&watermark.expression);
        elements.push(format!("WATERMARK FOR {} AS {strategy}", quoted(&watermark.column)));
    }
    if !table.primary_key.is_empty() {
        let columns = names(&table.primary_key);
        elements.push(format!("CONSTRAINT {} PRIMARY KEY ({columns}) NOT ENFORCED", quoted(&key_name(table))));
    }
    let temporary = if temporary { "TEMPORARY " } else { "" };
    let mut text = format!("CREATE {temporary}TABLE {} (\n  {}\n)\n", path.quoted(), elements.join(",\n  "));
    if let Some(comment) = &table.comment {
        let _ = writeln!(text, "COMMENT {}", literal(comment));
    }
    if let Some(distributed) = &table.distribution {
        let _ = writeln!(text, "{}", distribution(distributed));
    }
    if !table.partition_keys.is_empty() {
        let _ = writeln!(text, "PARTITIONED BY ({})", names(&table.partition_keys));
    }
    text + &options(&table.options.values)
}

/// `CREATE VIEW ...` of `view` at `path` with its `columns`.
pub(crate) fn view(view: &View, path: &ObjectPath, temporary: bool, columns: &[String]) -> String {
    let temporary = if temporary { "TEMPORARY " } else { "" };
    let columns = columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",\n  ");
    let mut text = format!("CREATE {temporary}VIEW {} (\n  {columns}\n)\n", path.quoted());
    if let Some(comment) = &view.comment {
        let _ = writeln!(text, "COMMENT {}", literal(comment));
    }
    text + "AS " + &view.query.ast.to_string() + "\n"
}

/// `CREATE CATALOG ...`
pub(crate) fn catalog(name: &str, info: &crate::catalog::CatalogInfo) -> String {
    let mut text = format!("CREATE CATALOG {}\n", quoted(name));
    if let Some(comment) = &info.comment {
        let _ = writeln!(text, "COMMENT {}", literal(comment));
    }
    text + &options(&info.options)
}

/// `WITH (...)`, or nothing.
fn options(values: &std::collections::BTreeMap<String, String>) -> String {
    if values.is_empty() {
        return String::new();
    }
    let lines: Vec<String> =
        values.iter().map(|(key, value)| format!("  {} = {}", literal(key), literal(value))).collect();
    format!("WITH (\n{}\n)\n", lines.join(",\n"))
}

/// The name of the table's primary key: its own, or the one that Flink gives it.
pub(crate) fn key_name(table: &Table) -> String {
    table.primary_key_name.clone().unwrap_or_else(|| format!("PK_{}", table.primary_key.join("_")))
}

/// `DISTRIBUTED ...`
pub(crate) fn distribution(distribution: &Distribution) -> String {
    let mut text = "DISTRIBUTED".to_owned();
    if !distribution.keys.is_empty() {
        let kind = distribution.kind.map(|kind| format!(" {kind}")).unwrap_or_else(|| " ".to_owned());
        let _ = write!(text, " BY{kind}({})", names(&distribution.keys));
    }
    if let Some(buckets) = distribution.buckets {
        let _ = write!(text, " INTO {buckets} BUCKETS");
    }
    text
}

/// `METADATA [FROM 'key'] [VIRTUAL]` of a metadata column; nothing for others.
pub(crate) fn metadata(kind: &ColumnKind, name: &str) -> String {
    let ColumnKind::Metadata { key, is_virtual, .. } = kind else { return String::new() };
    let from = if key == name { String::new() } else { format!(" FROM {}", literal(key)) };
    format!("METADATA{from}{}", if *is_virtual { " VIRTUAL" } else { "" })
}

fn names(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The type in standard SQL, without Flink's short names.
fn serialized(data_type: &DataType) -> String {
    let not_null = if data_type.nullable { "" } else { " NOT NULL" };
    let logical = match &data_type.logical {
        LogicalType::Varchar(LENGTH_MAX) => format!("VARCHAR({LENGTH_MAX})"),
        LogicalType::Varbinary(LENGTH_MAX) => format!("VARBINARY({LENGTH_MAX})"),
        LogicalType::TimestampLtz(precision) => format!("TIMESTAMP({precision}) WITH LOCAL TIME ZONE"),
        LogicalType::Array(element) => format!("ARRAY<{}>", serialized(element)),
        LogicalType::Map(key, value) => format!("MAP<{}, {}>", serialized(key), serialized(value)),
        LogicalType::Row(fields) => {
            let fields = fields.iter().map(|field| format!("{} {}", quoted(&field.name), serialized(&field.data_type)));
            format!("ROW<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    };
    logical + not_null
}

/// The text of an expression over a table's columns.
pub(crate) fn expression(tree: &Expr) -> String {
    let not = |negated: bool| if negated { "NOT " } else { "" };
    match tree {
        Expr::Identifier(ident) => quoted(&ident.value),
        Expr::CompoundIdentifier(parts) => parts.iter().map(|part| quoted(&part.value)).collect::<Vec<_>>().join("."),
        Expr::CompoundFieldAccess { root, access_chain } => {
            access_chain.iter().fold(expression(root), |text, access| text + &field_access(access))
        }
        Expr::Nested(inner) => format!("({})", expression(inner)),
        Expr::BinaryOp { left, op, right } => format!("{} {op} {}", expression(left), expression(right)),
        Expr::UnaryOp { op: ast::UnaryOperator::Not, expr } => {
            let inner = match &**expr {
                Expr::Nested(inner) => inner,
                _ => expr,
            };
            format!("NOT {}", expression(inner))
        }
        Expr::UnaryOp { op, expr } => format!("{op} {}", expression(expr)),
        Expr::IsNull(inner) => format!("{} IS NULL", expression(inner)),
        Expr::IsNotNull(inner) => format!("{} IS NOT NULL", expression(inner)),
        Expr::IsTrue(inner) => format!("{} IS TRUE", expression(inner)),
        Expr::IsNotTrue(inner) => format!("{} IS NOT TRUE", expression(inner)),
        Expr::IsFalse(inner) => format!("{} IS FALSE", expression(inner)),
        Expr::IsNotFalse(inner) => format!("{} IS NOT FALSE", expression(inner)),
        Expr::Between { expr, negated, low, high } => format!(
            "{} {}BETWEEN ASYMMETRIC {} AND {}",
            expression(expr),
            not(*negated),
            expression(low),
            expression(high)
        ),
        Expr::InList { expr, list, negated } => {
            format!("{} {}IN ({})", expression(expr), not(*negated), list_of(list))
        }
        Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
            format!("{} {}LIKE {}", expression(expr), not(*negated), expression(pattern))
        }
        Expr::Cast { kind, expr, data_type, .. } => {
            let name = if *kind == ast::CastKind::TryCast { "TRY_CAST" } else { "CAST" };
            let target = crate::cast_type(data_type).map_or_else(|_| data_type.to_string(), |known| known.to_string());
            format!("{name}({} AS {target})", expression(expr))
        }
        Expr::Case { operand, conditions, else_result, .. } => {
            case(operand.as_deref(), conditions, else_result.as_deref())
        }
        Expr::Array(array) => format!("ARRAY[{}]", list_of(&array.elem)),
        Expr::Function(function) => call(function),
        _ => special_call(tree),
    }
}

fn list_of(list: &[Expr]) -> String {
    list.iter().map(expression).collect::<Vec<_>>().join(", ")
}

fn field_access(access: &ast::AccessExpr) -> String {
    match access {
        ast::AccessExpr::Dot(field) => format!(".{}", expression(field)),
        ast::AccessExpr::Subscript(ast::Subscript::Index { index }) => format!("[{}]", expression(index)),
        other => other.to_string(),
    }
}

fn case(operand: Option<&Expr>, conditions: &[ast::CaseWhen], otherwise: Option<&Expr>) -> String {
    let mut text = "CASE".to_owned();
    if let Some(operand) = operand {
        let _ = write!(text, " {}", expression(operand));
    }
    for branch in conditions {
        let _ = write!(text, " WHEN {} THEN {}", expression(&branch.condition), expression(&branch.result));
    }
    let otherwise = otherwise.map_or_else(|| "NULL".to_owned(), expression);
    text + &format!(" ELSE {otherwise} END")
}

/// Functions that SQL gives a form of their own.
fn special_call(tree: &Expr) -> String {
    match tree {
        Expr::Trim { trim_where, trim_what, expr, .. } => {
            let side = trim_where.as_ref().map_or_else(|| "BOTH".to_owned(), ToString::to_string);
            let what = trim_what.as_ref().map_or_else(|| "' '".to_owned(), |what| expression(what));
            format!("TRIM({side} {what} FROM {})", expression(expr))
        }
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let parts = [Some(expr), substring_from.as_ref(), substring_for.as_ref()];
            let parts: Vec<String> = parts.into_iter().flatten().map(|part| expression(part)).collect();
            format!("SUBSTRING({})", parts.join(", "))
        }
        Expr::Extract { field, expr, .. } => format!("EXTRACT({field} FROM {})", expression(expr)),
        Expr::Position { expr, r#in } => format!("POSITION({} IN {})", expression(expr), expression(r#in)),
        Expr::Ceil { expr, field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) } => {
            format!("CEIL({})", expression(expr))
        }
        Expr::Floor { expr, field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) } => {
            format!("FLOOR({})", expression(expr))
        }
        other => other.to_string(),
    }
}

fn call(function: &ast::Function) -> String {
    let arguments = crate::dialect::function_args(function);
    let plain: Option<Vec<String>> = arguments
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => Some(expression(argument)),
            _ => None,
        })
        .collect();
    let name = crate::catalog::display_name(&function.name).to_ascii_uppercase();
    match plain {
        Some(plain) if name == "MAP" => format!("MAP[{}]", plain.join(", ")),
        Some(plain) if function.over.is_none() && function.filter.is_none() => format!("{name}({})", plain.join(", ")),
        _ => function.to_string(),
    }
}
