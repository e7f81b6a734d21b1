//! `OVER (PARTITION BY ... ORDER BY ... ROWS|RANGE ...)` and the WINDOW clause.

use sqlparser::ast::{self, Spanned as _};
use weir_base::Span;
use weir_plan::{Expr, ExprKind, LogicalType, OverFrame, Value};

use super::BY_ROWS;
use crate::binder::expr::ExprBinder;
use crate::binder::refusal::{not_supported, refuse};
use crate::binder::rel::key_of_expr;
use crate::binder::source::is_proctime;
use crate::binder::types::calcite_name;
use crate::error::{SqlError, did_you_mean, span_of};

/// A key of ORDER BY, over the scope.
#[derive(Debug, Clone)]
pub(in crate::binder) struct OrderKey {
    /// What is ordered by.
    pub expr: Expr,
    /// Whether that is `PROCTIME()`.
    pub is_proctime: bool,
    /// `DESC`
    pub descending: bool,
    /// Whether NULL stands behind all values.
    pub nulls_last: bool,
}

/// The window of a call.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// `PARTITION BY`
    pub keys: Vec<Expr>,
    /// `ORDER BY`
    pub order: Vec<OrderKey>,
    /// The frame.
    pub frame: OverFrame,
}

impl Window {
    /// Whether both are the same window, wherever they stand.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let keys = |window: &Self| window.keys.iter().map(key_of_expr).collect::<Vec<_>>();
        let order = |window: &Self| {
            let key = |key: &OrderKey| (key_of_expr(&key.expr), key.descending, key.nulls_last);
            window.order.iter().map(key).collect::<Vec<_>>()
        };
        self.frame == other.frame && keys(self) == keys(other) && order(self) == order(other)
    }
}

/// What stands behind OVER, with the WINDOW clause's definitions spelled out.
pub(super) struct Spelled<'t> {
    partition_by: &'t [ast::Expr],
    order_by: &'t [ast::OrderByExpr],
    frame: Option<&'t ast::WindowFrame>,
    span: Span,
}

/// Spells the window of a call out.
///
/// # Errors
/// When it names a window that is not defined, or says what that one says already.
pub(super) fn spelled<'t>(
    over: &'t ast::WindowType,
    named: &'t [ast::NamedWindowDefinition],
    span: Span,
) -> Result<Spelled<'t>, SqlError> {
    match over {
        ast::WindowType::NamedWindow(name) => lookup(name, named),
        ast::WindowType::WindowSpec(spec) => of_spec(spec, named, span),
    }
}

fn lookup<'t>(name: &ast::Ident, named: &'t [ast::NamedWindowDefinition]) -> Result<Spelled<'t>, SqlError> {
    let span = span_of(name.span);
    let at = named.iter().position(|ast::NamedWindowDefinition(known, _)| known.value == name.value);
    let Some(at) = at else {
        let names = named.iter().map(|ast::NamedWindowDefinition(known, _)| known.value.as_str());
        return Err(refuse(span, format!("Window '{}' not found", name.value)).hint_maybe(
            did_you_mean(&name.value, names).or_else(|| {
                named.is_empty().then(|| {
                    format!("define it behind the query: WINDOW {} AS (PARTITION BY ... ORDER BY ...)", name.value)
                })
            }),
        ));
    };
    // A definition may use those before it only: no cycle is possible.
    match &named[at].1 {
        ast::NamedWindowExpr::NamedWindow(other) => lookup(other, &named[..at]),
        ast::NamedWindowExpr::WindowSpec(spec) => of_spec(spec, &named[..at], span),
    }
}

fn of_spec<'t>(
    spec: &'t ast::WindowSpec,
    named: &'t [ast::NamedWindowDefinition],
    span: Span,
) -> Result<Spelled<'t>, SqlError> {
    let own =
        Spelled { partition_by: &spec.partition_by, order_by: &spec.order_by, frame: spec.window_frame.as_ref(), span };
    let Some(name) = &spec.window_name else { return Ok(own) };
    let base = lookup(name, named)?;
    let place = span_of(name.span);
    if !own.partition_by.is_empty() {
        return Err(refuse(place, "PARTITION BY not allowed with existing window reference"));
    }
    if !own.order_by.is_empty() && !base.order_by.is_empty() {
        return Err(refuse(place, "ORDER BY not allowed in both base and referenced windows"));
    }
    if base.frame.is_some() {
        return Err(refuse(place, "Referenced window cannot have framing declarations"));
    }
    let order_by = if own.order_by.is_empty() { base.order_by } else { own.order_by };
    Ok(Spelled { partition_by: base.partition_by, order_by, frame: own.frame, span })
}

impl Spelled<'_> {
    /// Binds the window. `by_rows`: the function numbers rows; `frameless`: it takes no frame.
    pub(super) fn bind(&self, binder: &ExprBinder<'_>, by_rows: bool, frameless: bool) -> Result<Window, SqlError> {
        let keys = self.partition_by.iter().map(|tree| binder.bind(tree)).collect::<Result<_, _>>()?;
        let order = self.order_by.iter().map(|key| order_key(key, binder)).collect::<Result<Vec<_>, _>>()?;
        let frame = match self.frame {
            Some(_) if frameless => {
                return Err(refuse(self.span, "ROW/RANGE not allowed with RANK, DENSE_RANK or ROW_NUMBER functions")
                    .hint("leave the frame out"));
            }
            Some(frame) => self.frame(frame, binder, &order)?,
            None if by_rows => BY_ROWS,
            None => OverFrame::Range(None),
        };
        Ok(Window { keys, order, frame })
    }

    fn frame(
        &self,
        frame: &ast::WindowFrame,
        binder: &ExprBinder<'_>,
        order: &[OrderKey],
    ) -> Result<OverFrame, SqlError> {
        use ast::WindowFrameBound as Bound;
        let following = || {
            refuse(self.span, "OVER RANGE FOLLOWING windows are not supported yet.")
                .hint("a frame ends at the CURRENT ROW: ROWS BETWEEN 2 PRECEDING AND CURRENT ROW")
        };
        if !matches!(frame.end_bound, None | Some(Bound::CurrentRow)) {
            return Err(following());
        }
        let bound = match &frame.start_bound {
            Bound::Preceding(bound) => bound.as_deref(),
            Bound::CurrentRow | Bound::Following(_) => return Err(following()),
        };
        let bound = bound.map(|tree| binder.bind(tree)).transpose()?;
        match frame.units {
            ast::WindowFrameUnits::Rows => match bound {
                None => Ok(OverFrame::Rows(None)),
                Some(expr) => Ok(OverFrame::Rows(Some(rows(&expr)?))),
            },
            ast::WindowFrameUnits::Range => match bound {
                None => Ok(OverFrame::Range(None)),
                Some(expr) => Ok(OverFrame::Range(Some(range(&expr, order)?))),
            },
            ast::WindowFrameUnits::Groups => Err(not_supported(self.span, "GROUPS in a window")),
        }
    }
}

/// Binds a key of ORDER BY: NULL is the least value unless it says otherwise.
pub(in crate::binder) fn order_key(key: &ast::OrderByExpr, binder: &ExprBinder<'_>) -> Result<OrderKey, SqlError> {
    let span = span_of(key.expr.span());
    if key.with_fill.is_some() {
        return Err(not_supported(span, "WITH FILL"));
    }
    let descending = key.options.asc == Some(false);
    let nulls_last = key.options.nulls_first.map_or(descending, |first| !first);
    Ok(OrderKey { expr: binder.bind(&key.expr)?, is_proctime: is_proctime(&key.expr), descending, nulls_last })
}

/// The rows of `ROWS n PRECEDING`.
fn rows(expr: &Expr) -> Result<u64, SqlError> {
    let value = crate::binder::expr::integer_constant(expr);
    value.and_then(|value| u64::try_from(value).ok()).ok_or_else(|| {
        refuse(expr.span, "ROWS value must be a non-negative integral constant").hint("such as ROWS 10 PRECEDING")
    })
}

/// The milliseconds of `RANGE INTERVAL ... PRECEDING`.
fn range(expr: &Expr, order: &[OrderKey]) -> Result<u64, SqlError> {
    let is_time = order.first().is_some_and(|key| {
        matches!(key.expr.data_type.logical, LogicalType::Timestamp(_) | LogicalType::TimestampLtz(_))
    });
    match (&expr.kind, &expr.data_type.logical) {
        (ExprKind::Literal(Value::Months(_)), _) => {
            Err(refuse(expr.span, "INTERVAL_YEAR_MONTH type is not allowed for window boundary")
                .hint("write days: INTERVAL '30' DAY"))
        }
        (ExprKind::Literal(Value::Milliseconds(ms)), _) if is_time => {
            u64::try_from(*ms).map_err(|_| refuse(expr.span, "The interval of RANGE must not be negative"))
        }
        (_, logical) if is_time && !logical.is_numeric() => {
            Err(not_supported(expr.span, "an interval of RANGE that is computed").hint("write it as a literal"))
        }
        (_, logical) => Err(refuse(expr.span, "Data Type mismatch between ORDER BY and RANGE clause").hint(format!(
            "over a time attribute RANGE takes an interval, not {}: RANGE INTERVAL '10' SECOND PRECEDING",
            calcite_name(logical)
        ))),
    }
}
