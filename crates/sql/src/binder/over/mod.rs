//! `function(...) OVER (...)`: ranking, deduplication and OVER aggregation.
//!
//! The calls of a SELECT are collected while its expressions are bound (`calls`), each stands there as a column far behind those of the scope. They become one
//! `Over` relation below the SELECT's projection. A filter on a row number turns it into a `Rank` or a `Deduplicate` (`rank`), wherever below a chain of
//! projections and filters it stands; one that is left is an OVER aggregation, which `check` holds to what Flink takes on streams.

mod calls;
mod check;
mod rank;
mod window;

use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, LogicalType, OverFrame, SortKey};

use super::query::QueryBinder;
use super::refusal::refuse;
use super::rel::{Over, OverCall, Rel, RelColumn, RelId, RelOp};
use super::scope::Attribute;
use crate::error::SqlError;

pub(super) use calls::{Overs, first_over};
pub(super) use check::checked;
pub(super) use rank::conjuncts;

/// Where the columns begin that stand for OVER calls while a SELECT is bound.
pub(super) const CALLS_AT: usize = 1 << 40;

/// What Flink says where the calls of a SELECT do not share their window.
const SEVERAL_WINDOWS: &str = "Over Agg: Unsupported use of OVER windows. All aggregates must be computed on the same window. \
    please re-check the over window statement.";

impl QueryBinder<'_> {
    /// Puts the OVER calls of a SELECT on `input`; gives the relation, whose last columns they are, and makes `exprs` read them there.
    pub(super) fn over<'e>(
        &mut self,
        input: RelId,
        overs: Overs,
        exprs: impl IntoIterator<Item = &'e mut Expr>,
    ) -> Result<RelId, SqlError> {
        let Some(first) = overs.calls.first() else { return Ok(input) };
        let (span, window) = (first.span, first.window.clone());
        if let Some(other) = overs.calls.iter().find(|call| !call.window.is_same(&window)) {
            return Err(refuse(other.span, SEVERAL_WINDOWS)
                .hint("compute each window in a subquery of its own: SELECT *, f(x) OVER w2 FROM (SELECT *, f(x) OVER w1 FROM t)"));
        }
        let mut below = Below { columns: self.dag.pass(input), width: self.dag.get(input).columns.len() };
        let keys: Vec<usize> = window.keys.iter().map(|key| below.place("$key", key)).collect();
        let order: Vec<SortKey> = window
            .order
            .iter()
            .map(|key| SortKey {
                column: below.place("$order", &key.expr),
                descending: key.descending,
                nulls_last: key.nulls_last,
            })
            .collect();
        let calls: Vec<OverCall> = overs.calls.iter().map(|call| call.over(&mut below)).collect();
        let is_plain = below.columns.len() == below.width;
        let mut attributes: Vec<Attribute> =
            self.dag.get(input).columns.iter().map(|column| column.attribute).collect();
        attributes.resize(below.columns.len(), Attribute::None);
        let proctimes = order.iter().zip(&window.order).filter(|(_, bound)| bound.is_proctime);
        proctimes.for_each(|(key, _)| attributes[key.column] = Attribute::ProcTime);
        let input = if is_plain { input } else { self.with_columns(input, below.columns, attributes, span) };
        let width = self.dag.get(input).columns.len();
        let mut columns = self.dag.get(input).columns.clone();
        for (index, call) in calls.iter().enumerate() {
            let attribute = if call.rank().is_some() { Attribute::RowNumber } else { Attribute::None };
            columns.push(RelColumn { name: format!("w0$o{index}"), data_type: call.data_type(), attribute });
        }
        let by_time = matches!(order.as_slice(), [key] if columns[key.column].attribute.is_time());
        let over = Over { keys, order, frame: window.frame, calls, by_time };
        let rel = self.dag.add(Rel { op: RelOp::Over(Box::new(over)), inputs: vec![input], columns, span });
        for expr in exprs {
            expr.rewrite(&mut |part| {
                if let ExprKind::Column(index) = &mut part.kind
                    && *index >= CALLS_AT
                {
                    *index = *index - CALLS_AT + width;
                }
            });
        }
        Ok(rel)
    }

    /// A Calc with further columns behind those of `input`, which stay what they are.
    fn with_columns(
        &mut self,
        input: RelId,
        columns: Vec<(String, Expr)>,
        attributes: Vec<Attribute>,
        span: Span,
    ) -> RelId {
        let calc = self.dag.calc(input, None, columns, span);
        let proctimes = attributes.iter().enumerate().filter(|(_, attribute)| **attribute == Attribute::ProcTime);
        proctimes.fold(calc, |calc, (index, _)| self.dag.set_attribute(calc, index, Attribute::ProcTime))
    }
}

/// The columns of the relation that an OVER reads: all of its input, then what has to be computed.
struct Below {
    columns: Vec<(String, Expr)>,
    width: usize,
}

impl Below {
    /// The column that holds `expr`.
    fn place(&mut self, name: &str, expr: &Expr) -> usize {
        if let ExprKind::Column(index) = expr.kind {
            return index;
        }
        let key = super::rel::key_of_expr(expr);
        let known = self.columns.iter().skip(self.width).position(|(_, column)| super::rel::key_of_expr(column) == key);
        known.map_or_else(
            || {
                self.columns.push((format!("{name}{}", self.columns.len()), expr.clone()));
                self.columns.len() - 1
            },
            |at| self.width + at,
        )
    }
}

/// The type of a row number.
fn number_type() -> DataType {
    DataType::not_null(LogicalType::BigInt)
}

/// The frame of functions that Flink numbers row by row.
const BY_ROWS: OverFrame = OverFrame::Rows(None);
