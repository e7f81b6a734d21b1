//! INSERT INTO: a query's columns fitted to its sink's, by position and with Flink's implicit casts; and the sink of a bare query.

use sqlparser::ast;
use weir_base::Span;
use weir_plan::{ChangelogMode, DataType, Expr, ExprKind, LogicalType, SinkSpec, TableOptions, Value};

use super::expr::cast::implicit_cast;
use super::insert_clauses::{check_clauses, name_partition, partition_values};
use super::query::QueryBinder;
use super::refusal::refuse;
use super::rel::{Rel, RelColumn, RelId, RelOp};
use super::scope::Attribute;
use super::types::{explicit_cast_exists, implicit_cast_exists, summary};
use crate::catalog::{ColumnKind, Relation, Table, place_of};
use crate::error::{SqlError, did_you_mean};
use crate::options::{Role, options_for};
use crate::{Insert, Query};

/// A column that an INSERT can write.
struct Target {
    name: String,
    data_type: DataType,
    /// The metadata key with the connector's type, for a metadata column.
    metadata: Option<(String, DataType)>,
}

impl QueryBinder<'_> {
    /// Binds an INSERT; gives its sink.
    pub(super) fn insert(&mut self, insert: &Insert) -> Result<RelId, SqlError> {
        let place = place_of(&insert.table);
        let table = match self.catalog.resolve_sink(&insert.table)? {
            Relation::Table(table) => table,
            Relation::View(view) => {
                return Err(refuse(place, format!("'{}' is a view: rows cannot be inserted into it", view.name)));
            }
        };
        let (mut options, connector) = options_for(table, insert.options.as_ref(), Role::Sink, self.environment)?;
        name_partition(&mut options, insert, table, connector);
        check_clauses(insert, table, connector)?;
        let targets = targets(table, connector, place)?;
        let type_of =
            |name: &str| targets.iter().find(|target| target.name == name).map(|target| target.data_type.clone());
        let partition = partition_values(insert, table, type_of)?;
        let query = self.query(&insert.query)?;
        let mut order = written(table, &targets, &insert.columns)?;
        order.retain(|at| !partition.iter().any(|(name, _)| *name == targets[*at].name));
        let columns = self.fitted(query, table, &targets, &order, &partition, insert)?;
        let input = self.dag.calc(query, None, columns, insert.span);
        let physical = table.physical();
        let index_of = |name: &String| physical.index_of(name);
        let primary_key: Vec<usize> = table.primary_key.iter().filter_map(index_of).collect();
        let spec = SinkSpec {
            table: table.full_name.clone(),
            connector: connector.identifier.to_owned(),
            options,
            physical,
            metadata: targets.iter().filter_map(|target| target.metadata.clone()).collect(),
            primary_key,
            changelog: connector.sink.unwrap_or(ChangelogMode::INSERT_ONLY),
        };
        Ok(self.sink(input, spec, place))
    }

    /// Binds a bare query into the sink `collect`, which takes every kind of row.
    pub(super) fn collect(&mut self, query: &Query) -> Result<RelId, SqlError> {
        let input = self.query(query)?;
        let rel = self.dag.get(input);
        let spec = SinkSpec {
            table: "collect".to_owned(),
            connector: "collect".to_owned(),
            options: TableOptions::default(),
            physical: rel.schema(),
            metadata: Vec::new(),
            primary_key: Vec::new(),
            changelog: ChangelogMode::ALL,
        };
        Ok(self.sink(input, spec, query.span))
    }

    fn sink(&mut self, input: RelId, spec: SinkSpec, span: Span) -> RelId {
        let column = |name: &str, data_type: &DataType| RelColumn {
            name: name.to_owned(),
            data_type: data_type.clone(),
            attribute: Attribute::None,
        };
        let physical = spec.physical.fields.iter().map(|field| column(&field.name, &field.data_type));
        let metadata = spec.metadata.iter().map(|(key, data_type)| column(key, data_type));
        let columns = physical.chain(metadata).collect();
        // Two INSERTs of the same rows into one table write them twice: a sink is never shared.
        self.dag.add_anew(Rel { op: RelOp::Sink(Box::new(spec)), inputs: vec![input], columns, span })
    }

    /// The sink's columns over the query's: physical ones in DDL order, then metadata.
    fn fitted(
        &self,
        query: RelId,
        table: &Table,
        targets: &[Target],
        order: &[usize],
        partition: &[(String, Expr)],
        insert: &Insert,
    ) -> Result<Vec<(String, Expr)>, SqlError> {
        let given = &self.dag.get(query).columns;
        let mismatch = |cause: String| {
            let query_schema: Vec<_> = given.iter().map(query_column).collect();
            let sink_schema: Vec<_> =
                order.iter().map(|at| format!("{}: {}", targets[*at].name, summary(&targets[*at].data_type))).collect();
            refuse(
                insert.query.span,
                format!(
                    "Column types of query result and sink for '{}' do not match.\nCause: {cause}\n\nQuery schema: [{}]\nSink schema:  [{}]",
                    table.full_name,
                    query_schema.join(", "),
                    sink_schema.join(", ")
                ),
            )
        };
        if given.len() != order.len() {
            if !insert.columns.is_empty() {
                return Err(refuse(insert.query.span, "Number of columns must match number of query columns")
                    .hint(format!("{} columns are listed, the query gives {}", order.len(), given.len())));
            }
            return Err(mismatch("Different number of columns.".to_owned()));
        }
        let mut columns = Vec::with_capacity(targets.len());
        for (at, target) in targets.iter().enumerate() {
            if let Some((name, constant)) = partition.iter().find(|(name, _)| *name == target.name) {
                columns.push((name.clone(), constant.clone()));
                continue;
            }
            let expr = match order.iter().position(|index| *index == at) {
                Some(position) => {
                    let column = &given[position];
                    if !implicit_cast_exists(&column.data_type.logical, &target.data_type.logical) {
                        return Err(mismatch(format!(
                            "Incompatible types for sink column '{}' at position {position}.",
                            target.name
                        )));
                    }
                    to_target(
                        Expr::column(position, column.data_type.clone()).at(insert.query.span),
                        &target.data_type.logical,
                    )
                }
                None if !target.data_type.nullable => {
                    return Err(refuse(
                        insert.columns.first().map_or(insert.span, |ident| crate::span_of(ident.span)),
                        format!("Column '{}' has no default value and does not allow NULLs", target.name),
                    ));
                }
                None => Expr::new(ExprKind::Literal(Value::Null), target.data_type.clone()),
            };
            columns.push((
                target.name.clone(),
                match &target.metadata {
                    Some((_, data_type)) => to_target(expr, &data_type.logical),
                    None => expr,
                },
            ));
        }
        Ok(columns)
    }
}

/// What goes into a column of a sink: a text or bytes that cannot be too long for it goes in as it is, all else is cast.
fn to_target(expr: Expr, target: &LogicalType) -> Expr {
    use LogicalType as T;
    match (&expr.data_type.logical, target) {
        (T::Char(length) | T::Varchar(length), T::Varchar(most))
        | (T::Binary(length) | T::Varbinary(length), T::Varbinary(most))
            if length <= most =>
        {
            expr
        }
        _ => implicit_cast(expr, target),
    }
}

fn query_column(column: &RelColumn) -> String {
    let time = match column.attribute {
        Attribute::RowTime => " *ROWTIME*",
        Attribute::ProcTime => " *PROCTIME*",
        _ => "",
    };
    let logical = &column.data_type.logical;
    let not_null = if column.data_type.nullable { "" } else { " NOT NULL" };
    format!("{}: {logical}{not_null}{time}", column.name)
}

/// Physical columns, then the metadata columns that are not virtual.
fn targets(table: &Table, connector: &weir_plan::ConnectorSpec, place: Span) -> Result<Vec<Target>, SqlError> {
    let mut physical = Vec::new();
    let mut persisted = Vec::new();
    for column in &table.columns {
        match &column.kind {
            ColumnKind::Physical(data_type) => {
                physical.push(Target { name: column.name.clone(), data_type: data_type.clone(), metadata: None });
            }
            ColumnKind::Metadata { key, data_type, is_virtual: false } => {
                let known = connector.metadata.iter().find(|known| known.key == key && known.writable);
                let Some(known) = known else {
                    let keys: Vec<_> =
                        connector.metadata.iter().filter(|known| known.writable).map(|known| known.key).collect();
                    return Err(refuse(
                        column.span,
                        format!("Invalid metadata key '{key}' in column '{}' of table '{}': the connector '{}' cannot write it.",
                            column.name, table.full_name, connector.identifier),
                    )
                    .hint(if keys.is_empty() {
                        "declare the column METADATA ... VIRTUAL".to_owned()
                    } else {
                        format!("writable are: {}; declare a column that is only read VIRTUAL", keys.join(", "))
                    }));
                };
                if !explicit_cast_exists(&data_type.logical, &known.data_type.logical) {
                    return Err(refuse(
                        column.span,
                        format!(
                            "Invalid data type for metadata column '{}' of table '{}': {data_type} cannot be cast to {}",
                            column.name, table.full_name, known.data_type
                        ),
                    ));
                }
                let metadata = Some((key.clone(), known.data_type.clone()));
                persisted.push(Target { name: column.name.clone(), data_type: data_type.clone(), metadata });
            }
            ColumnKind::Metadata { .. } | ColumnKind::Computed(_) => {}
        }
    }
    physical.extend(persisted);
    if physical.is_empty() {
        return Err(refuse(place, format!("Table '{}' has no column that can be written", table.full_name)));
    }
    Ok(physical)
}

/// For each column of the query the index of its target. Without a list: all in DDL order.
fn written(table: &Table, targets: &[Target], columns: &[ast::Ident]) -> Result<Vec<usize>, SqlError> {
    let index_of = |name: &str| targets.iter().position(|target| target.name == name);
    if columns.is_empty() {
        return Ok(table.columns.iter().filter_map(|column| index_of(&column.name)).collect());
    }
    let mut order = Vec::with_capacity(columns.len());
    for ident in columns {
        let span = crate::span_of(ident.span);
        let Some(index) = index_of(&ident.value) else {
            if table.column(&ident.value).is_some() {
                return Err(refuse(
                    span,
                    format!("Column '{}' is computed or VIRTUAL: it cannot be written", ident.value),
                ));
            }
            let hint = did_you_mean(&ident.value, targets.iter().map(|target| target.name.as_str()));
            return Err(refuse(span, format!("Unknown target column '{}'", ident.value)).hint_maybe(hint));
        };
        if order.contains(&index) {
            return Err(refuse(span, format!("Target column '{}' is assigned more than once", ident.value)));
        }
        order.push(index);
    }
    Ok(order)
}
