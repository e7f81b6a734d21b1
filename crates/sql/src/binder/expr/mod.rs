//! Expressions: from sqlparser's tree to typed `plan::Expr`, by Flink's rules.
//!
//! One file for each family of syntax; all meet in [`ExprBinder::bind`]. Names are looked up in a `Scope`; an aggregate call is handed
//! to the collector of the query that allows aggregates, and stands in the expression as a column behind those of the scope.

mod access;
mod arithmetic;
mod call;
pub(super) mod cast;
mod compare;
mod conditional;
mod division;
mod interval;
mod json;
mod literal;
mod overlaps;
mod temporal;
mod unit;

use std::cell::RefCell;

use sqlparser::ast::{self, Spanned as _};
use weir_base::Span;
use weir_plan::{Expr, LogicalType};

use super::aggregates::Aggregates;
use super::functions;
use super::over::Overs;
use super::refusal::{not_supported, refuse};
use super::scope::Scope;
use super::types::calcite_name;
use crate::error::{SqlError, span_of};

pub(super) use call::{is_untyped, plain_arguments};
pub(super) use compare::all_of;
pub(super) use division::check_divisions;
pub(super) use interval::interval_literal;
pub(super) use literal::integer_constant;

/// Parts of an expression at most where the binder has to copy some: far more than anybody writes.
const EXPRESSION_PARTS_MAX: usize = 100_000;

/// Binds expressions over one scope.
pub(super) struct ExprBinder<'a> {
    scope: &'a Scope,
    aggregates: Option<&'a RefCell<Aggregates>>,
    overs: Option<&'a RefCell<Overs>>,
}

impl<'a> ExprBinder<'a> {
    /// Binds without aggregates.
    pub(super) fn new(scope: &'a Scope) -> Self {
        Self { scope, aggregates: None, overs: None }
    }

    /// Binds with OVER calls, which `overs` collects.
    pub(super) fn with_overs(scope: &'a Scope, overs: &'a RefCell<Overs>) -> Self {
        Self { scope, aggregates: None, overs: Some(overs) }
    }

    /// Binds with aggregates and OVER calls.
    pub(super) fn with_all(scope: &'a Scope, aggregates: &'a RefCell<Aggregates>, overs: &'a RefCell<Overs>) -> Self {
        Self { scope, aggregates: Some(aggregates), overs: Some(overs) }
    }

    /// The columns that it sees.
    pub(super) fn scope(&self) -> &'a Scope {
        self.scope
    }

    /// The same binder where OVER calls are not taken: inside one.
    fn inside_over(&self) -> ExprBinder<'a> {
        ExprBinder { scope: self.scope, aggregates: self.aggregates, overs: None }
    }

    /// Binds a condition: BOOLEAN.
    ///
    /// # Errors
    /// As `bind`, and when it is no BOOLEAN; `clause` names where it stands (WHERE, HAVING).
    pub(super) fn bind_condition(&self, tree: &ast::Expr, clause: &str) -> Result<Expr, SqlError> {
        let condition = self.bind(tree)?;
        match condition.data_type.logical {
            LogicalType::Boolean => Ok(condition),
            LogicalType::Null => Ok(cast::implicit_cast(condition, &LogicalType::Boolean)),
            ref other => {
                let given = calcite_name(other);
                let text = match clause {
                    "WHEN" => format!("Expected a boolean type, but was {given}"),
                    clause => format!("{clause} clause must be a condition: it is of type {given}, not BOOLEAN"),
                };
                Err(refuse(condition.span, text))
            }
        }
    }

    /// Binds any expression.
    ///
    /// # Errors
    /// When a name is unknown, types do not fit, or a form is not supported; at the place of the part that is wrong.
    pub(super) fn bind(&self, tree: &ast::Expr) -> Result<Expr, SqlError> {
        use ast::Expr as E;
        let span = span_of(tree.span());
        match tree {
            E::Nested(inner) => self.bind(inner),
            E::Identifier(name) => self.name(std::slice::from_ref(name), span),
            E::CompoundIdentifier(parts) => self.name(parts, span),
            E::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain, span),
            E::Value(value) => literal::value(value),
            E::TypedString(typed) => literal::typed_string(typed, span),
            E::Interval(interval) => interval::bind(interval, span),
            E::UnaryOp { op, expr } => self.unary(*op, expr, span),
            E::BinaryOp { left, op: ast::BinaryOperator::Overlaps, right } => self.overlaps(left, right, span),
            E::BinaryOp { left, op, right } => self.binary(left, op, right, span),
            E::IsNull(_)
            | E::IsNotNull(_)
            | E::IsTrue(_)
            | E::IsNotTrue(_)
            | E::IsFalse(_)
            | E::IsNotFalse(_)
            | E::IsUnknown(_)
            | E::IsNotUnknown(_) => self.is(tree, span),
            E::IsDistinctFrom(left, right) => self.distinct(left, right, false, span),
            E::IsNotDistinctFrom(left, right) => self.distinct(left, right, true, span),
            E::Between { expr, negated, low, high } => self.between(expr, *negated, low, high, span),
            E::InList { expr, list, negated } => self.in_list(expr, list, *negated, span),
            E::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like(weir_plan::Function::Like, *negated, [expr, pattern], escape_char.as_ref(), span)
            }
            E::SimilarTo { negated, expr, pattern, escape_char } => {
                self.like(weir_plan::Function::SimilarTo, *negated, [expr, pattern], escape_char.as_ref(), span)
            }
            E::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), span)
            }
            E::Cast { kind, expr, data_type, array: false, format: None } => self.cast(kind, expr, data_type, span),
            E::Function(function) => self.function(function, span),
            E::Extract { .. }
            | E::Ceil { .. }
            | E::Floor { .. }
            | E::Overlay { .. }
            | E::Position { .. }
            | E::Substring { .. }
            | E::Trim { .. } => self.special(tree, span),
            E::Array(array) => self.array(&array.elem, span),
            E::Tuple(fields) => self.row(fields, span),
            E::Subquery(_) | E::Exists { .. } | E::InSubquery { .. } | E::AnyOp { .. } | E::AllOp { .. } => {
                Err(not_supported(span, "a subquery in an expression"))
            }
            other => Err(not_supported(span, format!("the expression '{other}'"))),
        }
    }

    fn bind_all<'t>(&self, trees: impl IntoIterator<Item = &'t ast::Expr>) -> Result<Vec<Expr>, SqlError> {
        trees.into_iter().map(|tree| self.bind(tree)).collect()
    }

    fn operator(&self, function: weir_plan::Function, arguments: Vec<Expr>, span: Span) -> Result<Expr, SqlError> {
        functions::operator(function, arguments, span)
    }
}

/// Refuses to copy `inner` so often that the expression becomes too large: nested, copies multiply.
fn check_copies(inner: &Expr, copies: usize, span: Span) -> Result<(), SqlError> {
    let (mut parts, mut counts) = (0_usize, false);
    inner.visit(&mut |part| {
        parts += 1;
        counts |= is_metric(part);
    });
    if counts && copies > 1 {
        let text = "METRIC_COUNT and METRIC_HISTOGRAM would count twice inside BETWEEN, CASE, NULLIF and OVERLAPS, which are spelled out";
        return Err(refuse(span, text).hint("compute the metric as a column of a subquery"));
    }
    if parts.saturating_mul(copies) <= EXPRESSION_PARTS_MAX {
        return Ok(());
    }
    Err(refuse(
        span,
        format!(
            "the expression has more than {EXPRESSION_PARTS_MAX} parts once BETWEEN, CASE and NULLIF are spelled out"
        ),
    )
    .hint("compute the inner part as a column of a subquery"))
}

/// Whether it is METRIC_COUNT or METRIC_HISTOGRAM.
fn is_metric(expr: &Expr) -> bool {
    use weir_plan::Function as F;
    matches!(&expr.kind, weir_plan::ExprKind::Call(F::MetricCount | F::MetricHistogram, _))
}
