//! `(a, b) OVERLAPS (c, d)`: two stretches of time, each by its ends, or by one end and an interval.

use sqlparser::ast;
use weir_base::Span;
use weir_plan::{Expr, ExprKind, Function, LogicalType};

use super::{ExprBinder, arithmetic, compare};
use crate::binder::refusal::refuse;
use crate::binder::types::calcite_name;
use crate::error::SqlError;

impl ExprBinder<'_> {
    /// TRUE where the stretches have a moment in common, their ends among them; the ends may stand in either order.
    pub(super) fn overlaps(&self, left: &ast::Expr, right: &ast::Expr, span: Span) -> Result<Expr, SqlError> {
        let (first, second) = (self.stretch(left, span)?, self.stretch(right, span)?);
        let kind = |expr: &Expr| matches!(expr.data_type.logical, LogicalType::Time(_));
        if kind(&first.0) != kind(&second.0) {
            return Err(wrong(&[&first.0, &second.0], span));
        }
        let ends_later = compare::compare(Function::GreaterOrEqual, first.1, second.0, span)?;
        let begins_earlier = compare::compare(Function::GreaterOrEqual, second.1, first.0, span)?;
        Ok(compare::all_of(Function::And, vec![ends_later, begins_earlier], span))
    }

    /// The earlier and the later end.
    fn stretch(&self, tree: &ast::Expr, span: Span) -> Result<(Expr, Expr), SqlError> {
        let ast::Expr::Tuple(parts) = tree else {
            return Err(refuse(span, "OVERLAPS compares two stretches of time")
                .hint("write (start, end) OVERLAPS (start, end)"));
        };
        let [start, end] = parts.as_slice() else {
            return Err(refuse(span, "OVERLAPS compares two stretches of time, each of a start and an end"));
        };
        let (start, end) = (self.bind(start)?, self.bind(end)?);
        let is_interval =
            matches!(end.data_type.logical, LogicalType::IntervalDayTime | LogicalType::IntervalYearMonth);
        let is_time = arithmetic::is_time(&start.data_type.logical);
        if !is_time || !(is_interval || arithmetic::is_time(&end.data_type.logical)) {
            return Err(wrong(&[&start, &end], span));
        }
        super::check_copies(&start, 4, span)?;
        super::check_copies(&end, 2, span)?;
        let end = if is_interval { arithmetic::arithmetic(Function::Add, start.clone(), end, span)? } else { end };
        let in_order = compare::compare(Function::LessOrEqual, start.clone(), end.clone(), span)?;
        let chosen = |first: Expr, second: Expr| {
            let data_type =
                first.data_type.clone().with_nullable(first.data_type.nullable || second.data_type.nullable);
            let branches = vec![(in_order.clone(), first)];
            Expr::new(ExprKind::Case { branches, otherwise: Box::new(second) }, data_type).at(span)
        };
        Ok((chosen(start.clone(), end.clone()), chosen(end, start)))
    }
}

fn wrong(parts: &[&Expr], span: Span) -> SqlError {
    let types: Vec<_> = parts.iter().map(|part| calcite_name(&part.data_type.logical)).collect();
    refuse(
        span,
        format!(
            "Cannot apply 'OVERLAPS' to arguments of type {}. Supported form(s): '<DATETIME> OVERLAPS <DATETIME>'",
            types.join(" and ")
        ),
    )
    .hint("both stretches are dates or timestamps, or both are times")
}
