//! `VALUES` and a SELECT without FROM: rows that stand in the script.
//!
//! They are numbers from a generator (`datagen`'s sequence), each of which a Calc turns into its row: so they are split, checkpointed and ended as any
//! bounded table is, and a restart goes on behind the rows that were given.

use std::collections::BTreeMap;

use sqlparser::ast::{self, Spanned as _};
use weir_base::Span;
use weir_plan::{
    DataType, Expr, ExprKind, Field, Function, LogicalType, Schema, SourceColumn, SourceSpec, TableOptions, Value,
};

use super::expr::cast::implicit_cast;
use super::expr::{ExprBinder, is_untyped};
use super::query::QueryBinder;
use super::refusal::refuse;
use super::rel::{Rel, RelColumn, RelId, RelOp, Scan};
use super::scope::{Attribute, Scope};
use super::types::least_restrictive_type;
use crate::error::{SqlError, span_of};

/// Rows of a VALUES at most: each is a branch of an expression. More belong into a file.
const ROWS_MAX: usize = 1000;

/// The column that tells rows apart.
const NUMBER: &str = "number";

impl QueryBinder<'_> {
    /// `VALUES (a, b), (c, d)`: columns `EXPR$0`, `EXPR$1`.
    pub(super) fn values(&mut self, values: &ast::Values, span: Span) -> Result<RelId, SqlError> {
        if values.rows.len() > ROWS_MAX {
            return Err(refuse(
                span,
                format!("VALUES has {} rows, more than the {ROWS_MAX} allowed", values.rows.len()),
            )
            .hint("read them from a file: 'connector' = 'filesystem'"));
        }
        let scope = Scope::default();
        let mut rows = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            let row = row.content.iter().map(|tree| ExprBinder::new(&scope).bind(tree));
            rows.push(row.collect::<Result<Vec<Expr>, _>>()?);
        }
        let incompatible = || refuse(span, "Values passed to VALUES operator must have compatible types");
        let width = rows.first().map_or(0, Vec::len);
        if width == 0 || rows.iter().any(|row| row.len() != width) {
            return Err(incompatible());
        }
        if let Some(null) = rows.iter().flatten().find(|value| is_untyped(&value.data_type)) {
            return Err(refuse(null.span, "Illegal use of 'NULL'").hint("write CAST(NULL AS the type)"));
        }
        let count = rows.len();
        let numbers = self.numbers(count, span);
        let mut columns: Vec<Vec<Expr>> = (0..width).map(|_| Vec::with_capacity(count)).collect();
        for value in rows.into_iter().flat_map(|row| row.into_iter().enumerate()) {
            columns[value.0].push(value.1);
        }
        let mut named = Vec::with_capacity(width);
        for (index, column) in columns.into_iter().enumerate() {
            let types: Vec<DataType> = column.iter().map(|value| value.data_type.clone()).collect();
            let common = least_restrictive_type(&types).ok_or_else(incompatible)?;
            let column = column.into_iter().map(|value| implicit_cast(value, &common.logical)).collect();
            named.push((format!("EXPR${index}"), by_number(column, common, span)));
        }
        Ok(self.dag.calc(numbers, None, named, span))
    }

    /// One row for a SELECT without FROM, which has no columns to name.
    pub(super) fn one_row(&mut self, select: &ast::Select) -> (RelId, Scope) {
        (self.numbers(1, span_of(select.span())), Scope::default())
    }

    /// The numbers from 0 below `count`.
    fn numbers(&mut self, count: usize, span: Span) -> RelId {
        let data_type = DataType::not_null(LogicalType::BigInt);
        let options = [
            ("connector", "datagen".to_owned()),
            ("number-of-rows", count.to_string()),
            ("rows-per-second", "1000000".to_owned()),
            ("scan.parallelism", "1".to_owned()),
            ("fields.number.kind", "sequence".to_owned()),
            ("fields.number.start", "0".to_owned()),
            ("fields.number.end", count.saturating_sub(1).to_string()),
        ];
        let values = options.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let spec = SourceSpec {
            table: "Values".to_owned(),
            connector: "datagen".to_owned(),
            options: TableOptions { values, spans: BTreeMap::new() },
            physical: Schema::new(vec![Field::new(NUMBER, data_type.clone())]),
            columns: vec![SourceColumn::Physical(0)],
            projection: vec![Expr::column(0, data_type.clone())],
            condition: None,
            watermark: None,
        };
        let column = RelColumn { name: NUMBER.to_owned(), data_type, attribute: Attribute::None };
        let scan = Rel {
            op: RelOp::Scan(Box::new(Scan { spec, watermark_per_split: true, primary_key: Vec::new() })),
            inputs: Vec::new(),
            columns: vec![column],
            span,
        };
        self.dag.add(scan)
    }
}

/// `CASE number WHEN 0 THEN ... ELSE the last END`
fn by_number(mut column: Vec<Expr>, data_type: DataType, span: Span) -> Expr {
    let number = DataType::not_null(LogicalType::BigInt);
    let last = column.pop().expect("VALUES has a row");
    if column.is_empty() {
        return last;
    }
    let is = |index: i64| {
        let literal = Expr::new(ExprKind::Literal(Value::Integer(index)), number.clone()).at(span);
        let sides = vec![Expr::column(0, number.clone()), literal];
        Expr::new(ExprKind::Call(Function::Equal, sides), DataType::not_null(LogicalType::Boolean)).at(span)
    };
    let branches = (0..).zip(column).map(|(index, value)| (is(index), value)).collect();
    Expr::new(ExprKind::Case { branches, otherwise: Box::new(last) }, data_type).at(span)
}
