//! What an aggregation reads: a Calc with keys, arguments, filters and the time as plain columns, and above it the copies that grouping sets ask for.

use weir_base::Span;
use weir_plan::{AggregateCall, DataType, Expr, ExprKind, LogicalType, Value};

use super::grouping::Grouping;
use crate::binder::aggregates::Aggregate;
use crate::binder::query::QueryBinder;
use crate::binder::rel::{Rel, RelColumn, RelId, RelOp, key_of_expr};
use crate::binder::scope::{Attribute, Scope};
use crate::binder::select::unique_names;

/// The relation that a grouped SELECT stands on, with the Calcs between folded.
pub(super) struct Base {
    /// The relation.
    pub input: RelId,
    /// Which of its rows count.
    pub condition: Option<Expr>,
    /// The SELECT's input columns, over it.
    pub columns: Vec<Expr>,
}

/// What an aggregation reads.
pub(super) struct GroupInput {
    /// The relation.
    pub rel: RelId,
    /// Its key columns: those of the grouping expressions, then the number of the grouping set where there are several.
    pub keys: Vec<usize>,
    /// The keys as columns of the output.
    pub outputs: Vec<RelColumn>,
    /// The aggregates over it.
    pub aggregates: Vec<AggregateCall>,
    /// The column that was asked for beside them.
    pub beside: Option<usize>,
}

/// The columns of the Calc below an aggregation.
struct Columns {
    columns: Vec<(String, Expr)>,
    /// Columns in front that stand for themselves: grouping sets put NULL into them.
    own: usize,
}

impl QueryBinder<'_> {
    /// Adds the Calc over `base` that has the grouping expressions `key_exprs` as keys, what `calls` take, and the column `beside` of the base.
    #[expect(clippy::too_many_arguments, reason = "these are the parts of a grouped SELECT")]
    pub(super) fn group_input(
        &mut self,
        base: &Base,
        grouping: &Grouping,
        key_exprs: &[usize],
        calls: &[Aggregate],
        beside: Option<usize>,
        scope: &Scope,
        span: Span,
    ) -> GroupInput {
        let mut below = Columns { columns: Vec::new(), own: 0 };
        let (mut keys, mut outputs) = (Vec::new(), Vec::new());
        for index in key_exprs {
            let over_scope = &grouping.exprs[*index];
            let name = match over_scope.kind {
                ExprKind::Column(index) => scope.columns[index].name.clone(),
                _ => format!("$f{}", keys.len()),
            };
            let expr = substituted(over_scope, &base.columns);
            let nullable = expr.data_type.nullable || !grouping.always(*index);
            let data_type = expr.data_type.clone().with_nullable(nullable);
            outputs.push(RelColumn { name: name.clone(), data_type, attribute: Attribute::None });
            keys.push(below.column(expr, &name));
            if grouping.has_sets() {
                below.own = below.columns.len();
            }
        }
        let aggregates: Vec<AggregateCall> = calls.iter().map(|call| below.call(call, base)).collect();
        let input_columns = &self.dag.get(base.input).columns;
        let mut bare = |index: usize| {
            let column = &input_columns[index];
            below.column(Expr::column(index, column.data_type.clone()), &column.name)
        };
        let beside = beside.map(&mut bare);
        if below.columns.is_empty() {
            // COUNT(*) by processing time reads no column; a batch needs one to carry its rows.
            let first = &input_columns[0];
            below.column(Expr::column(0, first.data_type.clone()), &first.name);
        }
        let rel = self.dag.calc(base.input, base.condition.clone(), unique_names(below.columns), span);
        let mut input = GroupInput { rel, keys, outputs, aggregates, beside };
        if grouping.has_sets() {
            self.expand(&mut input, grouping, key_exprs, span);
        }
        input
    }

    /// Adds the copies of each row: one for each grouping set, with NULL for the keys that it lacks.
    fn expand(&mut self, input: &mut GroupInput, grouping: &Grouping, key_exprs: &[usize], span: Span) {
        let number = DataType::not_null(LogicalType::BigInt);
        let mut columns = self.dag.get(input.rel).columns.clone();
        let projection = |set: &super::grouping::GroupingSet| {
            let mut projection: Vec<Expr> = columns
                .iter()
                .enumerate()
                .map(|(at, column)| {
                    let nullable = column.data_type.clone().with_nullable(true);
                    match key_exprs.get(at) {
                        Some(expr) if !set.exprs.contains(expr) => Expr::new(ExprKind::Literal(Value::Null), nullable),
                        Some(expr) if !grouping.always(*expr) => Expr::column(at, nullable),
                        _ => Expr::column(at, column.data_type.clone()),
                    }
                })
                .collect();
            projection.push(Expr::new(ExprKind::Literal(Value::Integer(set.id)), number.clone()));
            projection
        };
        let projections: Vec<Vec<Expr>> = grouping.sets.iter().map(projection).collect();
        for (at, output) in input.outputs.iter().enumerate() {
            columns[at].data_type = output.data_type.clone();
        }
        let set = RelColumn { name: "$e".to_owned(), data_type: number, attribute: Attribute::None };
        columns.push(set.clone());
        input.keys.push(columns.len() - 1);
        input.outputs.push(set);
        let op = RelOp::Expand { projections };
        input.rel = self.dag.add(Rel { op, inputs: vec![input.rel], columns, span });
    }
}

impl Columns {
    fn column(&mut self, expr: Expr, name: &str) -> usize {
        let key = key_of_expr(&expr);
        let known = self.columns.iter().skip(self.own).position(|(_, known)| key_of_expr(known) == key);
        if let Some(index) = known {
            return self.own + index;
        }
        self.columns.push((name.to_owned(), expr));
        self.columns.len() - 1
    }

    /// The column of `expr`, called by its place.
    fn unnamed(&mut self, expr: Expr) -> usize {
        let name = format!("$f{}", self.columns.len());
        self.column(expr, &name)
    }

    /// The call over columns of this Calc.
    fn call(&mut self, call: &Aggregate, base: &Base) -> AggregateCall {
        let arguments: Vec<Expr> = call.arguments.iter().map(|expr| substituted(expr, &base.columns)).collect();
        let filter = call.filter.as_ref().map(|expr| substituted(expr, &base.columns));
        AggregateCall {
            function: call.function,
            argument_types: arguments.iter().map(|expr| expr.data_type.clone()).collect(),
            arguments: arguments.into_iter().map(|expr| self.unnamed(expr)).collect(),
            distinct: call.distinct,
            filter: filter.map(|expr| self.unnamed(expr)),
            separator: call.separator.clone(),
            data_type: call.data_type.clone(),
        }
    }
}

/// `expr` with its columns replaced by what they stand for.
pub(in crate::binder) fn substituted(expr: &Expr, columns: &[Expr]) -> Expr {
    let mut expr = expr.clone();
    expr.rewrite(&mut |part| {
        if let ExprKind::Column(index) = part.kind {
            let span = part.span;
            *part = columns[index].clone();
            if span.is_known() {
                part.span = span;
            }
        }
    });
    expr
}
