//! Tables in FROM: columns of all kinds, computed ones and the watermark bound, as a scan with a Calc above it.
//!
//! The scan gives the physical columns, the metadata columns, and those computed ones that the watermark needs. The other computed
//! columns stand in the Calc, where a filter can go before them. All columns are there; `optimize` prunes what nobody reads.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlparser::ast;
use weir_base::Span;
use weir_plan::{
    ConnectorSpec, DataType, Expr, ExprKind, LogicalType, SourceColumn, SourceSpec, TableOptions, WatermarkSpec,
};

use super::QueryBinder;
use super::expr::cast::implicit_cast;
use super::expr::{ExprBinder, check_divisions};
use super::refusal::refuse;
use super::rel::{Rel, RelColumn, RelId, RelOp, Scan, columns_of};
use super::scope::{Attribute, Scope, ScopeColumn};
use super::types::explicit_cast_exists;
use crate::catalog::{ColumnKind, Table};
use crate::error::{SqlError, did_you_mean};
use crate::options::{Role, options_for};

/// Flink's default of `pipeline.auto-watermark-interval`.
const WATERMARK_INTERVAL: Duration = Duration::from_millis(200);

/// A table's columns in DDL order, bound over what the connector gives.
struct BoundTable {
    /// What is asked of the connector.
    read: Vec<SourceColumn>,
    /// One expression over `read` for each column of the table.
    columns: Vec<(RelColumn, Expr)>,
}

impl QueryBinder<'_> {
    /// A read of `table`, with the options of a hint; columns in DDL order.
    pub(super) fn table(&mut self, table: &Table, hint: Option<&TableOptions>) -> Result<RelId, SqlError> {
        let (options, connector) = options_for(table, hint, Role::Source, self.environment)?;
        let mut bound = bind_columns(table, Some(connector))?;
        let watermark = bind_watermark(table, &mut bound)?;
        // The scan gives columns that are not computed, and what the watermark reads.
        let mut given: BTreeSet<usize> = BTreeSet::new();
        for (index, column) in table.columns.iter().enumerate() {
            if !matches!(column.kind, ColumnKind::Computed(_)) {
                given.insert(index);
            }
        }
        if let Some((column, expression)) = &watermark {
            given.insert(*column);
            columns_of(expression, &mut given);
        }
        let given: Vec<usize> = given.into_iter().collect();
        let place = |index: usize| given.iter().position(|at| *at == index);
        let watermark = match watermark {
            None => None,
            Some((column, mut expression)) => {
                let index = |at: usize| place(at).expect("the scan gives what the watermark reads");
                shift_columns(&mut expression, index);
                Some(WatermarkSpec {
                    column: index(column),
                    expression,
                    interval: self.settings.duration("pipeline.auto-watermark-interval")?.unwrap_or(WATERMARK_INTERVAL),
                    idle_timeout: self.settings.duration("table.exec.source.idle-timeout")?.unwrap_or(Duration::ZERO),
                })
            }
        };
        let spec = SourceSpec {
            table: table.full_name.clone(),
            connector: connector.identifier.to_owned(),
            options,
            physical: table.physical(),
            columns: bound.read.clone(),
            projection: given.iter().map(|index| bound.columns[*index].1.clone()).collect(),
            condition: None,
            watermark,
        };
        let of_key = |name: &String| place(table.columns.iter().position(|column| column.name == *name)?);
        let primary_key = table.primary_key.iter().map(of_key).collect::<Option<_>>().unwrap_or_default();
        let scan = Scan { spec, watermark_per_split: connector.watermark_per_split, primary_key };
        let scan = Rel {
            op: RelOp::Scan(Box::new(scan)),
            inputs: Vec::new(),
            columns: given.iter().map(|index| bound.columns[*index].0.clone()).collect(),
            span: table.span,
        };
        let scan = self.dag.add(scan);
        Ok(self.above_scan(table, scan, &given, &bound))
    }

    /// The Calc that brings the columns into DDL order and computes the rest.
    fn above_scan(&mut self, table: &Table, scan: RelId, given: &[usize], bound: &BoundTable) -> RelId {
        if given.len() == table.columns.len() {
            return scan;
        }
        // A computed column is over what is read; above the scan the same columns stand elsewhere.
        let places: Vec<Option<usize>> = (0..bound.read.len())
            .map(|read| given.iter().position(|index| holds(&bound.columns[*index].1, read)))
            .collect();
        let mut columns = Vec::with_capacity(table.columns.len());
        for (index, (column, expr)) in bound.columns.iter().enumerate() {
            let expr = match given.iter().position(|at| *at == index) {
                Some(at) => Expr::column(at, column.data_type.clone()),
                None => {
                    let mut expr = expr.clone();
                    replace_reads(&mut expr, &places, &self.dag.get(scan).columns);
                    expr
                }
            };
            columns.push((column.name.clone(), expr));
        }
        let mut calc = self.dag.calc(scan, None, columns, table.span);
        for (index, (column, _)) in bound.columns.iter().enumerate() {
            if column.attribute == Attribute::ProcTime {
                calc = self.dag.set_attribute(calc, index, Attribute::ProcTime);
            }
        }
        calc
    }
}

/// The columns of `table` as declared, in DDL order, with their types and time attributes; no connector is asked.
///
/// # Errors
/// A computed column or the watermark is refused.
pub(super) fn declared_columns(table: &Table) -> Result<Vec<RelColumn>, SqlError> {
    let mut bound = bind_columns(table, None)?;
    bind_watermark(table, &mut bound)?;
    Ok(bound.columns.into_iter().map(|(column, _)| column).collect())
}

/// The rowtime column and the watermark over the table's columns; marks the column.
fn bind_watermark(table: &Table, bound: &mut BoundTable) -> Result<Option<(usize, Expr)>, SqlError> {
    let Some(watermark) = &table.watermark else { return Ok(None) };
    let column = table.columns.iter().position(|column| column.name == watermark.column);
    let Some(column) = column else {
        return Err(refuse(
            watermark.span,
            format!("Rowtime attribute '{}' is not defined in schema", watermark.column),
        ));
    };
    if bound.columns[column].0.attribute == Attribute::ProcTime {
        return Err(refuse(watermark.span, "A watermark can not be defined for a processing-time attribute."));
    }
    let rowtime = &bound.columns[column].0.data_type.logical;
    if !rowtime.is_rowtime() {
        return Err(refuse(
            watermark.span,
            format!(
                "Invalid data type of time field for watermark definition. The field must be of type TIMESTAMP(p) or \
                 TIMESTAMP_LTZ(p), the supported precision 'p' is from 0 to 3, but the time field type is {rowtime}"
            ),
        ));
    }
    bound.columns[column].0.attribute = Attribute::RowTime;
    let scope = scope_of(bound.columns.iter().map(|(column, _)| column));
    let expression = ExprBinder::new(&scope).bind(&watermark.expression)?;
    if !expression.data_type.logical.is_rowtime() {
        return Err(refuse(
            expression.span,
            format!(
                "Invalid data type of expression for watermark definition. The field must be of type TIMESTAMP(p) or \
                 TIMESTAMP_LTZ(p), the supported precision 'p' is from 0 to 3, but the watermark expression type is {}",
                expression.data_type.logical
            ),
        ));
    }
    Ok(Some((column, expression)))
}

fn scope_of<'c>(columns: impl Iterator<Item = &'c RelColumn>) -> Scope {
    let columns = columns.map(|column| ScopeColumn {
        qualifier: None,
        name: column.name.clone(),
        data_type: column.data_type.clone(),
        attribute: column.attribute,
    });
    Scope { columns: columns.collect() }
}

/// Binds the columns; metadata is checked against `connector` where one is given.
fn bind_columns(table: &Table, connector: Option<&ConnectorSpec>) -> Result<BoundTable, SqlError> {
    let mut read = Vec::new();
    let mut bound: Vec<Option<(RelColumn, Expr)>> = Vec::new();
    let plain =
        |name: &str, data_type: DataType| RelColumn { name: name.to_owned(), data_type, attribute: Attribute::None };
    let mut physical = 0;
    for column in &table.columns {
        let at = read.len();
        bound.push(match &column.kind {
            ColumnKind::Physical(data_type) => {
                read.push(SourceColumn::Physical(physical));
                physical += 1;
                Some((plain(&column.name, data_type.clone()), Expr::column(at, data_type.clone()).at(column.span)))
            }
            ColumnKind::Metadata { key, data_type, .. } => {
                let given = match connector {
                    Some(connector) => metadata_type(connector, table, key, data_type, column.span)?,
                    None => data_type.clone(),
                };
                read.push(SourceColumn::Metadata(key.clone(), given.clone()));
                let expr = implicit_cast(Expr::column(at, given).at(column.span), &data_type.logical);
                Some((plain(&column.name, data_type.clone()), Expr { data_type: data_type.clone(), ..expr }))
            }
            ColumnKind::Computed(_) => None,
        });
    }
    // A computed column sees the columns that are not computed, under their declared types.
    let visible: Vec<usize> = (0..bound.len()).filter(|index| bound[*index].is_some()).collect();
    let scope = scope_of(visible.iter().filter_map(|index| bound[*index].as_ref()).map(|(column, _)| column));
    let mut columns = Vec::with_capacity(bound.len());
    for (index, column) in table.columns.iter().enumerate() {
        let ColumnKind::Computed(tree) = &column.kind else {
            columns.push(bound[index].clone().expect("only computed columns are not bound yet"));
            continue;
        };
        let mut expr = ExprBinder::new(&scope).bind(tree)?;
        check_divisions(&expr)?;
        expr.rewrite(&mut |part| {
            if let ExprKind::Column(at) = part.kind
                && let Some((_, inner)) = &bound[visible[at]]
            {
                *part = inner.clone();
            }
        });
        if expr.data_type.logical == LogicalType::Null {
            return Err(refuse(expr.span, "Illegal use of 'NULL'").hint("write CAST(NULL AS the type)"));
        }
        let mut named = plain(&column.name, expr.data_type.clone());
        if is_proctime(tree) {
            named.attribute = Attribute::ProcTime;
        }
        columns.push((named, expr));
    }
    Ok(BoundTable { read, columns })
}

/// The connector's type of a metadata column, which can be cast to the declared one.
fn metadata_type(
    connector: &ConnectorSpec,
    table: &Table,
    key: &str,
    declared: &DataType,
    span: Span,
) -> Result<DataType, SqlError> {
    let Some(known) = connector.metadata.iter().find(|known| known.key == key) else {
        let keys: Vec<_> = connector.metadata.iter().map(|known| known.key).collect();
        let hint = did_you_mean(key, keys.iter().copied()).unwrap_or_else(|| {
            if keys.is_empty() {
                format!("the connector '{}' has no metadata columns", connector.identifier)
            } else {
                format!("the connector '{}' has: {}", connector.identifier, keys.join(", "))
            }
        });
        return Err(
            refuse(span, format!("Invalid metadata key '{key}' in column of table '{}'.", table.full_name)).hint(hint)
        );
    };
    if !explicit_cast_exists(&known.data_type.logical, &declared.logical) {
        return Err(refuse(
            span,
            format!(
                "Invalid data type for metadata column of table '{}'. The column cannot be declared as '{declared}' because the \
                 type must be castable from metadata type '{}'.",
                table.full_name, known.data_type
            ),
        ));
    }
    Ok(known.data_type.clone())
}

/// Whether `tree` is `PROCTIME()`, which makes a time attribute.
pub(super) fn is_proctime(tree: &ast::Expr) -> bool {
    match tree {
        ast::Expr::Function(function) => crate::catalog::display_name(&function.name).eq_ignore_ascii_case("PROCTIME"),
        ast::Expr::Nested(inner) => is_proctime(inner),
        _ => false,
    }
}

/// Moves every column of `expr`.
pub(super) fn shift_columns(expr: &mut Expr, place: impl Fn(usize) -> usize) {
    expr.rewrite(&mut |part| {
        if let ExprKind::Column(index) = &mut part.kind {
            *index = place(*index);
        }
    });
}

/// Whether `expr` is the read column `read`, bare or cast.
fn holds(expr: &Expr, read: usize) -> bool {
    match &expr.kind {
        ExprKind::Column(index) => *index == read,
        ExprKind::Cast(inner, _) => matches!(inner.kind, ExprKind::Column(index) if index == read),
        _ => false,
    }
}

/// Replaces reads, with the casts of metadata around them, by the scan's columns.
fn replace_reads(expr: &mut Expr, places: &[Option<usize>], columns: &[RelColumn]) {
    expr.rewrite(&mut |part| {
        let read = match &part.kind {
            ExprKind::Column(index) => *index,
            _ => return,
        };
        if let Some(at) = places[read] {
            // The scan's column has the declared type: a cast of metadata around this one has become one to the same type.
            part.kind = ExprKind::Column(at);
            part.data_type = columns[at].data_type.clone();
        }
    });
    expr.rewrite(&mut |part| {
        if let ExprKind::Cast(inner, _) = &part.kind
            && matches!(inner.kind, ExprKind::Column(_))
            && inner.data_type == part.data_type
        {
            *part = (**inner).clone();
        }
    });
}
