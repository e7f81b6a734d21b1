//! `ROW_NUMBER() OVER (PARTITION BY k ORDER BY t)` with `WHERE rn = 1` around it: deduplication.
//!
//! The call adds a `RowNumber` relation; the filter that keeps the first number turns it into a `Deduplicate`, wherever below a chain of
//! projections and filters it stands. A `RowNumber` that is left over is refused when the DAG is optimised.

use sqlparser::ast::{self, Spanned as _};
use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function, Keep, LogicalType, Order, Value};

use super::expr::{ExprBinder, all_of, integer_constant};
use super::query::QueryBinder;
use super::refusal::{not_supported, refuse};
use super::rel::{Rel, RelColumn, RelId, RelOp};
use super::scope::{Attribute, Scope};
use super::source::is_proctime;
use crate::catalog::display_name;
use crate::error::{SqlError, span_of};

/// What a comparison of a row number with a constant asks for.
enum Rank {
    /// The first row only.
    First,
    /// More rows, or others.
    Other(Span),
}

impl QueryBinder<'_> {
    /// Binds the window function of a SELECT item; gives the relation with the number as its last column, and that column.
    pub(super) fn row_number(
        &mut self,
        function: &ast::Function,
        input: RelId,
        scope: &Scope,
    ) -> Result<(RelId, Expr), SqlError> {
        let span = span_of(function.span());
        let name = display_name(&function.name);
        if !name.eq_ignore_ascii_case("ROW_NUMBER") {
            return Err(not_supported(span, format!("{}() OVER (...)", name.to_ascii_uppercase()))
                .hint("there is ROW_NUMBER() OVER (...) as deduplication"));
        }
        if matches!(self.dag.get(input).op, RelOp::RowNumber { .. }) {
            return Err(not_supported(span, "a second window function in a SELECT list"));
        }
        let Some(ast::WindowType::WindowSpec(window)) = &function.over else {
            return Err(not_supported(span, "a named window"));
        };
        if window.window_name.is_some() || window.window_frame.is_some() {
            return Err(not_supported(span, "a named window or a frame (ROWS, RANGE) of ROW_NUMBER()"));
        }
        if window.partition_by.is_empty() {
            return Err(not_supported(span, "ROW_NUMBER() without PARTITION BY, which numbers the whole stream,")
                .hint("name the columns of the key: PARTITION BY id"));
        }
        let mut keys = Vec::with_capacity(window.partition_by.len());
        let mut columns = self.dag.pass(input);
        for tree in &window.partition_by {
            let key = ExprBinder::new(scope).bind(tree)?;
            keys.push(match key.kind {
                ExprKind::Column(index) => index,
                _ => {
                    columns.push((format!("$key{}", keys.len()), key));
                    columns.len() - 1
                }
            });
        }
        if keys.iter().any(|key| {
            scope
                .columns
                .get(*key)
                .is_some_and(|column| matches!(column.attribute, Attribute::WindowStart | Attribute::WindowEnd))
        }) {
            return Err(not_supported(span, "window deduplication (PARTITION BY window_start, window_end)"));
        }
        let order = order_of(&window.order_by, scope, span)?;
        let input = if columns.len() > scope.columns.len() { self.dag.calc(input, None, columns, span) } else { input };
        let below = self.dag.get(input);
        let width = below.columns.len();
        let data_type = DataType::not_null(LogicalType::BigInt);
        let mut rel_columns = below.columns.clone();
        rel_columns.push(RelColumn {
            name: "w0$o0".to_owned(),
            data_type: data_type.clone(),
            attribute: Attribute::RowNumber,
        });
        let rel = Rel { op: RelOp::RowNumber { keys, order }, inputs: vec![input], columns: rel_columns, span };
        Ok((self.dag.add(rel), Expr::column(width, data_type).at(span)))
    }

    /// Applies a WHERE: a comparison of a row number becomes a deduplication, the rest a filter above it.
    pub(super) fn filter(&mut self, input: RelId, condition: Expr) -> Result<RelId, SqlError> {
        if matches!(self.dag.get(input).op, RelOp::Correlate(_)) {
            return self.filter_correlated(input, condition);
        }
        let span = condition.span;
        let mut rest = Vec::new();
        let mut input = input;
        for conjunct in conjuncts(condition) {
            match self.rank(input, &conjunct) {
                None => rest.push(conjunct),
                Some(Rank::First) => input = self.first_rows(input, conjunct.span)?,
                Some(Rank::Other(place)) => {
                    return Err(not_supported(place, "Top-N (more rows of a key than the first)")
                        .hint("deduplication is WHERE rn = 1"));
                }
            }
        }
        let condition = match rest.len() {
            0 => return Ok(input),
            1 => rest.remove(0),
            _ => all_of(Function::And, rest, span),
        };
        Ok(self.dag.filter(input, condition))
    }

    /// What `conjunct` says of a row number, if it compares one with a constant.
    fn rank(&self, input: RelId, conjunct: &Expr) -> Option<Rank> {
        let ExprKind::Call(function, sides) = &conjunct.kind else { return None };
        let [left, right] = sides.as_slice() else { return None };
        let number = |expr: &Expr| match expr.kind {
            ExprKind::Column(index) => self.dag.get(input).columns[index].attribute == Attribute::RowNumber,
            _ => false,
        };
        let (function, bound) = if number(left) {
            (*function, integer_constant(right)?)
        } else if number(right) {
            let turned = match function {
                Function::Less => Function::Greater,
                Function::LessOrEqual => Function::GreaterOrEqual,
                Function::Greater => Function::Less,
                Function::GreaterOrEqual => Function::LessOrEqual,
                same => *same,
            };
            (turned, integer_constant(left)?)
        } else {
            return None;
        };
        match (function, bound) {
            (Function::Equal | Function::LessOrEqual, 1) | (Function::Less, 2) => Some(Rank::First),
            _ => Some(Rank::Other(conjunct.span)),
        }
    }

    /// `rel` with its `RowNumber` replaced by a `Deduplicate`; where the number stood there is the constant 1.
    fn first_rows(&mut self, id: RelId, span: Span) -> Result<RelId, SqlError> {
        let rel = self.dag.get(id).clone();
        match rel.op {
            RelOp::RowNumber { keys, order } => {
                let Some((order, keep)) = order else {
                    return Err(not_supported(
                        rel.span,
                        "Top-1 (ROW_NUMBER() ordered by anything but one time attribute)",
                    )
                    .hint("deduplication orders by the table's WATERMARK column or by a PROCTIME() column"));
                };
                let input = rel.inputs[0];
                Ok(self.deduplicate(input, keys, order, keep, rel.span))
            }
            RelOp::Calc { condition, projection } => {
                let input = self.first_rows(rel.inputs[0], span)?;
                let columns = rel.columns.iter().map(|column| column.name.clone()).zip(projection).collect();
                let calc = self.dag.calc(input, condition, columns, rel.span);
                let proctime = |index: &usize| rel.columns[*index].attribute == Attribute::ProcTime;
                let proctimes: Vec<usize> = (0..rel.columns.len()).filter(proctime).collect();
                Ok(proctimes
                    .into_iter()
                    .fold(calc, |calc, index| self.dag.set_attribute(calc, index, Attribute::ProcTime)))
            }
            _ => Err(not_supported(span, "a filter on a row number that went through UNION ALL")),
        }
    }

    fn deduplicate(&mut self, input: RelId, keys: Vec<usize>, order: Order, keep: Keep, span: Span) -> RelId {
        let columns = self.dag.get(input).columns.clone();
        let op = RelOp::Deduplicate { keys, order, keep };
        let rel = self.dag.add(Rel { op, inputs: vec![input], columns, span });
        let mut columns = self.dag.pass(rel);
        let one = ExprKind::Literal(Value::Integer(1));
        columns.push(("w0$o0".to_owned(), Expr::new(one, DataType::not_null(LogicalType::BigInt)).at(span)));
        self.dag.calc(rel, None, columns, span)
    }
}

/// The time attribute and direction of `ORDER BY`, `None` where it is anything else.
fn order_of(keys: &[ast::OrderByExpr], scope: &Scope, span: Span) -> Result<Option<(Order, Keep)>, SqlError> {
    let [key] = keys else {
        if keys.is_empty() {
            return Err(refuse(
                span,
                "Over Agg: The window rank function requires order by clause with non-constant fields. \
                please re-check the over window statement.",
            ));
        }
        for key in keys {
            ExprBinder::new(scope).bind(&key.expr)?;
        }
        return Ok(None);
    };
    if key.with_fill.is_some() {
        return Err(not_supported(span, "WITH FILL"));
    }
    // Time attributes are never NULL: NULLS FIRST and LAST change nothing.
    let keep = if key.options.asc == Some(false) { Keep::Last } else { Keep::First };
    if is_proctime(&key.expr) {
        return Ok(Some((Order::ProcTime, keep)));
    }
    let expr = ExprBinder::new(scope).bind(&key.expr)?;
    let ExprKind::Column(index) = expr.kind else { return Ok(None) };
    Ok(match scope.columns[index].attribute {
        Attribute::RowTime => Some((Order::RowTime(index), keep)),
        Attribute::ProcTime => Some((Order::ProcTime, keep)),
        _ => None,
    })
}

/// The parts of a condition that must all hold, in order.
pub(super) fn conjuncts(condition: Expr) -> Vec<Expr> {
    match condition.kind {
        ExprKind::Call(Function::And, parts) => parts.into_iter().flat_map(conjuncts).collect(),
        _ => vec![condition],
    }
}
